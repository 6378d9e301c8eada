"""Metrics that cannot work are refused before anything is asked."""

from __future__ import annotations

from typing import Any

import pytest

from paars_bench.config import TaskSpec
from paars_bench.config.metrics import METRICS
from paars_bench.config.spec import MetricSpec
from paars_bench.errors import ConfigError
from paars_bench.tasks.check import OPTIONS, check_metrics
from paars_bench.tasks.score import metric_name

WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown": ("query_generation", {"metric": "acuracy"}, "'accuracy'"),
    "of another kind": ("query_generation", {"metric": "accuracy"}, "needs output_type choose"),
    "unknown option": ("query_generation", {"metric": "kl_kde", "bandwith": 1}, "'bandwidth'"),
    "no bandwidth": ("query_generation", {"metric": "kl_kde", "bandwidth": 0}, "above 0"),
    "a bandwidth in words": ("query_generation", {"metric": "kl_kde", "bandwidth": "wide"}, "above 0"),
    "no samples": ("query_generation", {"metric": "kl_kde", "mc_samples": -5}, "above 0"),
    "yes as a number": ("query_generation", {"metric": "kl_kde", "mc_repeats": True}, "above 0"),
    "an estimator": ("query_generation", {"metric": "kl_kde", "estimator": "papper"}, "'paper'"),
    "a count of a choice": ("item_selection_group", {"metric": "kl_histogram", "of": "views"}, "rank"),
    "a rank of a session": ("session_generation", {"metric": "kl_histogram", "of": "rank"}, "searches"),
    "nothing to count": ("session_generation", {"metric": "kl_histogram"}, "searches"),
    "smoothing": ("session_generation", {"metric": "kl_histogram", "of": "views", "smoothing": 0.5}, "{kind: add"),
}


@pytest.mark.parametrize(("task", "metric", "said"), WRONG.values(), ids=WRONG)
def test_wrong_metrics_are_refused_with_the_nearest(
    specs: dict[str, TaskSpec], task: str, metric: dict[str, Any], said: str
) -> None:
    spec = specs[task].model_copy(update={"metric_list": [MetricSpec(level="group", **metric)]})
    with pytest.raises(ConfigError) as refused:
        check_metrics(spec)
    assert said in str(refused.value)
    assert task in str(refused.value)


def test_the_built_in_tasks_pass(specs: dict[str, TaskSpec]) -> None:
    for spec in specs.values():
        check_metrics(spec)
        names = [metric_name(m) for m in spec.metric_list]
        assert len(set(names)) == len(names)


def test_every_metric_says_its_options() -> None:
    assert set(OPTIONS) == set(METRICS)
