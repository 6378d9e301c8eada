"""Runs in which something breaks: what is done is kept, what is owed is said, and the same command ends the run."""

from __future__ import annotations

import asyncio
import errno
import importlib
import json
import math
from pathlib import Path
from typing import Any

import pytest
from fake_runs import CHOICES, Bench, FakeBackbone, essence, failing, keys, read, rows, sensible

from paars_bench.backbones.door import Completion, Request, Usage
from paars_bench.errors import BackboneUnusable, PaarsError, RunDirectoryError
from paars_bench.outcomes import Outcome
from paars_bench.run import rescore
from paars_bench.run.journal import JsonLines


def breaking(after: int, error: BaseException) -> FakeBackbone:
    def answer(request: Request, number: int) -> str:
        if number > after:
            raise error
        return sensible(request, number)

    return FakeBackbone(answer)


def test_every_hundredth_call_failing_loses_those_and_no_others(bench: Bench, tmp_path: Path) -> None:
    done = bench(FakeBackbone(failing(Outcome.ENV_ERROR, 100)), tasks=CHOICES, limit=None)
    found = [r["outcome"] for r in rows(tmp_path / "run")]
    assert len(found) > 500
    assert found.count("env_error") == len(found) // 100
    assert set(found) == {"env_error", "ok"}
    assert done.exit_code == 0  # coverage is 99 %
    again = bench(FakeBackbone(), tasks=CHOICES, limit=None)
    assert all(t["coverage"] == 1 for t in again.results["tasks"])
    assert (
        essence(again.results)["tasks"] == bench(FakeBackbone(), tasks=CHOICES, limit=None, path="b").results["tasks"]
    )


@pytest.mark.parametrize("outcome", [Outcome.PROVIDER_ERROR, Outcome.ENV_ERROR])
def test_what_a_provider_failed_at_is_owed_and_asked_again_alone(
    bench: Bench, tmp_path: Path, outcome: Outcome
) -> None:
    bench(FakeBackbone(failing(outcome, 4)), tasks=CHOICES)
    second = FakeBackbone()
    done = bench(second, tasks=CHOICES)
    assert len(second.requests) == 10
    assert done.exit_code == 0
    assert max(keys(tmp_path / "run").values()) == 2
    third = FakeBackbone()
    assert bench(third, tasks=CHOICES).results["tasks"] == done.results["tasks"]
    assert third.requests == []


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNPARSEABLE, Outcome.TRUNCATED, Outcome.EMPTY_OUTPUT])
def test_what_a_model_failed_at_is_not_asked_again(bench: Bench, outcome: Outcome) -> None:
    first = bench(FakeBackbone(failing(outcome, 4)), tasks=CHOICES)
    second = FakeBackbone()
    assert essence(bench(second, tasks=CHOICES).results) == essence(first.results)
    assert second.requests == []
    assert first.exit_code == 2


def test_a_backbone_that_cannot_work_ends_the_run_and_keeps_what_is_done(bench: Bench, tmp_path: Path) -> None:
    fake = breaking(13, BackboneUnusable("openai/m: wrong key; stopped, what is done is kept"))
    with pytest.raises(BackboneUnusable, match="wrong key") as ended:
        bench(fake, tasks=CHOICES)
    assert ended.value.exit_code == 4
    assert fake.closed == 1
    assert sum(keys(tmp_path / "run").values()) == 13
    partial = json.loads((tmp_path / "run" / "results.json").read_text())
    assert (partial["run"]["status"], partial["run"]["stop"]) == ("failed", "backbone_unusable")
    assert sum(t["counts"]["scored"] for t in partial["tasks"]) == 13
    assert sum(t["counts"]["not_asked"] for t in partial["tasks"]) == 27
    rest = FakeBackbone()
    done = bench(rest, tasks=CHOICES)
    assert len(rest.requests) == 40 - 13
    assert essence(done.results) == essence(bench(FakeBackbone(), tasks=CHOICES, path="whole").results)


def test_an_error_nobody_foresaw_ends_its_case_alone(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(request: Request, number: int) -> str:
        if number % 5 == 0:
            raise ZeroDivisionError("division by zero")
        return sensible(request, number)

    done = bench(FakeBackbone(answer), tasks=CHOICES)
    lost = [r for r in rows(tmp_path / "run") if r["outcome"] != "ok"]
    assert len(lost) == 8
    assert {(r["outcome"], r["error"]) for r in lost} == {("env_error", "ZeroDivisionError: division by zero")}
    assert (done.exit_code, done.results["run"]["status"]) == (2, "partial")
    assert done.results["failures"] == [{"outcome": "env_error", "reason": lost[0]["error"], "cases": 8}]
    assert f"unforeseen in {lost[0]['task']}" in " ".join(capsys.readouterr().err.split())
    rest = FakeBackbone()
    assert bench(rest, tasks=CHOICES).exit_code == 0
    assert len(rest.requests) == 8


def test_errors_nobody_foresaw_one_after_another_end_the_run_in_one_sentence(bench: Bench, tmp_path: Path) -> None:
    fake = breaking(7, ZeroDivisionError("division by zero"))
    with pytest.raises(PaarsError, match=r"10 cases one after another .* ZeroDivisionError: division by zero") as ended:
        bench(fake, tasks=CHOICES)
    assert ended.value.exit_code == 4
    assert fake.closed == 1
    asked = [r["outcome"] for r in rows(tmp_path / "run")]
    assert asked[:7] == ["ok"] * 7
    assert set(asked[7:]) == {"env_error"}
    assert 10 <= len(asked[7:]) < 10 + fake.traits.max_concurrency  # what was in flight ended too
    partial = read(tmp_path / "run")
    assert (partial["run"]["status"], partial["run"]["stop"]) == ("failed", "unforeseen_faults")
    assert sum(t["counts"]["scored"] for t in partial["tasks"]) == 7
    rest = FakeBackbone()
    assert essence(bench(rest, tasks=CHOICES).results) == essence(
        bench(FakeBackbone(), tasks=CHOICES, path="whole").results
    )
    assert len(rest.requests) == 33


def test_an_error_of_the_network_is_no_error_of_the_disk(bench: Bench, tmp_path: Path) -> None:
    def answer(request: Request, number: int) -> str:
        if number == 3:
            raise ConnectionResetError("gone")
        return sensible(request, number)

    bench(FakeBackbone(answer), tasks=CHOICES)
    assert [r["error"] for r in rows(tmp_path / "run") if r["outcome"] != "ok"] == ["ConnectionResetError: gone"]


@pytest.mark.parametrize("error", [ValueError("no \x1b key sk-abcdefgh12345678"), RecursionError(), MemoryError()])
def test_what_an_unforeseen_error_says_is_kept_without_keys(bench: Bench, tmp_path: Path, error: Exception) -> None:
    bench(breaking(36, error), tasks=CHOICES)
    (said,) = {r["error"] for r in rows(tmp_path / "run") if r["outcome"] == "env_error"}
    assert said.startswith(type(error).__name__)
    assert "abcdefgh" not in said


def test_a_backbone_that_does_not_close_loses_nothing(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    class Clinging(FakeBackbone):
        async def aclose(self) -> None:
            raise RuntimeError("still in use")

    assert bench(Clinging(), tasks=CHOICES).exit_code == 0
    assert "could not be closed (RuntimeError: still in use)" in " ".join(capsys.readouterr().err.split())


def test_an_answer_that_no_journal_takes_ends_its_case(bench: Bench, tmp_path: Path) -> None:
    def answer(request: Request, number: int) -> Completion:
        return Completion(sensible(request, number), latency_ms=math.nan if number == 3 else 1.0)

    bench(FakeBackbone(answer), tasks=CHOICES)
    (lost,) = [r for r in rows(tmp_path / "run") if r["outcome"] != "ok"]
    assert lost["outcome"] == "env_error"
    assert lost["error"].startswith("ValueError: ")
    assert len(rows(tmp_path / "run")) == 40


def test_a_persona_that_breaks_is_counted_and_never_base(bench: Bench, tmp_path: Path) -> None:
    def answer(request: Request, number: int) -> str:
        if request.role == "persona":
            raise ZeroDivisionError
        return sensible(request, number)

    fake = FakeBackbone(answer, scripted=False)
    with pytest.raises(PaarsError, match="ZeroDivisionError"):
        bench(fake, tasks=CHOICES, conditions=("persona", "shuffled"))
    assert {r["outcome"] for r in rows(tmp_path / "run")} == {"env_error"}
    assert all(r.role == "persona" for r in fake.requests)


def test_a_metric_that_breaks_takes_no_other_with_it(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = bench("random", tasks=CHOICES)
    journal = tmp_path / "run" / "journal.jsonl"
    score = importlib.import_module("paars_bench.tasks.scoring.measure")

    def broken(*_: Any) -> Any:
        raise FloatingPointError("underflow")

    with monkeypatch.context() as patch:
        patch.setitem(score._MEASURES, "kl_histogram", broken)
        done = rescore(journal.parent)
    assert (done.exit_code, done.results["run"]["status"]) == (2, "partial")
    lost = [m for t in done.results["tasks"] for m in t["metrics"] if m["metric"].startswith("kl_histogram")]
    assert lost
    assert {(m["value"], m["why"]) for m in lost} == {(None, "not computed: FloatingPointError: underflow")}
    kept = [m for t in done.results["tasks"] for m in t["metrics"] if m["metric"] == "accuracy"]
    assert kept == [m for t in whole.results["tasks"] for m in t["metrics"] if m["metric"] == "accuracy"]
    assert "not computed (FloatingPointError: underflow)" in " ".join(capsys.readouterr().err.split())


def test_a_full_disk_is_one_sentence_and_loses_nothing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = JsonLines.append

    def full(self: JsonLines, row: Any) -> int:
        if self.path.name == "journal.jsonl" and len(keys(tmp_path / "run") if self.path.exists() else ()) >= 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        return append(self, row)

    with monkeypatch.context() as patch:
        patch.setattr(JsonLines, "append", full)
        with pytest.raises(PaarsError, match="No space left on device") as ended:
            bench(FakeBackbone(), tasks=CHOICES)
    assert "repeat the command" in str(ended.value)
    assert sum(keys(tmp_path / "run").values()) == 9
    rest = FakeBackbone()
    done = bench(rest, tasks=CHOICES)
    assert len(rest.requests) == 31
    assert essence(done.results) == essence(bench(FakeBackbone(), tasks=CHOICES, path="whole").results)


def test_a_disk_that_is_full_when_results_are_written(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if self.name == "results.json.part":
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(PaarsError, match=r"No space left on device.*repeat the command") as ended:
            bench(FakeBackbone(), tasks=CHOICES)
    assert ended.value.exit_code == 4
    assert not list((tmp_path / "run").glob("results.json*"))
    again = FakeBackbone()
    assert bench(again, tasks=CHOICES).exit_code == 0
    assert again.requests == []


@pytest.mark.parametrize(
    "damage",
    [b'{"case_id":"x"}\n', b'{"outcome":"fine","usage":{}}\n', b'{"a":1}\n', b"\x00\x00\n", b'{"case_id":"item_cho'],
)
def test_a_damaged_journal_is_asked_again_where_it_is_damaged(bench: Bench, tmp_path: Path, damage: bytes) -> None:
    whole = bench(FakeBackbone(), tasks=CHOICES)
    journal = tmp_path / "run" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    place = 5 if damage.endswith(b"\n") else len(lines) - 1
    journal.write_bytes(b"".join([*lines[:place], damage, *lines[place + 1 :]]))
    again = FakeBackbone()
    assert essence(bench(again, tasks=CHOICES).results)["tasks"] == whole.results["tasks"]
    assert len(again.requests) == 1


FIELDS: list[tuple[str, Any]] = [
    ("case_id", 3),
    ("repeat", "0"),
    ("repeat", True),
    ("outcome", "fine"),
    ("parsed", None),
    ("parsed", {"choice": "first"}),
    ("parsed", {"query": "mug"}),
    ("parsed", ["choice"]),
    ("events", 7),
    ("events", ["bought"]),
    ("usage", None),
    ("usage", {"input": -1}),
    ("usage", {"input": "many"}),
    ("usage", {"cost_usd": "1"}),
    ("usage", {"tokens": 1}),
    ("error", 5),
    ("latency_ms", "long"),
    ("attempts", None),
]


@pytest.mark.parametrize(("key", "value"), FIELDS)
def test_a_line_with_a_field_of_another_kind_is_owed_again(bench: Bench, tmp_path: Path, key: str, value: Any) -> None:
    whole = bench(FakeBackbone(), tasks=CHOICES[:1])
    journal = tmp_path / "run" / "journal.jsonl"
    lines = journal.read_text().splitlines()
    lines[3] = json.dumps(json.loads(lines[3]) | {key: value})
    journal.write_text("\n".join(lines) + "\n")
    again = FakeBackbone()
    assert essence(bench(again, tasks=CHOICES[:1]).results)["tasks"] == whole.results["tasks"]
    assert len(again.requests) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [("time", "yesterday"), ("action", "hop"), ("shopper", None), ("product", 3), ("rank", "first"), ("shown", [1])],
)
def test_a_session_with_a_damaged_event_is_owed_again(bench: Bench, tmp_path: Path, key: str, value: Any) -> None:
    tasks = ("session_generation",)
    whole = bench(FakeBackbone(), tasks=tasks)
    journal = tmp_path / "run" / "journal.jsonl"
    lines = journal.read_text().splitlines()
    row = json.loads(lines[3])
    row["events"][-1][key] = value
    journal.write_text("\n".join([*lines[:3], json.dumps(row), *lines[4:]]) + "\n")
    assert bench(FakeBackbone(), tasks=tasks).results["tasks"] == whole.results["tasks"]
    assert max(keys(tmp_path / "run").values()) == 2


@pytest.mark.parametrize("text", ["[1]", "7", '"x"', '{"run": 3}', '{"run": {"seconds": "x", "stop": 4}}', "{", "\x00"])
def test_damaged_results_are_written_anew(bench: Bench, tmp_path: Path, text: str) -> None:
    whole = bench(FakeBackbone(), tasks=CHOICES)
    (tmp_path / "run" / "results.json").write_text(text)
    assert essence(rescore(tmp_path / "run").results) == essence(whole.results)
    (tmp_path / "run" / "results.json").write_text(text)
    assert essence(bench(FakeBackbone(), tasks=CHOICES).results) == essence(whole.results)


def test_a_line_of_a_stranger_in_the_journal_is_not_counted(bench: Bench, tmp_path: Path) -> None:
    whole = bench(FakeBackbone(), tasks=CHOICES)
    journal = tmp_path / "run" / "journal.jsonl"
    row = json.loads(journal.read_text().splitlines()[0]) | {"case_id": "item_choices/nobody/0"}
    with journal.open("a") as handle:
        handle.write(json.dumps(row) + "\n")
    assert bench(FakeBackbone(), tasks=CHOICES).results["tasks"] == whole.results["tasks"]


def test_what_was_spent_on_a_case_asked_again_stays_spent(bench: Bench) -> None:
    def answer(request: Request, number: int) -> Completion | str:
        if number % 4 == 0:
            return Completion("", Outcome.PROVIDER_ERROR, usage=Usage(50, 0, 0, 0, 0.01), error="cut off")
        return sensible(request, number)

    bench(FakeBackbone(answer), tasks=CHOICES)
    spent = bench(FakeBackbone(), tasks=CHOICES).results["usage"]["by_role"]["task"]
    assert spent["input"] == 40 * 100 + 10 * 50
    assert spent["cost_usd"] == pytest.approx(40 * 0.001 + 10 * 0.01)
    budget = FakeBackbone(failing(Outcome.REFUSED, 1))
    assert bench(budget, tasks=CHOICES, max_cost=0.14).exit_code == 0
    assert budget.requests == []


def test_another_command_on_the_same_path_is_refused_and_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    bench("random", tasks=CHOICES)
    before = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.name != ".lock"}
    for change, said in (
        ({"seed": 3}, "seed was 0, now 3"),
        ({"limit": 11}, "limit was 10, now 11"),
        ({"repeats": 2}, "repeats was 1, now 2"),
        (
            {"conditions": ("base",)},
            'conditions.item_selection_individual was ["base", "persona"], now ["base"]',
        ),
        ({"dataset": "demo:shoppers=25,products=600"}, "dataset_sha256 was"),
        ({"tasks": CHOICES[:1]}, f"tasks.{CHOICES[1]} was"),
    ):
        with pytest.raises(RunDirectoryError, match="holds a different run") as refused:
            bench("random", **{"tasks": CHOICES, **change})
        assert said in str(refused.value)
    with pytest.raises(RunDirectoryError, match="model was"):
        bench("first", tasks=CHOICES)
    assert before == {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.name != ".lock"}


def test_a_budget_or_concurrency_changed_is_the_same_run(bench: Bench) -> None:
    one = bench("random", tasks=CHOICES)
    two = bench("random", tasks=CHOICES, max_cost=1.0, max_time=60.0, max_concurrency=2, fail_on_error=0.5)
    assert essence(one.results)["tasks"] == essence(two.results)["tasks"]


def unmineable(who: list[str]) -> FakeBackbone:
    """Mines a persona for nobody in ``who``: the first shopper asked."""

    def answer(request: Request, number: int) -> Completion | str:
        if request.role == "persona":
            text = str(request.messages[-1]["content"])
            who.append(text) if not who else None
            if text.split("</history>")[0] == who[0].split("</history>")[0]:
                return Completion("I would rather not", usage=Usage(5, 0, 5))
        return sensible(request, number)

    return FakeBackbone(answer, scripted=False)


def test_without_a_persona_a_case_carries_that_outcome_and_is_not_asked(bench: Bench, tmp_path: Path) -> None:
    fake = unmineable([])
    done = bench(fake, tasks=CHOICES, conditions=("base", "profile", "persona", "history", "shuffled"))
    found = rows(tmp_path / "run")
    lost = [r for r in found if r["outcome"] != "ok"]
    assert {r["outcome"] for r in lost} == {"unparseable"}
    assert {r["condition"] for r in lost} == {"profile", "persona", "shuffled"}
    own = {r["shopper"] for r in lost if r["condition"] != "shuffled"}
    given = {r["shopper"] for r in lost if r["condition"] == "shuffled"}
    assert len(own) == len(given) == 1
    assert own != given
    assert all("could not be mined" in r["error"] and r["prompt_sha256"] == "" for r in lost)
    assert len(found) == 100
    asked = sum(r.role == "task" for r in fake.requests)
    assert asked == 100 - len(lost)
    for task in done.results["tasks"]:
        expected = 10 if task["condition"] in ("base", "history") else 9
        assert task["counts"]["scored"] == expected


def test_each_persona_is_mined_once_paid_once_and_kept(bench: Bench, tmp_path: Path) -> None:
    fake = FakeBackbone(scripted=False, max_concurrency=8, seconds=0.001)
    done = bench(fake, tasks=CHOICES, conditions=("profile", "persona", "shuffled"))
    assert sum(r.role == "persona" for r in fake.requests) == 20  # two prompts for each of ten shoppers
    mined = [json.loads(line) for line in (tmp_path / "run" / "personas.jsonl").read_text().splitlines()]
    assert len({m["shopper"] for m in mined}) == len(mined) == 10
    by_role = done.results["usage"]["by_role"]
    assert by_role["persona"]["input"] == 2000
    assert by_role["task"]["input"] == 6000
    again = FakeBackbone(scripted=False)
    assert essence(bench(again, tasks=CHOICES, conditions=("profile", "persona", "shuffled")).results) == essence(
        done.results
    )
    assert again.requests == []


def test_no_prompt_holds_what_the_human_did_nor_another_run_of_the_same_events(bench: Bench) -> None:
    fake = FakeBackbone(scripted=False)
    bench(fake, tasks=CHOICES, conditions=("persona", "shuffled"))
    for request in fake.requests:
        if request.role == "task":
            assert request.situation is not None
            case = request.situation.case
            bought = case.values["options"][case.values["answer"]] if "options" in case.values else None
            if bought:
                title = request.situation.catalog[bought].title
                assert title not in str(request.messages[0]["content"])


@pytest.mark.parametrize(
    ("usage", "options", "stop", "cut"),
    [
        (Usage(100, 0, 2, 0, 0.01), {"max_cost": 0.1}, "max_cost", "cost_limit"),
        (Usage(100, 0, 2, 0, 0.01), {"max_tokens_total": 1000}, "max_tokens_total", "token_limit"),
        (Usage(), {"max_time": 0.25}, "max_time", "time_limit"),
    ],
)
def test_a_budget_stops_gently_and_more_of_it_goes_on(
    bench: Bench, tmp_path: Path, usage: Usage, options: dict[str, Any], stop: str, cut: str
) -> None:
    first = bench(FakeBackbone(usage=usage, seconds=0.05), tasks=CHOICES, **options)
    done = sum(keys(tmp_path / "run").values())
    assert 10 <= done < 40
    assert first.exit_code == 3
    assert (first.results["run"]["status"], first.results["run"]["stop"]) == ("budget", stop)
    counts = [t["counts"] for t in read(tmp_path / "run")["tasks"]]
    assert sum(c["by_outcome"].get(cut, 0) for c in counts) == 40 - done
    assert sum(c["planned"] for c in counts) == 40
    rest = FakeBackbone(usage=usage)
    second = bench(rest, tasks=CHOICES, **{k: v * 100 for k, v in options.items()})
    assert second.exit_code == 0
    assert len(rest.requests) == 40 - done
    assert set(keys(tmp_path / "run").values()) == {1}
    whole = bench(FakeBackbone(usage=usage), tasks=CHOICES, path="whole")
    assert essence(second.results) == essence(whole.results)


def test_the_same_budget_again_asks_nothing_and_stays_3(bench: Bench) -> None:
    bench(FakeBackbone(), tasks=CHOICES, max_cost=0.01)
    fake = FakeBackbone()
    assert bench(fake, tasks=CHOICES, max_cost=0.01).exit_code == 3
    assert fake.requests == []


def test_a_budget_is_passed_by_no_more_than_what_was_in_flight(bench: Bench) -> None:
    fake = FakeBackbone(max_concurrency=4)
    done = bench(fake, tasks=CHOICES, max_cost=0.01)
    spent = done.results["usage"]["by_role"]["task"]["cost_usd"]
    assert 0.01 <= spent <= 0.01 + 4 * 0.001


@pytest.mark.parametrize("cap", [{"max_tokens_total": 2000}, {"max_cost": 0.02}])
@pytest.mark.parametrize("conditions", [("base",), ("persona", "shuffled")])
def test_a_cap_is_passed_by_one_case_and_its_persona_at_most(
    bench: Bench, cap: dict[str, float], conditions: tuple[str, ...]
) -> None:
    """Sixteen in flight, and mining, used to be given out below the cap and paid above it."""
    fake = FakeBackbone(scripted=False, max_concurrency=16, seconds=0.01, usage=Usage(98, 0, 2, 0, 0.001))
    done = bench(fake, tasks=CHOICES, conditions=conditions, limit=30, **cap)
    assert done.exit_code == 3
    spent = done.results["usage"]["by_role"].values()
    assert 2000 <= sum(u["input"] + u["output"] for u in spent) <= 2000 + 3 * 100
    assert fake.most_in_flight > 4  # the cap does not make it a run of one call at a time


def test_a_call_larger_than_any_before_it_is_all_that_passes_a_cap(bench: Bench) -> None:
    def answer(request: Request, number: int) -> Completion:
        return Completion(sensible(request, number), usage=Usage(100 * number))

    done = bench(FakeBackbone(answer, max_concurrency=1), tasks=CHOICES, max_tokens_total=5000)
    assert done.results["usage"]["by_role"]["task"]["input"] == 100 * sum(range(1, 11))


@pytest.mark.parametrize(("threshold", "failed"), [(3, 3), (0.2, 8)])
def test_too_many_failures_end_the_run_as_failed(bench: Bench, tmp_path: Path, threshold: float, failed: int) -> None:
    fake = FakeBackbone(failing(Outcome.PROVIDER_ERROR, 2), max_concurrency=1)
    done = bench(fake, tasks=CHOICES, fail_on_error=threshold)
    assert done.exit_code == 4
    assert done.results["run"]["status"] == "failed"
    assert len(fake.requests) == 2 * failed
    assert bench(FakeBackbone(), tasks=CHOICES, fail_on_error=threshold).exit_code == 0


def test_a_price_nobody_knows_is_null_and_never_zero(bench: Bench, tmp_path: Path) -> None:
    def answer(request: Request, number: int) -> Completion:
        unknown = Usage(10, 0, 1, 0, None if number == 7 else 0.5)
        return Completion(sensible(request, number), usage=unknown)

    bench(FakeBackbone(answer), tasks=CHOICES)
    assert read(tmp_path / "run")["usage"]["by_role"]["task"]["cost_usd"] is None


def test_known_prices_count_toward_the_budget_beside_an_unknown_one(bench: Bench) -> None:
    def answer(request: Request, number: int) -> Completion:
        return Completion(sensible(request, number), usage=Usage(10, 0, 1, 0, None if number == 2 else 0.5))

    assert bench(FakeBackbone(answer), tasks=CHOICES, max_cost=2).exit_code == 3
    again = FakeBackbone()
    assert bench(again, tasks=CHOICES, max_cost=2).exit_code == 3
    assert again.requests == []


def test_evaluate_runs_inside_a_notebook(bench: Bench) -> None:
    """A notebook has a running event loop in its thread."""

    async def cell() -> int:
        return bench("random", tasks=CHOICES).exit_code

    assert asyncio.run(cell()) == 0


@pytest.mark.parametrize(
    "damage",
    ["{}", '{"shopper":"x"}', '{"shopper":', "null", {"profile": "young"}, {"preferences": {}}, {"reasoning": 1}],
)
def test_a_damaged_persona_is_mined_again(bench: Bench, tmp_path: Path, damage: str | dict[str, Any]) -> None:
    whole = bench(FakeBackbone(scripted=False), tasks=CHOICES[:1])
    personas = tmp_path / "run" / "personas.jsonl"
    lines = personas.read_text().splitlines()
    line = damage if isinstance(damage, str) else json.dumps(json.loads(lines[3]) | damage)
    personas.write_text("\n".join([*lines[:3], line, *lines[4:]]) + "\n")
    journal = tmp_path / "run" / "journal.jsonl"
    journal.write_text("")
    again = FakeBackbone(scripted=False)
    assert bench(again, tasks=CHOICES[:1]).results["tasks"] == whole.results["tasks"]
    assert sum(r.role == "persona" for r in again.requests) == 2
