"""Equivalence: as close as humans are to each other, within a margin that is named beforehand.

"Not significantly different" is what too few shoppers give; here too few shoppers give no equivalence.
"""

from __future__ import annotations

from typing import NamedTuple

from paars_bench.metrics.group import GroupResult
from paars_bench.metrics.intervals import t_quantile, t_tail
from paars_bench.metrics.paired import PairedDifference


class Equivalence(NamedTuple):
    """The outcome of a test of equivalence.

    Attributes:
        equivalent: whether the bound lies within the margin.
        margin: as asked, in the unit of the test, above 0.
        bound: the one-sided bound at ``level``: of value - floor and of a difference's size the upper, of a score the
            lower.
        p: one-sided, 0 to 1, of lying at the margin or beyond; below 1 - ``level`` where equivalent.
        level: of the one-sided bound.
        clusters: shoppers behind it.
        method: which test.
        note: that of the interval it comes from.
    """

    equivalent: bool
    margin: float
    bound: float
    p: float
    level: float
    clusters: int
    method: str
    note: str


def divergence_equivalence(result: GroupResult, margin: float, *, level: float = 0.95) -> Equivalence:
    """Tests whether the agents diverge from the humans by less than ``margin`` more than humans do (the floor).

    Args:
        result: of ``evaluate_group``.
        margin: in the divergence's unit, above 0.
        level: of the one-sided upper bound of value - floor; the floor is held fixed.

    Raises:
        ValueError: the margin is not above 0, or the result has no value, floor or interval.
    """
    if result.value is None or result.floor is None or result.se is None or result.ci is None:
        raise ValueError("an equivalence test needs a value, a floor and an interval, and the result lacks one")
    method = "upper bound of value - floor below the margin"
    gap = _one_sided(result.value - result.floor, result.se, margin, result.clusters, level)
    return Equivalence(gap.p < 1 - level, margin, gap.bound, gap.p, level, result.clusters, method, result.ci.note)


def score_equivalence(result: GroupResult, margin: float, *, level: float = 0.95) -> Equivalence:
    """Tests whether the score lies less than ``margin`` points below 100.

    Args:
        result: of ``evaluate_group``, with a reference.
        margin: in points of the score, above 0.
        level: of the one-sided lower bound of the score.

    Raises:
        ValueError: the margin is not above 0, or the result has no score or no interval of it.
    """
    if result.score is None or result.score_se is None or result.score_ci is None:
        raise ValueError(f"an equivalence test needs a score with an interval: {result.score_note or 'no interval'}")
    method = "lower bound of the score above 100 - margin"
    gap = _one_sided(100 - result.score, result.score_se, margin, result.clusters, level)
    note = result.score_ci.note
    return Equivalence(gap.p < 1 - level, margin, 100 - gap.bound, gap.p, level, result.clusters, method, note)


def difference_equivalence(paired: PairedDifference, margin: float, *, level: float = 0.95) -> Equivalence:
    """Tests whether two conditions differ by less than ``margin`` either way: two one-sided tests (TOST).

    Args:
        paired: of ``paired_means`` or ``paired_divergences``.
        margin: in the metric's unit, above 0.
        level: of each one-sided bound.

    Raises:
        ValueError: the margin is not above 0, or the difference has no interval.

    Reference:
        Schuirmann (1987), A comparison of the two one-sided tests procedure, Journal of Pharmacokinetics 15.
    """
    if paired.difference is None or paired.se is None or paired.ci is None:
        raise ValueError("an equivalence test needs a difference with an interval")
    gap = _one_sided(abs(paired.difference), paired.se, margin, paired.clusters, level)
    note = paired.ci.note
    return Equivalence(gap.p < 1 - level, margin, gap.bound, gap.p, level, paired.clusters, "TOST", note)


class _OneSided(NamedTuple):
    bound: float
    p: float


def _one_sided(gap: float, se: float, margin: float, clusters: int, level: float) -> _OneSided:
    """The upper bound of a gap, and the p of its being the margin or more."""
    if not margin > 0:
        raise ValueError(f"a margin of equivalence must be above 0, got {margin}")
    bound = gap + t_quantile(clusters, 2 * level - 1) * se
    if se == 0:
        return _OneSided(bound, 0.0 if gap < margin else 1.0)
    return _OneSided(bound, t_tail((margin - gap) / se, clusters))
