"""Hazards against the distributions that they belong to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paars_bench.metrics import HistogramStatistic, ResamplingPlan, evaluate_group, hazard_gap, hazards_of_counts

PAIRS = st.integers(2, 9).flatmap(
    lambda k: st.tuples(*[st.lists(st.integers(0, 50), min_size=k, max_size=k).filter(any)] * 2)
)


@pytest.mark.parametrize("p", [0.05, 0.3, 0.9])
def test_a_geometric_distribution_has_one_hazard(p: float) -> None:
    shares = p * (1 - p) ** np.arange(12)
    counts = 1000 * np.append(shares, 1 - shares.sum())  # whoever stays longer is in the last bin
    assert hazards_of_counts(counts).hazard[:-1] == pytest.approx(p, rel=1e-5)


def test_a_life_table_by_hand() -> None:
    found = hazards_of_counts([1, 0, 3, 0])
    assert found.at_risk.tolist() == [4, 3, 3, 0]
    assert found.hazard[:3].tolist() == [0.25, 0, 1]
    assert np.isnan(found.hazard[3])


def test_steps_weigh_as_many_humans_as_are_still_there() -> None:
    # humans: 1/4 of 4, then 2/3 of 3; agents: 1/2, then 1/2; the tail takes no part
    assert hazard_gap([1, 2, 1], [2, 1, 1]) == pytest.approx((4 * 0.25 + 3 * (2 / 3 - 1 / 2)) / 7)


def test_where_no_agent_is_left_all_agents_have_left() -> None:
    assert hazard_gap([0, 5, 5], [10, 0, 0]) == pytest.approx((10 * 1 + 10 * 0.5) / 20)


def test_who_stays_longer_is_a_matter_of_the_tail_alone() -> None:
    assert hazard_gap([0, 0, 7], [0, 0, 2]) == 0


@settings(max_examples=80, deadline=None)
@given(PAIRS)
def test_a_gap_lies_between_0_and_1_and_is_0_between_like_and_like(pair: tuple[list[int], list[int]]) -> None:
    human, agent = pair
    assert 0 <= hazard_gap(human, agent) <= 1
    assert hazard_gap(human, [3 * count for count in human]) == pytest.approx(0, abs=1e-12)


def test_a_side_without_anybody_has_no_gap() -> None:
    gaps = hazard_gap([[1, 1], [0, 0]], [[0, 0], [1, 1]])
    assert np.isnan(gaps).all()


@pytest.mark.parametrize(("human", "agent"), [([1], [1]), ([1, 2], [1, 2, 3])])
def test_too_few_or_unequal_bins_are_refused(human: list[int], agent: list[int]) -> None:
    with pytest.raises(ValueError, match="two bins at least"):
        hazard_gap(human, agent)


def test_equal_populations_lie_in_the_null_band_and_others_beyond_it() -> None:
    rng = np.random.default_rng(3)
    size, sessions, bins = 150, 4, 15

    def left(p: float) -> np.ndarray:
        steps = np.minimum(rng.geometric(p, size=(size, sessions)) - 1, bins - 1)
        return np.stack([np.bincount(row, minlength=bins) for row in steps]).astype(float)

    human = left(0.2)
    plan = ResamplingPlan.make([f"{i:03d}" for i in range(size)], resamples=1, rng=rng)
    results = []
    for agents in (left(0.2), left(0.4)):
        statistic = HistogramStatistic(human, agents, kind="hazard", edges=tuple(range(bins)))
        results.append(evaluate_group(statistic, statistic.human_floor(), plan))
    same, hasty = results
    assert same.value is not None and hasty.value is not None
    assert same.null_low is not None and same.null_high is not None
    assert same.null_low <= same.value <= same.null_high
    assert hasty.value > 3 * same.null_high
    assert hasty.ci is not None and hasty.ci.low < 0.2 + same.null_high and hasty.ci.high > 0.2
