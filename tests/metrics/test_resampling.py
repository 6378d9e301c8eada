"""The plan: balanced halves, multinomial weights, one row a shopper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paars_bench.metrics import ResamplingPlan
from paars_bench.metrics.resampling import sums_by_row, weighted_sums


@settings(max_examples=25, deadline=None)
@given(st.sets(st.text(min_size=1, max_size=4), min_size=2, max_size=40), st.integers(0, 2**32))
def test_weights_sum_to_the_shoppers_and_halves_are_balanced(ids: set[str], seed: int) -> None:
    plan = ResamplingPlan.make([*ids, *ids], resamples=7, splits=5, rng=np.random.default_rng(seed))
    assert plan.shoppers == tuple(sorted(ids))
    assert plan.boot.shape == (7, len(ids)) and plan.halves.shape == (5, len(ids))
    assert np.all(plan.boot.sum(axis=1) == len(ids))
    assert np.all(np.abs(plan.halves.sum(axis=1) * 2 - len(ids)) <= 1)
    assert [plan.shoppers[i] for i in plan.rows(list(ids))] == list(ids)


def test_same_seed_same_plan_and_order_of_ids_does_not_matter() -> None:
    one = ResamplingPlan.make(["b", "a", "c"], resamples=50, rng=np.random.default_rng(3))
    two = ResamplingPlan.make(["c", "b", "a", "a"], resamples=50, rng=np.random.default_rng(3))
    assert np.array_equal(one.boot, two.boot) and np.array_equal(one.halves, two.halves)
    assert np.array_equal(one.swaps, two.swaps)


def test_counts_have_multinomial_mean_and_variance() -> None:
    boot = ResamplingPlan.make([str(i) for i in range(50)], resamples=20_000, rng=np.random.default_rng(0)).boot
    assert boot.mean() == pytest.approx(1)
    assert boot.var() == pytest.approx(1 - 1 / 50, abs=0.01)


def test_swaps_are_fair_coins_for_any_number_of_shoppers() -> None:
    swaps = ResamplingPlan.make([str(i) for i in range(11)], resamples=20_000, rng=np.random.default_rng(0)).swaps
    assert swaps.shape == (20_000, 11) and swaps.dtype == np.bool_
    assert swaps.mean(axis=0) == pytest.approx(np.full(11, 0.5), abs=0.02)
    assert np.corrcoef(swaps.T)[np.triu_indices(11, 1)] == pytest.approx(np.zeros(55), abs=0.04)


def test_too_few_shoppers_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match="at least 2 shoppers, got 1"):
        ResamplingPlan.make(["a", "a"], rng=np.random.default_rng(0))


def test_weighted_sums_equal_a_plain_product() -> None:
    rng = np.random.default_rng(1)
    values, rows = rng.normal(size=90), rng.integers(0, 30, 90)
    plan = ResamplingPlan.make([str(i) for i in range(30)], resamples=11, rng=rng)
    expected = [sum(w[r] * v for v, r in zip(values, rows, strict=True)) for w in plan.boot]
    assert weighted_sums(plan.boot, sums_by_row(values, rows, 30)) == pytest.approx(np.array(expected))
