"""The protocol: a human-like population scores 100, the reference 0, and nothing is silently undefined."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from paars_bench.metrics import (
    CountBins,
    GroupResult,
    HistogramStatistic,
    KdeStatistic,
    ResamplingPlan,
    evaluate_group,
    measure,
)
from paars_bench.metrics.group import NO_ROOM


def plan_of(size: int, seed: int = 0, splits: int = 200) -> ResamplingPlan:
    return ResamplingPlan.make(
        [f"s{i:04d}" for i in range(size)], resamples=1, splits=splits, rng=np.random.default_rng(seed)
    )


def population(seed: int, size: int = 60, stop_more: float = 1.0) -> tuple[HistogramStatistic, HistogramStatistic]:
    """Three sessions a shopper, each shopper with an own rate; returns agents and a uniform reference."""
    rng = np.random.default_rng(seed)
    rate = rng.beta(3, 3, size) * 0.6 + 0.2
    rows = np.repeat(np.arange(size), 3)
    human = rng.geometric(rate[rows]) - 1
    agent = rng.geometric(np.minimum(1, stop_more * rng.permutation(rate)[rows])) - 1
    bins = CountBins.from_humans(human)
    counts = bins.counts(human, rows, size)
    stat = HistogramStatistic(counts, bins.counts(agent, rows, size), edges=bins.edges)
    return stat, stat.with_agent(np.full_like(counts, 3 / bins.size))


def evaluated(seed: int, **kwargs: float) -> GroupResult:
    stat, uniform = population(seed, **kwargs)  # type: ignore[arg-type]
    return evaluate_group(stat, stat.human_floor(), plan_of(len(stat.human), seed), uninformed=uniform)


def test_humans_score_exactly_100_and_the_reference_exactly_0() -> None:
    stat, uniform = population(0)
    plan = plan_of(60)
    human = evaluate_group(stat.human_floor(), stat.human_floor(), plan, uninformed=uniform)
    nothing = evaluate_group(uniform, stat.human_floor(), plan, uninformed=uniform)
    assert human.score == pytest.approx(100) and nothing.score == pytest.approx(0)
    assert human.full_sample == pytest.approx(0), "against their own twins, which is why the value is cross-half"
    assert human.value is not None and human.value > 0.01


def test_a_human_like_population_averages_100_and_its_interval_covers() -> None:
    results = [evaluated(seed) for seed in range(60)]
    scores = [r.score for r in results if r.score is not None]
    assert len(scores) == 60
    assert np.mean(scores) == pytest.approx(100, abs=2)
    covered = [r.score_ci is not None and r.score_ci.low <= 100 <= r.score_ci.high for r in results]
    assert np.mean(covered) >= 0.9
    assert np.mean([r.null_low <= r.value <= r.null_high for r in results]) >= 0.8  # type: ignore[operator]


def test_other_behaviour_scores_lower_and_lies_above_the_null_band() -> None:
    result = evaluated(1, size=200, stop_more=0.5)
    assert result.score is not None and result.score < 90
    assert result.value is not None and result.null_high is not None and result.value > result.null_high
    assert result.ci is not None and result.ci.low < result.value < result.ci.high
    assert (result.n_human, result.n_agent, result.clusters) == (600, 600, 200)


def test_twenty_shoppers_give_finite_numbers_in_strict_json() -> None:
    for seed in range(10):
        result = evaluated(seed, size=20)
        json.dumps(dataclasses.asdict(dataclasses.replace(result, score_spread=None)), allow_nan=False)
        assert result.score is not None and np.isfinite(result.score)


def test_the_better_reference_counts() -> None:
    stat, uniform = population(2)
    near = stat.with_agent(stat.human * 0.5 + uniform.agent * 0.5)
    result = evaluate_group(stat, stat.human_floor(), plan_of(60), uninformed=uniform, base=near)
    assert result.reference is not None and result.reference.kind == "base"
    assert result.reference.value < measure(uniform, plan_of(60), spread=False).value


def test_a_base_as_human_as_the_humans_is_no_zero() -> None:
    """Dividing by the gap between such a base and the floor would measure the noise of the floor."""
    stat, uniform = population(2)
    good = stat.with_agent(stat.human)
    result = evaluate_group(stat, stat.human_floor(), plan_of(60), uninformed=uniform, base=good)
    assert result.reference is not None and result.reference.kind == "uninformed"
    assert result.score == evaluate_group(stat, stat.human_floor(), plan_of(60), uninformed=uniform).score


def test_a_reference_at_the_floor_gives_no_score_and_says_why() -> None:
    stat, _ = population(3)
    result = evaluate_group(stat, stat.human_floor(), plan_of(60), uninformed=stat.human_floor())
    assert result.score is None and result.score_ci is None
    assert result.score_note == NO_ROOM
    assert result.value is not None


def test_measured_parts_give_the_same_as_statistics() -> None:
    stat, uniform = population(4)
    plan = plan_of(60)
    once = evaluate_group(
        stat, measure(stat.human_floor(), plan, spread=False), plan, uninformed=measure(uniform, plan)
    )
    assert once == evaluate_group(stat, stat.human_floor(), plan, uninformed=uniform)


def test_halves_and_resamples_without_an_observation_are_counted() -> None:
    human = np.zeros((30, 2))
    human[0] = [2, 1]
    stat = HistogramStatistic(human, human)
    result = evaluate_group(stat, stat, plan_of(30), uninformed=stat.with_agent(human[:, ::-1]))
    assert result.value is None and result.ci is None and result.score is None
    assert result.undefined.value_splits == 400 and result.undefined.floor_splits == 400
    assert result.undefined.spread_splits == 200, "the one shopper is in one half of each split"
    json.dumps(dataclasses.asdict(dataclasses.replace(result, score_spread=None)), allow_nan=False)


def test_permuting_the_shoppers_moves_nothing_but_chance() -> None:
    stat, _ = population(5)
    order = np.random.default_rng(0).permutation(60)
    moved = HistogramStatistic(stat.human[order], stat.agent[order])
    plan = plan_of(60)
    weights = plan.halves
    assert moved.divergence(weights[:, order], weights[:, order]) == pytest.approx(stat.divergence(weights, weights))


def test_the_interval_of_a_mean_shift_covers_what_repeated_samples_average() -> None:
    results = [evaluated(seed, size=80, stop_more=0.6) for seed in range(60)]
    target = np.mean([r.value for r in results if r.value is not None])
    covered = [r.ci is not None and r.ci.low <= target <= r.ci.high for r in results]
    assert 0.85 <= np.mean(covered) <= 1


def test_embeddings_run_through_the_same_protocol() -> None:
    rng = np.random.default_rng(6)
    size, d = 60, 16
    home = rng.normal(size=(size, d))
    rows = np.repeat(np.arange(size), 3)
    human = home[rows] + 0.5 * rng.normal(size=(180, d))
    agent = rng.normal(size=(size, d))[rows] + 0.5 * rng.normal(size=(180, d))
    stat = KdeStatistic.make(human, rows, agent, rows, size=size, bandwidth=0.7, mc_samples=200, rng=rng)
    plan = plan_of(size, splits=100)
    shifted = stat.with_agent(agent + 1.0, rows)
    result = evaluate_group(stat, stat.human_floor(), plan, uninformed=shifted)
    assert result.score == pytest.approx(100, abs=25)
    assert result.score_ci is not None and result.score_ci.low < 100 < result.score_ci.high
    assert result.estimator["bandwidth"] == 0.7 and result.estimator["splits"] == 100
