"""The tables at the end of a run."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from paars_bench.report.tables import show_results
from paars_bench.run import RunSpec, evaluate_spec

TASKS = ("item_selection_individual", "item_selection_group")
DATASET = "demo:shoppers=20,products=600"


def printed(results: dict[str, Any], width: int = 170, *, full: bool = True) -> str:
    out = io.StringIO()
    show_results(results, Path("runs/x"), Console(file=out, width=width, markup=False), full=full)
    return out.getvalue()


def measures(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics of a task that are numbers of their own, the panel test apart."""
    return [m for m in task["metrics"] if m["metric"] != "panel_test"]


def test_what_does_not_count_is_named_and_shown_when_asked_for(results: dict[str, Any]) -> None:
    short = printed(results, full=False)
    beside = "kl_reverse_histogram(rank), js_histogram(rank), tv_histogram(rank), w1_histogram(rank)"
    assert f"not counted, in results.json and with `paars-bench score RUN --full`: {beside}" in short
    assert "w1_histogram" not in short.replace(beside, "")
    assert "w1_histogram(rank)" in printed(results).replace(beside, "")


def test_metrics_that_do_not_count_are_told_apart_by_their_options(results: dict[str, Any]) -> None:
    (metric,) = (m for t in results["tasks"] for m in t["metrics"] if m["metric"] == "w1_histogram(rank)")
    task = next(t for t in results["tasks"] if metric in t["metrics"])
    named = ("mmd", "mmd(bandwidth=0.2)", "kl_kde(bandwidth=0.2, paper)", "mmd(bandwidth=0.3)")
    task["metrics"] += [metric | {"metric": name} for name in named]
    (line,) = (ln for ln in printed(results, width=400, full=False).splitlines() if "not counted" in ln)
    assert line.endswith("w1_histogram(rank), mmd, mmd(bandwidth=0.2 | bandwidth=0.3), kl_kde(bandwidth=0.2, paper)")


@pytest.mark.parametrize(
    ("cached", "says"), [(0, "2,400 tokens · "), (1500, ", 75.0% of the input from the provider's")]
)
def test_what_the_provider_read_from_its_cache_is_said(results: dict[str, Any], cached: int, says: str) -> None:
    results["usage"]["by_role"]["task"] |= {"input": 1500, "cached": cached and 1400, "output": 400}
    results["usage"]["by_role"]["persona"] |= {"input": 500, "cached": cached and 100, "output": 0}
    assert says in printed(results)


def test_it_is_said_whether_agents_are_told_apart(results: dict[str, Any]) -> None:
    (panel,) = (m for t in results["tasks"] for m in t["metrics"] if m["metric"] == "panel_test")
    panel |= {"value": 0.002, "told_apart_by": ["w1(rank)"]}
    lines = printed(results).splitlines()
    (line,) = (ln for ln in lines[next(n for n, ln in enumerate(lines) if "told apart" in ln) :] if " 0.002 " in ln)
    assert "w1(rank)" in line
    panel |= {"value": 0.4, "told_apart_by": []}
    assert "a large p is no proof of likeness" in printed(results)


def test_every_number_stands_with_its_floor_interval_and_count(results: dict[str, Any]) -> None:
    text = printed(results)
    for task in results["tasks"]:
        for metric in measures(task):
            line = next(ln for ln in text.splitlines() if f" {task['task']} " in ln and f" {metric['metric']} " in ln)
            ci = metric["ci"]
            assert f"{metric['value']:.3f}" in line
            assert f"[{ci['low']:.3f}, {ci['high']:.3f}]" in line
            assert line.rstrip("│ ").endswith(f" {metric['n']}")
            if "floor" in metric:
                assert f"{metric['floor']:.3f}" in line


def test_a_number_that_rounds_to_zero_has_no_sign(results: dict[str, Any]) -> None:
    for metric in (m for t in results["tasks"] for m in measures(t)):
        metric["value"] = -0.0004
        metric["ci"] |= {"low": -0.0012, "high": -0.0001}
    text = printed(results)
    assert "-0.000" not in text
    assert " 0.000 " in text and "[-0.001, 0.000]" in text


def test_an_estimate_below_zero_is_explained(results: dict[str, Any]) -> None:
    (metric,) = (m for t in results["tasks"] for m in t["metrics"] if m.get("weight"))
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


SEEN = ("searches", "views", "purchases")
INTERVAL = {"low": -0.123, "high": 10.666, "level": 0.95}


def full(results: dict[str, Any]) -> dict[str, Any]:
    """Results that fill all five tables, with the longest names and figures of the built-in tasks."""
    group = next(m for t in results["tasks"] for m in t["metrics"] if "floor" in m)
    plain = next(m for t in results["tasks"] for m in t["metrics"] if m["level"] == "individual")
    sessions = [
        group
        | {"metric": f"kl_histogram_{name}", "value": 10.25 + place, "ci": INTERVAL, "floor": 0.012, "n": 2400}
        | {"reference": {"kind": "uniform", "value": 11.666}, "score": -1234.5, "score_ci": {"low": -1345, "high": 99}}
        for place, name in enumerate(SEEN)
    ]
    diversity = {"metric": "product_ttr", "level": "group", "value": 0.971, "ci": INTERVAL, "n": 2400}
    diversity |= {"human": 0.035, "human_ci": INTERVAL, "gap": 0.936, "floor": 0.011, "null_band": [0.001, 0.024]}
    bins = [{"value": 0.6 + place / 100, "n": 600 + place} for place in range(5)]
    queries = plain | {"metric": "query_similarity", "value": 0.591, "ci": INTERVAL, "n": 3058, "strata": bins}
    counts = {"planned": 46388, "scored": 4388, "by_outcome": {"ok": 4388, "provider_error": 41000, "cancelled": 1000}}
    blank = results["tasks"][0] | {"counts": counts}
    results["tasks"] += [
        blank | {"task": name, "condition": condition, "metrics": metrics}
        for name, metrics in (("session_generation", [*sessions, diversity]), ("query_generation", [queries]))
        for condition in ("base", "persona", "base_sampled")
    ]
    return results


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_on_a_terminal_no_line_is_longer_and_no_name_or_number_is_cut(results: dict[str, Any], width: int) -> None:
    text = printed(full(results), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for title in ("(Table 2)", "(Table 3)", "(Figure 2)", "(Table 4)", "Cases:"):
        assert title in " ".join(text.split())
    words = re.findall(r"[^\s│]+", text)
    for task in results["tasks"]:
        assert task["task"] in words
        assert task["condition"] in words
        assert str(task["counts"]["scored"]) in words
        for metric in measures(task):
            assert metric["metric"] in words
            numbers = [f"{metric['value']:.3f}", f"[{metric['ci']['low']:.3f},", f"{metric['ci']['high']:.3f}]"]
            numbers += [f"{metric['floor']:.3f}"] if metric.get("floor") is not None else []
            numbers += [f"{metric['score']:.1f}"] if metric.get("weight") and metric["score"] is not None else []
            numbers += [f"{s['value']:.3f}" for s in metric.get("strata") or ()]
            numbers += [f"(n={s['n']})" for s in metric.get("strata") or ()]
            assert [n for n in numbers if n not in words] == []


@pytest.mark.parametrize("width", [80, 120])
def test_rows_of_one_metric_stand_under_its_name(results: dict[str, Any], width: int) -> None:
    lines = printed(full(results), width).splitlines()
    for place, name in enumerate(SEEN):
        (heading,) = [n for n, line in enumerate(lines) if line.strip() == f"kl_histogram_{name}"]
        for condition in ("base", "persona", "base_sampled"):
            row = next(ln for ln in lines[heading + 1 :] if ln.split()[:1] == [condition])
            assert f"{10.25 + place:.3f}" in row


def test_the_narrowest_terminal_gets_one_figure_a_line(results: dict[str, Any]) -> None:
    text = printed(full(results), 36)
    assert "value: 10.250" in text and "…" not in text
