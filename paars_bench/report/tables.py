"""The tables a reader of the paper recognises: Table 2 (group KL), Table 3 (choice accuracy), Table 4 (diversity)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from paars_bench.backbones.door import Backbone
from paars_bench.data.cases import ShoppingData
from paars_bench.report.failures import lines
from paars_bench.report.layout import Row, Sheet, show

if TYPE_CHECKING:
    from paars_bench.run.plan import Plan

Metric = Mapping[str, Any]
_FILE_WIDTH = 170


def show_results(results: Mapping[str, Any], path: Path, console: Console | None = None) -> None:
    """Prints the tables of a run, what failed, and where everything lies."""
    out = console or _console()
    data, run = results["dataset"], results["run"]
    simulated = " (simulated humans: not a claim about people)" if _simulated(results) else " (real people)"
    out.print(
        f"\n{results['model']['name']} on {data['name']}{simulated} · {data['shoppers']} shoppers · seed {run['seed']}"
    )
    if any(t["counts"]["scored"] for t in results["tasks"]):
        _metrics(out, [(t, m) for t in results["tasks"] for m in t["metrics"]])
    else:
        out.print("no case was scored, so there is no metric to show")
    _without_metrics(out, results["tasks"])
    _summary(out, results)
    _segments(out, results)
    _counts(out, results)
    for line in lines(results.get("failures", ())):  # results of earlier versions have none
        out.print(line, soft_wrap=True)
    _engines(out, results)
    out.print(f"{run['status']}: results in {path / 'results.json'}", soft_wrap=True)


def _metrics(out: Console, rows: Sequence[tuple[Metric, Metric]]) -> None:
    grouped = [(t, m) for t, m in rows if "weight" in m]
    _group_table(out, [(t, m) for t, m in grouped if m["weight"] > 0])
    _beside_table(out, [(t, m) for t, m in grouped if m["weight"] == 0])
    _below_zero(out, [m for _, m in grouped])
    _individual_table(out, [(t, m) for t, m in rows if m["level"] == "individual"])
    _chance(out, [(t, m) for t, m in rows if (m.get("reference") or {}).get("kind") == "chance"])
    _strata_table(out, [(t, m) for t, m in rows if m.get("strata")])
    _diversity_table(out, [(t, m) for t, m in rows if m["metric"].endswith("_ttr")])
    _empty(out, [(t, m) for t, m in rows if m.get("why")])


def _group_table(out: Console, rows: Sequence[tuple[Metric, Metric]]) -> None:
    if not rows:
        return
    title = "Group alignment (Table 2): divergence from the humans; floor = humans against humans at the same n"
    figures = ("value", "95 % interval", "floor", "knows nothing", "score (100 = human)", "n")
    _show(out, title, figures, rows, _group_figures)
    for why in sorted({m["score_note"] for _, m in rows if m["score_note"]}):
        out.print(f"  –: {why}")


def _beside_table(out: Console, rows: Sequence[tuple[Metric, Metric]]) -> None:
    title = "Other divergences, not counted in the score: what no single metric sees (docs/metrics.md)"
    figures = ("value", "95 % interval", "floor", "human halves reach", "knows nothing", "n")
    _show(
        out,
        title,
        figures,
        rows,
        lambda m: (
            _num(m["value"]),
            _ci(m["ci"]),
            _num(m["floor"]),
            _num(m["null_band"][1]),
            _num(m["uninformed"]),
            str(m["n"]),
        ),
    )


def _group_figures(m: Metric) -> tuple[str, ...]:
    reference = m["reference"] or {}
    return (
        _num(m["value"]),
        _ci(m["ci"]),
        _num(m["floor"]),
        f"{_num(reference.get('value'))} {reference.get('kind', '')}".strip(),
        f"{_num(m['score'], 1)} {_ci(m['score_ci'], 0)}".strip() if m["score"] is not None else "–",
        str(m["n"]),
    )


def _individual_table(out: Console, rows: Sequence[tuple[Metric, Metric]]) -> None:
    title = "Individual alignment (Table 3): each agent against its own human"
    figures = ("value", "95 % interval", "failures as wrong", "coverage", "n")
    _show(
        out,
        title,
        figures,
        [(t, m) for t, m in rows if m["value"] is not None],
        lambda m: (_num(m["value"]), _ci(m["ci"]), _num(m["strict_value"]), f"{m['coverage']:.1%}", str(m["n"])),
    )


def _strata_table(out: Console, rows: Sequence[tuple[Metric, Metric]]) -> None:
    most = max((len(m["strata"]) for _, m in rows), default=0)
    _show(
        out,
        "Query similarity by perplexity of the human query (Figure 2), the easiest fifth first",
        [f"bin {place}" for place in range(1, most + 1)],
        rows,
        lambda m: [*(f"{_num(s['value'])} (n={s['n']})" for s in m["strata"]), *[""] * (most - len(m["strata"]))],
    )


def _diversity_table(out: Console, rows: Sequence[tuple[Metric, Metric]]) -> None:
    _show(
        out,
        "Diversity (Table 4): type-token ratio at the same number of tokens",
        ("agents", "95 % interval", "humans", "humans' interval", "n"),
        [(t, m) for t, m in rows if m["value"] is not None],
        lambda m: (_num(m["value"]), _ci(m["ci"]), _num(m["human"]), _ci(m["human_ci"]), str(m["n"])),
    )


def _show(
    out: Console,
    title: str,
    figures: Sequence[str],
    rows: Sequence[tuple[Metric, Metric]],
    cells: Callable[[Metric], Sequence[str]],
) -> None:
    if rows:
        named = [Row((t["task"], m["metric"], t["condition"]), cells(m)) for t, m in rows]
        show(out, Sheet(title, ("task", "metric", "condition"), figures, named))


def _summary(out: Console, results: Mapping[str, Any]) -> None:
    differences = results.get("differences", ())
    counted = {(t["task"], m["metric"]) for t in results["tasks"] for m in t["metrics"] if m.get("weight") != 0}
    rows = [
        Row((d["task"], d["metric"], f"{d['condition']} less {d['against']}"), _difference_figures(d))
        for d in differences
        if (d["task"], d["metric"]) in counted
    ]
    if rows:
        title = "What a condition changes, paired by shopper"
        show(out, Sheet(title, ("task", "metric", "conditions"), ("difference", "95 % interval", "closer"), rows))
    aligned = [a for a in results.get("alignment", ()) if a["score"] is not None]
    if aligned:
        rows = [
            Row((a["condition"],), (f"{a['score']:.1f}", _ci(a["ci"], 1), ", ".join(_task_scores(a)))) for a in aligned
        ]
        title = f"Alignment score (100 = human, 0 = knows nothing): {aligned[0]['weighing']}"
        show(out, Sheet(title, ("condition",), ("score", "95 % interval", "by task"), rows))


def _task_scores(row: Mapping[str, Any]) -> list[str]:
    return [f"{t['task']} {t['score']:.1f}" for t in row["tasks"]]


def _difference_figures(d: Mapping[str, Any]) -> tuple[str, ...]:
    ci = d["ci"] or {"low": float("-inf"), "high": float("inf")}
    sure = ci["low"] > 0 or ci["high"] < 0
    better = (d["difference"] > 0) == (d["better_is"] == "higher")
    return _num(d["difference"]), _ci(d["ci"]), ("yes" if better else "no") if sure else "cannot be told"


def _segments(out: Console, results: Mapping[str, Any]) -> None:
    for by in dict.fromkeys(s["by"] for s in results.get("segments", ())):
        rows = [
            Row(
                (s["task"], s["metric"], f"{s['condition']}, {s['segment']}"),
                (
                    _num(s["value"]),
                    _ci(s["ci"]),
                    _num(s["floor"]),
                    _num(s["difference"]),
                    _num(s["p_adjusted"]),
                    f"{s['n']} of {s['shoppers']}",
                ),
            )
            for s in results["segments"]
            if s["by"] == by and s["weight"] != 0
        ]
        rows.sort(key=lambda r: tuple(r.words)[:2])
        figures = ("value", "95 % interval", "floor", "against the others", "p, adjusted", "cases of shoppers")
        show(out, Sheet(f"By {by}", ("task", "metric", "condition and segment"), figures, rows))
    for left in results.get("segments_left_out", ()):
        name = left["segment"] or "nobody's segment"
        out.print(f"not shown: {left['by']} = {name}, {left['shoppers']} shoppers ({left['why']})")


def _empty(out: Console, rows: Sequence[tuple[Metric, Metric]]) -> None:
    for task, m in rows:
        out.print(f"no value: {task['task']} / {task['condition']} / {m['metric']}: {m['why']}")


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
    tokens = sum(u["input"] + u["output"] for u in spent.values())
    costs = [u["cost_usd"] for u in spent.values()]
    cost = "price unknown" if None in costs else f"${sum(costs):.4f}"
    history = results["history"]
    if history and history["shoppers_cut"]:
        out.print(
            f"history cut ({history['rule']} of {history['budget_tokens']}): {history['events_shown']:,} of "
            f"{history['events']:,} events shown, {history['shoppers_cut']} of {history['shoppers']} shoppers cut"
        )
    out.print(f"{tokens:,} tokens · {cost} · {results['run']['seconds']:.0f} s of asking")


def show_plan(plan: Plan, data: ShoppingData, backbone: Backbone) -> None:
    """Prints what a run would ask, without asking."""
    out = _console()
    rows = [
        Row((name,), (", ".join(conditions), str(len(plan.cases[name]) * len(conditions) * plan.repeats)))
        for name, conditions in plan.conditions.items()
    ]
    title = f"Would ask {backbone.traits.litellm_model} on {data.name}"
    show(out, Sheet(title, ("task",), ("conditions", "cases"), rows))
    out.print(f"{len(plan)} cases of {len(plan.shoppers)} shoppers; nothing was called")


def _console() -> Console:
    """Standard output; a file or pipe is written wide enough that no name is cut."""
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, width=_FILE_WIDTH)


def _simulated(results: Mapping[str, Any]) -> bool:
    return bool(results["dataset"]["human_reference"] == "simulated")


def _num(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _ci(ci: Mapping[str, Any] | None, digits: int = 3) -> str:
    return "–" if ci is None else f"[{ci['low']:.{digits}f}, {ci['high']:.{digits}f}]"


def _without_metrics(out: Console, tasks: Sequence[Metric]) -> None:
    for why in sorted({t["why_no_metrics"] for t in tasks if t["why_no_metrics"]}):
        out.print(f"no metrics: {why}")


def _chance(out: Console, rows: Sequence[tuple[Metric, Metric]]) -> None:
    levels = {t["task"]: m["reference"]["value"] for t, m in rows}
    if levels:
        out.print(f"  by chance: {', '.join(f'{task} {_num(level)}' for task, level in levels.items())}")


def _below_zero(out: Console, rows: Sequence[Metric]) -> None:
    lowest = [v for m in rows for v in (m["value"], (m["ci"] or {}).get("low")) if v is not None]
    if min(lowest, default=0) < 0:
        out.print("  below 0: a divergence is not, but its estimate can be; docs/metrics.md says why")
