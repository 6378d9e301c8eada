"""The tables at the end of a run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from paars_bench.report.tables import show_results


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


def test_simulated_humans_are_called_simulated(results: dict[str, Any]) -> None:
    assert "simulated humans: not a claim about people" in printed(results)
    results["dataset"]["human_reference"] = "real"
    assert "simulated" not in printed(results)


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
