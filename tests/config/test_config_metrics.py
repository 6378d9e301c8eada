"""Metrics that cannot work are refused before anything is asked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from paars_bench.config import TaskIndex, TaskSpec
from paars_bench.config.metric_options import check_metrics, metric_name
from paars_bench.config.spec import MetricSpec
from paars_bench.errors import ConfigError


@pytest.fixture(scope="module")
def specs() -> dict[str, TaskSpec]:
    return {s.task: s for s in TaskIndex().select(("all",))}


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown": ("query_generation", {"metric": "acuracy"}, "'accuracy'"),
    "of another kind": ("query_generation", {"metric": "accuracy", "level": "individual"}, "needs output_type choose"),
    "unknown option": ("query_generation", {"metric": "kl_kde", "bandwith": 1}, "'bandwidth'"),
    "no bandwidth": ("query_generation", {"metric": "kl_kde", "bandwidth": 0}, "greater than"),
    "a bandwidth in words": ("query_generation", {"metric": "kl_kde", "bandwidth": "wide"}, "valid number"),
    "no samples": ("query_generation", {"metric": "kl_kde", "mc_samples": -5}, "greater than"),
    "yes as a number": ("query_generation", {"metric": "kl_kde", "mc_repeats": True}, "valid integer"),
    "yes as a length": ("query_generation", {"metric": "query_distinct", "n": True}, "valid integer"),
    "a length too long": ("query_generation", {"metric": "query_distinct", "n": 4}, "less than or equal to 3"),
    "an estimator": ("query_generation", {"metric": "kl_kde", "estimator": "papper"}, "'paper'"),
    "a count of a choice": ("item_selection_group", {"metric": "kl_histogram", "of": "views"}, "rank"),
    "a rank of a session": ("session_generation", {"metric": "kl_histogram", "of": "rank"}, "'view_rank'"),
    "nothing to count": ("session_generation", {"metric": "kl_histogram"}, "unknown of 'rank'"),
    "a distance of kinds": ("session_generation", {"metric": "w1_histogram", "of": "refinement"}, "without an order"),
    "a mean of nothing": ("session_generation", {"metric": "mean_gap"}, "needs the option of: searches, views"),
    "a mean of kinds": ("session_generation", {"metric": "mean_gap", "of": "refinement"}, "'searches'"),
    "no number": ("query_generation", {"metric": "kl_kde", "bandwidth": math.nan}, "finite"),
    "half a sample": ("query_generation", {"metric": "kl_kde", "mc_samples": 0.5}, "valid integer"),
    "at the other level": ("query_generation", {"metric": "query_similarity"}, "level individual"),
    "strata of a group": (
        "query_generation",
        {"metric": "kl_kde", "strata": {"by": "query_perplexity"}},
        "made for query_similarity",
    ),
    "a weight without a score": ("query_generation", {"metric": "query_ttr", "weight": 2}, "has no score"),
    "of other cases": ("item_selection_individual", {"metric": "kl_histogram"}, "needs cases rank_choices"),
    "smoothing": ("session_generation", {"metric": "kl_histogram", "of": "views", "smoothing": 0.5}, "smoothing"),
}


@pytest.mark.parametrize(("task", "metric", "said"), WRONG.values(), ids=WRONG)
def test_wrong_metrics_are_refused_with_the_nearest(
    specs: dict[str, TaskSpec], task: str, metric: dict[str, Any], said: str
) -> None:
    spec = specs[task].model_copy(update={"metric_list": [MetricSpec(**{"level": "group", **metric})]})
    with pytest.raises(ConfigError) as refused:
        check_metrics(spec)
    assert said in str(refused.value)
    assert task in str(refused.value)


def test_the_built_in_tasks_pass(specs: dict[str, TaskSpec]) -> None:
    for spec in specs.values():
        check_metrics(spec)
        names = [metric_name(m) for m in spec.metric_list]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        ({"metric": "kl_kde"}, "kl_kde"),
        ({"metric": "kl_kde", "estimator": "paper"}, "kl_kde(paper)"),
        ({"metric": "kl_kde", "bandwidth": 0.1}, "kl_kde"),
        ({"metric": "kl_kde", "bandwidth": 0.2, "estimator": "paper"}, "kl_kde(bandwidth=0.2, paper)"),
        ({"metric": "js_histogram"}, "js_histogram(rank)"),
        ({"metric": "kl_histogram", "of": "views"}, "kl_histogram(views)"),
        (
            {"metric": "kl_histogram", "of": "views", "smoothing": {"kind": "epsilon", "amount": 1e-6}},
            "kl_histogram(views, smoothing=epsilon 1e-06)",
        ),
    ],
)
def test_a_name_says_every_option_that_is_not_the_default(metric: dict[str, Any], name: str) -> None:
    assert metric_name(MetricSpec(level="group", **metric)) == name


def test_two_metrics_of_one_name_are_refused_with_both_places(specs: dict[str, TaskSpec]) -> None:
    twice = [MetricSpec(level="group", metric="kl_kde"), MetricSpec(level="group", metric="kl_kde", bandwidth=0.1)]
    with pytest.raises(ConfigError, match=r"place 2: kl_kde stands here and at place 1"):
        check_metrics(specs["query_generation"].model_copy(update={"metric_list": twice}))


def test_a_wrong_metric_in_a_file_is_refused_with_its_line(tmp_path: Path) -> None:
    metric = "{metric: kl_kde, level: group, bandwidth: -1}"
    (tmp_path / "mine.yaml").write_text(f"include: query_generation.yaml\ntask: mine\nmetric_list:\n  - {metric}\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml:4: kl_kde: bandwidth"):
        TaskIndex([tmp_path]).select(["mine"])
