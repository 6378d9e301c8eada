"""What a run says as a whole: how conditions differ, and one alignment score for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_runs import QUICK, Bench, FakeBackbone

from paars_bench.run import rescore
from paars_bench.tasks.scoring.summary import NO_SCORE


def by_condition(results: Any) -> dict[str, Any]:
    return {row["condition"]: row for row in results["alignment"]}


def test_humans_align_with_themselves(bench: Bench) -> None:
    done = bench("human", tasks=QUICK, limit=None)
    (row, _) = done.results["alignment"]
    assert row["score"] == pytest.approx(100)
    assert {t["task"] for t in row["tasks"]} == {"item_selection_group", "session_generation"}
    assert row["ci"]["low"] <= 100 <= row["ci"]["high"]


def test_tasks_weigh_equally_and_metrics_as_their_yaml_says(bench: Bench) -> None:
    done = bench("random", tasks=QUICK, limit=None, conditions=("base",))
    (row,) = done.results["alignment"]
    means = []
    for task in done.results["tasks"]:
        counted = [
            (m["weight"], min(100, m["score"])) for m in task["metrics"] if m.get("weight") and m["score"] is not None
        ]
        if counted:
            means.append(sum(w * s for w, s in counted) / sum(w for w, _ in counted))
    assert len(means) == 2
    assert row["score"] == pytest.approx(sum(means) / 2)
    assert row["ci"]["low"] < row["score"] < row["ci"]["high"]


def test_what_has_no_score_is_left_out_by_name_with_the_reason(bench: Bench) -> None:
    done = bench("random", tasks=QUICK, limit=4, conditions=("base",))
    (row,) = done.results["alignment"]
    counted = {(t["task"], m["metric"]) for t in done.results["tasks"] for m in t["metrics"] if m.get("weight")}
    scored = {
        (t["task"], m["metric"])
        for t in done.results["tasks"]
        for m in t["metrics"]
        if m.get("weight") and m["score"] is not None
    }
    left = {(x["task"], x["metric"]) for x in row["left_out"]}
    assert left == counted - scored
    assert left
    assert all(x["why"] for x in row["left_out"])


def test_without_a_group_metric_there_is_no_score(bench: Bench) -> None:
    done = bench("random", tasks=("item_selection_individual",), conditions=("base",))
    (row,) = done.results["alignment"]
    assert (row["score"], row["ci"], row["why"]) == (None, None, NO_SCORE)


def test_conditions_are_compared_with_base_and_the_persona_with_another_shoppers(bench: Bench) -> None:
    done = bench(FakeBackbone(scripted=False), tasks=QUICK, conditions=("base", "persona", "shuffled"))
    pairs = {(d["condition"], d["against"]) for d in done.results["differences"]}
    assert pairs == {("persona", "base"), ("shuffled", "base"), ("persona", "shuffled")}
    values = {(t["task"], t["condition"], m["metric"]): m for t in done.results["tasks"] for m in t["metrics"]}
    for d in done.results["differences"]:
        here, there = (values[d["task"], c, d["metric"]]["value"] for c in (d["condition"], d["against"]))
        assert (d["value"], d["value_against"]) == (pytest.approx(here), pytest.approx(there))
        assert d["difference"] == pytest.approx(here - there)
        assert d["n"] > 0
        assert d["ci"] is None or d["ci"]["low"] <= d["difference"] <= d["ci"]["high"]


def test_scored_again_the_summary_is_the_same(bench: Bench, tmp_path: Path) -> None:
    done = bench("random", tasks=QUICK)
    again = rescore(tmp_path / "run").results
    assert again["alignment"] == done.results["alignment"]
    assert again["differences"] == done.results["differences"]
