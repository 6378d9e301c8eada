"""Every metric by segment of shoppers, the small ones left out and the comparisons adjusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paars_bench.cli import main
from paars_bench.data import load_dataset
from paars_bench.errors import UsageError
from paars_bench.outcomes import Outcome
from paars_bench.personas.mine import Persona
from paars_bench.report.segmenting import LEVELS, segmentation
from paars_bench.report.segments import NARROW, _compare
from paars_bench.run import RunSpec, evaluate_spec, rescore

DATASET = "demo:shoppers=120,products=600"
TASK = "item_selection_group"


@pytest.fixture(scope="module")
def data() -> Any:
    return load_dataset(DATASET)


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str], Path]:
    def made(model: str) -> Path:
        spec = RunSpec(model, (TASK,), DATASET, output_path=tmp_path / model, conditions=("base",), limit=240)
        evaluate_spec(spec)
        return tmp_path / model

    return made


def test_a_segment_that_its_agents_miss_is_found(run: Callable[[str], Path], data: Any) -> None:
    """Agents who do as their human did, but for the least active third, who open the first result."""
    path = run("human")
    shoppers = list(dict.fromkeys(json.loads(line)["shopper"] for line in (path / "journal.jsonl").open()))
    least = {s for s, level in segmentation("activity", data, shoppers).of.items() if level == "low"}
    lines = [json.loads(line) for line in (path / "journal.jsonl").open()]
    for line in lines:
        if line["shopper"] in least:
            line["parsed"]["choice"] = 1
    (path / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    rows = [r for r in rescore(path, by=("activity",)).results["segments"] if r["metric"] == "kl_histogram(rank)"]
    by = {r["segment"]: r for r in rows}
    assert set(by) == set(LEVELS)
    assert by["low"]["excess"] > 0.1 > max(by["middle"]["excess"], by["high"]["excess"])
    assert by["low"]["difference"] > 0
    assert by["low"]["p_adjusted"] < 0.01


def test_nothing_is_found_where_all_segments_are_alike(run: Callable[[str], Path]) -> None:
    results = rescore(run("random"), by=("activity", "category", "price_sensitivity")).results
    compared = [r for r in results["segments"] if r["p"] is not None]
    assert len(compared) >= 12
    assert min(r["p_adjusted"] for r in compared) > 0.05
    assert all(r["p_adjusted"] >= r["p"] for r in compared)
    assert all(r["p"] is None for r in results["segments"] if r["weight"] == 0), "not compared: it does not count"


def test_small_segments_are_left_out_by_name_and_number(run: Callable[[str], Path]) -> None:
    results = rescore(run("random"), by=("children",), min_shoppers=40).results
    shown = {r["segment"]: r["shoppers"] for r in results["segments"]}
    left = {r["segment"]: r["shoppers"] for r in results["segments_left_out"]}
    assert left, "some are small"
    assert all(n >= 40 for n in shown.values())
    assert all(n < 40 for n in left.values())
    assert sum(shown.values()) + sum(left.values()) == results["dataset"]["shoppers"]


def test_the_figures_of_a_segment_are_those_of_its_shoppers_alone(run: Callable[[str], Path], data: Any) -> None:
    path = run("random")
    results = rescore(path, by=("activity",)).results
    lines = [json.loads(line) for line in (path / "journal.jsonl").open()]
    of = segmentation("activity", data, list(dict.fromkeys(line["shopper"] for line in lines))).of
    for level in LEVELS:
        (row,) = (r for r in results["segments"] if r["segment"] == level and r["metric"] == "accuracy")
        assert row["n"] == sum(of[line["shopper"]] == level for line in lines)
        assert row["clusters"] == row["shoppers"] == sum(v == level for v in of.values())


def test_personas_and_the_data_set_tell_shoppers_apart(data: Any) -> None:
    shoppers = data.shoppers[:6]
    ages = segmentation("age_range", data, shoppers)
    assert dict(ages.of) == {s: data.truth(s)["age_range"] for s in shoppers}
    mined = [Persona(s, profile={"income": "Low", "interests": ["Tea", "cats"]}) for s in shoppers[:2]]
    mined.append(Persona(shoppers[2], profile={"income": "high"}, outcome=Outcome.REFUSED))
    income = segmentation("profile.income", data, shoppers, mined)
    assert dict(income.of) == {shoppers[0]: "low", shoppers[1]: "low"}
    assert income.unknown == 4
    assert set(segmentation("profile.interests", data, shoppers, mined).of.values()) == {"tea"}


def test_what_is_not_known_is_named_with_the_nearest(data: Any) -> None:
    with pytest.raises(UsageError, match="'age_range'"):
        segmentation("age", data, data.shoppers)
    with pytest.raises(UsageError, match=r"unknown segment 'profile\.income'"):
        segmentation("profile.income", data, data.shoppers)  # no personas were mined


def test_the_command_prints_them(run: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = run("random")
    capsys.readouterr()
    assert main(["score", str(path), "--by", "activity", "--by", "pet", "--min_shoppers", "50"]) == 0
    out = capsys.readouterr().out
    assert "By pet" in out
    assert "not shown: activity = high" in out
    assert "p, adjusted" in out


@pytest.mark.parametrize(("shoppers", "note"), [(30, "few; " + NARROW), (100, "few")])
def test_a_difference_says_what_its_figures_say_and_that_a_segment_is_small(shoppers: int, note: str) -> None:
    figure = {"task": "t", "condition": "persona", "metric": "kl", "weight": None, "se": 0.1}
    ci = {"low": 0.0, "high": 1.0, "level": 0.95}
    rows = [
        {**figure, "excess": 0.5, "clusters": shoppers, "ci": {**ci, "note": "few"}},
        {**figure, "excess": 0.2, "clusters": 200, "ci": {**ci, "note": ""}},
    ]
    _compare(rows)
    assert [row["difference_ci"]["note"] for row in rows] == [note, note]
    assert rows[0]["difference"] == pytest.approx(0.3)
