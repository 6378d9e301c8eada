"""What is done about empty bins, and how much of a KL is that choice: the same KL over many epsilons.

A KL with a human bin that no agent reached is infinite, so what is printed depends on the constant that was put
there. The row over epsilons shows how much: it is flat where the two histograms share their bins, and rises by
2.3 nats a decade times the human mass missed where they do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

from paars_bench.metrics.resampling import Floats

EPSILONS: tuple[float, ...] = tuple(10.0**-k for k in range(3, 13))
"""1e-3, 1e-4, …, 1e-12: the constants that published work uses lie in here."""


SmoothingKind = Literal["add", "epsilon"]


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How empty bins are kept from infinity.

    Attributes:
        kind: ``add`` puts ``amount`` in every bin of both sides before dividing by the total; ``epsilon``
            adds ``amount`` to every relative frequency of both sides and divides by the new sum (paper mode).
        amount: finite, at least 0; above 0 for a finite KL.

    Raises:
        ValueError: the kind is unknown or the amount out of range.
    """

    kind: SmoothingKind = "add"
    amount: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in get_args(SmoothingKind):
            valid = ", ".join(get_args(SmoothingKind))
            raise ValueError(f"unknown kind of smoothing {self.kind!r}: valid are {valid}")
        if not (math.isfinite(self.amount) and self.amount >= 0):
            raise ValueError(f"amount of smoothing must be finite and at least 0, got {self.amount}")

    def shares(self, counts: Floats) -> Floats:
        """Returns smoothed probabilities of the last axis; NaN where that axis holds no count at all."""
        total = counts.sum(axis=-1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.kind == "add":
                smoothed = (counts + self.amount) / (total + self.amount * counts.shape[-1])
            else:
                smoothed = (counts / total + self.amount) / (1 + self.amount * counts.shape[-1])
        return np.where(total > 0, smoothed, np.nan)


ADD_HALF = Smoothing()
UNSMOOTHED = Smoothing("add", 0.0)


class EpsilonPoint(NamedTuple):
    """A KL at one epsilon.

    Attributes:
        epsilon: added to every relative frequency of both sides.
        value: the KL, nats.
    """

    epsilon: float
    value: float


def checked_counts(counts: npt.ArrayLike) -> Floats:
    """Returns counts as float64.

    Raises:
        ValueError: there is no bin, or a count is negative or not finite.
    """
    array = np.asarray(counts, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise ValueError("a histogram needs at least one bin")
    if not np.all(np.isfinite(array)) or np.any(array < 0):
        raise ValueError("counts must be finite and not negative")
    return array


def smoothed_kl(human: Floats, agent: Floats, smoothing: Smoothing) -> Floats:
    """Returns KL(human‖agent) in nats along the last axis; NaN where a side holds no count."""
    # round-off can leave a sum of terms of both signs 1e-17 below 0
    return np.asarray(np.maximum(rel_entr(smoothing.shares(human), smoothing.shares(agent)).sum(axis=-1), 0.0))


def unreached_mass(human_counts: npt.ArrayLike, agent_counts: npt.ArrayLike) -> float:
    """Returns the share of the humans, 0 to 1, in bins that hold no agent.

    Raises:
        ValueError: there is no human, the bins differ, or a count is negative or not finite.
    """
    human, agent = checked_counts(human_counts), checked_counts(agent_counts)
    if human.shape != agent.shape:
        raise ValueError(f"human_counts and agent_counts must have the same bins, got {human.shape} and {agent.shape}")
    if human.sum() == 0:
        raise ValueError("without any human count there is no mass that agents could miss")
    return float(human[agent == 0].sum() / human.sum())


def epsilon_row(
    human_counts: npt.ArrayLike,
    agent_counts: npt.ArrayLike,
    *,
    kind: Literal["kl", "kl_reverse"] = "kl",
    epsilons: Sequence[float] = EPSILONS,
) -> list[EpsilonPoint]:
    """Returns the KL of two histograms at each epsilon, the largest first as given.

    Args:
        human_counts: (K,) counts.
        agent_counts: (K,) counts in the same bins.
        kind: ``kl`` is KL(human‖agent), ``kl_reverse`` KL(agent‖human).
        epsilons: each above 0.

    Raises:
        ValueError: a side is empty, counts are negative, the bins differ, or an epsilon is not above 0.
    """
    human, agent = checked_counts(human_counts), checked_counts(agent_counts)
    if human.shape != agent.shape or human.ndim != 1:
        raise ValueError(f"both sides must be one histogram of the same bins, got {human.shape} and {agent.shape}")
    if human.sum() == 0 or agent.sum() == 0:
        raise ValueError("a histogram without any count cannot be compared: human and agent both need some")
    if not all(e > 0 for e in epsilons):
        raise ValueError(f"every epsilon must be above 0, got {min(epsilons)}")
    first, second = (human, agent) if kind == "kl" else (agent, human)
    return [EpsilonPoint(e, float(smoothed_kl(first, second, Smoothing("epsilon", e)))) for e in epsilons]


def nats_a_decade(row: Sequence[EpsilonPoint]) -> float:
    """Returns how many nats the KL grows for each tenfold smaller epsilon, between the row's two smallest.

    0 means that the KL is about the populations; with all of a side's mass in bins the other lacks it is
    ln 10 = 2.30.

    Raises:
        ValueError: the row has fewer than two distinct epsilons.
    """
    smallest = sorted({p.epsilon: p for p in row}.values())[:2]
    if len(smallest) < 2:
        raise ValueError("a slope needs the KL at two epsilons at least")
    low, high = smallest
    return (low.value - high.value) / float(np.log10(high.epsilon / low.epsilon))
