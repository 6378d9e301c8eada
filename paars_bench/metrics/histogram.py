"""Divergences between histograms of counts: searches, views and purchases a session, ranks chosen.

A bare KL of histograms is mostly its smoothing constant wherever one side has an empty bin (one fixed pair
reads 4.0 to 21.6 nats for an epsilon of 1e-3 to 1e-12), so the smoothing is a value that is passed, kept and
reported, and the human mass in bins that no agent reached stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

from paars_bench.metrics.resampling import Bools, Floats, weighted_sums

Kind = Literal["kl", "kl_reverse", "js", "tv", "w1"]
KINDS: tuple[Kind, ...] = ("kl", "kl_reverse", "js", "tv", "w1")


class Smoothing(NamedTuple):
    """How empty bins are kept from infinity.

    Attributes:
        kind: ``add`` puts ``amount`` in every bin of both sides before dividing by the total; ``epsilon``
            adds ``amount`` to every relative frequency of both sides and divides by the new sum (paper mode).
        amount: above 0 for a finite KL.
    """

    kind: Literal["add", "epsilon"] = "add"
    amount: float = 0.5

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
            unit of ``positions``.
        smoothing: for the two KL only; the others are finite without it.
        positions: for ``w1``: where each bin lies, ascending, (K,); 0, 1, 2… by default.

    Returns:
        NaN where a side holds no count at all: there is nothing to compare.

    Raises:
        ValueError: bins differ in number, there are none, or a count is negative or not finite.
    """
    h, a = _checked(human), _checked(agent)
    if h.shape[-1] != a.shape[-1]:
        raise ValueError(f"human has {h.shape[-1]} bins and agent {a.shape[-1]}; both need the same bins")
    if kind in ("kl", "kl_reverse"):
        p, q = smoothing.shares(h), smoothing.shares(a)
        if kind == "kl_reverse":
            p, q = q, p
        return np.asarray(rel_entr(p, q).sum(axis=-1))
    p, q = UNSMOOTHED.shares(h), UNSMOOTHED.shares(a)
    if kind == "js":
        mid = (p + q) / 2
        return np.asarray((rel_entr(p, mid) + rel_entr(q, mid)).sum(axis=-1) / 2)
    if kind == "tv":
        return np.asarray(np.abs(p - q).sum(axis=-1) / 2)
    if kind == "w1":
        at = np.arange(h.shape[-1]) if positions is None else np.asarray(positions, dtype=np.float64)
        gaps = np.diff(at)
        return np.asarray((np.abs(np.cumsum(p - q, axis=-1))[..., :-1] * gaps).sum(axis=-1))
    raise ValueError(f"unknown divergence {kind!r}: valid are {', '.join(KINDS)}")


def _checked(counts: npt.ArrayLike) -> Floats:
    array = np.asarray(counts, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise ValueError("a histogram needs at least one bin")
    if not np.all(np.isfinite(array)) or np.any(array < 0):
        raise ValueError("counts must be finite and not negative")
    return array


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
    """

    value: float
    floor: float
    n: float
    n_agent: float
    kind: Kind
    smoothing: Smoothing
    unreached: float
    floor_method: str


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
        human_counts: (K,) counts.
        agent_counts: (K,) counts in the same bins.
        smoothing: see ``Smoothing``.
        kind: see ``divergence_of_counts``.
        floor_draws: pairs of samples behind the floor.
        rng: for the floor; without one a generator with seed 0 is made, so the same input gives the same
            floor.

    Raises:
        ValueError: a side is empty, counts are negative, or the bins differ.
    """
    human, agent = _checked(human_counts), _checked(agent_counts)
    if human.ndim != 1 or agent.ndim != 1:
        raise ValueError("histogram_kl takes one histogram a side, shape (K,)")
    if human.sum() == 0 or agent.sum() == 0:
        raise ValueError("a histogram without any count cannot be compared: human and agent both need some")
    value = float(divergence_of_counts(human, agent, kind, smoothing=smoothing))
    rng = np.random.default_rng(0) if rng is None else rng
    shares = human / human.sum()
    sides = [rng.multinomial(max(1, round(c.sum())), shares, size=floor_draws) for c in (human, agent)]
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
    )


def unreached_mass(human_counts: npt.ArrayLike, agent_counts: npt.ArrayLike) -> float:
    """Returns the share of the humans, 0 to 1, in bins that hold no agent."""
    human, agent = _checked(human_counts), _checked(agent_counts)
    return float(human[agent == 0].sum() / human.sum())


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
        if _checked(self.human).shape != _checked(self.agent).shape or np.ndim(self.human) != 2:
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
        """Returns what was chosen and seen, in plain JSON."""
        smoothed = self.kind in ("kl", "kl_reverse")
        human, agent = self.human.sum(axis=0), self.agent.sum(axis=0)
        return {
            "divergence": self.kind,
            "smoothing": {"kind": self.smoothing.kind, "amount": self.smoothing.amount} if smoothed else None,
            "bins": self.human.shape[1],
            "edges": list(self.edges),
            "human_mass_unreached": unreached_mass(human, agent) if human.sum() > 0 else None,
        }
