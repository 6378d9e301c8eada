"""Several answers a case: each repeat is a population of its own."""

from __future__ import annotations

import numpy as np
import pytest

from paars_bench.metrics import CountBins, HistogramStatistic, ResamplingPlan, evaluate_group, mean_of_repeats

SHOPPERS, REPEATS = 100, 5


def one_run(rng: np.random.Generator) -> tuple[float, float]:
    """Agents drawn as the humans are, five times a case: the score of the mean over repeats, and of all together."""
    plan = ResamplingPlan.make([f"s{n:03}" for n in range(SHOPPERS)], splits=60, rng=rng)
    rows = np.arange(SHOPPERS)
    human = rng.geometric(0.4, SHOPPERS) - 1
    agents = [rng.geometric(0.4, SHOPPERS) - 1 for _ in range(REPEATS)]
    bins = CountBins.from_humans(human)
    humans = HistogramStatistic(bins.counts(human, rows, SHOPPERS), bins.counts(human, rows, SHOPPERS))
    uniform = humans.with_agent(np.full((SHOPPERS, bins.size), 1 / bins.size))
    counted = [bins.counts(a, rows, SHOPPERS) for a in agents]
    mean = mean_of_repeats([humans.with_agent(c) for c in counted])
    together = humans.with_agent(np.sum(counted, axis=0))
    floor_together = humans.with_agent(REPEATS * bins.counts(human, rows, SHOPPERS))
    scores = [
        evaluate_group(mean, mean_of_repeats([humans.human_floor()] * REPEATS), plan, uninformed=uniform).score,
        evaluate_group(together, floor_together, plan, uninformed=uniform).score,
    ]
    assert scores[0] is not None
    assert scores[1] is not None
    return scores[0], scores[1]


def test_an_equal_population_scores_100_however_often_it_is_asked() -> None:
    rng = np.random.default_rng(3)
    runs = np.array([one_run(rng) for _ in range(25)])
    assert runs[:, 0].mean() == pytest.approx(100, abs=4)
    assert runs[:, 1].mean() > 110, "put together, repeats average out what the humans' one answer keeps"


def test_one_repeat_is_the_statistic_itself() -> None:
    counts = np.ones((4, 3))
    statistic = HistogramStatistic(counts, counts)
    assert mean_of_repeats([statistic]) is statistic
    with pytest.raises(ValueError, match="at least"):
        mean_of_repeats([])


def test_the_mean_takes_the_repeats_that_are_defined() -> None:
    counts = np.ones((4, 3))
    defined, empty = HistogramStatistic(counts, 2 * counts), HistogramStatistic(counts, 0 * counts)
    mean = mean_of_repeats([defined, empty])
    one = np.ones((1, 4))
    assert mean.divergence(one, one) == pytest.approx(defined.divergence(one, one))
    assert np.isnan(mean_of_repeats([empty, empty]).divergence(one, one)).all()
    assert (mean.n_human, mean.n_agent) == (12, 24)
    assert mean.describe()["mean_over_repeats"] == 2
