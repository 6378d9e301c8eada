"""The bandwidth sweep shares its draws, and the likelihood finds a bandwidth that fits."""

from __future__ import annotations

import numpy as np
import pytest

from paars_bench.metrics import bandwidth_by_likelihood, kde_kl, kde_sweep


def test_a_sweep_has_a_row_a_bandwidth_on_the_same_draws() -> None:
    rng = np.random.default_rng(0)
    human, agent = rng.normal(size=(80, 5)), rng.normal(0.5, 1, size=(90, 5))
    rows = kde_sweep(human, agent, [0.2, 0.5, 1.0, 0.5], mc_samples=80, mc_repeats=2, rng=np.random.default_rng(1))
    assert [r.bandwidth for r in rows] == [0.2, 0.5, 1.0, 0.5]
    assert rows[1] == rows[3], "the same draws, so the same number"
    assert all((r.n, r.n_agent, r.floor_n) == (80, 90, 40) for r in rows)
    assert rows[0].value > rows[2].value
    seed = int(np.random.default_rng(1).integers(2**63))
    alone = kde_kl(human, agent, bandwidth=0.5, mc_samples=80, mc_repeats=2, rng=np.random.default_rng(seed))
    assert alone == rows[1]
    with pytest.raises(ValueError, match="at least one bandwidth"):
        kde_sweep(human, agent, [], rng=rng)


def test_the_likeliest_bandwidth_is_near_the_best_for_a_gaussian() -> None:
    rng = np.random.default_rng(2)
    points = rng.normal(size=(400, 1))
    candidates = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
    got = bandwidth_by_likelihood(points, candidates, np.arange(400), rng)
    silverman = 1.06 * 400**-0.2  # 0.32
    assert got.bandwidth == min(candidates, key=lambda h: abs(np.log(h / silverman)))
    assert not got.at_edge and (got.folds, got.n, got.shoppers) == (5, 400, 400)
    assert got.log_likelihood[3] == max(got.log_likelihood)
    assert bandwidth_by_likelihood(points, [0.01, 0.03], np.arange(400), rng).at_edge


def test_shoppers_are_held_out_whole() -> None:
    """Ten near copies a shopper: held out point by point, the narrowest bandwidth would win."""
    rng = np.random.default_rng(3)
    rows = np.repeat(np.arange(40), 10)
    points = rng.normal(size=(40, 2))[rows] + 0.001 * rng.normal(size=(400, 2))
    candidates = [0.001, 0.01, 0.5]
    assert bandwidth_by_likelihood(points, candidates, rows, rng).bandwidth == 0.5
    assert bandwidth_by_likelihood(points, candidates, np.arange(400), rng).bandwidth < 0.5


def test_what_cannot_be_chosen_is_said() -> None:
    rng = np.random.default_rng(4)
    points = rng.normal(size=(6, 2))
    with pytest.raises(ValueError, match="above 0"):
        bandwidth_by_likelihood(points, [0.0, 1.0], np.arange(6), rng)
    with pytest.raises(ValueError, match="2 shoppers"):
        bandwidth_by_likelihood(points, [1.0], np.zeros(6, dtype=int), rng)
    assert bandwidth_by_likelihood(points, [1.0], [0, 0, 0, 1, 1, 1], rng).folds == 2
