"""Two ways to look at the bandwidth of a KDE divergence: every one (paper, Appendix D), or the likeliest.

The paper's KL moves from thousands of nats to none as the bandwidth grows, so one value of it says little; and a
bandwidth chosen for the agents' sake would be a different ruler for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.density import _points, check_bandwidth, kde_log_density
from paars_bench.metrics.kde import Estimator, KdeKl, kde_kl
from paars_bench.metrics.resampling import checked_rows


def kde_sweep(
    human: npt.ArrayLike,
    agent: npt.ArrayLike,
    bandwidths: Sequence[float],
    *,
    estimator: Estimator = "leave_one_out",
    mc_samples: int = 1000,
    mc_repeats: int = 5,
    rng: np.random.Generator,
    floor_splits: int = 5,
    device: str | None = None,
) -> tuple[KdeKl, ...]:
    """Returns the KDE divergence at each bandwidth, with value, floor and n (paper, Appendix D).

    All bandwidths share one set of draws: the same points make them, with the same noise in units of the
    bandwidth, and the floors come from the same halves. So a curve over bandwidths is smooth.

    Args:
        human: (n, d) points, n at least 4.
        agent: (m, d) points.
        bandwidths: above 0, in the order wanted.
        estimator: as ``kde_kl``.
        mc_samples: as ``kde_kl``.
        mc_repeats: as ``kde_kl``.
        rng: the only source of chance.
        floor_splits: as ``kde_kl``.
        device: as ``kde_kl``.

    Raises:
        ValueError: as ``kde_kl``, or no bandwidth.
    """
    if len(bandwidths) == 0:
        raise ValueError("a sweep needs at least one bandwidth")
    seed = int(rng.integers(2**63))
    return tuple(
        kde_kl(
            human,
            agent,
            bandwidth=float(bandwidth),
            estimator=estimator,
            mc_samples=mc_samples,
            mc_repeats=mc_repeats,
            rng=np.random.default_rng(seed),
            floor_splits=floor_splits,
            device=device,
        )
        for bandwidth in bandwidths
    )


class BandwidthChoice(NamedTuple):
    """A bandwidth chosen by held-out likelihood.

    Attributes:
        bandwidth: the likeliest candidate.
        candidates: in the order given.
        log_likelihood: of each, in nats a point, mean over all points, each held out once.
        at_edge: whether it is the smallest or largest candidate, so that a better one may lie outside.
        folds: groups of shoppers.
        n: points.
        shoppers: that have any.
    """

    bandwidth: float
    candidates: tuple[float, ...]
    log_likelihood: tuple[float, ...]
    at_edge: bool
    folds: int
    n: int
    shoppers: int


def bandwidth_by_likelihood(
    points: npt.ArrayLike,
    candidates: Sequence[float],
    rows: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    folds: int = 5,
) -> BandwidthChoice:
    """Chooses the bandwidth under which held-out shoppers' points are likeliest.

    Shoppers are held out whole, since a shopper's other points would give the held-out ones away. Points that
    several shoppers share pull the choice down. Ties go to the larger bandwidth.

    Args:
        points: (n, d), of the humans.
        candidates: bandwidths above 0.
        rows: (n,) which shopper each point belongs to, 0 and over.
        rng: deals the shoppers into folds.
        folds: groups, each held out once; 2 to the number of shoppers, or as many as there are shoppers.

    Raises:
        ValueError: no candidate, one that is not above 0, fewer than two folds or two shoppers.
    """
    x = _points(points, "points")
    shopper = checked_rows(rows, len(x), None)
    if len(candidates) == 0:
        raise ValueError("candidates must hold at least one bandwidth above 0, got none")
    for candidate in candidates:
        check_bandwidth(candidate)
    names, place = np.unique(shopper, return_inverse=True)
    folds = min(folds, len(names))
    if folds < 2:
        raise ValueError(f"holding out shoppers needs at least 2 folds and 2 shoppers, got {folds} and {len(names)}")
    fold = rng.permutation(np.arange(len(names)) % folds)[place]
    held = [(x[fold != f], x[fold == f]) for f in range(folds)]
    likelihood = tuple(
        float(sum(kde_log_density(rest, out, h).sum() for rest, out in held)) / len(x) for h in map(float, candidates)
    )
    best = max(range(len(candidates)), key=lambda i: (likelihood[i], candidates[i]))
    chosen = float(candidates[best])
    at_edge = chosen in (min(candidates), max(candidates))
    return BandwidthChoice(chosen, tuple(map(float, candidates)), likelihood, at_edge, folds, len(x), len(names))
