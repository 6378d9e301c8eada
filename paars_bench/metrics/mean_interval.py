"""The interval of a mean over cases of shoppers, by what the values are.

Shares (values that take only their two bounds) get Wilson's interval at the effective number of cases: studentised
resamples fail near 0 and 1, where whole resamples hold no spread. Graded values get studentised resamples, which
follow their skew; percentiles of the resamples do neither.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.intervals import NO_SPREAD, jackknife_se, shopper_notes, wilson_ends
from paars_bench.metrics.resampling import Floats, Interval, ResamplingPlan, sums_by_row, weighted_sums

SHARE = "Wilson score at the effective number of cases, jackknife over shoppers, t quantiles"
GRADED = "studentised bootstrap of shoppers"
FEWEST_RESAMPLES = 20


def sums_of_cases(values: Floats, rows: npt.NDArray[np.int64], size: int) -> Floats:
    """Returns (S, 2): the sum of each shopper's values and their number."""
    return sums_by_row(np.stack([values, np.ones(len(values))], axis=1), rows, size)


def mean_interval(
    values: Floats,
    rows: npt.NDArray[np.int64],
    plan: ResamplingPlan,
    *,
    bounds: tuple[float, float] | None,
    level: float,
) -> Interval | None:
    """Returns the interval of a mean; None for graded values where fewer than 20 resamples have a spread.

    Args:
        values: (n,) finite, of at least two shoppers.
        rows: (n,) the shopper's row of each.
        plan: the run's resampling plan.
        bounds: the least and the greatest value there can be; None where there are none.
        level: nominal coverage.

    Raises:
        ValueError: a value lies outside the bounds.
    """
    if bounds is not None and (values.min() < bounds[0] - 1e-9 or values.max() > bounds[1] + 1e-9):
        raise ValueError(f"values must lie within {bounds}, got {values.min():g} to {values.max():g}")
    sums = sums_of_cases(values, rows, plan.size)
    sums = sums[sums[:, 1] > 0]
    total, count = sums.sum(axis=0)
    mean, clusters = float(total / count), len(sums)
    se = jackknife_se((total - sums[:, 0]) / (count - sums[:, 1]), mean)
    share = bounds is not None and bool(np.isin(values, bounds).all())
    if bounds is not None and (share or se == 0):
        inside = min(max(mean, bounds[0]), bounds[1])
        ends = wilson_ends(inside, se, clusters, level, most=count if share else np.inf, bounds=bounds)
        return Interval(*ends, level, SHARE, len(values), clusters, NO_SPREAD if se == 0 else "")
    if se == 0:
        return Interval(mean, mean, level, GRADED, len(values), clusters, NO_SPREAD)
    pivots = _pivots(values, rows, plan, mean)
    if len(pivots) < FEWEST_RESAMPLES:
        return None
    low, high = mean - np.quantile(pivots, [(1 + level) / 2, (1 - level) / 2])
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Interval(float(low), float(high), level, GRADED, len(values), clusters, "; ".join(shopper_notes(clusters)))


def _pivots(values: Floats, rows: npt.NDArray[np.int64], plan: ResamplingPlan, mean: float) -> Floats:
    """Returns (mean of the resample - mean) in units of the resample's standard error, times the sample's own.

    A standard error is that of the ratio of sums, linearised: it takes the shoppers' sums of squares only.
    """
    sums = sums_of_cases(values - mean, rows, plan.size)  # about 0, so that squares do not cancel
    y, n = sums.T
    drawn = weighted_sums(plan.boot, np.stack([y, n, y * y, y * n, n * n], axis=1))
    own = np.sqrt(np.sum(y * y)) / n.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = drawn[:, 0] / drawn[:, 1]
        squares = drawn[:, 2] - 2 * shift * drawn[:, 3] + shift * shift * drawn[:, 4]
        se = np.sqrt(np.maximum(squares, 0)) / drawn[:, 1]
        pivots = np.where(se > 1e-6 * own, shift / se * own, np.nan)
    return np.asarray(pivots[np.isfinite(pivots)])
