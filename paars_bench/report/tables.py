"""What a run ends with on screen: its metrics, its cases, what failed, what measured, and where everything lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from paars_bench.report.failures import lines
from paars_bench.report.layout import Row, Sheet, cost_text, screen_console, show
from paars_bench.report.metric_tables import show_metrics
from paars_bench.report.summary_tables import show_segments, show_summary


def show_results(results: Mapping[str, Any], path: Path, console: Console | None = None, *, full: bool = False) -> None:
    """Prints the tables of a run, what failed, and where everything lies; ``full`` shows what does not count too."""
    out = console or screen_console()
    data, run = results["dataset"], results["run"]
    simulated = " (simulated humans: not a claim about people)" if _simulated(results) else " (real people)"
    out.print(
        f"\n{results['model']['name']} on {data['name']}{simulated} · {data['shoppers']} shoppers · seed {run['seed']}"
    )
    if any(t["counts"]["scored"] for t in results["tasks"]):
        show_metrics(out, [(t, m) for t in results["tasks"] for m in t["metrics"]], full=full)
    else:
        out.print("no case was scored, so there is no metric to show")
    _without_metrics(out, results["tasks"])
    show_summary(out, results)
    show_segments(out, results)
    _counts(out, results)
    for line in lines(results.get("failures", ())):  # results of earlier versions have none
        out.print(line, soft_wrap=True)
    _engines(out, results)
    out.print(f"{run['status']}: results in {path / 'results.json'}", soft_wrap=True)


def _counts(out: Console, results: Mapping[str, Any]) -> None:
    rows = []
    for task in results["tasks"]:
        counts = task["counts"]
        others = {k: v for k, v in counts["by_outcome"].items() if k != "ok"}
        text = ", ".join(f"{k} {v}" for k, v in others.items()) or "none"
        rows.append(Row((task["task"], task["condition"]), (str(counts["planned"]), str(counts["scored"]), text)))
    title = "Cases: planned = scored + all other outcomes"
    show(out, Sheet(title, ("task", "condition"), ("planned", "scored", "other outcomes"), rows))
    for item in results["unsupported"]:
        out.print(f"not run: {item['task']} ({item['why']})")
    for task in results["tasks"]:
        if task["coverage"] < task["min_coverage"]:
            out.print(
                f"partial: {task['task']} / {task['condition']} has {task['coverage']:.1%} of its cases scored, "
                f"below the {task['min_coverage']:.0%} its task asks for"
            )


def _engines(out: Console, results: Mapping[str, Any]) -> None:
    for role, engine in results["engines"].items():
        if isinstance(engine, Mapping):
            source = f" ({engine['source']})" if "source" in engine else ""
            out.print(f"{role}: {engine['name']}{source}")
    spent = results["usage"]["by_role"]
    costs = [u["cost_usd"] for u in spent.values()]
    cost = cost_text(None if None in costs else sum(costs))
    history = results["history"]
    if history and history["shoppers_cut"]:
        out.print(
            f"history cut ({history['rule']} of {history['budget_tokens']}): {history['events_shown']:,} of "
            f"{history['events']:,} events shown, {history['shoppers_cut']} of {history['shoppers']} shoppers cut"
        )
    _usage(out, spent)
    out.print(f"{_tokens(results)} · {cost} · {results['run']['seconds']:.0f} s of asking")


def _tokens(results: Mapping[str, Any]) -> str:
    """Returns what was used, and how much of the prompts the provider had in its cache: it bills that at a fraction."""
    spent = results["usage"]["by_role"].values()
    sent, cached = (sum(u[name] for u in spent) for name in ("input", "cached"))
    share = f", {cached / sent:.1%} of the input from the provider's cache" if cached else ""
    return f"{sent + sum(u['output'] for u in spent):,} tokens{share}"


def _usage(out: Console, spent: Mapping[str, Mapping[str, Any]]) -> None:
    """Prints what each part of a run used, where it used anything: a baseline does not."""
    rows = [
        Row(
            (role,),
            (*(f"{u[name]:,}" for name in ("input", "cached", "output", "reasoning")), cost_text(u["cost_usd"])),
        )
        for role, u in spent.items()
        if u["input"] + u["output"]
    ]
    if rows:
        figures = ("input tokens", "of them cached", "output tokens", "of them reasoning", "cost")
        show(out, Sheet("Used, what was asked again included", ("for",), figures, rows))


def _simulated(results: Mapping[str, Any]) -> bool:
    return bool(results["dataset"]["human_reference"] == "simulated")


def _without_metrics(out: Console, tasks: Sequence[Mapping[str, Any]]) -> None:
    for why in sorted({t["why_no_metrics"] for t in tasks if t["why_no_metrics"]}):
        out.print(f"no metrics: {why}")
