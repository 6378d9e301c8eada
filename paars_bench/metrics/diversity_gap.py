"""How far agents lie from humans in diversity, beside how far two halves of the humans lie from each other.

A ratio of 0.31 against 0.34 says nothing without the gap that humans have among themselves at the same total.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.diversity import _drawn, _table
from paars_bench.metrics.resampling import Bools, Floats, ResamplingPlan
from paars_bench.metrics.tokens import Unit


class DiversityGap(NamedTuple):
    """The gap in a type-token ratio between two half populations.

    Attributes:
        value: mean |ratio of the agents of one half - ratio of the humans of the other|, over splits and orders.
        floor: the same with the humans in the agents' place: what a human population reads.
        null_low: 2.5 % quantile (at the level given) of the humans' gap over the splits.
        null_high: 97.5 % quantile.
        agent: mean ratio of the agents' halves.
        human: mean ratio of the humans' halves.
        at_tokens: tokens that every ratio is taken at: as many as the smallest half has.
        splits: half-splits behind it.
        n: texts of the agents.
        n_human: texts of the humans.
    """

    value: float
    floor: float
    null_low: float
    null_high: float
    agent: float
    human: float
    at_tokens: int
    splits: int
    n: int
    n_human: int


def diversity_gap(
    agent_texts: Sequence[str],
    agent_rows: npt.ArrayLike,
    human_texts: Sequence[str],
    human_rows: npt.ArrayLike,
    plan: ResamplingPlan,
    *,
    unit: Unit = "word",
    level: float = 0.95,
) -> DiversityGap:
    """Returns the agents' gap to the humans in type-token ratio and the humans' own, at one token total.

    Agents stand for a shopper, so they are compared with the humans of the other half, never with their own.
    The ratios are means over all draws of ``at_tokens`` tokens, hence without chance of their own.

    Args:
        agent_texts: queries or titles of the agents.
        agent_rows: (n,) the shopper's row of each.
        human_texts: of the humans.
        human_rows: (m,) the shopper's row of each.
        plan: the run's resampling plan, whose rows those are and whose half-splits are used.
        unit: as in ``type_token_ratio``; 1 - ratio of ``text`` is the duplicate rate, with the same gaps.
        level: of the null band.

    Raises:
        ValueError: a side is one str or holds no token, a half of it holds none, or a row is not one of the plan's.
    """
    agent = _halves(_table(agent_texts, agent_rows, plan.size, unit, "agent"), plan.halves)
    human = _halves(_table(human_texts, human_rows, plan.size, unit, "human"), plan.halves)
    size = int(min(frequency.sum() for frequency in (*agent, *human)))
    if size < 1:
        raise ValueError("a half of the shoppers holds no token: there are too few shoppers with a text for a floor")
    a, h = (np.array([_ratio(f, size) for f in side]).reshape(2, -1) for side in (agent, human))
    gaps = np.abs(a - h[::-1])  # the agents of a half against the humans of the other
    floors = np.abs(h[0] - h[1])
    low, high = np.quantile(floors, [(1 - level) / 2, (1 + level) / 2])
    return DiversityGap(
        float(gaps.mean()),
        float(floors.mean()),
        float(low),
        float(high),
        float(a.mean()),
        float(h.mean()),
        size,
        len(plan.halves),
        len(agent_texts),
        len(human_texts),
    )


def _halves(table: Any, halves: Bools) -> list[Floats]:
    """Returns the frequencies of each type in all halves A, then in all halves B."""
    return [np.asarray(mask.astype(np.float64) @ table).ravel() for side in (halves, ~halves) for mask in side]


def _ratio(frequency: Floats, tokens: int) -> float:
    distinct, times = np.unique(frequency[frequency > 0], return_counts=True)
    return float(_drawn(distinct, np.asarray(frequency.sum()), tokens) @ times) / tokens
