"""The tables of sessions: humans, agents and what differs, on any terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from paars_bench.report.session_tables import show_sessions

TASK = {"task": "session_generation", "condition": "base"}


def ci(low: float, high: float) -> dict[str, Any]:
    return {"low": low, "high": high, "level": 0.95, "method": "", "n": 1, "clusters": 1, "note": ""}


def line(what: str, humans: float, agents: float | None) -> dict[str, Any]:
    sides = {"humans": humans, "humans_ci": ci(humans - 0.1, humans + 0.1), "agents": agents}
    if agents is None:
        return {
            "what": what,
            **sides,
            "agents_ci": None,
            "difference": None,
            "difference_ci": None,
            "n": 0,
            "n_human": 9,
        }
    sides |= {"agents_ci": ci(agents - 0.2, agents + 0.2), "difference": agents - humans}
    return {
        "what": what,
        **sides,
        "difference_ci": ci(agents - humans - 0.3, agents - humans + 0.3),
        "n": 2400,
        "n_human": 9,
    }


def metrics() -> list[dict[str, Any]]:
    kinds = [line("next repeated", 0.25, 0.75), line("next narrowed", 0.5, 0.125)]
    tail = {"from_step": 36, "humans": 0.008, "agents": 0.0}
    ratio = {"metric": "query_ttr", "value": 0.25, "ci": ci(0.2, 0.3), "human": 0.5, "human_ci": ci(0.4, 0.6)}
    return [
        {"metric": "kl_histogram(refinement)", "value": 0.1, "null_band": [0, 0.9], "beside": kinds},
        {"metric": "js_histogram(refinement)", "value": 0.1, "null_band": [0, 0.9], "beside": kinds},
        {"metric": "mean_gap(steps)", "value": 4, "null_band": [0, 0.777], "beside": [line("steps", 17.2071, 2.9364)]},
        ratio | {"null_band": [0, 0.011], "n": 2400, "n_human": 9, "gap": 0.25, "floor": 0.01},
        {"metric": "product_ttr", "value": None, "n": 0, "why": "no text on one side"},
        {"metric": "hazard_gap", "value": 0.2, "curve": [{"step": 7, **line("leaves", 0.123, None)}], "tail": tail},
    ]


def printed(width: int, *, full: bool = False, rows: Any = None) -> str:
    out = io.StringIO()
    shown = metrics() if rows is None else rows
    show_sessions(Console(file=out, width=width, markup=False), [(TASK, m) for m in shown], full=full)
    return out.getvalue()


def test_each_thing_stands_once_with_both_sides_their_difference_and_what_humans_differ_by() -> None:
    lines = printed(170).splitlines()
    (steps,) = (ln for ln in lines if " steps " in ln)
    cells = [cell.strip() for cell in steps.strip("│ ").split("│")]
    assert cells[2:] == ["17.21 [17.11, 17.31]", "2.94 [2.74, 3.14]", "-14.27 [-14.57, -13.97]", "0.78", "2400"]
    (repeated,) = (ln for ln in lines if "next repeated" in ln)
    assert "0.750 [0.550, 0.950]" in repeated
    assert "–" in repeated  # what halves reach is of the whole histogram, not of one kind
    (ratio,) = (ln for ln in lines if "query TTR" in ln)
    assert "-0.250 " in ratio and " 0.011 " in ratio
    assert not any("product TTR" in ln for ln in lines)
    order = [next(n for n, ln in enumerate(lines) if name in ln) for name in (" steps ", "query TTR", "next narrowed")]
    assert order == sorted(order)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_no_line_is_longer_than_the_terminal_and_nothing_is_cut(width: int) -> None:
    text = printed(width, full=True)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    words = text.split()
    for figure in ("17.21", "[2.74,", "-14.27", "0.78", "0.123", "2400"):
        assert figure in words


def test_at_80_columns_a_line_of_figures_stays_a_table() -> None:
    (steps,) = (ln for ln in printed(80).splitlines() if ln.strip().startswith("steps"))
    assert steps.split() == ["steps", "17.21", "2.94", "-14.27", "0.78", "2400"]


def test_leaving_is_shown_in_full_only_with_its_open_tail() -> None:
    assert "Leaving by step" not in printed(170)
    text = printed(170, full=True)
    assert "36 steps and more is an open tail, 0.008 of the humans and 0.000 of the agents" in text
    (seventh,) = (ln for ln in text.splitlines() if "│ 7 " in ln)
    assert seventh.count("–") == 2


def test_a_run_without_sessions_has_no_such_table() -> None:
    ratio = [m for m in metrics() if m["metric"] == "query_ttr"]
    assert printed(170, full=True, rows=ratio) == ""
