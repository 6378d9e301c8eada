"""The interval of a difference of two shares of the same shoppers, from the intervals of both."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.individual import MeanResult, case_values, clustered_mean
from paars_bench.metrics.mean_interval import sums_of_cases
from paars_bench.metrics.resampling import Floats, Interval, ResamplingPlan

SQUARE_AND_ADD = "square-and-add of both shares' intervals, correlated over shoppers"


def share_difference_interval(
    values_a: npt.ArrayLike,
    rows_a: npt.ArrayLike,
    values_b: npt.ArrayLike,
    rows_b: npt.ArrayLike,
    plan: ResamplingPlan,
    *,
    level: float = 0.95,
) -> Interval | None:
    """Returns the interval of share a less share b; None where fewer than 2 shoppers are behind one of them.

    A jackknife sees no spread where a share is 0 or 1 (four agents of whom none leaves), and its interval may end
    beyond -1 and 1. This one takes each side's distance from its own bounds (``clustered_mean``), so it does neither.

    Args:
        values_a: (n,) of 0 and 1.
        rows_a: (n,) the shopper's row of each.
        values_b: (m,) of 0 and 1.
        rows_b: (m,) the shopper's row of each.
        plan: the run's resampling plan.
        level: nominal coverage.

    Raises:
        ValueError: lengths differ, a value is not 0 or 1, or a row is none of the plan's.

    Reference:
        Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in Medicine
        17, method 10; with a correlation as Zou (2007), Psychological Methods 12.
    """
    a, b = (clustered_mean(v, r, plan, bounds=(0, 1), level=level) for v, r in ((values_a, rows_a), (values_b, rows_b)))
    if a.ci is None or b.ci is None or a.value is None or b.value is None:
        return None
    moves = [_moves(v, r, plan.size) for v, r in ((values_a, rows_a), (values_b, rows_b))]
    low, high = square_and_add(a, b, _correlation(*moves))
    note = "; ".join(dict.fromkeys(n for n in (a.ci.note, b.ci.note) if n))
    clusters = min(a.clusters, b.clusters)
    return Interval(low, high, level, SQUARE_AND_ADD, a.n + b.n, clusters, note)


def square_and_add(a: MeanResult, b: MeanResult, correlation: float = 0.0) -> tuple[float, float]:
    """Returns the ends of the interval of a - b within -1 and 1; both have an interval."""
    assert a.ci is not None and b.ci is not None and a.value is not None and b.value is not None
    difference = a.value - b.value
    below = _joined(a.value - a.ci.low, b.ci.high - b.value, correlation)
    above = _joined(a.ci.high - a.value, b.value - b.ci.low, correlation)
    return max(-1.0, difference - below), min(1.0, difference + above)


def _joined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one * one + other * other - 2 * correlation * one * other))


def _moves(values: npt.ArrayLike, rows: npt.ArrayLike, size: int) -> Floats:
    """Returns (S,) by how much each shopper moves the mean, to first order."""
    sums = sums_of_cases(*case_values(values, rows, size), size)
    return np.asarray((sums[:, 0] - sums[:, 0].sum() / sums[:, 1].sum() * sums[:, 1]) / sums[:, 1].sum())


def _correlation(a: Floats, b: Floats) -> float:
    """Returns how much two shares move together over shoppers, -1 to 1; 0 where one does not move."""
    both = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / both if both > 1e-15 else 0.0
