"""Tables of sessions as an experimenter reads them: humans, agents and their difference, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from paars_bench.report.layout import Row, Sheet, ci_text, number, show

Metric = Mapping[str, Any]
Named = Sequence[tuple[Metric, Metric]]

_RATIOS = {"query_ttr": "query TTR", "product_ttr": "product TTR"}
_SIDES = ("humans", "agents", "difference")
_FIGURES = (*_SIDES, "human halves reach", "n")


def show_sessions(out: Console, rows: Named, *, full: bool = False) -> None:
    """Prints what a session holds, and with ``full`` who leaves at which step.

    Args:
        out: where to.
        rows: each metric with its task, as ``results.json`` holds them.
        full: also the hazards of leaving.
    """
    lines = _lines(rows)
    if lines:
        title = (
            "Sessions: means and shares with 95 % intervals; difference = agents less humans; "
            "next = how the list after the first came up; TTR at the same number of tokens"
        )
        show(out, Sheet(title, ("task / condition", "a session has"), _FIGURES, lines))
    if full:
        _hazards(out, [(t, m) for t, m in rows if m.get("curve")])


def _lines(rows: Named) -> list[Row]:
    """Returns each thing that stands beside a metric once: single figures first, then ratios, then shares of kinds."""
    placed: list[tuple[int, int, Row]] = []
    sessions = list(dict.fromkeys(_at(t) for t, m in rows if m.get("beside")))
    for t, m in rows:
        at = _at(t)
        lines = m.get("beside") or ()
        for line in lines:
            one = len(lines) == 1
            placed.append(
                (sessions.index(at), 0 if one else 2, Row((at, line["what"]), _figures(line, m if one else {})))
            )
        if m["metric"] in _RATIOS and m["value"] is not None and at in sessions:
            placed.append((sessions.index(at), 1, Row((at, _RATIOS[m["metric"]]), _figures(_ratio(m), m))))
    ordered = sorted(placed, key=lambda place: place[:2])
    return list({tuple(row.words): row for *_, row in ordered}.values())


def _ratio(m: Metric) -> dict[str, Any]:
    """Returns a type-token ratio as a line; its difference has no interval."""
    difference = {"difference": m["value"] - m["human"], "difference_ci": None}
    sides = {"humans": m["human"], "humans_ci": m["human_ci"], "agents": m["value"], "agents_ci": m["ci"]}
    return sides | difference | {"n_human": m["n_human"], "n": m["n"]}


def _figures(line: Mapping[str, Any], metric: Metric) -> tuple[str, ...]:
    reach = (metric.get("null_band") or (None, None))[1]
    return (*_beside(line), number(reach, _digits(line)), str(line["n"]))


def _at(task: Metric) -> str:
    return f"{task['task']} / {task['condition']}"


def _beside(line: Mapping[str, Any]) -> tuple[str, ...]:
    digits = _digits(line)
    cells = ((number(line[side], digits), line[f"{side}_ci"]) for side in _SIDES)
    return tuple(cell if ci is None else f"{cell} {ci_text(ci, digits)}" for cell, ci in cells)


def _digits(line: Mapping[str, Any]) -> int:
    """Four figures before and after the point, so that a line fits a terminal of 80 columns."""
    ends = [abs(line[f"{side}_ci"][end]) for side in _SIDES if line[f"{side}_ci"] for end in ("low", "high")]
    most = max(ends, default=0.0)
    return 3 if most < 10 else 2 if most < 100 else 1


def _hazards(out: Console, rows: Named) -> None:
    lines = [
        Row((_at(t), str(b["step"])), (*_beside(b), str(b["n_human"]), str(b["n"])))
        for t, m in rows
        for b in m["curve"]
    ]
    if not lines:
        return
    title = "Leaving by step: of those still there after so many steps, the share that leaves now"
    show(out, Sheet(title, ("task / condition", "steps"), (*_SIDES, "humans there", "agents there"), lines))
    for t, m in rows:
        tail = m["tail"]
        out.print(
            f"  {_at(t)}: {tail['from_step']} steps and more is an open tail, "
            f"{number(tail['humans'])} of the humans and {number(tail['agents'])} of the agents"
        )
