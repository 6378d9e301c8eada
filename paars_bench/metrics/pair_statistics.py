"""MMD, energy distance and spread: three readings of the mean distance among humans, agents and between them.

MMD with a broad kernel and energy distance see that the bulk lies elsewhere (topic shift) and little else;
spread sees a population that is narrower or wider than the humans, and not where it lies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.density import check_bandwidth
from paars_bench.metrics.pairwise import PairFunction, Pairs, PairSums, median_distance
from paars_bench.metrics.points import PointSides, PointStatistic, TwoSample, two_sample
from paars_bench.metrics.resampling import Floats


def _kernel(bandwidth: float) -> PairFunction:
    def of(squared: Floats) -> Floats:
        squared /= -2 * bandwidth * bandwidth
        return np.asarray(np.exp(squared, out=squared))

    return of


def _distance(squared: Floats) -> Floats:
    return np.asarray(np.sqrt(squared, out=squared))


@dataclass(frozen=True, eq=False)
class MmdStatistic(PointStatistic):
    """Unbiased squared maximum mean discrepancy, Gaussian kernel, as a function of shopper weights.

    k(h, h') + k(a, a') - 2 k(h, a), each a mean over pairs of different shoppers, k = exp(-|x - y|² / 2 h²)
    (Gretton et al. 2012, "A kernel two-sample test", JMLR 13, eq. 4). -1 to 2; its mean is 0 for equal
    populations, so it is below 0 about half the time there.

    Attributes:
        bandwidth: h.
        by_median: whether h is the median distance of the human points.
        human: the humans' own table, where it is known already.
    """

    sides: PointSides
    bandwidth: float
    by_median: bool
    human: PairSums | None = None

    @classmethod
    def make(cls, sides: PointSides, *, bandwidth: float | None = None) -> Self:
        """Chooses the bandwidth; the kernel is summed over all pairs when first needed.

        Args:
            sides: the points.
            bandwidth: h, above 0; the median distance of human points that differ by default.

        Raises:
            ValueError: the bandwidth is not above 0 and finite, or all humans are one point and it is not given.
        """
        if bandwidth is not None:
            check_bandwidth(bandwidth)
        h = median_distance(sides.human) if bandwidth is None else bandwidth
        return cls(sides, h, bandwidth is None)

    @cached_property
    def pairs(self) -> Pairs:
        """The summed kernels."""
        return Pairs.make(self.sides, _kernel(self.bandwidth), human=self.human)

    def divergence(self, w_human: npt.NDArray[np.generic], w_agent: npt.NDArray[np.generic]) -> Floats:
        """Returns (R,) MMD² for (R, size) weights a side; NaN where a side has fewer than two shoppers."""
        mean = self.pairs.means(w_human, w_agent)
        return mean.human + mean.agent - 2 * mean.between

    def _compare(self, sides: PointSides) -> Self:
        return replace(self, sides=sides, human=self.pairs.human)

    def _refit(self, sides: PointSides) -> Self:
        return self.make(sides, bandwidth=None if self.by_median else self.bandwidth)

    def describe(self) -> dict[str, Any]:
        """Returns what was chosen, in plain JSON."""
        return {
            "divergence": "mmd2_unbiased",
            "kernel": "gaussian",
            "bandwidth": self.bandwidth,
            "bandwidth_by": "median distance of the human points" if self.by_median else "given",
            "pairs": "of different shoppers",
        }


@dataclass(frozen=True, eq=False)
class _DistanceStatistic(PointStatistic):
    """What is made of mean Euclidean distances over pairs of different shoppers, summed when first needed."""

    sides: PointSides
    human: PairSums | None = None

    @classmethod
    def make(cls, sides: PointSides) -> Self:
        """Takes the points; nothing is chosen."""
        return cls(sides)

    @cached_property
    def pairs(self) -> Pairs:
        """The summed distances."""
        return Pairs.make(self.sides, _distance, human=self.human)

    def _compare(self, sides: PointSides) -> Self:
        return replace(self, sides=sides, human=self.pairs.human)

    def _refit(self, sides: PointSides) -> Self:
        return self.make(sides)


@dataclass(frozen=True, eq=False)
class EnergyStatistic(_DistanceStatistic):
    """Energy distance, unbiased, as a function of shopper weights.

    2 |h - a| - |h - h'| - |a - a'|, each a mean over pairs of different shoppers (Székely & Rizzo 2013, "Energy
    statistics", J. Stat. Plan. Inference 143). In the unit of the points; its mean is 0 for equal
    populations, so it is below 0 about half the time there. SciPy's ``energy_distance`` in one dimension is the
    square root of the biased one.
    """

    def divergence(self, w_human: npt.NDArray[np.generic], w_agent: npt.NDArray[np.generic]) -> Floats:
        """Returns (R,) distances for (R, size) weights a side; NaN where a side has fewer than two shoppers."""
        mean = self.pairs.means(w_human, w_agent)
        return 2 * mean.between - mean.human - mean.agent

    def describe(self) -> dict[str, Any]:
        """Returns what was chosen, in plain JSON."""
        return {"divergence": "energy_unbiased", "distance": "euclidean", "pairs": "of different shoppers"}


@dataclass(frozen=True, eq=False)
class SpreadStatistic(_DistanceStatistic):
    """How far the agents' spread is from the humans', as a function of shopper weights.

    |a - h| / (a + h) with a and h the mean distance of two points of different shoppers: 0 for equal spread, 1/3
    where one is twice the other, 1 where one side is a single point. ``describe`` says which is wider.
    """

    def divergence(self, w_human: npt.NDArray[np.generic], w_agent: npt.NDArray[np.generic]) -> Floats:
        """Returns (R,) gaps, 0 to 1, for (R, size) weights; NaN where a side has fewer than two shoppers."""
        agent, human = self.pairs.agent.mean(w_agent, w_agent), self.pairs.human.mean(w_human, w_human)
        total = agent + human
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(total == 0, 0.0, np.abs(agent - human) / total)

    def describe(self) -> dict[str, Any]:
        """Returns what was chosen and the mean distances of both sides, in plain JSON."""
        one = np.ones((1, self.sides.size))
        human, agent = (float(side.mean(one, one)[0]) for side in (self.pairs.human, self.pairs.agent))
        return {
            "divergence": "spread_gap",
            "kinked": True,
            "distance": "euclidean",
            "pairs": "of different shoppers",
            "human_mean_distance": human if np.isfinite(human) else None,
            "agent_mean_distance": agent if np.isfinite(agent) else None,
        }


def mmd(
    human: npt.ArrayLike,
    agent: npt.ArrayLike,
    *,
    bandwidth: float | None = None,
    rng: np.random.Generator,
    floor_splits: int = 20,
) -> TwoSample:
    """Returns the unbiased MMD² of two sets of points, (n, d) and (m, d), and the humans' split-half floor.

    Args:
        human: n at least 4.
        agent: m at least 2.
        bandwidth: of the Gaussian kernel; the median distance of the human points by default.
        rng: draws the halves of the floor.
        floor_splits: halvings.

    Raises:
        ValueError: too few points or a bandwidth that is not above 0 and finite.
    """
    statistic = MmdStatistic.make(_sides(human, agent), bandwidth=bandwidth)
    return two_sample(statistic, rng=rng, floor_splits=floor_splits)


def energy_distance(
    human: npt.ArrayLike, agent: npt.ArrayLike, *, rng: np.random.Generator, floor_splits: int = 20
) -> TwoSample:
    """Returns the unbiased energy distance of two sets of points and the floor; arguments as ``mmd``."""
    return two_sample(EnergyStatistic.make(_sides(human, agent)), rng=rng, floor_splits=floor_splits)


def spread_gap(
    human: npt.ArrayLike, agent: npt.ArrayLike, *, rng: np.random.Generator, floor_splits: int = 20
) -> TwoSample:
    """Returns the gap in spread of two sets of points, 0 to 1, and the floor; arguments as ``mmd``."""
    return two_sample(SpreadStatistic.make(_sides(human, agent)), rng=rng, floor_splits=floor_splits)


def _sides(human: npt.ArrayLike, agent: npt.ArrayLike) -> PointSides:
    sides = PointSides.unpaired(human, agent)
    if len(sides.agent) < 2:
        raise ValueError(f"agent must be at least 2 points, to have a distance among them, got {len(sides.agent)}")
    return sides
