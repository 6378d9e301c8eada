"""Exact log density, and the KDE divergence, against brute force."""

from __future__ import annotations

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from paars_bench.metrics import KdeStatistic, kde_kl, kde_log_density
from paars_bench.metrics.weighted_density import weighted_log_sums

Array = npt.NDArray[np.float64]


def unit(rng: np.random.Generator, n: int, d: int = 384) -> Array:
    x = rng.standard_normal((n, d))
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def brute(points: Array, at: Array, h: float) -> Array:
    kernels = np.array([[-np.sum((x - y) ** 2) / (2 * h * h) for y in points] for x in at])
    constant = points.shape[1] * np.log(h * np.sqrt(2 * np.pi))
    return np.asarray(logsumexp(kernels, axis=1) - np.log(len(points)) - constant)


@pytest.mark.parametrize("h", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("device", [None, "cpu"])
def test_log_density_is_exact_in_384_dimensions(h: float, device: str | None) -> None:
    rng = np.random.default_rng(0)
    points = unit(rng, 300)
    at = np.concatenate([points[:40] + h * rng.standard_normal((40, 384)), unit(rng, 20)])
    got = kde_log_density(points, at, h, device=device)
    assert np.max(np.abs(got - brute(points, at, h))) < 1e-3
    assert got == pytest.approx(brute(points, at, h), rel=1e-9)


@pytest.mark.parametrize("h", [0.01, 0.1, 1.0])
def test_a_cloud_far_from_the_origin_is_as_exact(h: float) -> None:
    rng = np.random.default_rng(9)
    points = 3 + unit(rng, 200)
    at = np.concatenate([points[:20] + h * rng.standard_normal((20, 384)), 3 + unit(rng, 10)])
    truth = brute(points, at, h)
    got = kde_log_density(points.astype(np.float32).astype(float), at, h)
    assert kde_log_density(points, at, h) == pytest.approx(truth, rel=1e-9)
    assert got == pytest.approx(truth, rel=1e-4), "float32 embeddings are read as they are"


def test_scikit_learn_agrees_where_it_is_right_and_is_nats_off_where_it_is_not() -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    rng = np.random.default_rng(8)
    for d, n in ((3, 1000), (384, 3000)):
        points = unit(rng, n, d)
        at = points[:30] + 0.1 * rng.standard_normal((30, d))
        theirs = neighbors.KernelDensity(bandwidth=0.1).fit(points).score_samples(at)
        ours, truth = kde_log_density(points, at, 0.1), brute(points, at, 0.1)
        assert np.max(np.abs(ours - truth)) < 1e-9
        off = np.mean(np.abs(theirs - truth))
        assert off < 1e-6 if d == 3 else off > 10


def test_memory_does_not_grow_with_the_number_of_kernels() -> None:
    rng = np.random.default_rng(10)
    points, at = rng.normal(size=(20_000, 8)), rng.normal(size=(2000, 8))
    tracemalloc.start()
    try:
        kde_log_density(points, at, 1.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 130e6, "the kernels together are 320 MB"


def test_blocks_do_not_change_the_sum() -> None:
    rng = np.random.default_rng(1)
    points, at = rng.normal(size=(9000, 3)), rng.normal(size=(1500, 3))
    left = rng.integers(-1, 9000, 1500)
    got = kde_log_density(points, at, 0.3, leave_out=left)
    for j in (0, 700, 1499):
        rest = points if left[j] < 0 else np.delete(points, left[j], axis=0)
        assert got[j] == pytest.approx(float(brute(rest, at[j : j + 1], 0.3)[0]))
    assert got == pytest.approx(kde_log_density(points, at, 0.3, leave_out=left, device="cpu"))


def test_leaving_out_the_only_point_leaves_no_density() -> None:
    assert kde_log_density([[0.0]], [[0.0]], 1.0, leave_out=[0])[0] == -np.inf


@pytest.mark.parametrize(
    ("points", "at", "h", "words"),
    [
        (np.zeros((0, 2)), np.zeros((1, 2)), 1.0, "at least one row"),
        (np.zeros((1, 2)), np.zeros((1, 3)), 1.0, "dimensions"),
        (np.zeros((1, 2)), np.zeros((1, 2)), 0.0, "bandwidth"),
        (np.full((1, 2), np.nan), np.zeros((1, 2)), 1.0, "not finite"),
    ],
)
def test_bad_points_are_clear_errors(points: Array, at: Array, h: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        kde_log_density(points, at, h)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1.0, 100.0, 1e4]), st.integers(1, 60))
def test_weighted_log_sums_survive_any_spread(seed: int, spread: float, size: int) -> None:
    rng = np.random.default_rng(seed)
    terms = -spread * rng.random((9, size))
    terms[0, 0] = -np.inf
    weights = rng.integers(0, 2, (8, size)).astype(np.float32)
    weights[0] = 0
    got = weighted_log_sums(terms, weights, np.ones((9, 8), dtype=bool))
    with np.errstate(divide="ignore"):
        expected = logsumexp(terms[:, None, :] + np.log(weights)[None].astype(float), axis=2)
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert np.all(got[:, 0] == -np.inf)


@pytest.mark.parametrize("h", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("estimator", ["leave_one_out", "paper"])
def test_statistic_equals_brute_force_on_repeated_points(h: float, estimator: str) -> None:
    """A weight of 2 is a point there twice; leaving one out leaves out both copies."""
    rng = np.random.default_rng(2)
    human, agent = unit(rng, 24, 16), unit(rng, 30, 16)
    h_rows, a_rows = rng.integers(0, 10, 24), rng.integers(0, 10, 30)
    stat = KdeStatistic.make(
        human,
        h_rows,
        agent,
        a_rows,
        size=10,
        bandwidth=h,
        estimator=estimator,
        mc_samples=50,
        mc_repeats=2,
        rng=rng,  # type: ignore[arg-type]
    )
    w_h, w_a = rng.integers(0, 3, (4, 10)), rng.integers(0, 3, (4, 10))
    got = stat.divergence(w_h, w_a)
    draws = stat.human.draws
    for r in range(4):
        gaps, weights = [], []
        for x, i in zip(draws.at, draws.origin, strict=True):
            w = int(w_h[r, h_rows[i]])
            if not w:
                continue
            keep = np.arange(24) != i if estimator == "leave_one_out" else np.ones(24, dtype=bool)
            p = np.repeat(human[keep], w_h[r, h_rows[keep]], axis=0)
            q = np.repeat(agent, w_a[r, a_rows], axis=0)
            gaps.append(brute(p, x[None], h)[0] - brute(q, x[None], h)[0])
            weights.append(w)
        assert got[r] == pytest.approx(np.average(gaps, weights=weights), rel=1e-9)


def test_one_effective_human_point_is_undefined_and_never_a_number() -> None:
    rng = np.random.default_rng(3)
    stat = KdeStatistic.make(unit(rng, 3, 8), [0, 1, 2], unit(rng, 3, 8), [0, 1, 2], size=3, rng=rng)
    only_first = np.array([[1, 0, 0], [2, 1, 0], [0, 0, 0], [1, 1, 1]])
    value = stat.divergence(only_first, np.array([[1, 1, 1], [1, 0, 0], [1, 1, 1], [0, 0, 0]]))
    assert np.isnan(value).tolist() == [True, False, True, True]


def test_other_agents_share_the_draws_and_the_floor_is_the_humans_themselves() -> None:
    rng = np.random.default_rng(4)
    human, rows = unit(rng, 40, 8), np.arange(40)
    stat = KdeStatistic.make(human, rows, unit(rng, 40, 8), rows, size=40, estimator="paper", rng=rng)
    one = np.ones((1, 40))
    assert stat.human_floor().divergence(one, one)[0] == pytest.approx(0, abs=1e-9)
    assert stat.human_floor().human is stat.human


def test_leave_one_out_reads_about_nothing_where_the_paper_reads_noise() -> None:
    rng = np.random.default_rng(5)
    points = unit(rng, 400)
    loo = kde_kl(points[:200], points[200:], mc_samples=200, rng=rng)
    paper = kde_kl(points[:200], points[200:], mc_samples=200, estimator="paper", rng=rng)
    assert abs(loo.value) < 1.5 and abs(loo.floor) < 1.5
    assert paper.value > 20
    assert (loo.n, loo.n_agent, loo.floor_n, len(loo.repeats)) == (200, 200, 100, 5)


def test_plain_arrays_and_weights_agree() -> None:
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(300, 2)), rng.normal(0.5, 1, size=(300, 2))
    rows, one = np.arange(300), np.ones((1, 300))
    plain = kde_kl(x, y, bandwidth=0.4, mc_samples=3000, rng=rng).value
    stat = KdeStatistic.make(x, rows, y, rows, size=300, bandwidth=0.4, mc_samples=3000, rng=rng)
    assert stat.divergence(one, one)[0] == pytest.approx(plain, abs=0.01)


def test_kde_kl_says_what_it_needs() -> None:
    rng = np.random.default_rng(7)
    with pytest.raises(ValueError, match="at least 4 human points"):
        kde_kl(unit(rng, 3, 4), unit(rng, 9, 4), rng=rng)
    with pytest.raises(ValueError, match="unknown estimator 'loo'"):
        kde_kl(unit(rng, 9, 4), unit(rng, 9, 4), estimator="loo", rng=rng)  # type: ignore[arg-type]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_of_shoppers_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    human, agent = unit(rng, 30, 8), unit(rng, 25, 8)
    h_rows, a_rows = rng.integers(0, 12, 30), rng.integers(0, 12, 25)
    weights, moved = rng.integers(0, 3, (2, 6, 12)), rng.permutation(12)
    values = []
    for place in (np.arange(12), moved):
        stat = KdeStatistic.make(
            human, place[h_rows], agent, place[a_rows], size=12, mc_samples=60, rng=np.random.default_rng(seed)
        )
        w_h, w_a = np.empty_like(weights)
        w_h[:, place], w_a[:, place] = weights
        values.append(stat.divergence(w_h, w_a))
    assert values[0] == pytest.approx(values[1], rel=1e-9, nan_ok=True)
