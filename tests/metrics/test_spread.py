"""The spread from half-splits: right for a mean, known for a quadratic statistic, and it says where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from paars_bench.metrics import HistogramStatistic, PointSides, ResamplingPlan, Spread, evaluate_group, point_statistic
from paars_bench.metrics.spread import NEAR_FLOOR


def plan_of(size: int, splits: int = 2000) -> ResamplingPlan:
    shoppers = [f"s{i:03d}" for i in range(size)]
    return ResamplingPlan.make(shoppers, resamples=1, splits=splits, rng=np.random.default_rng(0))


def test_of_a_mean_it_is_the_usual_standard_error() -> None:
    values = np.random.default_rng(1).exponential(size=80)
    halves = plan_of(80).halves
    spread = Spread.of(halves @ values / 40, ~halves @ values / 40)
    assert spread.se == pytest.approx(values.std(ddof=1) / np.sqrt(80), rel=0.05)
    assert spread.curved == pytest.approx(np.full(2000, values.mean())) and spread.notes == ()


def test_of_a_squared_mean_at_zero_it_is_twice_the_variance_and_says_so() -> None:
    plan, ratio = plan_of(60, 500), []
    for seed in range(200):
        values = np.random.default_rng(seed).normal(size=(60, 8))
        halves = plan.halves
        squares = [((h @ values / 30) ** 2).sum(axis=1) for h in (halves, ~halves)]
        spread = Spread.of(*squares)
        ratio.append(spread.se**2)
        assert any("conservative" in note for note in spread.notes) or spread.curved.var() < spread.linear.var() / 3
    true = 2 * 8 / 60**2
    assert np.mean(ratio) == pytest.approx(2 * true, rel=0.15), "the variance of a chi-square is twice its degrees"


def test_combined_spreads_are_paired() -> None:
    rng = np.random.default_rng(2)
    one, two = (Spread(rng.normal(size=100), rng.normal(size=100)) for _ in range(2))
    assert Spread.combined([(1, one), (-1, one)]).se == 0
    both = Spread.combined([(2.0, one), (-0.5, two)])
    assert both.linear == pytest.approx(2 * one.linear - 0.5 * two.linear)


def test_undefined_halves_are_left_out_and_too_few_give_no_interval() -> None:
    linear = np.append(np.random.default_rng(3).normal(size=25), np.full(75, np.nan))
    spread = Spread(linear, np.zeros(100))
    assert spread.splits == 25 and spread.se == pytest.approx(linear[:25].std(ddof=1))
    assert any("25 half-splits" in note for note in spread.notes)
    assert np.isnan(Spread(linear[10:], np.zeros(90)).se)


def test_intervals_widen_with_the_level_and_say_that_shoppers_are_few() -> None:
    rng = np.random.default_rng(4)
    counts = rng.integers(0, 4, (12, 5)).astype(float), rng.integers(0, 4, (12, 5)).astype(float)
    stat = HistogramStatistic(*counts)
    results = [evaluate_group(stat, stat.human_floor(), plan_of(12, 200), level=level) for level in (0.5, 0.8, 0.95)]
    widths = [r.ci.high - r.ci.low for r in results if r.ci is not None]
    assert len(widths) == 3 and widths == sorted(widths) and widths[0] > 0
    assert results[0].ci is not None and "fewer than 20 shoppers" in results[0].ci.note


@pytest.mark.parametrize("kind", ["kl", "js", "tv", "w1"])
def test_intervals_hold_the_truth_from_the_floor_on_up(kind: str) -> None:
    plan, size = plan_of(60, 150), 60
    for shift in (0.0, 0.5):
        found = []
        for seed in range(60):
            rng = np.random.default_rng(seed)
            share = rng.dirichlet(np.array([4, 3, 2, 1.0]), size)
            other = (1 - shift) * share + shift * share[:, ::-1]
            human, agent = (np.stack([rng.multinomial(3, p) for p in s]).astype(float) for s in (share, other))
            stat = HistogramStatistic(human, agent, kind)  # type: ignore[arg-type]
            found.append(evaluate_group(stat, stat.human_floor(), plan))
        truth = np.mean([r.value for r in found if r.value is not None])
        assert np.mean([r.ci is not None and r.ci.low <= truth <= r.ci.high for r in found]) >= 0.85


def test_of_a_kinked_statistic_the_curved_part_counts_whole_and_what_it_says_stays_when_combined() -> None:
    rng = np.random.default_rng(5)
    linear, curved = rng.normal(size=200), 0.5 * rng.normal(size=200)
    plain, kinked = Spread(linear, curved), Spread(linear, curved, kinked=True, said=("rough",))
    assert plain.se == pytest.approx(linear.std(ddof=1))
    assert kinked.se == pytest.approx(np.hypot(linear.std(ddof=1), curved.std(ddof=1)))
    assert plain.notes == () and kinked.notes == (NEAR_FLOOR, "rough"), "a curved part a quarter of the linear one"
    both = Spread.combined([(1.0, plain), (-2.0, kinked)])
    assert both.kinked and both.said == ("rough",)


def test_an_interval_says_conservative_inside_the_null_band_and_not_far_beyond_it() -> None:
    rng = np.random.default_rng(6)
    counts = rng.multinomial(3, [0.5, 0.3, 0.2], size=(2, 100)).astype(float)
    near = HistogramStatistic(counts[0], counts[1], "tv")
    far = near.with_agent(counts[1][:, ::-1])
    uniform = near.with_agent(np.ones_like(counts[0]))
    for statistic, says in ((near, True), (far, False)):
        result = evaluate_group(statistic, near.human_floor(), plan_of(100, 200), uninformed=uniform)
        assert result.value is not None and result.null_high is not None and result.ci is not None
        assert (result.value <= result.null_high) == says
        assert (NEAR_FLOOR in result.ci.note) == says
        assert result.score_ci is not None and (NEAR_FLOOR in result.score_ci.note) == says


@pytest.mark.parametrize(("member", "says"), [("knn_kl", "conservative"), ("repeat_gap", "rough"), ("energy", None)])
def test_what_a_statistic_says_of_its_interval_stands_beside_value_and_score(member: str, says: str | None) -> None:
    rng = np.random.default_rng(7)
    rows, human = np.arange(120), rng.normal(size=(120, 3)).round()
    stat = point_statistic(member, PointSides.make(human, rows, human, rows, size=120))
    agents = stat.with_agent(np.zeros((120, 3)) + (rng.random((120, 1)) < 0.3), rows)
    nothing = stat.with_agent(5 + 9 * rng.normal(size=(120, 3)), rows)
    result = evaluate_group(agents, stat.human_floor(), plan_of(120, 200), uninformed=nothing)
    assert result.ci is not None and result.score_ci is not None
    for ci in (result.ci, result.score_ci):
        assert says in ci.note if says else ci.note == ""
