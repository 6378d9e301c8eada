"""Two sides of points and whose they are: what every two-sample statistic on embeddings starts from.

Two points of one shopper are never compared with each other, on one side or across: points of one person are
more alike than points of two, and an agent sits beside the shopper it stands for. Leaving such pairs out makes
means over pairs unbiased for the populations, however many points a shopper has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.density import _points
from paars_bench.metrics.resampling import Bools, Floats, Ints, _halves, checked_rows


@dataclass(frozen=True, slots=True, eq=False)
class PointSides:
    """Human and agent points by unit; a unit is a shopper, or one side of a shopper where sides are pooled.

    Attributes:
        human: (n, d) points, float64.
        human_rows: (n,) the unit of each.
        agent: (m, d) points, float64.
        agent_rows: (m,) the unit of each.
        size: units; the columns of the weights.
        shoppers: S; unit u belongs to shopper u modulo S.
    """

    human: Floats
    human_rows: Ints
    agent: Floats
    agent_rows: Ints
    size: int
    shoppers: int

    @classmethod
    def make(
        cls,
        human: npt.ArrayLike,
        human_rows: npt.ArrayLike,
        agent: npt.ArrayLike,
        agent_rows: npt.ArrayLike,
        *,
        size: int,
    ) -> PointSides:
        """Checks both sides of ``size`` shoppers; shapes as the attributes have them.

        Raises:
            ValueError: a side is empty, not of finite real numbers or of another dimension, or a row is no whole number
                from 0 to ``size`` - 1.
        """
        x = _points(human, "human")
        rows = checked_rows(human_rows, len(x), size, "human_rows")
        return cls(x, rows, x, np.zeros(0, dtype=np.int64), size, size).with_agent(agent, agent_rows)

    @classmethod
    def unpaired(cls, human: npt.ArrayLike, agent: npt.ArrayLike) -> PointSides:
        """Takes every point of two plain arrays as a shopper of its own: no pair is left out.

        Raises:
            ValueError: as ``make``.
        """
        n, m = len(_points(human, "human")), len(_points(agent, "agent"))
        return cls.make(human, np.arange(n), agent, np.arange(n, n + m), size=n + m)

    @property
    def same(self) -> bool:
        """Whether both sides hold the same points of the same units."""
        return self.human is self.agent and self.human_rows is self.agent_rows

    @property
    def human_counts(self) -> Floats:
        """(size,) human points of each unit."""
        return np.bincount(self.human_rows, minlength=self.size).astype(np.float64)

    @property
    def agent_counts(self) -> Floats:
        """(size,) agent points of each unit."""
        return np.bincount(self.agent_rows, minlength=self.size).astype(np.float64)

    def with_agent(self, agent: npt.ArrayLike, agent_rows: npt.ArrayLike) -> PointSides:
        """Returns the same humans beside other agents.

        Raises:
            ValueError: as ``make``.
        """
        y = _points(agent, "agent")
        if y.shape[1] != self.human.shape[1]:
            raise ValueError(f"human points have {self.human.shape[1]} dimensions and agent points {y.shape[1]}")
        rows = checked_rows(agent_rows, len(y), self.size, "agent_rows")
        return PointSides(self.human, self.human_rows, y, rows, self.size, self.shoppers)

    def floor(self) -> PointSides:
        """Returns the humans on both sides."""
        return PointSides(self.human, self.human_rows, self.human, self.human_rows, self.size, self.shoppers)

    def pooled(self) -> PointSides:
        """Returns all points on both sides: units 0 to S - 1 the shoppers' own, S to 2 S - 1 their agents'."""
        points = np.concatenate([self.human, self.agent])
        rows = np.concatenate([self.human_rows, self.agent_rows + self.size])
        return PointSides(points, rows, points, rows, 2 * self.size, self.shoppers)


class PointStatistic(ABC):
    """A ``GroupStatistic`` on points; a family adds ``make(sides, ...)``, ``divergence`` and how to remake it."""

    __slots__ = ()
    sides: PointSides

    @abstractmethod
    def divergence(self, w_human: npt.NDArray[np.generic], w_agent: npt.NDArray[np.generic]) -> Floats:
        """Returns (R,) divergences for (R, size) weights a side, NaN where undefined."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Returns what was chosen, in plain JSON."""

    @abstractmethod
    def _compare(self, sides: PointSides) -> Self:
        """Returns the statistic of the same humans and other agents, with the ruler that the humans set."""

    @abstractmethod
    def _refit(self, sides: PointSides) -> Self:
        """Returns the statistic with its ruler set by the ``human`` points of ``sides``."""

    @property
    def n_human(self) -> int:
        """Human points."""
        return len(self.sides.human)

    @property
    def n_agent(self) -> int:
        """Agent points."""
        return len(self.sides.agent)

    @property
    def present(self) -> Bools:
        """(size,) whether a unit has a point on either side."""
        return np.asarray(self.sides.human_counts + self.sides.agent_counts > 0)

    def with_agent(self, agent: npt.ArrayLike, agent_rows: npt.ArrayLike) -> Self:
        """Returns the same comparison of the same humans with other agents."""
        return self._compare(self.sides.with_agent(agent, agent_rows))

    def human_floor(self) -> Self:
        """Returns the humans compared with themselves: what the floor is made from."""
        return self._compare(self.sides.floor())

    def pooled(self, rng: np.random.Generator) -> Self:
        """Returns the statistic over 2 S units with all points on both sides, for ``permutation_test``.

        What the humans alone set elsewhere (a bandwidth, a projection) is set by all points here, so that
        it does not know whose points are whose.

        Args:
            rng: not used: nothing is drawn. Statistics that draw points need one.
        """
        return self._refit(self.sides.pooled())


class TwoSample(NamedTuple):
    """A divergence of two plain sets of points with what is needed to read it.

    Attributes:
        value: the divergence of all points.
        floor: mean of the same between random halves of the human points.
        n: human points.
        n_agent: agent points.
        floor_n: points a side behind the floor.
        estimator: what was chosen.
        floor_method: how the floor was made.
    """

    value: float
    floor: float
    n: int
    n_agent: int
    floor_n: int
    estimator: dict[str, Any]
    floor_method: str


def two_sample(statistic: PointStatistic, *, rng: np.random.Generator, floor_splits: int = 20) -> TwoSample:
    """Returns the value and floor of a statistic of plain arrays (``PointSides.unpaired``).

    Args:
        statistic: of any family.
        rng: draws the halves of the floor.
        floor_splits: random halvings of the humans, at least 1.

    Raises:
        ValueError: fewer than 4 human points or no halving.
    """
    n, size = statistic.n_human, statistic.sides.size
    if n < 4:
        raise ValueError(f"a value and a floor need at least 4 human points, got {n}")
    if floor_splits < 1:
        raise ValueError(f"floor_splits must be at least 1, got {floor_splits}")
    one = np.ones((1, size))
    left = np.zeros((floor_splits, size))
    right = np.zeros((floor_splits, size))
    left[:, :n] = _halves(n, floor_splits, rng)
    right[:, :n] = 1 - left[:, :n]
    return TwoSample(
        float(statistic.divergence(one, one)[0]),
        float(np.mean(statistic.human_floor().divergence(left, right))),
        n,
        statistic.n_agent,
        n // 2,
        statistic.describe(),
        f"mean of {floor_splits} random split halves of the human points",
    )
