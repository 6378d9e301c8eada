"""Draws the demo population beside the human figures there are, into docs/demo/*.svg, and prints the numbers.

    PAARS_BENCH_REAL_DATA=FOLDER python scripts/plot_demo.py [--shoppers 600] [--png FOLDER]

Human figures come with their source. Those of OPeRA are computed from the timelines in the folder of real data and are
left out where it is not set; ``docs/demo.md`` records what was found and when. Needs matplotlib (extra ``dev``).
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from paars_bench.data import iter_cases
from paars_bench.data.cases import CaseKind
from paars_bench.data.demo import build, true_parameters
from paars_bench.data.demo.choice import examination
from paars_bench.data.schema import Action, Event, event_of
from paars_bench.data.sessions import session_rows

DOCS = Path(__file__).resolve().parent.parent / "docs" / "demo"
SEARCH_CLICKS = {"search", "suggested_term"}
DEMO, HUMAN = "#2a6f97", "#c1121f"


class Real(NamedTuple):
    """Figures of real people; ``None`` where the source does not give one."""

    source: str
    searches: list[int]
    views: list[int]
    purchases: list[int]


# Table 4 of the paper: 2,400 sessions of real shoppers. How many tokens, and what a token of a title is, is not said.
PAPER_QUERY_TTR, PAPER_PRODUCT_TTR = 0.38, 0.97


class Demo(NamedTuple):
    """What the test period of the demo looks like."""

    searches: list[int]
    views: list[int]
    purchases: list[int]
    ranks: Counter[int]
    queries: list[str]
    titles: list[str]
    repeat_share: float


def demo(shoppers: int) -> Demo:
    """Makes the population and counts; sessions are those of the test period, repeats those of the whole log."""
    data = build(shoppers=shoppers)
    cases = list(iter_cases(data, CaseKind.SESSIONS))
    sessions = [[event_of(row) for row in session_rows(case.values["events"])] for case in cases]
    some = [e for i in np.random.default_rng(0).permutation(len(sessions))[:2400] for e in sessions[i]]
    return Demo(
        *([_count(s, action) for s in sessions] for action in (Action.SEARCH, Action.VIEW, Action.PURCHASE)),
        Counter(e.rank for s in sessions for e in s if e.action is Action.VIEW and e.rank),
        [e.query for e in some if e.query],
        [data.catalog[e.product].title for e in some if e.action is Action.VIEW and e.product],
        _repeats(data.log.events.to_pylist()),
    )


def _count(session: Sequence[Event], action: Action) -> int:
    return sum(e.action is action for e in session)


def _repeats(events: Sequence[dict[str, object]]) -> float:
    """Returns the share of purchases of a product that the same shopper bought before."""
    seen: set[tuple[object, object]] = set()
    repeats = purchases = 0
    for event in events:
        if event["action"] == Action.PURCHASE:
            key = event["shopper"], event["product"]
            purchases, repeats = purchases + 1, repeats + (key in seen)
            seen.add(key)
    return repeats / purchases


def opera_days(folder: Path) -> Real:
    """Counts OPeRA's timelines by person and day: search clicks, clicks on product links, clicks on purchase."""
    days: dict[tuple[str, str], Counter[str]] = {}
    files = sorted(folder.glob("opera_sessions/timelines/*.json"))
    for file in files:
        person = file.name[:36]
        for event in json.loads(file.read_text(encoding="utf-8")):
            day = days.setdefault((person, event["timestamp"][:10]), Counter())
            click = event["click_type"] if event["action_type"] == "click" else ""
            day["search"] += click in SEARCH_CLICKS
            day[click] += 1
    shopped = [d for d in days.values() if d["search"] + d["product_link"] + d["purchase"]]
    people = len({person for person, _ in days})
    return Real(
        f"OPeRA timelines: {people} people, {len(shopped)} user-days, {len(files)} files",
        *([d[name] for d in shopped] for name in ("search", "product_link", "purchase")),
    )


def real() -> Real | None:
    """Returns OPeRA's figures where the data is."""
    folder = os.environ.get("PAARS_BENCH_REAL_DATA")
    return opera_days(Path(folder)) if folder else None


def draw(found: Demo, people: Real | None, png: Path | None) -> None:
    """Draws every plot as a small SVG, and as PNG into ``png`` if given."""
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "demo", "font.size": 9, "axes.grid": True})
    matplotlib.rcParams.update({"grid.alpha": 0.3, "axes.spines.top": False, "axes.spines.right": False})
    for name, plot in (("ranks", _ranks), ("sessions", _sessions), ("shares", _shares)):
        figure = plot(found, people)
        DOCS.mkdir(parents=True, exist_ok=True)
        figure.savefig(DOCS / f"{name}.svg", metadata={"Date": None})
        if png:
            png.mkdir(parents=True, exist_ok=True)
            figure.savefig(png / f"{name}.png", dpi=110)
        plt.close(figure)


def _ranks(found: Demo, people: Real | None) -> plt.Figure:
    figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
    total = found.ranks.total()
    places = range(1, 31)
    axes.bar(places, [found.ranks[r] / total for r in places], color=DEMO, label="demo (simulated)")
    patience = true_parameters(shoppers=1_000).shoppers.column("patience").to_numpy().mean()
    read = [found.ranks[1] / total * chance for chance in examination(10, patience)]
    axes.plot(places[:10], read, color="black", lw=1, ls="--", label="chance to be read, mean patience (scaled)")
    axes.set(xlabel="rank of the product viewed", ylabel="share of views", title="Views by rank")
    axes.legend(frameon=False, title="paper: 'decreasing trend' (Figure 3), no numbers")
    return figure


def _sessions(found: Demo, people: Real | None) -> plt.Figure:
    figure, rows = plt.subplots(1, 3, figsize=(9, 3), layout="constrained", sharey=True)
    for axes, name in zip(rows, ("searches", "views", "purchases"), strict=True):
        for values, colour, label in (
            (getattr(found, name), DEMO, "demo (simulated)"),
            (getattr(people, name) if people else [], HUMAN, "OPeRA user-days"),
        ):
            if values:
                most = max(values)
                tail = [np.mean(np.array(values) >= n) for n in range(most + 1)]
                axes.plot(range(1, most + 2), tail, color=colour, lw=1.5, label=label)
        axes.set(xscale="log", yscale="log", xlabel=f"{name} + 1", title=f"{name} a session")
        axes.minorticks_off()
    rows[0].set_ylabel("share of sessions with as many or more")
    rows[0].legend(frameon=False)
    return figure


def _shares(found: Demo, people: Real | None) -> plt.Figure:
    bars = shares(found, people)
    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    at = np.arange(len(bars))
    axes.barh(at + 0.2, [b[1] for b in bars], 0.38, color=DEMO, label="demo (simulated)")
    axes.barh(at - 0.2, [b[2] if b[2] is not None else 0 for b in bars], 0.38, color=HUMAN, label="people")
    for y, (_, own, human) in zip(at, bars, strict=True):
        axes.text(own + 0.01, y + 0.2, f"{own:.2f}", va="center")
        axes.text((human or 0) + 0.01, y - 0.2, "no figure" if human is None else f"{human:.2f}", va="center")
    axes.set(yticks=at, yticklabels=[b[0] for b in bars], xlim=(0, 1.15), title="Diversity and purchases")
    axes.invert_yaxis()
    axes.legend(frameon=False, loc="lower right")
    return figure


def shares(found: Demo, people: Real | None) -> list[tuple[str, float, float | None]]:
    """Returns each share of the demo beside that of people, None where no source gives one."""
    bought = [p > 0 for p in found.purchases]
    human = float(np.mean([p > 0 for p in people.purchases])) if people else None
    return [
        ("query TTR (words; paper)", _ttr(found.queries), PAPER_QUERY_TTR),
        ("distinct queries", len(set(found.queries)) / len(found.queries), None),
        ("product TTR (words; paper)", _ttr(found.titles), PAPER_PRODUCT_TTR),
        ("distinct products viewed", len(set(found.titles)) / len(found.titles), None),
        ("sessions with a purchase (OPeRA)", float(np.mean(bought)), human),
        ("purchases of a product bought before", found.repeat_share, None),
    ]


def _ttr(texts: Sequence[str]) -> float:
    words = [word for text in texts for word in re.findall(r"\w+", text.lower())]
    return len(set(words)) / len(words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shoppers", type=int, default=600)
    parser.add_argument("--png", type=Path, help="also as PNG, to look at")
    args = parser.parse_args()
    found, people = demo(args.shoppers), real()
    draw(found, people, args.png)
    print(people.source if people else "no figures of OPeRA")
    for name in ("searches", "views", "purchases"):
        for who, side in (("demo", found), ("people", people)):
            if side:
                values = np.array(getattr(side, name))
                levels = np.percentile(values, [50, 90, 99])
                print(f"{name:10} {who:7} mean {values.mean():5.2f}, median, 90 %, 99 %: {levels}, most {values.max()}")
    total = found.ranks.total()
    print("ranks 1 to 10:", " ".join(f"{found.ranks[r] / total:.3f}" for r in range(1, 11)))
    for name, own, human in shares(found, people):
        print(f"{name:40} {own:.3f} {'no figure' if human is None else f'{human:.3f}'}")


if __name__ == "__main__":
    main()
