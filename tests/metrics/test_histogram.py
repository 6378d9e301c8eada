"""Histogram divergences against definitions, SciPy and the paper's dice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from paars_bench.metrics import KINDS, CountBins, HistogramStatistic, Smoothing, divergence_of_counts, histogram_kl

COUNTS = st.lists(st.integers(0, 50), min_size=2, max_size=9).filter(lambda c: sum(c) > 0)
PAIRS = st.integers(2, 9).flatmap(
    lambda k: st.tuples(*[st.lists(st.integers(0, 50), min_size=k, max_size=k).filter(any)] * 2)
)


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_finite_and_not_negative_also_on_disjoint_support(pair: tuple[list[int], list[int]]) -> None:
    for kind in KINDS:
        value = divergence_of_counts(*pair, kind)
        assert np.isfinite(value) and value >= -1e-12


@given(COUNTS)
def test_zero_on_identical_histograms(counts: list[int]) -> None:
    for kind in KINDS:
        assert divergence_of_counts(counts, counts, kind) == pytest.approx(0, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_js_and_w1_agree_with_scipy(pair: tuple[list[int], list[int]]) -> None:
    h, a = pair
    at = np.arange(len(h)) ** 2
    assert divergence_of_counts(h, a, "js") == pytest.approx(jensenshannon(h, a) ** 2, abs=1e-9)
    assert divergence_of_counts(h, a, "w1", positions=at) == pytest.approx(wasserstein_distance(at, at, h, a))


def test_reverse_swaps_the_sides() -> None:
    h, a = [5, 1, 0], [1, 1, 9]
    assert divergence_of_counts(h, a, "kl_reverse") == pytest.approx(float(divergence_of_counts(a, h, "kl")))


def test_kl_against_a_worked_example() -> None:
    # add 1/2 to (1, 0) and (0, 1): (3/4, 1/4) against (1/4, 3/4)
    assert divergence_of_counts([1, 0], [0, 1]) == pytest.approx(0.5 * np.log(3))


def test_epsilon_mode_is_two_nats_a_decade_where_most_of_the_humans_are_missed() -> None:
    human, always_three = [200] * 5, [0, 0, 1000, 0, 0]
    values = [histogram_kl(human, always_three, smoothing=Smoothing("epsilon", e)).value for e in (1e-6, 4e-7, 1e-7)]
    assert values[0] == pytest.approx(9.44, abs=0.02)
    assert values[1] == pytest.approx(10.17, abs=0.02)
    assert values[2] - values[0] == pytest.approx(0.8 * np.log(10), abs=1e-3)
    assert histogram_kl(human, always_three).unreached == pytest.approx(0.8)


def test_floor_of_two_samples_matches_its_first_order_value() -> None:
    # (K - 1) / 2 * (1/n + 1/m), the expectation for large counts
    got = histogram_kl([200] * 5, [200] * 5, floor_draws=4000, rng=np.random.default_rng(0))
    assert got.floor == pytest.approx(2 * (1 / 1000 + 1 / 1000), rel=0.1)
    assert "multinomial" in got.floor_method and got.n == 1000


@pytest.mark.parametrize(
    ("human", "agent", "words"),
    [
        ([0, 0], [1, 2], "without any count"),
        ([1, 2], [0, 0], "without any count"),
        ([1, 2], [1, 2, 3], "same bins"),
        ([], [], "at least one bin"),
        ([1, -1], [1, 1], "not negative"),
        ([1, np.nan], [1, 1], "finite"),
    ],
)
def test_bad_histograms_are_clear_errors(human: list[float], agent: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        histogram_kl(human, agent)


def test_bins_come_from_the_humans_and_the_tail_is_open() -> None:
    bins = CountBins.from_humans([0, 2, 5])
    assert bins.edges == (0, 1, 2, 3, 4, 5, 6)
    counts = bins.counts([0, 6, 5, 999], [0, 0, 1, 1], 3)
    assert counts.tolist() == [[1, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 1, 1], [0] * 7]


def test_a_tail_share_folds_the_rare_large_values_only() -> None:
    bins = CountBins.from_humans([1] * 98 + [2, 400], start=1, tail_share=0.01)
    assert bins.edges == (1, 2, 3)


def test_bins_refuse_what_they_cannot_hold() -> None:
    with pytest.raises(ValueError, match="no human value"):
        CountBins.from_humans([])
    with pytest.raises(ValueError, match="below 1"):
        CountBins(1, 4).counts([0], [0], 1)
    with pytest.raises(ValueError, match="integers"):
        CountBins.from_humans([0.5])


def test_statistic_is_the_divergence_of_the_weighted_counts() -> None:
    rng = np.random.default_rng(0)
    human, agent = rng.integers(0, 4, (6, 3)).astype(float), rng.integers(0, 4, (6, 3)).astype(float)
    w_h, w_a = rng.integers(0, 3, (5, 6)), rng.integers(0, 3, (5, 6))
    w_a[4] = 0
    got = HistogramStatistic(human, agent).divergence(w_h, w_a)
    for r in range(4):
        assert got[r] == pytest.approx(histogram_kl(w_h[r] @ human, w_a[r] @ agent).value)
    assert np.isnan(got[4])
