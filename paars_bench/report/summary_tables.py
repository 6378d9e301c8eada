"""Tables of a run as a whole: what a condition changes, the alignment score, and figures by segment of shoppers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from paars_bench.report.layout import Row, Sheet, ci_text, number, show


def show_summary(out: Console, results: Mapping[str, Any]) -> None:
    """Prints how conditions differ and the alignment score of each."""
    differences = results.get("differences", ())
    rows = [
        Row((d["task"], d["metric"], f"{d['condition']} less {d['against']}"), _difference_figures(d))
        for d in differences
        if d["weight"] != 0
    ]
    if rows:
        title = "What a condition changes, paired by shopper"
        figures = ("difference", "95 % interval", "p", "closer to the humans", "shoppers")
        show(out, Sheet(title, ("task", "metric", "conditions"), figures, rows))
    _alignment(out, results.get("alignment", ()))


def _alignment(out: Console, aligned: Sequence[Mapping[str, Any]]) -> None:
    scored = [a for a in aligned if a["score"] is not None]
    if scored:
        rows = [Row((a["condition"],), (number(a["score"], 1), ci_text(a["ci"], 1), _task_scores(a))) for a in scored]
        title = f"Alignment score (100 = human, 0 = knows nothing): {scored[0]['weighing']}"
        show(out, Sheet(title, ("condition",), ("score", "95 % interval", "by task"), rows))
    for a in aligned:
        if a["score"] is None:
            out.print(f"no alignment score under {a['condition']}: {a['why']}")
    lacking: dict[tuple[str, str, str], list[str]] = {}
    for a in aligned:
        for left in a["left_out"]:
            lacking.setdefault((left["task"], left["metric"], left["why"]), []).append(a["condition"])
    for (task, metric, why), conditions in lacking.items():
        out.print(f"  not in the alignment score: {task} {metric} under {', '.join(conditions)} ({why})")


def _task_scores(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{t['task']} {number(t['score'], 1)}" for t in row["tasks"])


def _difference_figures(d: Mapping[str, Any]) -> tuple[str, ...]:
    return number(d["difference"]), ci_text(d["ci"]), number(d["p"]), told(d), str(d["clusters"])


def told(d: Mapping[str, Any]) -> str:
    """Returns whether a difference leads closer to the humans, as far as its interval can tell."""
    ci = d["ci"]
    if ci is None or ci["low"] <= 0 <= ci["high"]:
        return "cannot be told"
    return "yes" if d["closer"] else "no"


def show_segments(out: Console, results: Mapping[str, Any]) -> None:
    """Prints every counted metric by segment, and which segments are not shown."""
    for by in dict.fromkeys(s["by"] for s in results.get("segments", ())):
        rows = [
            Row(
                (s["task"], s["metric"], f"{s['condition']}, {s['segment']}"),
                (
                    number(s["value"]),
                    ci_text(s["ci"]),
                    number(s["floor"]),
                    number(s["difference"]),
                    number(s["p_adjusted"]),
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
