"""What is finished takes a few bytes of memory, and is read back from the journal as it was written."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fake_runs import DATA, QUICK, Bench, FakeBackbone, essence, keys, read

from paars_bench.backbones.door import Usage
from paars_bench.config import TaskIndex
from paars_bench.data import load_dataset
from paars_bench.data.schema import Catalog
from paars_bench.outcomes import CaseEnd, Outcome
from paars_bench.run import RunSpec, rescore
from paars_bench.run.finished import Finished, JournalChangedError
from paars_bench.run.journal import JsonLines
from paars_bench.run.plan import Plan, make_plan
from paars_bench.tasks.result import CaseResult, session_name

TASK = "session_generation"
START = "2026-03-01T10:00:00+00:00"


@cache
def plan(repeats: int = 1, limit: int = 5) -> Plan:
    specs = TaskIndex().select((TASK,))
    spec = RunSpec("random", (TASK,), DATA, limit=limit, repeats=repeats, conditions=("base",))
    return make_plan(specs, load_dataset(DATA), spec)


@cache
def catalog() -> Catalog:
    return load_dataset(DATA).catalog


def session(case_id: str, repeat: int = 0, outcome: Outcome = Outcome.OK, **more: Any) -> CaseResult:
    """A session that searches ``mug``, opens the third product shown and leaves, or does not get to leave."""
    case = plan().cases[TASK].get(case_id)
    shopper, visit = (case.shopper, case.session) if case else ("s", "nowhere")
    common = {"shopper": shopper, "session": session_name(TASK, "base", repeat, visit), "time": START}
    events = [
        {**common, "action": "search", "query": "mug", "shown": [f"P{n:05d}" for n in range(30)]},
        {**common, "action": "view", "product": "P00002", "rank": 3},
        {**common, "action": "leave"},
    ]
    parsed = {"end": "left", "turns": 3, "errors": 0, "searches": 1, "views": 1, "purchases": 0}
    if outcome is not Outcome.OK:
        events, parsed = events[:2], parsed | {"end": None}
    return CaseResult(case_id, TASK, "base", repeat, shopper, outcome, parsed, events=events, **more)


def finished(path: Path, made: Plan) -> Finished:
    found = Finished(JsonLines(path / "journal.jsonl"), made, catalog())
    found.load()
    return found


def test_a_finished_session_takes_a_few_bytes(tmp_path: Path) -> None:
    repeats, made = 800, plan(800)
    cases = list(made.cases[TASK])
    session(cases[0]), catalog()  # what they keep is not the sessions'
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        done = finished(tmp_path, made)
        for case_id in cases:
            for repeat in range(repeats):
                done.append(session(case_id, repeat), log_samples=False)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    count = len(cases) * repeats
    assert len(done) == count == 4_000
    assert (after - before) / count < 16  # nine, and what the file and the plan's case ids take


def test_of_a_case_asked_twice_the_last_line_counts_and_both_are_paid(tmp_path: Path) -> None:
    made = plan()
    case_id, other, *_ = made.cases[TASK]
    done = finished(tmp_path, made)
    done.append(session(case_id, outcome=Outcome.PROVIDER_ERROR, usage=Usage(input=5)), log_samples=False)
    done.append(session(other, usage=Usage(input=7)), log_samples=False)
    owed = [q.case.case_id for q in made.questions() if done.owes(q)]
    assert case_id in owed
    assert other not in owed
    done.append(session(case_id, usage=Usage(input=11)), log_samples=False)
    again = finished(tmp_path, made)
    for found in (done, again):
        assert found.ended(TASK, "base", [case_id, other], 1) == [CaseEnd(Outcome.OK)] * 2
        assert len(found) == 2
    assert again.spent.input == 23


def test_a_line_that_is_no_answer_to_its_question_is_damaged_and_an_earlier_one_counts(tmp_path: Path) -> None:
    made = plan()
    case_id, other, *_ = made.cases[TASK]
    done = finished(tmp_path, made)
    done.append(session(case_id), log_samples=False)
    journal = JsonLines(tmp_path / "journal.jsonl")
    for answered in (case_id, other):
        journal.append(replace(session(answered), parsed={"choice": 1}, events=None).row(log_samples=False))
    again = finished(tmp_path, made)
    assert again.ended(TASK, "base", [case_id, other], 1) == [CaseEnd(Outcome.OK), None]
    assert again.damaged == (2, "line 2: parsed: has no purchases, with which session_generation is answered")


def test_torn_lines_and_questions_of_other_plans_are_not_finished(tmp_path: Path) -> None:
    made = plan()
    case_id = next(iter(made.cases[TASK]))
    done = finished(tmp_path, made)
    done.append(session(case_id), log_samples=False)
    journal = JsonLines(tmp_path / "journal.jsonl")
    for stranger in (session("nowhere"), session(case_id, repeat=9)):
        journal.append(replace(stranger, usage=Usage(output=3)).row(log_samples=False))
    journal.close()
    with (tmp_path / "journal.jsonl").open("a") as handle:
        handle.write('{"case_id":"torn')
    again = finished(tmp_path, made)
    assert (len(again), again.damaged.lines, again.spent.output) == (1, 1, 6)
    assert [r.case_id for r in again.results(TASK, "base", made.cases[TASK], 1)] == [case_id]


def test_results_are_read_in_the_order_of_the_plan_and_measured_as_facts(tmp_path: Path) -> None:
    made = plan(2)
    cases = list(made.cases[TASK])
    done = finished(tmp_path, made)
    asked = [(case_id, repeat) for case_id in cases for repeat in (0, 1)]
    for case_id, repeat in reversed(asked):
        done.append(session(case_id, repeat), log_samples=False)
    found = list(done.results(TASK, "base", cases, 2))
    assert [(r.case_id, r.repeat) for r in found] == asked
    assert found[0] == session(*asked[0])
    measured = done.scored(TASK, "base", cases, 2)
    assert [(r.case_id, r.repeat) for r in measured] == asked
    one, two = measured[0], measured[-1]
    assert (one.facts.searches, one.facts.queries, one.facts.products, one.facts.ranks) == (
        1,
        ("mug",),
        ("P00002",),
        (3,),
    )
    assert one.facts.products[0] is two.facts.products[0]


def test_a_journal_cut_after_it_was_read_is_said(tmp_path: Path) -> None:
    made = plan()
    done = finished(tmp_path, made)
    for case_id in made.cases[TASK]:
        done.append(session(case_id), log_samples=False)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(JournalChangedError, match=r"journal\.jsonl: was changed"):
        done.scored(TASK, "base", made.cases[TASK], 1)


def test_a_log_in_many_row_groups_holds_what_one_holds(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"tasks": (TASK,), "conditions": ("base", "persona"), "repeats": 2}
    done = bench("random", **options)
    log = tmp_path / "run" / "agent_log"
    whole = {name: pq.read_table(log / f"{name}.parquet") for name in ("events", "sessions")}
    monkeypatch.setattr("paars_bench.run.agent_log.ROW_GROUP", 7)
    assert essence(rescore(tmp_path / "run").results) == essence(done.results)
    for name, table in whole.items():
        file = pq.ParquetFile(log / f"{name}.parquet")
        assert file.num_row_groups == 6  # 40 sessions, seven at once
        assert file.read().equals(table)
    assert not list(log.glob("*.part"))
    sessions = whole["sessions"].to_pylist()
    assert len({s["session"] for s in sessions}) == len(sessions) == 40
    intentions = {c.session: c.values["intention"] for c in plan(limit=10).cases[TASK].values()}
    told = {s["session"]: s["intention"] for s in sessions}
    assert told == {name: intentions[name.rsplit("/", 1)[1]] for name in told}
    assert any(told.values())


def test_a_baseline_hears_a_signal_before_its_last_case(tmp_path: Path) -> None:
    path = tmp_path / "run"
    words = f"--model first --tasks {','.join(QUICK[:2])} --dataset {DATA} --conditions base --repeats 2000".split()
    command = [sys.executable, "-m", "paars_bench.cli", *words, "--output_path", str(path)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    for line in run.stderr:
        if line.startswith("first case"):
            run.terminate()
            break
    _, err = run.communicate(timeout=120)
    assert run.returncode == 130, err
    counts = [task["counts"] for task in read(path)["tasks"]]
    asked = sum(keys(path).values())
    assert asked == sum(c["scored"] for c in counts)
    assert 0 < asked < sum(c["planned"] for c in counts) / 2


def test_a_baseline_is_written_no_prompt_unless_asked(bench: Bench, tmp_path: Path) -> None:
    one = bench("first", path="one", conditions=("base",), limit=3)
    two = bench("first", path="two", conditions=("base",), limit=3, log_samples=True)
    assert essence(one.results)["tasks"] == essence(two.results)["tasks"]
    assert '"messages"' not in (tmp_path / "one" / "journal.jsonl").read_text()
    assert '"messages":[{"role":"system"' in (tmp_path / "two" / "journal.jsonl").read_text()
    bench(FakeBackbone(scripted=False), path="three", conditions=("base",), limit=3)
    assert '"messages":[{"role":"system"' in (tmp_path / "three" / "journal.jsonl").read_text()
