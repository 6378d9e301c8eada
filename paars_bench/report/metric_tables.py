"""Tables of metrics: what counts in the score, what stands beside it, and whether agents are told apart from humans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console

from paars_bench.report.layout import Row, Sheet, ci_text, number, show
from paars_bench.report.session_tables import show_sessions

Metric = Mapping[str, Any]
Named = Sequence[tuple[Metric, Metric]]


def show_metrics(out: Console, rows: Named, *, full: bool = False) -> None:
    """Prints the metrics of a run.

    Args:
        out: where to.
        rows: each metric with its task, as ``results.json`` holds them.
        full: also the divergences that do not count in the score.
    """
    show_sessions(out, rows, full=full)
    grouped = [(t, m) for t, m in rows if "weight" in m]
    _group_table(out, [(t, m) for t, m in grouped if m["weight"] > 0 and m["value"] is not None])
    beside = [(t, m) for t, m in grouped if m["weight"] == 0 and m["value"] is not None]
    _beside_table(out, beside, full=full)
    _below_zero(out, [m for _, m in grouped if full or m["weight"] > 0])
    _panel_table(out, [(t, m) for t, m in rows if m["metric"] == "panel_test" and m["value"] is not None])
    _individual_table(out, [(t, m) for t, m in rows if m["level"] == "individual"])
    _chance(out, [(t, m) for t, m in rows if (m.get("reference") or {}).get("kind") == "chance"])
    _strata_table(out, [(t, m) for t, m in rows if m.get("strata")])
    _diversity_table(out, [(t, m) for t, m in rows if "human" in m])
    most = max((m["repeats"]["k"] for _, m in rows if m.get("repeats")), default=0)
    if most:
        out.print(
            f"  ± between repeats: standard deviation of a value over {most} repeats, each measured alone: noise of "
            "the model on the same cases, not of other shoppers (docs/metrics.md)"
        )
    _empty(out, [(t, m) for t, m in rows if m.get("why")])


def _group_table(out: Console, rows: Named) -> None:
    if not rows:
        return
    title = "Group alignment (Table 2): divergence from the humans; floor = humans against humans at the same n"
    figures = ("value", "95 % interval", "floor", "knows nothing", "score (100 = human)", "n")
    _show(out, title, figures, rows, _group_figures)
    for why in sorted({m["score_note"] for _, m in rows if m["score_note"]}):
        out.print(f"  –: {why}")


def _beside_table(out: Console, rows: Named, *, full: bool) -> None:
    if not full:
        if rows:
            names = _joined_names([m["metric"] for _, m in rows])
            out.print(f"  not counted, in results.json and with `paars-bench score RUN --full`: {names}")
        return
    title = "Other divergences, not counted in the score: what no single metric sees (docs/metrics.md)"
    figures = ("value", "95 % interval", "floor", "human halves reach", "knows nothing", "n")
    _show(
        out,
        title,
        figures,
        rows,
        lambda m: (
            number(m["value"]),
            ci_text(m["ci"]),
            number(m["floor"]),
            number(m["null_band"][1]),
            number(m["uninformed"]),
            str(m["n"]),
        ),
    )


def _joined_names(metrics: Sequence[str]) -> str:
    """Returns every metric once, those that differ by options alone together: ``js_histogram(searches | views)``."""
    options: dict[str, list[str]] = {}  # by the name up to its bracket, so that one without options stands apart
    for name, bracket, inside in (metric.partition("(") for metric in dict.fromkeys(metrics)):
        options.setdefault(name + bracket, []).append(inside.removesuffix(")"))
    return ", ".join(f"{name}{' | '.join(inside)})" if name.endswith("(") else name for name, inside in options.items())


def _panel_table(out: Console, rows: Named) -> None:
    title = "Are the agents told apart from the humans? Permutation test of a panel, labels swapped within shoppers"
    figures = ("p of the panel", "told apart by", "shoppers")
    _show(
        out,
        title,
        figures,
        rows,
        lambda m: (number(m["value"]), ", ".join(m["told_apart_by"]) or "nothing", str(m["clusters"])),
    )
    if rows:
        out.print("  a large p is no proof of likeness: see the intervals and n above")


def _group_figures(m: Metric) -> tuple[str, ...]:
    reference = m["reference"] or {}
    return (
        number(m["value"]),
        ci_text(m["ci"]),
        number(m["floor"]),
        f"{number(reference.get('value'))} {reference.get('kind', '')}".strip(),
        f"{number(m['score'], 1)} {ci_text(m['score_ci'], 0)}".strip() if m["score"] is not None else "–",
        str(m["n"]),
    )


def _individual_table(out: Console, rows: Named) -> None:
    title = "Individual alignment (Table 3): each agent against its own human"
    figures = ("value", "95 % interval", "failures as wrong", "coverage", "n")
    _show(out, title, figures, [(t, m) for t, m in rows if m["value"] is not None], _individual_figures)


def _individual_figures(m: Metric) -> tuple[str, ...]:
    return number(m["value"]), ci_text(m["ci"]), number(m["strict_value"]), f"{m['coverage']:.1%}", str(m["n"])


def _strata_table(out: Console, rows: Named) -> None:
    most = max((len(m["strata"]) for _, m in rows), default=0)
    _show(
        out,
        "Query similarity by perplexity of the human query (Figure 2), the easiest fifth first",
        [f"bin {place}" for place in range(1, most + 1)],
        rows,
        lambda m: [*(f"{number(s['value'])} (n={s['n']})" for s in m["strata"]), *[""] * (most - len(m["strata"]))],
        noise=False,
    )


def _diversity_table(out: Console, rows: Named) -> None:
    title = (
        "Diversity (Table 4): shares at the same number of tokens; gap = agents of one half against humans of the "
        "other, floor = humans against humans"
    )
    figures = ("agents", "95 % interval", "humans", "humans' interval", "gap", "floor", "human halves reach", "n")
    _show(out, title, figures, [(t, m) for t, m in rows if m["value"] is not None], _diversity_figures)


def _diversity_figures(m: Metric) -> tuple[str, ...]:
    beside = number(m["gap"]), number(m["floor"]), number(m["null_band"][1])
    return number(m["value"]), ci_text(m["ci"]), number(m["human"]), ci_text(m["human_ci"]), *beside, str(m["n"])


def _show(
    out: Console,
    title: str,
    figures: Sequence[str],
    rows: Named,
    cells: Callable[[Metric], Sequence[str]],
    *,
    noise: bool = True,
) -> None:
    """Prints rows; with ``noise`` how much a value varies from repeat to repeat too, where cases were asked again."""
    if not rows:
        return
    repeated = noise and any(m.get("repeats") for _, m in rows)
    more = [[number((m.get("repeats") or {}).get("sd"))] if repeated else [] for _, m in rows]
    named = [
        Row((t["task"], m["metric"], t["condition"]), [*cells(m), *sd]) for (t, m), sd in zip(rows, more, strict=True)
    ]
    show(out, Sheet(title, ("task", "metric", "condition"), [*figures, *["± between repeats"] * repeated], named))


def _empty(out: Console, rows: Named) -> None:
    for task, m in rows:
        out.print(f"no value: {task['task']} / {task['condition']} / {m['metric']}: {m['why']}")


def _chance(out: Console, rows: Named) -> None:
    levels = {t["task"]: m["reference"]["value"] for t, m in rows}
    if levels:
        out.print(f"  by chance: {', '.join(f'{task} {number(level)}' for task, level in levels.items())}")


def _below_zero(out: Console, rows: Sequence[Metric]) -> None:
    lowest = [v for m in rows for v in (m["value"], (m.get("ci") or {}).get("low")) if v is not None]
    if min(lowest, default=0) < 0:
        out.print("  below 0: a divergence is not, but its estimate can be; docs/metrics.md says why")
