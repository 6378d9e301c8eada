"""What the interval of an alignment score says of itself: that a metric above 100 was counted as 100."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from paars_bench.config.loader import load_task
from paars_bench.metrics import HistogramStatistic, ResamplingPlan, evaluate_group, measure
from paars_bench.metrics.alignment import CAPPED
from paars_bench.tasks.scoring.scorer import KeptDivergence, MetricKey, Scorer
from paars_bench.tasks.scoring.summary import alignment

FOLDER = Path(__file__).parent.parent.parent / "task_configs"
TASK = "item_selection_group"


def no_engine(texts: object) -> np.ndarray:
    raise AssertionError(f"nothing is embedded here: {texts}")


@pytest.mark.parametrize("narrower", [True, False])
def test_a_score_above_100_counts_as_100_and_the_interval_says_so(narrower: bool) -> None:
    shoppers, shares = 80, [0.5, 0.3, 0.2]
    human = np.random.default_rng(0).multinomial(1, shares, size=shoppers).astype(float)
    # agents that all answer with the humans' shares are nearer than any half of the humans
    agent = np.tile(human.mean(axis=0) if narrower else [0.2, 0.3, 0.5], (shoppers, 1))
    statistic = HistogramStatistic(human, agent)
    plan = ResamplingPlan.make([f"{i:02d}" for i in range(shoppers)], resamples=1, rng=np.random.default_rng(1))
    nothing = statistic.with_agent(np.tile([0.0, 0.0, 1.0], (shoppers, 1)))
    result = evaluate_group(statistic, statistic.human_floor(), plan, uninformed=nothing)
    scorer = Scorer(plan, 0, no_engine, no_engine)
    scorer.kept[MetricKey(TASK, "persona", "kl_histogram(rank)")] = KeptDivergence(
        measure(statistic, plan), result, 1.0
    )
    (row,) = alignment(scorer, {TASK: load_task(FOLDER / f"{TASK}.yaml", [FOLDER])})
    assert result.score is not None and (result.score > 100) == narrower
    assert row["score"] == pytest.approx(min(100, result.score))
    assert (CAPPED in row["ci"]["note"]) == narrower
