"""What a divergence is at the worst, with every failed case somewhere in the agents' population.

Only some divergences have a worst case: a Kullback-Leibler divergence from the humans' side and those that are bounded.
In a space of embeddings a failure has no place, and it can be arbitrarily far away.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Strict(NamedTuple):
    """A strict value, None where there is none, and how it was made."""

    value: float | None
    how: str


def _kl(value: float, coverage: float) -> float:
    return value - math.log(coverage)


def _bounded(most: float) -> Callable[[float, float], float]:
    return lambda value, coverage: coverage * value + (1 - coverage) * most


_KL = "failed cases lie where no human does: value - ln(coverage)"
_MIXED = "failed cases lie where no human does: coverage * value + (1 - coverage) * the most there can be"
_NONE = "none: a failed case has no place in this space, so nothing bounds how far it could be"
_MANY = "none: a failed case has an unknown number of observations, so nothing bounds how much they weigh"
_HOW: Mapping[str, tuple[Callable[[float, float], float], str]] = {
    "kl_histogram": (_kl, _KL),
    "kl_kde": (_kl, _KL),
    "knn_kl": (_kl, _KL),
    "js_histogram": (_bounded(math.log(2)), _MIXED),
    "tv_histogram": (_bounded(1.0), _MIXED),
    "no_purchase": (_bounded(1.0), _MIXED),
}


def strict_divergence(metric: str, value: float | None, coverage: float, *, once: bool = True) -> Strict:
    """Returns the strict value of a divergence.

    With agents that are a mixture of the scored (share c) and of failures where no human is, KL(human‖agents) is
    KL(human‖scored) - ln c (without smoothing), and total variation and Jensen-Shannon are at most c times theirs plus
    (1 - c) times their maximum (both are convex).

    Args:
        metric: its registered name.
        value: over scored cases, None where undefined.
        coverage: share of the planned cases that are scored, above 0 to 1.
        once: whether each case is one observation; of a session's views nobody knows how many a failed case had.
    """
    if coverage == 1:
        return Strict(value, "no case failed")
    if not once:
        return Strict(None, _MANY)
    if metric not in _HOW:
        return Strict(None, _NONE)
    make, how = _HOW[metric]
    return Strict(None if value is None else make(value, coverage), how)
