"""A leaderboard takes results of anyone: only what validates, and beside each other only what can be compared."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paars_bench.errors import UsageError
from paars_bench.report import leaderboard_add
from paars_bench.report.submitted import read_results

Results = dict[str, Any]


@pytest.fixture
def board(tmp_path: Path) -> Path:
    return tmp_path / "board" / "leaderboard.json"


def boards(path: Path) -> list[dict[str, Any]]:
    def refuse(constant: str) -> Any:
        raise AssertionError(f"the leaderboard holds {constant}")

    value: list[dict[str, Any]] = json.loads(path.read_text(), parse_constant=refuse)["boards"]
    return value


def put(tmp_path: Path, results: Results, name: str = "results.json") -> Path:
    path = tmp_path / name
    path.write_text(json.dumps(results))
    return path


def as_run(results: Results, run_id: str, *, shift: float = 0.0, scripted: bool = True, **changes: Any) -> Results:
    """The same results as another run, every group value moved by ``shift``."""
    made = copy.deepcopy(results)
    made["run"]["id"] = run_id
    made["model"]["name"] = run_id
    made["model"]["scripted"] = scripted
    for task in made["tasks"]:
        task.update(changes)
        for metric in task["metrics"]:
            if metric.get("uninformed") is not None:
                metric["value"] += shift
                metric["ci"] = {
                    **metric["ci"],
                    "low": metric["ci"]["low"] + shift,
                    "high": metric["ci"]["high"] + shift,
                }
    return made


def test_runs_on_the_same_data_share_a_board_and_are_ranked(folder: Path, board: Path) -> None:
    for model in ("random", "human", "first"):
        assert model in leaderboard_add(folder / model, board)
    (only,) = boards(board)
    entries = only["entries"]
    assert [e["rank"] for e in entries] == [1, 2, 3]
    assert entries[0]["model"] == "human"
    assert entries[0]["score"] == pytest.approx(100, abs=1e-6)
    scores = [e["score"] for e in entries]
    assert scores == sorted(scores, reverse=True)
    for entry in entries:
        assert 1 <= entry["rank_ci"]["low"] <= entry["rank"] <= entry["rank_ci"]["high"] <= 3
        assert entry["score_ci"]["low"] <= entry["score"] <= entry["score_ci"]["high"]
        assert set(entry) >= {"model", "condition", "run_id", "date", "rank", "rank_ci", "score", "score_ci", "tasks"}
        assert set(entry) >= {"coverage", "cost_usd", "tokens", "engines", "config_sha256"}
    assert set(only) >= {"dataset", "human_reference", "dataset_sha256", "entries"}


def test_added_again_a_run_replaces_its_row(folder: Path, board: Path) -> None:
    leaderboard_add(folder / "random", board)
    first = boards(board)
    leaderboard_add(folder / "first", board)
    leaderboard_add(folder / "random", board)
    (only,) = boards(board)
    assert len(only["entries"]) == 2
    leaderboard_add(folder / "random" / "results.json", board)
    assert len(boards(board)[0]["entries"]) == 2
    assert first[0]["entries"][0]["run_id"] in {e["run_id"] for e in only["entries"]}


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["dataset"].update(sha256="0" * 64),
        lambda r: r["dataset"].update(name="opera", human_reference="real"),
        lambda r: r["tasks"][0].update(version="2.0"),
        lambda r: r["engines"].update(embedding={"name": "other", "revision": "1"}),
        lambda r: r["engines"].update(perplexity={"name": "gpt2", "revision": "1"}),
        lambda r: r["tasks"].pop(0),
        lambda r: r["tasks"][0].update(cases_sha256="0" * 64),
        lambda r: r["tasks"][0]["counts"].update(planned=3, scored=3),
    ],
    ids=["data", "people", "version", "embedding", "perplexity", "tasks", "cases", "repeats"],
)
def test_what_cannot_be_compared_has_its_own_board(
    results: Results, tmp_path: Path, board: Path, change: Callable[[Results], Any]
) -> None:
    leaderboard_add(put(tmp_path, results), board)
    other = as_run(results, "other")
    change(other)
    leaderboard_add(put(tmp_path, other, "other.json"), board)
    assert [len(b["entries"]) for b in boards(board)] == [1, 1]


def test_the_zero_of_a_board_is_the_best_that_knows_nothing(results: Results, tmp_path: Path, board: Path) -> None:
    """A model whose ``base`` is good moves the zero for all; it does not lower its own persona row alone."""
    leaderboard_add(put(tmp_path, results), board)
    before = boards(board)[0]["entries"][0]["score"]
    good = as_run(results, "good", scripted=False)
    for task in good["tasks"]:
        for metric in task["metrics"]:
            if metric.get("uninformed") is not None:
                metric["value"] = (metric["floor"] + metric["uninformed"]) / 2
    leaderboard_add(put(tmp_path, good, "good.json"), board)
    by_model = {e["model"]: e["score"] for e in boards(board)[0]["entries"]}
    assert by_model["good"] == pytest.approx(0)
    assert by_model["random"] < before


def rows(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Every board's rows, by its number of cases."""
    return {json.dumps(b["cases"], sort_keys=True): b["entries"] for b in boards(path)}


@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_runs_of_other_sizes_change_nothing(
    sizes: list[Path], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """On one scale `random` fell from 15 to -215 beside a run of eight cases, and a ranked run lost its rank."""
    order = data.draw(st.permutations(sizes))
    path = tmp_path_factory.mktemp("board") / "leaderboard.json"
    for run in order:
        before = rows(path) if path.exists() else {}
        leaderboard_add(run, path)
        after = rows(path)
        ((changed, _),) = [(k, v) for k, v in after.items() if before.get(k) != v]
        asked = {t["task"]: t["counts"]["planned"] for t in json.loads((run / "results.json").read_text())["tasks"]}
        assert {t: c["planned"] for t, c in json.loads(changed).items()} == asked
        ranked = {e["run_id"]: e["score"] for e in before.get(changed, []) if e["rank"] is not None}
        assert ranked.items() <= {e["run_id"]: e["score"] for e in after[changed]}.items()
    assert sorted(len(entries) for entries in rows(path).values()) == [1, 2, 2, 2]


def test_a_metric_without_a_score_in_its_run_has_none_on_the_board(sizes: list[Path], board: Path) -> None:
    small = next(s for s in sizes if s.name == "random-8")
    told = leaderboard_add(small, board)
    why = next(
        m["score_note"]
        for t in json.loads((small / "results.json").read_text())["tasks"]
        for m in t["metrics"]
        if m.get("score_note")
    )
    (entry,) = boards(board)[0]["entries"]
    assert (entry["score"], entry["rank"]) == (None, None)
    assert entry["not_scored"] == [{"task": "item_selection_group", "metric": "kl_histogram(rank)", "why": why}]
    assert f"base not ranked ({why})" in told
    assert "None" not in told


def test_a_base_as_human_as_the_humans_leaves_the_others_their_scores(
    results: Results, tmp_path: Path, board: Path
) -> None:
    leaderboard_add(put(tmp_path, results), board)
    (before,) = boards(board)[0]["entries"]
    good = as_run(results, "good", scripted=False)
    for metric in (m for t in good["tasks"] for m in t["metrics"] if m.get("uninformed") is not None):
        metric["value"] = metric["floor"]
    leaderboard_add(put(tmp_path, good, "good.json"), board)
    by_model = {e["model"]: e for e in boards(board)[0]["entries"]}
    assert by_model["random"]["score"] == pytest.approx(before["score"])
    assert by_model["good"]["score"] == pytest.approx(100)


def test_a_scripted_base_does_not_move_the_zero(results: Results, tmp_path: Path, board: Path) -> None:
    leaderboard_add(put(tmp_path, results), board)
    before = boards(board)[0]["entries"][0]["score"]
    leaderboard_add(put(tmp_path, as_run(results, "human", shift=-0.05), "h.json"), board)
    assert {e["model"]: e["score"] for e in boards(board)[0]["entries"]}["random"] == pytest.approx(before)


@given(shifts=st.lists(st.floats(-0.3, 2), min_size=2, max_size=6, unique=True))
@settings(max_examples=15, deadline=None)
def test_ranks_follow_scores_whatever_the_order_of_adding(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, shifts: list[float]
) -> None:
    tmp_path = tmp_path_factory.mktemp("board")
    results = json.loads((folder / "random" / "results.json").read_text())
    seen = []
    for name, order in (("a", shifts), ("b", shifts[::-1])):
        path = tmp_path / name
        for shift in order:
            run = as_run(results, f"run-{shifts.index(shift)}", shift=shift)
            leaderboard_add(put(tmp_path, run), path)
        entries = boards(path)[0]["entries"]
        assert [e["rank"] for e in entries] == list(range(1, len(shifts) + 1))
        assert all(e["rank_ci"]["low"] <= e["rank"] <= e["rank_ci"]["high"] for e in entries)
        seen.append([(e["run_id"], e["score"]) for e in entries])
    assert seen[0] == seen[1]
    expected = sorted(range(len(shifts)), key=lambda n: shifts[n])
    scores = dict(seen[0])
    for better, worse in pairwise(expected):
        assert scores[f"run-{better}"] >= scores[f"run-{worse}"]


def test_without_a_score_there_is_no_rank(results: Results, tmp_path: Path, board: Path) -> None:
    for task in results["tasks"]:
        task["metrics"] = [m for m in task["metrics"] if m["level"] == "individual"]
    told = leaderboard_add(put(tmp_path, results), board)
    (entry,) = boards(board)[0]["entries"]
    assert (entry["score"], entry["rank"], entry["rank_ci"]) == (None, None, None)
    assert "base not ranked (its tasks have no group metric" in told


@pytest.mark.parametrize("status", ["interrupted", "budget", "failed", "done", ""])
def test_a_run_that_is_not_finished_is_refused(results: Results, tmp_path: Path, board: Path, status: str) -> None:
    results["run"]["status"] = status
    with pytest.raises(UsageError, match="not complete"):
        leaderboard_add(put(tmp_path, results), board)
    assert not board.exists()


HOSTILE: dict[str, tuple[Callable[[Results], Any], str]] = {
    "NaN": (lambda r: r["tasks"][1]["metrics"][0].update(value=math.nan), "metrics.0.value"),
    "infinity": (lambda r: r["tasks"][1]["metrics"][0].update(value=math.inf), "metrics.0.value"),
    "NaN in words": (lambda r: r["tasks"][1]["metrics"][0].update(value="NaN"), "metrics.0.value"),
    "NaN floor": (lambda r: r["tasks"][1]["metrics"][0].update(floor=math.nan), "metrics.0.floor"),
    "NaN zero": (lambda r: r["tasks"][1]["metrics"][0].update(uninformed=math.nan), "metrics.0.uninformed"),
    "NaN interval": (lambda r: r["tasks"][1]["metrics"][0]["ci"].update(low=math.nan), "metrics.0.ci.low"),
    "negative count": (lambda r: r["tasks"][0]["metrics"][0].update(n=-1), "metrics.0.n"),
    "coverage over 1": (lambda r: r["tasks"][0].update(coverage=1.2), "tasks.0.coverage"),
    "text for a number": (lambda r: r["tasks"][0]["metrics"][0].update(value="good"), "metrics.0.value"),
    "a list for a number": (lambda r: r["tasks"][0]["metrics"][0].update(value=[1]), "metrics.0.value"),
    "a path as id": (lambda r: r["run"].update(id="../../etc/passwd"), "run.id"),
    "markup as id": (lambda r: r["run"].update(id="<script>"), "run.id"),
    "a path as task": (lambda r: r["tasks"][0].update(task="../x"), "tasks.0.task"),
    "a path as condition": (lambda r: r["tasks"][0].update(condition="../x"), "tasks.0.condition"),
    "a long name": (lambda r: r["model"].update(name="x" * 10_000), "model.name"),
    "no digest": (lambda r: r["dataset"].update(sha256="x"), "dataset.sha256"),
    "other people": (lambda r: r["dataset"].update(human_reference="imagined"), "dataset.human_reference"),
    "no tasks": (lambda r: r.update(tasks=[]), "tasks"),
    "a newer schema": (lambda r: r.update(schema_version=99), "schema_version"),
    "negative cost": (lambda r: r["usage"]["by_role"]["task"].update(cost_usd=-1), "usage.by_role.task.cost_usd"),
    "a key missing": (lambda r: r.pop("model"), "model"),
    "a huge value": (lambda r: r["tasks"][1]["metrics"][0].update(value=1e308), "metrics.0.value"),
    "value without floor": (lambda r: r["tasks"][1]["metrics"][0].update(floor=None), "metrics.0"),
    "interval upside down": (lambda r: r["tasks"][1]["metrics"][0]["ci"].update(low=9, high=-9), "metrics.0.ci"),
    "the same task twice": (lambda r: r["tasks"].append(copy.deepcopy(r["tasks"][0])), "tasks"),
    "the same metric twice": (lambda r: r["tasks"][0].update(metrics=r["tasks"][0]["metrics"] * 2), "tasks.0"),
    "other cases under another condition": (
        lambda r: r["tasks"].append(r["tasks"][0] | {"condition": "persona", "cases_sha256": "0" * 64}),
        "tasks",
    ),
    "a score on no scale": (lambda r: r["tasks"][1]["metrics"][0].update(null_band=[None, None]), "metrics.0"),
    "a score within the noise": (lambda r: r["tasks"][1]["metrics"][0].update(null_band=[0, 9]), "metrics.0"),
    "an escape in a name": (lambda r: r["model"].update(name="x\x1b[2J"), "model.name"),
    "a line break in a name": (lambda r: r["model"].update(name="x\nrank 1"), "model.name"),
    "an override in a name": (lambda r: r["dataset"].update(name="demo\u202e"), "dataset.name"),
    "an escape in a metric": (
        lambda r: r["tasks"][0]["metrics"][0].update(metric="accuracy\x1b[1m"),
        "metrics.0.metric",
    ),
    "an escape in a reason": (lambda r: r["tasks"][1]["metrics"][0].update(why="\x1b]0;x\x07"), "metrics.0.why"),
    "an escape in a version": (lambda r: r["tasks"][0].update(version="1\x1b"), "tasks.0.version"),
    "an escape in an engine": (
        lambda r: r["engines"].update(embedding={"name": "\x1bm", "revision": "1"}),
        "engines.embedding.name",
    ),
    "no name": (lambda r: r["model"].update(name=""), "model.name"),
    "a condition of its own": (lambda r: r["tasks"][0].update(condition="best"), "tasks.0.condition"),
    "an accuracy over 1": (lambda r: r["tasks"][0]["metrics"][0].update(value=1.5), "metrics.0"),
    "an accuracy below 0": (lambda r: r["tasks"][0]["metrics"][0]["ci"].update(low=-0.5), "metrics.0"),
    "a value of nothing": (lambda r: r["tasks"][0]["metrics"][0].update(n=0), "metrics.0"),
    "cases of nobody": (lambda r: r["tasks"][0]["counts"].update(planned=0, scored=0), "counts.planned"),
    "more scored than planned": (lambda r: r["tasks"][0]["counts"].update(scored=10**6), "tasks.0.counts"),
    "coverage of its own": (lambda r: r["tasks"][0]["counts"].update(scored=1), "tasks.0"),
    "tokens beyond counting": (lambda r: r["usage"]["by_role"]["task"].update(input=10**400), "by_role.task.input"),
    "a huge key": (lambda r: r["usage"]["by_role"].update({"x" * 10**6: {"input": -1}}), "usage.by_role.xxx"),
    "a huge value in words": (lambda r: r["tasks"][0]["metrics"][0].update(value="9" * 10**6), "metrics.0.value"),
    "halves of two lengths": (lambda r: r["tasks"][1]["metrics"][0]["spread"]["linear"].pop(), "metrics.0.spread"),
    "endless halves": (
        lambda r: r["tasks"][1]["metrics"][0]["spread"].update(linear=[0] * 9999, curved=[0] * 9999),
        "metrics.0.spread.linear",
    ),
    "a weight of its own": (lambda r: r["tasks"][1]["metrics"][0].update(weight=-1), "metrics.0.weight"),
    "a date of no year": (lambda r: r["run"].update(started="yesterday"), "run.started"),
}


@pytest.mark.parametrize(("change", "key"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_results_are_refused_with_the_key(
    results: Results, folder: Path, tmp_path: Path, board: Path, change: Callable[[Results], Any], key: str
) -> None:
    leaderboard_add(folder / "human", board)
    before = board.read_bytes()
    change(results)
    with pytest.raises(UsageError) as refused:
        leaderboard_add(put(tmp_path, results), board)
    assert key in str(refused.value)
    assert len(str(refused.value)) < 500 + len(str(tmp_path))
    assert board.read_bytes() == before


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "\x00" * 100, '{"a":' * 50_000, "[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path: Path, board: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(UsageError, match=r"results\.json"):
        leaderboard_add(tmp_path, board)
    assert not board.exists()


def test_a_hundred_megabytes_are_not_read(tmp_path: Path, board: Path) -> None:
    with (tmp_path / "results.json").open("wb") as handle:
        handle.truncate(100 << 20)
    with pytest.raises(UsageError, match="larger than 64 MB"):
        leaderboard_add(tmp_path, board)


def test_no_results_are_said(tmp_path: Path, board: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match="cannot be read"):
            leaderboard_add(path, board)


@pytest.mark.parametrize("name", ["human", "random", "first", "popular", "logit", "Human", "ＨＵＭＡＮ", "human"])
def test_a_model_may_not_bear_the_name_of_a_reference_row(
    results: Results, tmp_path: Path, board: Path, name: str
) -> None:
    results["model"].update(name=name, scripted=False)
    with pytest.raises(UsageError, match="is the name of a baseline"):
        leaderboard_add(put(tmp_path, results), board)
    assert not board.exists()


def test_a_row_with_too_few_cases_scored_is_shown_and_not_ranked(results: Results, tmp_path: Path, board: Path) -> None:
    leaderboard_add(put(tmp_path, results), board)
    before = boards(board)[0]["entries"][0]["score"]
    partial = as_run(results, "partial", scripted=False, shift=-0.05)
    partial["run"]["status"] = "partial"
    for task in partial["tasks"]:
        task["counts"]["scored"] = task["counts"]["planned"] // 2
        task["coverage"] = task["counts"]["scored"] / task["counts"]["planned"]
    told = leaderboard_add(put(tmp_path, partial, "p.json"), board)
    assert "base not ranked (49.5% of the cases of item_selection_individual are scored, below the 98%" in told
    by_model = {e["model"]: e for e in boards(board)[0]["entries"]}
    assert by_model["partial"]["status"] == "partial"
    assert (by_model["partial"]["score"], by_model["partial"]["rank"]) == (None, None)
    assert by_model["random"]["score"] == before, "nor does it set the zero"


def test_a_rank_is_as_sure_as_the_paired_difference(
    folder: Path, results: Results, tmp_path: Path, board: Path
) -> None:
    """`random` and its twin a hair better: each interval is wide, their difference is not."""
    leaderboard_add(folder / "human", board)
    leaderboard_add(folder / "random", board)
    apart = {e["model"]: e["rank_ci"] for e in boards(board)[0]["entries"]}
    assert apart == {"human": {"low": 1, "high": 1}, "random": {"low": 2, "high": 2}}
    twin = as_run(results, "twin", shift=-0.01)
    leaderboard_add(put(tmp_path, twin, "t.json"), board)
    entries = {e["model"]: e for e in boards(board)[0]["entries"]}
    assert entries["twin"]["score_ci"]["low"] < entries["random"]["score"] < entries["twin"]["score"]
    assert entries["twin"]["rank_ci"] == {"low": 2, "high": 2}, "the same shoppers, case by case the same"
    for metric in (m for t in twin["tasks"] for m in t["metrics"] if m.get("spread")):
        metric["spread"]["linear"] = metric["spread"]["linear"][::-1]
    leaderboard_add(put(tmp_path, twin, "t.json"), board)
    entries = {e["model"]: e for e in boards(board)[0]["entries"]}
    assert entries["twin"]["rank_ci"] == {"low": 2, "high": 3}, "spread that is not shared leaves the order open"


def test_a_leaderboard_that_cannot_be_written_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for board in (tmp_path / "file" / "board.json", tmp_path / "folder"):
        with pytest.raises(UsageError) as refused:
            leaderboard_add(folder / "random", board)
        assert str(board) in str(refused.value)
    assert (tmp_path / "file").read_text() == ""


BROKEN_ROWS: list[Callable[[dict[str, Any]], Any]] = [
    lambda b: b.update(boards=[1]),
    lambda b: b.update(boards=[{}]),
    lambda b: b["boards"][0].update(entries=[1]),
    lambda b: b["boards"][0].update(cases={"x": 1}),
    lambda b: b["boards"][0]["entries"][0].pop("run_id"),
    lambda b: b["boards"][0]["entries"][0].update(tasks=[]),
    lambda b: b["boards"][0]["entries"][0].update(not_scored=3),
    lambda b: b["boards"][0]["entries"][0]["tasks"]["item_selection_group"]["kl_histogram(rank)"].update(floor="x"),
    lambda b: b["boards"][0]["entries"][0]["tasks"]["item_selection_group"]["kl_histogram(rank)"].update(floor=None),
]


@pytest.mark.parametrize("damage", BROKEN_ROWS)
def test_a_leaderboard_with_damaged_rows_is_left_alone(
    folder: Path, board: Path, damage: Callable[[dict[str, Any]], Any]
) -> None:
    leaderboard_add(folder / "human", board)
    value = json.loads(board.read_text())
    damage(value)
    board.write_text(json.dumps(value))
    before = board.read_text()
    with pytest.raises(UsageError, match="not a leaderboard"):
        leaderboard_add(folder / "random", board)
    assert board.read_text() == before


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"boards": 3}', "{"])
def test_a_broken_leaderboard_is_left_alone(folder: Path, board: Path, text: str) -> None:
    board.parent.mkdir(parents=True)
    board.write_text(text)
    with pytest.raises(UsageError, match="not a leaderboard"):
        leaderboard_add(folder / "random", board)
    assert board.read_text() == text


@pytest.mark.parametrize("version", [1, 2, 4, "3"])
def test_a_leaderboard_of_another_version_is_left_alone(folder: Path, board: Path, version: object) -> None:
    board.parent.mkdir(parents=True)
    board.write_text(json.dumps({"schema_version": version, "boards": [{"dataset": "demo", "entries": []}]}))
    before = board.read_text()
    with pytest.raises(UsageError, match="add the runs again"):
        leaderboard_add(folder / "random", board)
    assert board.read_text() == before


def test_results_of_an_earlier_version_are_refused_with_the_fix(results: Results, tmp_path: Path, board: Path) -> None:
    for task in results["tasks"]:
        del task["cases_sha256"]
    with pytest.raises(UsageError, match="`paars-bench score "):
        leaderboard_add(put(tmp_path, results), board)


def test_every_result_a_run_writes_can_be_read(folder: Path) -> None:
    for model in ("random", "first", "human"):
        assert read_results(folder / model).model.name == model
