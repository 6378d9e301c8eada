"""Every metric by segment of shoppers: for whom is this population like the humans, and for whom is it not?

The paper asks for "algorithmic fidelity across customer segments" and reports none. Segments hold other shoppers, so
their figures are independent; a segment is compared with all others together, and since many comparisons find something
by chance, their p-values are adjusted for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from paars_bench.data.cases import ShoppingData
from paars_bench.report.engines import Engines
from paars_bench.report.scored import make_scorer, score_tasks
from paars_bench.report.segmenting import Segmentation

if TYPE_CHECKING:
    from paars_bench.run.finished import Finished
    from paars_bench.run.plan import Plan

FEWEST = 20
"""Shoppers that a segment needs at least: below, intervals are too narrow (docs/metrics.md)."""
METHOD = "segment against the others together, each by its number of shoppers; t, Welch-Satterthwaite"
NORMAL_FROM = 100
NARROW = f"a segment has fewer than {NORMAL_FROM} shoppers: this may be a little too narrow"
ADJUSTED = "Benjamini-Yekutieli false discovery rate over every comparison of one --by"


class Segments(NamedTuple):
    """Figures by segment.

    Attributes:
        rows: one for each segment, task, condition and metric.
        left_out: segments that are too small, and shoppers without one, each with its number of shoppers and why.
    """

    rows: list[dict[str, Any]]
    left_out: list[dict[str, Any]]


def score_segments(
    plan: Plan,
    data: ShoppingData,
    done: Finished,
    engines: Engines,
    segmentations: Iterable[Segmentation],
    *,
    scripted: bool,
    fewest: int = FEWEST,
) -> Segments:
    """Measures a run segment by segment.

    Args:
        plan: what was asked.
        data: the data set.
        done: what is finished.
        engines: of the whole run: no text is embedded twice.
        segmentations: ways to tell shoppers apart.
        scripted: whether the backbone is a baseline (see ``Scorer.with_base``).
        fewest: shoppers that a segment needs.
    """
    rows: list[dict[str, Any]] = []
    left_out: list[dict[str, Any]] = []
    for way in segmentations:
        found: list[dict[str, Any]] = []
        for segment in sorted(set(way.of.values())):
            people = [s for s in plan.shoppers if way.of.get(s) == segment]
            if len(people) < fewest:
                why = f"fewer than {fewest} shoppers"
                left_out.append({"by": way.by, "segment": segment, "shoppers": len(people), "why": why})
                continue
            found += _rows(_restricted(plan, people), data, done, engines, (way, segment), scripted=scripted)
        if way.unknown:
            left_out.append({"by": way.by, "segment": None, "shoppers": way.unknown, "why": f"no {way.by} is known"})
        _compare(found)
        rows += found
    return Segments(rows, left_out)


def _restricted(plan: Plan, people: Sequence[str]) -> Plan:
    inside = frozenset(people)
    cases = {t: {i: c for i, c in of.items() if c.shopper in inside} for t, of in plan.cases.items()}
    return replace(plan, shoppers=people, cases=cases)


def _rows(
    plan: Plan,
    data: ShoppingData,
    done: Finished,
    engines: Engines,
    named: tuple[Segmentation, str],
    *,
    scripted: bool,
) -> list[dict[str, Any]]:
    scorer = make_scorer(plan.shoppers, plan.seed, engines, scripted=scripted)
    assert scorer is not None, "a segment has two shoppers or more"
    way, segment = named
    common = {"by": way.by, "segment": segment, "shoppers": len(plan.shoppers)}
    return [
        common | {"task": task["task"], "condition": task["condition"]} | _figures(metric)
        for task in score_tasks(plan, data, done, scorer, None, say=engines.say)
        for metric in task["metrics"]
    ]


def _figures(metric: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("metric", "level", "value", "ci", "floor", "score", "n", "clusters", "coverage", "weight")
    # what is compared is a divergence less its floor, since segments differ in size
    return {name: metric.get(name) for name in kept} | {"excess": _excess(metric), "se": _se(metric)}


def _se(metric: Mapping[str, Any]) -> float | None:
    """Returns the standard error of a figure, of a mean from its interval; a ratio has none to compare by."""
    from paars_bench.metrics.intervals import t_quantile

    ci = metric.get("ci")
    if metric["level"] == "group" or ci is None:
        return metric.get("se")
    return float((ci["high"] - ci["low"]) / (2 * t_quantile(ci["clusters"], ci["level"])))


def _excess(metric: Mapping[str, Any]) -> float | None:
    """Returns how far agents lie beyond what humans do among themselves; of an individual metric its value."""
    value = metric.get("gap", metric.get("value"))
    return None if value is None else value - (metric.get("floor") or 0.0)


def _compare(rows: Sequence[dict[str, Any]]) -> None:
    """Adds each row's difference from the other segments, with interval and p-values."""
    import numpy as np
    from scipy.special import stdtr, stdtrit
    from scipy.stats import false_discovery_control

    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        row |= {"difference": None, "difference_ci": None, "p": None, "p_adjusted": None}
        # what does not count in the score is shown and not compared: each comparison more weakens all others
        if row["excess"] is not None and row["se"] is not None and row["weight"] != 0:
            groups.setdefault((row["task"], row["condition"], row["metric"]), []).append(row)
    compared = []
    for group in groups.values():
        for row in group:
            others = [r for r in group if r is not row]
            if not others:
                continue
            shares = np.array([r["clusters"] for r in others]) / sum(r["clusters"] for r in others)
            rest = float(shares @ [r["excess"] for r in others])
            variances = np.array([row["se"], *(shares * [r["se"] for r in others])]) ** 2
            if variances.sum() == 0:  # copies of their humans in every segment
                continue
            freedom = np.array([r["clusters"] - 1 for r in (row, *others)])
            df = float(variances.sum() ** 2 / np.sum(variances**2 / freedom))  # Welch and Satterthwaite
            se, difference = float(np.sqrt(variances.sum())), row["excess"] - rest
            reach = float(stdtrit(df, 0.975)) * se
            row["difference"] = difference
            # what a figure's interval says of itself holds for a difference from it
            notes = dict.fromkeys(r["ci"]["note"] for r in group if r["ci"] is not None and r["ci"]["note"])
            if min(r["clusters"] for r in group) < NORMAL_FROM:
                notes[NARROW] = None
            ends = {"low": difference - reach, "high": difference + reach}
            row["difference_ci"] = ends | {"level": 0.95, "note": "; ".join(notes)}
            row["p"] = float(2 * stdtr(df, -abs(difference) / se))
            compared.append(row)
    if compared:
        adjusted = false_discovery_control([r["p"] for r in compared], method="by")
        for row, p in zip(compared, adjusted, strict=True):
            row |= {"p_adjusted": float(p), "compared": METHOD, "adjusted": ADJUSTED}
