"""Tables of runs beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from paars_bench.report.layout import Row, Sheet, ci_text, cost_text, number, screen_console, show
from paars_bench.report.summary_tables import told


def show_comparison(compared: Mapping[str, Any], console: Console | None = None) -> None:
    """Prints what ``compare_runs`` returns."""
    out = console or screen_console()
    data = compared["dataset"]
    simulated = " (simulated humans)" if data["human_reference"] == "simulated" else " (real people)"
    out.print(f"\non {data['name']}{simulated}")
    rows = [
        Row((r["name"],), (f"{r['cases']:,}", f"{r['tokens']:,}", cost_text(r["cost_usd"]))) for r in compared["runs"]
    ]
    show(
        out, Sheet("Runs; the first is what the others are compared with", ("run",), ("cases", "tokens", "cost"), rows)
    )
    figures = ("run", "first", "difference", "95 % interval", "p", "closer to the humans", "shoppers")
    rows = [
        Row(
            (d["task"], d["metric"], f"{d['condition']}, {d['run']}"),
            (
                number(d["value"]),
                number(d["value_against"]),
                number(d["difference"]),
                ci_text(d["ci"]),
                number(d["p"]),
                told(d),
                str(d["clusters"]),
            ),
        )
        for d in compared["differences"]
        if d["weight"] != 0
    ]
    show(out, Sheet("Differences, paired by shopper", ("task", "metric", "condition and run"), figures, rows))
    if beside := {d["metric"] for d in compared["differences"] if d["weight"] == 0}:
        out.print(f"  not counted, in --json FILE: {', '.join(sorted(beside))}")
    _flips(out, compared)
    for left in compared["left_out"]:
        names = ("only_in_first", "only_in_other", "not_scored_by_both")
        if any(left[name] for name in names):
            counts = ", ".join(f"{left[name]} {name.replace('_', ' ')}" for name in names if left[name])
            out.print(f"{left['task']}, {left['run']}: {left['what']}: {left['compared']} compared, left out: {counts}")


def _flips(out: Console, compared: Mapping[str, Any]) -> None:
    rows = [
        Row(
            (f["task"], f"{f['condition']}, {f['run']}"),
            (
                str(f["both_right"]),
                str(len(f["turned_right"])),
                str(len(f["turned_wrong"])),
                str(f["both_wrong"]),
            ),
        )
        for f in compared["flips"]
    ]
    if rows:
        figures = ("both right", "turned right", "turned wrong", "both wrong")
        show(out, Sheet("Cases that flipped (ids in --json FILE)", ("task", "condition and run"), figures, rows))
