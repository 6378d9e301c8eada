"""How many points repeat another of their population, beside how many of the humans' do.

A model that answers many shoppers with one query moves no mean and hardly a density, so the divergences miss it;
here it is the whole number. Repeats become more frequent as a population grows, so both are read at the size
of the smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.diversity import _drawn
from paars_bench.metrics.points import PointSides, PointStatistic, TwoSample, two_sample
from paars_bench.metrics.resampling import Floats, Ints

EQUAL_WITHIN = 1e-5
_WEIGHT_BLOCK = 256


def equal_points(points: Floats, within: float = EQUAL_WITHIN) -> Ints:
    """Returns (n,) labels, one for each set of points joined by distances of at most ``within``.

    One model embeds one text in two batches some 1e-7 apart, so exact equality would miss repeats.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    distinct, label = np.unique(points, axis=0, return_inverse=True)
    # points that near are as near on any three axes: a tree of those finds every candidate
    axes = np.random.default_rng(0).standard_normal((3, points.shape[1]))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    pairs = cKDTree(distinct @ axes.T).query_pairs(within * 3**0.5 + 1e-12, output_type="ndarray")
    near = np.linalg.norm(distinct[pairs[:, 0]] - distinct[pairs[:, 1]], axis=1) <= within
    one, two = pairs[near].T
    graph = coo_array((np.ones(len(one)), (one, two)), shape=(len(distinct), len(distinct)))
    return np.asarray(connected_components(graph, directed=False)[1][label.ravel()], dtype=np.int64)


_NOTE = "rough: half-samples repeat less than all the points do, and this may hold less or more than its level"


@dataclass(frozen=True, slots=True, eq=False)
class _Repeats:
    """(size, V) how many points of each unit are in each set of at least two equal points; other sets never repeat."""

    table: Any
    counts: Floats

    @classmethod
    def make(cls, points: Floats, rows: Ints, size: int, within: float) -> _Repeats:
        from scipy.sparse import coo_array, csr_array

        label = equal_points(points, within)
        repeated = np.bincount(label) >= 2
        column = (np.cumsum(repeated) - 1)[label]
        here = repeated[label]
        entries = (np.ones(int(here.sum())), (rows[here], column[here]))
        table = csr_array(coo_array(entries, shape=(size, int(repeated.sum()))))
        return cls(table, np.bincount(rows, minlength=size).astype(np.float64))

    def size(self, weights: Floats) -> Floats:
        """Returns (R,) points with weight; a weight of 2 is no second point."""
        return np.asarray((weights > 0) @ self.counts)

    def rate(self, weights: Floats, at: Floats) -> Floats:
        """Returns (R,) the weighted chance that a point has an equal among ``at`` points drawn with it."""
        points = self.size(weights)
        total = weights @ self.counts
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.table.shape[1] == 0:
                return np.where(total > 0, 0.0, np.nan)
            others = np.maximum((self.table.T @ (weights > 0).T.astype(np.float64)).T - 1, 0.0)
            mass = (self.table.T @ weights.T).T
            chance = _drawn(others, (points - 1)[:, None], np.maximum(at - 1, 0)[:, None])
            return np.where(total > 0, (mass * chance).sum(axis=1) / total, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class RepeatStatistic(PointStatistic):
    """|repeat rate of the agents - of the humans|, 0 to 1, as a function of shopper weights.

    The rate of a population is the share of its points that equal another of its points, exactly averaged over all
    draws of as many points as the smaller side has. ``describe`` has both rates: agents may repeat too
    little as well as too much.
    """

    sides: PointSides
    human_repeats: _Repeats
    agent_repeats: _Repeats
    within: float

    @classmethod
    def make(cls, sides: PointSides, *, within: float = EQUAL_WITHIN) -> Self:
        """Finds equal points on each side.

        Args:
            sides: the points.
            within: points at most this far apart are equal; at least 0.

        Raises:
            ValueError: ``within`` is below 0.
        """
        if not within >= 0:
            raise ValueError(f"within must be at least 0, got {within}")
        return cls._with(sides, within, _Repeats.make(sides.human, sides.human_rows, sides.size, within))

    @classmethod
    def _with(cls, sides: PointSides, within: float, human: _Repeats) -> Self:
        agent = human if sides.same else _Repeats.make(sides.agent, sides.agent_rows, sides.size, within)
        return cls(sides, human, agent, within)

    def divergence(self, w_human: npt.NDArray[np.generic], w_agent: npt.NDArray[np.generic]) -> Floats:
        """Returns (R,) gaps for (R, size) weights a side; NaN where a side has no point."""
        human, agent = self.rates(w_human, w_agent)
        return np.abs(agent - human)

    def rates(self, w_human: npt.NDArray[np.generic], w_agent: npt.NDArray[np.generic]) -> tuple[Floats, Floats]:
        """Returns the (R,) repeat rates of the humans and of the agents at the size of the smaller side."""
        human, agent = np.empty(len(w_human)), np.empty(len(w_agent))
        for start in range(0, len(w_human), _WEIGHT_BLOCK):
            rows = slice(start, start + _WEIGHT_BLOCK)
            one, two = w_human[rows].astype(np.float64), w_agent[rows].astype(np.float64)
            at = np.minimum(self.human_repeats.size(one), self.agent_repeats.size(two))
            human[rows], agent[rows] = self.human_repeats.rate(one, at), self.agent_repeats.rate(two, at)
        return human, agent

    def _compare(self, sides: PointSides) -> Self:
        return self._with(sides, self.within, self.human_repeats)

    def _refit(self, sides: PointSides) -> Self:
        return self.make(sides, within=self.within)

    def describe(self) -> dict[str, Any]:
        """Returns what was chosen and the rates of both sides, in plain JSON."""
        one = np.ones((1, self.sides.size))
        human, agent = (float(rate[0]) for rate in self.rates(one, one))
        return {
            "divergence": "repeat_gap",
            "kinked": True,
            "interval_note": _NOTE,
            "equal_within": self.within,
            "human_repeat_rate": human,
            "agent_repeat_rate": agent,
            "at": min(self.n_human, self.n_agent),
        }


def repeat_gap(
    human: npt.ArrayLike,
    agent: npt.ArrayLike,
    *,
    within: float = EQUAL_WITHIN,
    rng: np.random.Generator,
    floor_splits: int = 20,
) -> TwoSample:
    """Returns the gap in repeat rate of two sets of points, 0 to 1, and the humans' split-half floor.

    Args:
        human: (n, d), n at least 4.
        agent: (m, d).
        within: points at most this far apart are equal.
        rng: draws the halves of the floor.
        floor_splits: halvings.

    Raises:
        ValueError: too few points or ``within`` below 0.
    """
    statistic = RepeatStatistic.make(PointSides.unpaired(human, agent), within=within)
    return two_sample(statistic, rng=rng, floor_splits=floor_splits)
