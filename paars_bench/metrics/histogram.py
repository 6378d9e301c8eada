"""Divergences between histograms of counts: searches, views and purchases a session, ranks chosen.

A bare KL of histograms is mostly its smoothing constant wherever one side has an empty bin (one fixed pair
reads 4.0 to 21.6 nats for an epsilon of 1e-3 to 1e-12), so the smoothing is a value that is passed, kept and
reported, and the human mass in bins that no agent reached stands beside it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

from paars_bench.metrics.hazard import hazard_gap
from paars_bench.metrics.resampling import Bools, Floats, weighted_sums
from paars_bench.metrics.smoothing import (
    ADD_HALF,
    UNSMOOTHED,
    EpsilonPoint,
    Smoothing,
    checked_counts,
    epsilon_row,
    nats_a_decade,
    smoothed_kl,
    unreached_mass,
)

Kind = Literal["kl", "kl_reverse", "js", "tv", "w1", "hazard"]
KINDS: tuple[Kind, ...] = ("kl", "kl_reverse", "js", "tv", "w1", "hazard")
_SMOOTHED = ("kl", "kl_reverse")


def divergence_of_counts(
    human: npt.ArrayLike,
    agent: npt.ArrayLike,
    kind: Kind = "kl",
    *,
    smoothing: Smoothing = ADD_HALF,
    positions: npt.ArrayLike | None = None,
) -> Floats:
    """Returns a divergence along the last axis: (..., K) and (..., K) give (...).

    Args:
        human: counts, not negative, fractions allowed.
        agent: counts in the same bins.
        kind: ``kl`` is KL(human‖agent), ``kl_reverse`` KL(agent‖human), both in nats, 0 to infinity; ``js``
            Jensen-Shannon in nats, 0 to ln 2; ``tv`` total variation, 0 to 1; ``w1`` Wasserstein-1 in the
            unit of ``positions``; ``hazard`` as ``hazard_gap``, 0 to 1.
        smoothing: for the two KL only; the others are finite without it.
        positions: for ``w1``: where each bin lies, ascending, (K,); 0, 1, 2… by default.

    Returns:
        NaN where a side holds no count at all: there is nothing to compare.

    Raises:
        ValueError: bins differ in number, there are none, a count is negative or not finite, or ``positions`` are
            not one finite number a bin, ascending.
    """
    h, a = checked_counts(human), checked_counts(agent)
    if h.shape[-1] != a.shape[-1]:
        raise ValueError(f"human has {h.shape[-1]} bins and agent {a.shape[-1]}; both need the same bins")
    if kind == "kl":
        return smoothed_kl(h, a, smoothing)
    if kind == "kl_reverse":
        return smoothed_kl(a, h, smoothing)
    if kind == "hazard":
        return hazard_gap(h, a)
    p, q = UNSMOOTHED.shares(h), UNSMOOTHED.shares(a)
    if kind == "js":
        mid = (p + q) / 2
        return np.asarray(np.maximum((rel_entr(p, mid) + rel_entr(q, mid)).sum(axis=-1) / 2, 0.0))
    if kind == "tv":
        return np.asarray(np.abs(p - q).sum(axis=-1) / 2)
    if kind == "w1":
        gaps = _gaps(positions, h.shape[-1])
        return np.asarray((np.abs(np.cumsum(p - q, axis=-1))[..., :-1] * gaps).sum(axis=-1))
    raise ValueError(f"unknown divergence {kind!r}: valid are {', '.join(KINDS)}")


def _gaps(positions: npt.ArrayLike | None, bins: int) -> Floats:
    if positions is None:
        return np.ones(bins - 1)
    at = np.asarray(positions, dtype=np.float64)
    if at.shape != (bins,):
        raise ValueError(f"positions must be one for each of {bins} bins, shape ({bins},), got {at.shape}")
    gaps = np.diff(at)
    if not np.all(np.isfinite(at)) or np.any(gaps < 0):
        raise ValueError(f"positions must be finite and ascending, got {at.tolist()}")
    return gaps


class HistogramDivergence(NamedTuple):
    """A divergence of two histograms with what is needed to read it.

    Attributes:
        value: the divergence.
        floor: mean of the same divergence between two samples of the humans' own shares, of the two sizes.
        n: total human count.
        n_agent: total agent count.
        kind: which divergence.
        smoothing: as used.
        unreached: share of the humans in bins that no agent reached, 0 to 1.
        floor_method: how the floor was made.
        epsilon_row: the KL over epsilons 1e-3 to 1e-12, whatever the smoothing; empty for other kinds.
    """

    value: float
    floor: float
    n: float
    n_agent: float
    kind: Kind
    smoothing: Smoothing
    unreached: float
    floor_method: str
    epsilon_row: tuple[EpsilonPoint, ...]


def histogram_kl(
    human_counts: npt.ArrayLike,
    agent_counts: npt.ArrayLike,
    *,
    smoothing: Smoothing = ADD_HALF,
    kind: Kind = "kl",
    floor_draws: int = 1000,
    rng: np.random.Generator | None = None,
) -> HistogramDivergence:
    """Returns KL(human‖agent) of two histograms (paper, equation 6), or another ``kind``, with its floor.

    The counts alone do not say which shopper they came from, so the floor here is parametric: both sides are
    drawn from the humans' shares (multinomial, the two totals). ``evaluate_group`` has the floor from real
    split halves.

    Args:
        human_counts: (K,) counts, not shares: they say how large the samples behind the floor are.
        agent_counts: (K,) counts in the same bins.
        smoothing: see ``Smoothing``.
        kind: see ``divergence_of_counts``.
        floor_draws: pairs of samples behind the floor.
        rng: for the floor; without one a generator with seed 0 is made, so the same input gives the same
            floor.

    Raises:
        ValueError: a side is empty or has a total below 2 (shares, most likely), counts are negative, or the bins
            differ.
    """
    human, agent = checked_counts(human_counts), checked_counts(agent_counts)
    if human.ndim != 1 or agent.ndim != 1:
        raise ValueError("histogram_kl takes one histogram a side, shape (K,)")
    if human.sum() == 0 or agent.sum() == 0:
        raise ValueError("a histogram without any count cannot be compared: human and agent both need some")
    for name, total in (("human_counts", human.sum()), ("agent_counts", agent.sum())):
        if total < 2:
            raise ValueError(f"{name} must be counts, not shares: a floor needs a total of at least 2, got {total:g}")
    value = float(divergence_of_counts(human, agent, kind, smoothing=smoothing))
    rng = np.random.default_rng(0) if rng is None else rng
    shares = human / human.sum()
    sides = [rng.multinomial(round(c.sum()), shares, size=floor_draws) for c in (human, agent)]
    floor = float(divergence_of_counts(sides[0], sides[1], kind, smoothing=smoothing).mean())
    return HistogramDivergence(
        value,
        floor,
        float(human.sum()),
        float(agent.sum()),
        kind,
        smoothing,
        unreached_mass(human, agent),
        f"mean of {floor_draws} multinomial pairs from the human shares at the same totals",
        tuple(_epsilon_row(human, agent, kind)),
    )


def _epsilon_row(human: Floats, agent: Floats, kind: Kind) -> list[EpsilonPoint]:
    return epsilon_row(human, agent, kind=kind) if kind == "kl" or kind == "kl_reverse" else []


@dataclass(frozen=True, slots=True, eq=False)
class HistogramStatistic:
    """A histogram divergence as a function of shopper weights.

    Attributes:
        human: (S, K) counts a shopper and bin; a shopper without a case is a row of zeros.
        agent: (S, K) counts of the agents that stand for the same shoppers.
        kind: see ``divergence_of_counts``.
        smoothing: see ``Smoothing``.
        edges: what the bins are, for the record (``CountBins.edges``).
    """

    human: Floats
    agent: Floats
    kind: Kind = "kl"
    smoothing: Smoothing = ADD_HALF
    edges: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if checked_counts(self.human).shape != checked_counts(self.agent).shape or np.ndim(self.human) != 2:
            raise ValueError(
                f"human and agent must both be (shoppers, bins), got {np.shape(self.human)} and {np.shape(self.agent)}"
            )

    @property
    def n_human(self) -> int:
        """Human observations."""
        return round(float(np.sum(self.human)))

    @property
    def n_agent(self) -> int:
        """Agent observations."""
        return round(float(np.sum(self.agent)))

    @property
    def present(self) -> Bools:
        """(S,) whether a shopper has an observation on either side."""
        return np.asarray((self.human.sum(axis=1) > 0) | (self.agent.sum(axis=1) > 0))

    def divergence(self, w_human: npt.NDArray[np.generic], w_agent: npt.NDArray[np.generic]) -> Floats:
        """Returns (R,) divergences for (R, S) weights a side; NaN where a side holds no observation."""
        human, agent = weighted_sums(w_human, self.human), weighted_sums(w_agent, self.agent)
        return divergence_of_counts(human, agent, self.kind, smoothing=self.smoothing, positions=self._positions())

    def _positions(self) -> Floats | None:
        return np.asarray(self.edges, dtype=np.float64) if len(self.edges) == self.human.shape[1] else None

    def with_agent(self, agent: Floats) -> Self:
        """Returns the same comparison of the same humans with other agents."""
        return replace(self, agent=agent)

    def human_floor(self) -> Self:
        """Returns the humans compared with themselves: what the floor is made from."""
        return self.with_agent(self.human)

    def pooled(self, rng: np.random.Generator) -> Self:
        """Returns the statistic over 2 S units, all counts on both sides, for ``permutation_test``; draws nothing."""
        counts = np.concatenate([self.human, self.agent])
        return replace(self, human=counts, agent=counts)

    def describe(self) -> dict[str, Any]:
        """Returns what was chosen and seen, in plain JSON.

        A KL also has ``epsilon_row``, what it would read at each epsilon from 1e-3 to 1e-12 on the full sample,
        and ``nats_a_decade``, the slope at its end: how much of it is the smoothing.
        """
        human, agent = self.human.sum(axis=0), self.agent.sum(axis=0)
        row = _epsilon_row(human, agent, self.kind) if human.sum() > 0 and agent.sum() > 0 else []
        told: dict[str, Any] = {
            "divergence": self.kind,
            "smoothing": asdict(self.smoothing) if self.kind in _SMOOTHED else None,
            "bins": self.human.shape[1],
            "edges": list(self.edges),
            "human_mass_unreached": unreached_mass(human, agent) if human.sum() > 0 else None,
        }
        if self.kind == "w1":
            told["kinked"] = True
        if row:
            told |= {"epsilon_row": [p._asdict() for p in row], "nats_a_decade": nats_a_decade(row)}
        return told
