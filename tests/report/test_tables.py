"""The tables at the end of a run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from paars_bench.report.tables import show_results
from paars_bench.run import RunSpec, evaluate_spec

TASKS = ("item_selection_individual", "item_selection_group")
DATASET = "demo:shoppers=20,products=600"


def printed(results: dict[str, Any]) -> str:
    out = io.StringIO()
    show_results(results, Path("runs/x"), Console(file=out, width=170, markup=False))
    return out.getvalue()


def test_every_number_stands_with_its_floor_interval_and_count(results: dict[str, Any]) -> None:
    text = printed(results)
    for task in results["tasks"]:
        for metric in task["metrics"]:
            line = next(ln for ln in text.splitlines() if f" {task['task']} " in ln and f" {metric['metric']} " in ln)
            ci = metric["ci"]
            assert f"{metric['value']:.3f}" in line
            assert f"[{ci['low']:.3f}, {ci['high']:.3f}]" in line
            assert line.rstrip("│ ").endswith(f" {metric['n']}")
            if "floor" in metric:
                assert f"{metric['floor']:.3f}" in line


def test_an_estimate_below_zero_is_explained(results: dict[str, Any]) -> None:
    (metric,) = (m for t in results["tasks"] for m in t["metrics"] if "floor" in m)
    metric["ci"]["low"] = 0.01
    assert "below 0" not in printed(results)
    metric["ci"]["low"] = -0.01
    assert printed(results).count("  below 0: a divergence is not, but its estimate can be") == 1


def test_accuracy_stands_beside_chance(results: dict[str, Any]) -> None:
    (line,) = (ln for ln in printed(results).splitlines() if "by chance: " in ln)
    assert "item_selection_individual 0.250, item_selection_group 0." in line


def test_simulated_humans_are_called_simulated(results: dict[str, Any]) -> None:
    assert "simulated humans: not a claim about people" in printed(results)
    results["dataset"]["human_reference"] = "real"
    text = printed(results)
    assert "simulated" not in text
    assert f"on {results['dataset']['name']} (real people) · " in text


def test_a_run_without_metrics_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = RunSpec("random", TASKS, DATASET, output_path=tmp_path / "run", conditions=("base",), limit=1)
    done = evaluate_spec(spec)
    assert [t["metrics"] for t in done.results["tasks"]] == [[], []]
    why = done.results["tasks"][0]["why_no_metrics"]
    assert capsys.readouterr().out.count(f"no metrics: {why}") == 1
    assert "only one shopper has cases, and a metric needs two" in why


def test_what_failed_is_counted_and_said(results: dict[str, Any]) -> None:
    task = results["tasks"][0]
    task["counts"] |= {"scored": 3, "by_outcome": {"ok": 3, "refused": 7}}
    task["coverage"] = 0.3
    text = printed(results)
    assert "refused 7" in text
    assert f"partial: {task['task']} / base has 30.0% of its cases scored, below the 98% its task asks for" in text


def test_names_that_look_like_markup_are_shown_as_they_are(results: dict[str, Any]) -> None:
    results["model"]["name"] = "openai/[bold]m[/nope]"
    results["tasks"][0]["task"] = "[red]t[/wrong]"
    text = printed(results)
    assert "openai/[bold]m[/nope]" in text and "[red]t[/wrong]" in text
