"""Differences between two conditions, or two runs, on the same shoppers and plan.

Both have the same hard shoppers, so the difference varies less than either, and two overlapping intervals say nothing
against it. Whether it is more than chance: for means by letting shoppers swap their two conditions, for group
statistics by the spread of the difference over half-splits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.group import Measured
from paars_bench.metrics.individual import case_values
from paars_bench.metrics.intervals import jackknife_se, t_interval, two_sided_p
from paars_bench.metrics.mean_interval import sums_of_cases
from paars_bench.metrics.resampling import Floats, Interval, ResamplingPlan, weighted_sums
from paars_bench.metrics.spread import NEAR_FLOOR, Spread, spread_interval

JACKKNIFE = "jackknife over shoppers, t quantiles"
FEW_DIFFER = 10


class PairedDifference(NamedTuple):
    """A difference A - B.

    Attributes:
        difference: in the metric's unit; None where one side has no value.
        se: its standard error over samples of shoppers; None without an interval.
        ci: its interval; None where fewer than 2 shoppers, or 20 half-splits, are behind it.
        p: two-sided, 0 to 1, of no difference; None without an interval.
        p_method: how p was made.
        n: observations behind A and B together.
        clusters: shoppers behind it.
    """

    difference: float | None
    se: float | None
    ci: Interval | None
    p: float | None
    p_method: str
    n: int
    clusters: int


def paired_means(
    values_a: npt.ArrayLike,
    rows_a: npt.ArrayLike,
    values_b: npt.ArrayLike,
    rows_b: npt.ArrayLike,
    plan: ResamplingPlan,
    *,
    level: float = 0.95,
) -> PairedDifference:
    """Returns the difference of two means over cases, by shopper.

    The cases need not be the same (some failed under one condition); only the shoppers pair them. p is the share of
    random swaps, in which a shopper's two conditions change places, that differ at least as much.

    Args:
        values_a: (n,) of the scored cases under A.
        rows_a: (n,) the shopper's row of each.
        values_b: (m,) under B.
        rows_b: (m,) the shopper's row of each.
        plan: the run's resampling plan.
        level: nominal coverage of the interval.

    Raises:
        ValueError: lengths differ or a value is not finite.
    """
    sides = [case_values(values_a, rows_a), case_values(values_b, rows_b)]
    a, b = (sums_of_cases(values, rows, plan.size) for values, rows in sides)
    n = len(sides[0][0]) + len(sides[1][0])
    used = (a[:, 1] > 0) | (b[:, 1] > 0)
    clusters = int(used.sum())
    p_method = f"{len(plan.swaps)} random swaps of the two conditions of a shopper"
    if len(sides[0][0]) == 0 or len(sides[1][0]) == 0:
        return PairedDifference(None, None, None, None, p_method, n, clusters)
    difference = float(_difference(a.sum(axis=0), b.sum(axis=0)))
    left_out = _difference(a.sum(axis=0) - a[used], b.sum(axis=0) - b[used])
    if clusters < 2 or not np.isfinite(left_out).all():
        return PairedDifference(difference, None, None, None, p_method, n, clusters)
    se = jackknife_se(left_out, difference)
    differing = int(np.sum(np.abs(a[used] - b[used]).max(axis=1) > 1e-12))
    few = f"fewer than {FEW_DIFFER} shoppers differ between the two: may be too narrow"
    notes = [few] if 0 < differing < FEW_DIFFER else []
    ci = t_interval(difference, se, level=level, method=JACKKNIFE, n=n, clusters=clusters, notes=notes)
    return PairedDifference(difference, se, ci, _swap_p(a, b, difference, plan), p_method, n, clusters)


def _difference(a: Floats, b: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(a[..., 0] / a[..., 1] - b[..., 0] / b[..., 1])


def _swap_p(a: Floats, b: Floats, difference: float, plan: ResamplingPlan) -> float:
    moved = weighted_sums(plan.swaps, b - a)
    swapped = _difference(a.sum(axis=0) + moved, b.sum(axis=0) - moved)
    swapped = swapped[np.isfinite(swapped)]  # a swap can leave one side without a case
    at_least = np.sum(np.abs(swapped) >= abs(difference) - 1e-12)
    return float((1 + at_least) / (1 + len(swapped)))


def paired_divergences(a: Measured, b: Measured, *, level: float = 0.95) -> PairedDifference:
    """Returns D(human, A) - D(human, B), both measured on one plan: negative where A is nearer the humans.

    Args:
        a: ``measure(statistic_of_a, plan)``.
        b: the same statistic of B, on the same plan.
        level: nominal coverage of the interval.

    Raises:
        ValueError: the two have another number of half-splits, so they are not of one plan.
    """
    if len(a.cross) != len(b.cross):
        raise ValueError(f"both must be measured on one plan, got {len(a.cross)} and {len(b.cross)} half-splits")
    clusters, n = min(a.clusters, b.clusters), a.n_agent + b.n_agent
    both = np.isfinite(a.cross) & np.isfinite(b.cross)
    p_method = "t of the difference over its standard error"
    if not both.any():
        return PairedDifference(None, None, None, None, p_method, n, clusters)
    difference = float(np.mean(a.cross[both] - b.cross[both]))
    measured = len(a.within) == len(b.within) and len(a.within) > 0
    spread = Spread.combined([(1.0, a.spread), (-1.0, b.spread)]) if measured else None
    if spread is not None and NEAR_FLOOR in (*a.spread.notes, *b.spread.notes):
        spread = spread.saying(NEAR_FLOOR)
    ci = None if spread is None else spread_interval(difference, spread, n=n, clusters=clusters, level=level)
    if spread is None or ci is None:
        return PairedDifference(difference, None, None, None, p_method, n, clusters)
    p = two_sided_p(difference, spread.se, clusters)
    return PairedDifference(difference, spread.se, ci, p, p_method, n, clusters)
