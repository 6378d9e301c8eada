"""When shoppers leave: the hazard of leaving by step, and how far apart two populations' hazards are.

A hazard looks at one decision at a time, among those who are still there. Distances of how many are gone so far
(Wasserstein-1, Kolmogorov-Smirnov) carry an early difference on through all later steps; the other way round, they see
a small shift that is the same at every step better: design/estimators.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.resampling import Floats
from paars_bench.metrics.smoothing import checked_counts


class Hazards(NamedTuple):
    """A discrete life table without censoring.

    Attributes:
        hazard: (..., K) share of those still there that leaves in this bin, 0 to 1; NaN where nobody is there.
        at_risk: (..., K) how many are still there: the count of this bin and all later ones.
    """

    hazard: Floats
    at_risk: Floats


def hazards_of_counts(counts: npt.ArrayLike) -> Hazards:
    """Returns the hazard of each bin along the last axis.

    Args:
        counts: (..., K) how many left in each bin, in order; fractions are allowed. Everybody has left in the end, so
            the last bin that holds anybody has hazard 1.

    Raises:
        ValueError: there is no bin, or a count is negative or not finite.

    Reference:
        Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data, 2nd ed., section 1.2.
    """
    left = checked_counts(counts)
    at_risk = np.flip(np.cumsum(np.flip(left, axis=-1), axis=-1), axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Hazards(np.asarray(np.where(at_risk > 0, left / at_risk, np.nan)), np.asarray(at_risk))


def hazard_gap(human: npt.ArrayLike, agent: npt.ArrayLike) -> Floats:
    """Returns the mean absolute difference of two hazards over the steps that humans make: (..., K) twice gives (...).

    Each bin weighs as many humans as are still there. The last bin is the open tail: it says how many stay longer and
    not when they leave, so it has no hazard of its own and takes no part. Where no agent is still there, all of them
    have left, and the agents' hazard counts as 1.

    Args:
        human: counts of leaving by step, the last bin open.
        agent: counts in the same bins.

    Returns:
        0 to 1; NaN where a side holds no count at all.

    Raises:
        ValueError: there are fewer than two bins, the bins differ in number, or a count is negative or not finite.
    """
    h, a = hazards_of_counts(human), hazards_of_counts(agent)
    if h.hazard.shape[-1] != a.hazard.shape[-1] or h.hazard.shape[-1] < 2:
        raise ValueError(
            f"hazards need two bins at least and the same on both sides, got {h.hazard.shape[-1]} and "
            f"{a.hazard.shape[-1]}"
        )
    anybody = (h.at_risk[..., 0] > 0) & (a.at_risk[..., 0] > 0)
    there = h.at_risk[..., :-1]
    gaps = np.abs(np.nan_to_num(h.hazard[..., :-1], nan=1.0) - np.nan_to_num(a.hazard[..., :-1], nan=1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(anybody, (there * gaps).sum(axis=-1) / there.sum(axis=-1), np.nan))
