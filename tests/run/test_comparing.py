"""Runs beside each other: paired differences, cases that flipped, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from paars_bench.cli import main
from paars_bench.errors import UsageError
from paars_bench.run import RunSpec, compare_runs, evaluate_spec

DATASET = "demo:shoppers=40,products=600"
TASKS = ("item_selection_individual", "item_selection_group")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    for name, model, limit in (("random", "random", 60), ("again", "random", 60), ("human", "human", 40)):
        spec = RunSpec(model, TASKS, DATASET, output_path=root / name, conditions=("base",), limit=limit)
        evaluate_spec(spec)
    return root


def rows(compared: dict[str, Any], metric: str) -> dict[str, Any]:
    (row,) = (d for d in compared["differences"] if d["metric"] == metric and d["task"] == TASKS[1])
    return dict(row)


def test_a_run_beside_itself_differs_in_nothing(runs: Path) -> None:
    compared = compare_runs([runs / "random", runs / "again"])
    for row in compared["differences"]:
        assert row["difference"] == 0
        assert row["p"] == 1
        assert (row["ci"]["low"], row["ci"]["high"]) == (0, 0)
    assert all(f["turned_right"] == f["turned_wrong"] == [] for f in compared["flips"])
    assert not any(x["only_in_first"] or x["only_in_other"] or x["not_scored_by_both"] for x in compared["left_out"])


def test_humans_are_closer_to_the_humans_than_chance_is(runs: Path) -> None:
    compared = compare_runs([runs / "random", runs / "human"])
    accuracy, ranks = rows(compared, "accuracy"), rows(compared, "kl_histogram(rank)")
    assert accuracy["value"] == 1
    assert accuracy["difference"] == pytest.approx(1 - accuracy["value_against"])
    assert accuracy["ci"]["low"] > 0
    assert accuracy["p"] < 0.01
    assert ranks["difference"] < 0


def test_only_the_cases_of_both_are_compared_and_the_others_counted(runs: Path) -> None:
    compared = compare_runs([runs / "random", runs / "human"])
    for left in compared["left_out"]:
        assert left["what"] == "cases"
        assert left["compared"] + left["only_in_first"] == 60
        assert (left["only_in_other"], left["not_scored_by_both"]) == (0, 0)
        assert left["compared"] == 40


def test_tasks_conditions_and_repeats_of_one_run_are_counted_as_left_out(tmp_path: Path) -> None:
    wide = RunSpec(
        "random", TASKS, DATASET, output_path=tmp_path / "a", conditions=("base", "persona"), limit=6, repeats=2
    )
    narrow = RunSpec("random", TASKS[:1], DATASET, output_path=tmp_path / "b", conditions=("base", "shuffled"), limit=6)
    evaluate_spec(wide)
    evaluate_spec(narrow)
    compared = compare_runs([tmp_path / "a", tmp_path / "b"])
    counts = ("only_in_first", "only_in_other", "compared")
    left = {(x["task"], x["what"]): tuple(x[c] for c in counts) for x in compared["left_out"]}
    assert left[TASKS[0], "conditions persona, shuffled"] == (1, 1, 1)
    assert left[TASKS[0], "repeats"] == (1, 0, 1)
    assert left[TASKS[1], "conditions base, persona"] == (2, 0, 0)
    assert {d["task"] for d in compared["differences"]} == {TASKS[0]}


def test_what_flipped_is_named_case_by_case(runs: Path) -> None:
    compared = compare_runs([runs / "random", runs / "human"])
    right = {
        (line["task"], line["case_id"]): line["parsed"]["choice"]
        for line in map(json.loads, (runs / "human" / "journal.jsonl").open())
    }
    chosen = {
        (line["task"], line["case_id"]): line["parsed"]["choice"]
        for line in map(json.loads, (runs / "random" / "journal.jsonl").open())
    }
    for flip in compared["flips"]:
        wrong = {case for task, case in right if task == flip["task"] and chosen[task, case] != right[task, case]}
        assert set(flip["turned_right"]) == wrong
        assert flip["turned_wrong"] == []
        assert flip["both_right"] == 40 - len(wrong)
        assert flip["both_wrong"] == 0


def test_runs_that_cannot_be_compared_are_refused(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two runs or more"):
        compare_runs([runs / "random", runs / "random"])
    other = tmp_path / "other"
    spec = RunSpec("random", TASKS[:1], f"{DATASET},seed=5", output_path=other, conditions=("base",), limit=10)
    evaluate_spec(spec)
    with pytest.raises(UsageError, match="ran on other data"):
        compare_runs([runs / "random", other])


def test_the_command_prints_and_writes_it(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "difference.json"
    assert main(["compare", str(runs / "random"), str(runs / "human"), "--json", str(file)]) == 0
    out = capsys.readouterr().out
    assert "Differences, paired by shopper" in out
    assert "Cases that flipped" in out
    assert "20 only in first" in out
    written = json.loads(file.read_text())
    assert written["differences"] == compare_runs([runs / "random", runs / "human"])["differences"]
