"""The gap of two means, as a statistic of shopper weights, and the interval of a difference of shares."""

from __future__ import annotations

import numpy as np
import pytest

from paars_bench.metrics import (
    HistogramStatistic,
    MeanGapStatistic,
    ResamplingPlan,
    evaluate_group,
    share_difference_interval,
)
from paars_bench.metrics.individual import MeanResult
from paars_bench.metrics.resampling import Interval
from paars_bench.metrics.share_difference import square_and_add

SIZE = 60
ROWS = np.repeat(np.arange(SIZE), 3)


def plan(rng: np.random.Generator) -> ResamplingPlan:
    return ResamplingPlan.make([f"{i:02d}" for i in range(SIZE)], resamples=200, rng=rng)


def test_of_shares_it_is_the_total_variation_of_two_bins() -> None:
    rng = np.random.default_rng(0)
    human, agent = rng.random((2, len(ROWS))) < [[0.3], [0.6]]
    counts = [np.stack([np.bincount(ROWS, s == v, minlength=SIZE) for v in (0, 1)], axis=1) for s in (human, agent)]
    weights = rng.integers(0, 3, size=(2, 20, SIZE))
    gaps = MeanGapStatistic.make(human, ROWS, agent, ROWS, size=SIZE).divergence(*weights)
    assert gaps == pytest.approx(HistogramStatistic(counts[0], counts[1], kind="tv").divergence(*weights))


def test_a_shift_is_found_in_its_own_unit() -> None:
    rng = np.random.default_rng(1)
    human, agent = rng.normal(5, 1, len(ROWS)), rng.normal(7, 1, len(ROWS))
    statistic = MeanGapStatistic.make(human, ROWS, agent, ROWS, size=SIZE)
    found = evaluate_group(statistic, statistic.human_floor(), plan(rng))
    assert found.value == pytest.approx(abs(agent.mean() - human.mean()), abs=0.05)
    assert found.null_high is not None and found.null_high < 0.5
    assert found.ci is not None and found.ci.low < 2 < found.ci.high
    assert (found.n_human, found.n_agent, found.clusters) == (len(ROWS), len(ROWS), SIZE)


def test_a_side_without_an_observation_has_no_gap() -> None:
    statistic = MeanGapStatistic.make([1.0], [0], [1.0], [1], size=2)
    gaps = statistic.divergence(np.array([[1, 0], [1, 0]]), np.array([[0, 1], [1, 0]]))
    assert gaps[0] == 0 and np.isnan(gaps[1])
    assert statistic.with_agent([], []).n_agent == 0


def share(hits: int, n: int) -> MeanResult:
    """A share with Wilson's interval for independent cases."""
    p, z2 = hits / n, 1.959964**2
    centre, reach = p + z2 / (2 * n), np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n)))
    ends = ((centre - reach) / (1 + z2 / n), (centre + reach) / (1 + z2 / n))
    return MeanResult(p, p, 1.0, Interval(*ends, 0.95, "Wilson", n, n), n, n)


def test_the_difference_of_shares_of_the_reference() -> None:
    """Newcombe (1998), table II, contrast (a): 56 of 70 less 48 of 80."""
    low, high = square_and_add(share(56, 70), share(48, 80))
    assert (low, high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_the_difference_of_shares_without_spread_is_an_interval_within_its_bounds() -> None:
    none, every, some = np.zeros(len(ROWS)), np.ones(len(ROWS)), plan(np.random.default_rng(2))
    same = share_difference_interval(none, ROWS, none, ROWS, some)
    far = share_difference_interval(every, ROWS, none, ROWS, some)
    assert same is not None and far is not None
    assert -0.2 < same.low < 0 < same.high < 0.2
    assert 0.8 < far.low < far.high == 1
    assert share_difference_interval([1.0], [0], none, ROWS, some) is None
    assert share_difference_interval([], [], none, ROWS, some) is None


def test_shares_that_go_together_differ_more_surely() -> None:
    rng = np.random.default_rng(3)
    habit = rng.random(SIZE)[ROWS]
    human, agent, stranger = (rng.random(len(ROWS)) < h for h in (habit, habit, rng.permutation(habit)))
    widths = []
    for agents in (agent, stranger):
        found = share_difference_interval(agents, ROWS, human, ROWS, plan(rng))
        assert found is not None
        assert found.low < agents.mean() - human.mean() < found.high
        widths.append(found.high - found.low)
    assert widths[0] < 0.9 * widths[1]
