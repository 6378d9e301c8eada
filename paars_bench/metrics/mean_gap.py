"""How far apart two means are: what an experimenter reads first, as a group statistic with a floor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.individual import case_values
from paars_bench.metrics.mean_interval import sums_of_cases
from paars_bench.metrics.resampling import Bools, Floats, weighted_sums


@dataclass(frozen=True, slots=True, eq=False)
class MeanGapStatistic:
    """|mean of the agents - mean of the humans| as a function of shopper weights, in the unit of the values.

    Of values 0 and 1 it is the total variation of their two bins.

    Attributes:
        human: (S, 2) the sum of each shopper's values, and how many they are.
        agent: (S, 2) the same of the agents that stand for the same shoppers.
    """

    human: Floats
    agent: Floats

    @classmethod
    def make(
        cls,
        human: npt.ArrayLike,
        human_rows: npt.ArrayLike,
        agent: npt.ArrayLike,
        agent_rows: npt.ArrayLike,
        *,
        size: int,
    ) -> Self:
        """Makes it from values.

        Args:
            human: (n,) finite.
            human_rows: (n,) the shopper's row of each.
            agent: (m,) finite.
            agent_rows: (m,) the shopper's row of each.
            size: S.

        Raises:
            ValueError: lengths differ, a value is not finite, or a row is none of the plan's.
        """
        return cls(_sums(human, human_rows, size), _sums(agent, agent_rows, size))

    @property
    def n_human(self) -> int:
        """Human observations."""
        return round(float(self.human[:, 1].sum()))

    @property
    def n_agent(self) -> int:
        """Agent observations."""
        return round(float(self.agent[:, 1].sum()))

    @property
    def present(self) -> Bools:
        """(S,) whether a shopper has an observation on either side."""
        return np.asarray((self.human[:, 1] > 0) | (self.agent[:, 1] > 0))

    def divergence(self, w_human: npt.NDArray[np.generic], w_agent: npt.NDArray[np.generic]) -> Floats:
        """Returns (R,) gaps, 0 and over, for (R, S) weights a side; NaN where a side holds no observation."""
        human, agent = weighted_sums(w_human, self.human), weighted_sums(w_agent, self.agent)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.abs(agent[:, 0] / agent[:, 1] - human[:, 0] / human[:, 1]))

    def with_agent(self, values: npt.ArrayLike, rows: npt.ArrayLike) -> Self:
        """Returns the same humans beside other agents."""
        return replace(self, agent=_sums(values, rows, len(self.human)))

    def human_floor(self) -> Self:
        """Returns the humans compared with themselves: what the floor is made from."""
        return replace(self, agent=self.human)

    def pooled(self, rng: np.random.Generator) -> Self:
        """Returns the statistic over 2 S units, all values on both sides, for ``permutation_test``; draws nothing."""
        both = np.concatenate([self.human, self.agent])
        return replace(self, human=both, agent=both)

    def describe(self) -> dict[str, Any]:
        """Returns what was chosen, in plain JSON."""
        return {"divergence": "absolute difference of means", "kinked": True}


def _sums(values: npt.ArrayLike, rows: npt.ArrayLike, size: int) -> Floats:
    return sums_of_cases(*case_values(values, rows, size), size)
