"""What ``--repeats`` says of the noise of a model: each repeat is measured as a run of it alone would be."""

from __future__ import annotations

import io
import statistics
from pathlib import Path
from typing import Any

import pytest
from fake_runs import Bench
from rich.console import Console

from paars_bench.report.tables import show_results

TASKS = ("item_selection_individual", "item_selection_group", "session_generation")


def metrics(results: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {(t["task"], m["metric"]): m for t in results["tasks"] for m in t["metrics"]}


def printed(results: Any) -> str:
    out = io.StringIO()
    show_results(results, Path("runs/x"), Console(file=out, width=200, markup=False), full=True)
    return out.getvalue()


def test_the_first_repeat_reads_what_a_run_without_repeats_reads(bench: Bench) -> None:
    options: dict[str, Any] = {"tasks": TASKS, "conditions": ("base",), "limit": 20}
    once = metrics(bench("random", path="once", **options).results)
    thrice = metrics(bench("random", path="thrice", repeats=3, **options).results)
    compared = [name for name, m in once.items() if m["value"] is not None and name[1] != "panel_test"]
    assert {name[1] for name in compared} >= {"accuracy", "kl_histogram(rank)", "kl_histogram(searches)", "query_ttr"}
    for name in compared:
        found = thrice[name]["repeats"]
        assert (found["k"], len(found["values"])) == (3, 3)
        assert found["values"][0] == pytest.approx(once[name]["value"], abs=1e-6), name
        assert found["sd"] == pytest.approx(statistics.stdev(found["values"])), name
    assert not any("repeats" in m for m in once.values())
    assert "repeats" not in thrice["session_generation", "panel_test"], "a p-value is no figure of behaviour"


def test_tables_show_the_noise_between_repeats_only_where_there_are_repeats(bench: Bench) -> None:
    options: dict[str, Any] = {"tasks": TASKS[:2], "conditions": ("base",), "limit": 20}
    assert "between repeats" not in printed(bench("random", path="once", **options).results)
    results = bench("random", path="twice", repeats=2, **options).results
    lines = printed(results).splitlines()
    for (task, name), m in metrics(results).items():
        if name in ("accuracy", "kl_histogram(rank)"):
            (line,) = (ln for ln in lines if ln.startswith("│") and {task, name} <= set(ln.split()))
            assert line.rstrip("│ ").endswith(f" {m['repeats']['sd']:.3f}")
    assert any("standard deviation of a value over 2 repeats" in ln for ln in lines)
