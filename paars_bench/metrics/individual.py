"""Individual alignment: does this agent do what this shopper did (paper, equation 1), as a mean over cases.

Shoppers have several cases each, so the interval is over shoppers (``mean_interval``). Failures are no behaviour:
they stand outside the value, and the strict value counts them as the worst case.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.mean_interval import mean_interval, sums_of_cases
from paars_bench.metrics.resampling import Floats, Interval, ResamplingPlan, checked_rows, weighted_sums, whole_number


class MeanResult(NamedTuple):
    """A mean over cases.

    Attributes:
        value: mean over scored cases; None without one.
        strict_value: mean over scored and failed cases, failures at the worst value; None without any case.
        coverage: scored / (scored + failed), 0 to 1; None without any case.
        ci: interval of ``value``; None where fewer than 2 shoppers are behind it.
        n: scored cases.
        clusters: shoppers with a scored case.
    """

    value: float | None
    strict_value: float | None
    coverage: float | None
    ci: Interval | None
    n: int
    clusters: int


class Stratum(NamedTuple):
    """One equal-count bin of a quantity of the case.

    Attributes:
        low: smallest value of the quantity in the bin; None where it is empty.
        high: largest value.
        value: mean over its cases; None where it is empty.
        ci: as in ``MeanResult``.
        n: cases.
        clusters: shoppers.
    """

    low: float | None
    high: float | None
    value: float | None
    ci: Interval | None
    n: int
    clusters: int


def clustered_mean(
    values: npt.ArrayLike,
    rows: npt.ArrayLike,
    plan: ResamplingPlan,
    *,
    failures: int = 0,
    worst: float = 0.0,
    bounds: tuple[float, float] | None = None,
    level: float = 0.95,
) -> MeanResult:
    """Returns the mean of scored cases, its strict value, and an interval over shoppers.

    Args:
        values: (n,) of scored cases: 0 or 1 for accuracy, -1 to 1 for a cosine similarity.
        rows: (n,) the shopper's row of each case.
        plan: the run's resampling plan.
        failures: cases that were asked and not scored.
        worst: what a failure counts in the strict value.
        bounds: the least and the greatest value a case can have, (0, 1) for accuracy. The interval stays within
            them, and values that take no others get the one for shares.
        level: nominal coverage of the interval.

    Raises:
        ValueError: lengths differ, a value is not finite or not within the bounds, a row is not one of the plan's,
            ``failures`` is no whole number of at least 0, or ``worst`` is not finite.
    """
    array, index = case_values(values, rows, plan.size)
    failures = whole_number(failures, "failures", least=0)
    if not np.isfinite(worst):
        raise ValueError(f"worst must be finite, got {worst}")
    n = len(array)
    asked = n + failures
    strict = (float(array.sum()) + failures * worst) / asked if asked else None
    coverage = n / asked if asked else None
    if n == 0:
        return MeanResult(None, strict, coverage, None, 0, 0)
    clusters = len(np.unique(index))
    ci = mean_interval(array, index, plan, bounds=bounds, level=level) if clusters >= 2 else None
    return MeanResult(float(array.mean()), strict, coverage, ci, n, clusters)


def mean_replicates(values: npt.ArrayLike, rows: npt.ArrayLike, plan: ResamplingPlan) -> Floats:
    """Returns (resamples,) means, NaN where a resample holds no case; conditions of a plan are paired."""
    array, index = case_values(values, rows, plan.size)
    sums = weighted_sums(plan.boot, sums_of_cases(array, index, plan.size))
    with np.errstate(invalid="ignore"):
        return np.asarray(sums[:, 0] / sums[:, 1])


def equal_count_strata(
    values: npt.ArrayLike,
    by: npt.ArrayLike,
    rows: npt.ArrayLike,
    plan: ResamplingPlan,
    *,
    bins: int = 5,
    bounds: tuple[float, float] | None = None,
    level: float = 0.95,
) -> list[Stratum]:
    """Returns the mean of ``values`` in equal-count bins of ``by``, the smallest first (paper, Figure 2).

    The bins are cut at quantiles of ``by``. Cases with the same ``by`` always share a bin, so ties can make
    bins of unequal count, and an empty one is returned with n = 0 and no value.

    Args:
        values: (n,) of scored cases.
        by: (n,) the quantity, finite: query perplexity, say.
        rows: (n,) the shopper's row of each case.
        plan: the run's resampling plan.
        bins: how many, at least 1.
        bounds: as in ``clustered_mean``.
        level: nominal coverage of the intervals.

    Raises:
        ValueError: lengths differ, a number is not finite, a row is not one of the plan's, or ``bins`` is below 1.
    """
    array, index = case_values(values, rows, plan.size)
    quantity = np.asarray(by, dtype=np.float64)
    if quantity.shape != array.shape or not np.all(np.isfinite(quantity)):
        raise ValueError("strata need one finite quantity for each value")
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    cuts = np.quantile(quantity, np.arange(1, bins) / bins) if len(array) else np.zeros(bins - 1)
    place = np.searchsorted(cuts, quantity, side="left")
    return [_stratum(array, quantity, index, place == b, plan, (bounds, level)) for b in range(bins)]


def _stratum(
    values: Floats,
    quantity: Floats,
    rows: npt.NDArray[np.int64],
    inside: npt.NDArray[np.bool_],
    plan: ResamplingPlan,
    bounds_and_level: tuple[tuple[float, float] | None, float],
) -> Stratum:
    if not inside.any():
        return Stratum(None, None, None, None, 0, 0)
    bounds, level = bounds_and_level
    mean = clustered_mean(values[inside], rows[inside], plan, bounds=bounds, level=level)
    here = quantity[inside]
    return Stratum(float(here.min()), float(here.max()), mean.value, mean.ci, mean.n, mean.clusters)


def case_values(
    values: npt.ArrayLike, rows: npt.ArrayLike, size: int | None = None
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Returns values and rows as arrays.

    Args:
        values: (n,), finite.
        rows: (n,) the shopper's row of each.
        size: S, the shoppers of the plan; None leaves it to the caller to find a row that is too large.

    Raises:
        ValueError: lengths differ, a value is not finite, or a row is no whole number or out of range.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.shape != np.shape(rows):
        raise ValueError(f"values and rows must have one length, got {array.shape} and {np.shape(rows)}")
    index = checked_rows(rows, len(array), size)
    if not np.all(np.isfinite(array)):
        raise ValueError("values of scored cases must be finite; a failure is counted, not scored")
    return array, index


def cosine_similarity_rows(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Returns the cosine similarity, -1 to 1, of each row with its pair: (n, d) twice gives (n,).

    Raises:
        ValueError: shapes differ, or a row is all zeros and has no direction.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 2:
        raise ValueError(f"both must be (n, d) of one shape, got {x.shape} and {y.shape}")
    norms = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    if np.any(norms == 0):
        raise ValueError(f"row {int(np.argmin(norms))} is all zeros and has no direction")
    return np.asarray(np.clip(np.einsum("ij,ij->i", x, y) / norms, -1, 1))
