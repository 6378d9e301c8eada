"""Paired differences and equivalence: nothing differs from itself, real differences are found, margins decide."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paars_bench.metrics import (
    CountBins,
    GroupResult,
    HistogramStatistic,
    Measured,
    ResamplingPlan,
    difference_equivalence,
    divergence_equivalence,
    evaluate_group,
    measure,
    paired_divergences,
    paired_means,
    score_equivalence,
)

SIZE = 120
ROWS = np.repeat(np.arange(SIZE), 3)
BINS = CountBins(0, 8)


def plan_of(size: int = SIZE, seed: int = 0) -> ResamplingPlan:
    shoppers = [f"s{i:03d}" for i in range(size)]
    return ResamplingPlan.make(shoppers, resamples=999, splits=200, rng=np.random.default_rng(seed))


PLAN = plan_of()


def statistic(seed: int, stops: float = 1.0) -> HistogramStatistic:
    rng = np.random.default_rng(seed)
    rate = 0.2 + 0.6 * rng.beta(3, 3, SIZE)
    human, agent = (BINS.counts(rng.geometric(np.minimum(1, s * rate)[ROWS]) - 1, ROWS, SIZE) for s in (1.0, stops))
    return HistogramStatistic(human, agent)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.floats(-1, 1)), min_size=1, max_size=30))
def test_a_mean_does_not_differ_from_itself(cases: list[tuple[int, float]]) -> None:
    rows, values = [r for r, _ in cases], [v for _, v in cases]
    got = paired_means(values, rows, values, rows, plan_of(8))
    assert got.difference == 0
    if len(set(rows)) >= 2:
        assert got.ci is not None and (got.ci.low, got.ci.high, got.p) == (0, 0, 1)


def test_a_divergence_does_not_differ_from_itself() -> None:
    one = measure(statistic(0, 0.7), PLAN)
    got = paired_divergences(one, one)
    assert (got.difference, got.p) == (0, 1)
    assert got.ci is not None and (got.ci.low, got.ci.high) == (0, 0) and "no spread" in got.ci.note


def test_pairing_sees_what_two_intervals_do_not() -> None:
    rng = np.random.default_rng(1)
    home = rng.normal(size=SIZE)[ROWS]
    a, b = (home + 0.2 * rng.normal(size=len(ROWS)) for _ in range(2))
    got = paired_means(a + 0.1, ROWS, b, ROWS, PLAN)
    assert got.ci is not None and got.ci.low > 0 and got.p is not None and got.p < 0.01
    back = paired_means(b, ROWS, a + 0.1, ROWS, PLAN)
    assert back.ci is not None and (back.ci.low, back.ci.high) == pytest.approx((-got.ci.high, -got.ci.low))
    alone = paired_means(a + 0.1, ROWS, b, rng.permutation(SIZE)[ROWS], PLAN)
    assert alone.ci is not None and alone.ci.high - alone.ci.low > 3 * (got.ci.high - got.ci.low)


def test_swaps_reject_nothing_that_does_not_differ_more_often_than_they_say() -> None:
    rejected = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rate = rng.beta(2, 4, SIZE)[ROWS]
        a, b = ((rng.random(len(ROWS)) < rate) * 1.0 for _ in range(2))
        p = paired_means(a[20:], ROWS[20:], b, ROWS, PLAN).p
        rejected += p is not None and p < 0.05
    assert rejected <= 11, "5 expected of 100; more than 11 in 0.4 %"


def test_shoppers_without_a_case_and_sides_without_any() -> None:
    assert paired_means([], [], [1.0], [0], PLAN).difference is None
    alone = paired_means([1.0], [0], [0.0], [1], PLAN)
    assert alone.difference == 1 and alone.ci is None and alone.p is None
    few = paired_means([1.0, 0, 0, 0], [0, 1, 2, 3], [0.0, 0, 0, 0], [0, 1, 2, 3], PLAN)
    assert few.ci is not None and "fewer than 10 shoppers differ" in few.ci.note


def test_the_nearer_condition_has_the_smaller_divergence() -> None:
    near, far = statistic(2, 0.9), statistic(2, 0.5)
    assert np.array_equal(near.human, far.human)
    got = paired_divergences(measure(near, PLAN), measure(far, PLAN))
    assert got.difference is not None and got.difference < 0
    assert got.ci is not None and got.ci.high < 0 and got.p is not None and got.p < 0.01
    assert got.n == 6 * SIZE and got.clusters == SIZE


def test_measures_of_two_plans_are_refused() -> None:
    other = ResamplingPlan.make(PLAN.shoppers, resamples=1, splits=30, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="one plan"):
        paired_divergences(measure(statistic(0), PLAN), measure(statistic(0), other))


def test_a_measure_without_spread_has_a_difference_and_no_interval() -> None:
    parts = [measure(statistic(0, s), PLAN, spread=False) for s in (1.0, 0.7)]
    got = paired_divergences(*parts)
    assert got.difference is not None and got.ci is None and got.p is None


def evaluated(stops: float) -> GroupResult:
    stat = statistic(3, stops)
    uniform: Measured = measure(stat.with_agent(np.full_like(stat.human, 3 / BINS.size)), PLAN)
    return evaluate_group(stat, stat.human_floor(), PLAN, uninformed=uniform)


def test_alike_is_equivalent_within_a_margin_and_not_within_a_tiny_one() -> None:
    alike, other = evaluated(1.0), evaluated(0.5)
    assert divergence_equivalence(alike, 0.1).equivalent and score_equivalence(alike, 20).equivalent
    assert not divergence_equivalence(alike, 1e-4).equivalent
    assert not divergence_equivalence(other, 0.1).equivalent and not score_equivalence(other, 20).equivalent


@pytest.mark.parametrize("stops", [1.0, 0.8, 0.5])
def test_bound_and_p_decide_alike(stops: float) -> None:
    result = evaluated(stops)
    for margin in (0.001, 0.01, 0.05, 0.2, 1.0):
        got = divergence_equivalence(result, margin, level=0.9)
        assert got.equivalent == (got.bound < margin) == (got.p < 0.1)
        points = score_equivalence(result, 100 * margin)
        assert points.equivalent == (points.bound > 100 - 100 * margin)


def test_two_one_sided_tests_take_either_direction() -> None:
    rng = np.random.default_rng(4)
    a, b = (rng.normal(size=len(ROWS)) for _ in range(2))
    there, back = paired_means(a, ROWS, b, ROWS, PLAN), paired_means(b, ROWS, a, ROWS, PLAN)
    assert difference_equivalence(there, 0.5).equivalent and difference_equivalence(back, 0.5).equivalent
    assert difference_equivalence(there, 0.5).p == pytest.approx(difference_equivalence(back, 0.5).p)
    assert not difference_equivalence(there, 0.01).equivalent


def test_no_margin_and_no_interval_are_errors() -> None:
    result = evaluated(1.0)
    with pytest.raises(ValueError, match="above 0, got 0"):
        divergence_equivalence(result, 0)
    with pytest.raises(ValueError, match="lacks one"):
        divergence_equivalence(dataclasses.replace(result, ci=None, se=None), 0.1)
    with pytest.raises(ValueError, match="no reference"):
        score_equivalence(evaluate_group(statistic(3), statistic(3).human_floor(), PLAN), 5)
    with pytest.raises(ValueError, match="with an interval"):
        difference_equivalence(paired_means([1.0], [0], [0.0], [1], PLAN), 0.1)
