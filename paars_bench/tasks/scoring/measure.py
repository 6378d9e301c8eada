"""The one door to a metric: by its registered name, from the two sides to a row of ``results.json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from paars_bench.config.metric_options import metric_name, weight_of
from paars_bench.config.metrics import HISTOGRAMS, METRICS, POINTS
from paars_bench.config.spec import MetricSpec
from paars_bench.tasks.scoring.asked import Asked
from paars_bench.tasks.scoring.choices import accuracy
from paars_bench.tasks.scoring.counts import histogram
from paars_bench.tasks.scoring.diversity import product_ttr, query_distinct, query_duplicates, query_ttr
from paars_bench.tasks.scoring.leaving import hazard_gap
from paars_bench.tasks.scoring.means import mean_gap, no_purchase
from paars_bench.tasks.scoring.panel import panel_test
from paars_bench.tasks.scoring.queries import kl_kde, points, query_similarity
from paars_bench.tasks.scoring.scorer import Row, Scorer
from paars_bench.tasks.sides import Sides

_MEASURES: Mapping[str, Callable[[Asked], Row]] = {
    "accuracy": accuracy,
    "query_similarity": query_similarity,
    **dict.fromkeys(HISTOGRAMS, histogram),
    "hazard_gap": hazard_gap,
    "mean_gap": mean_gap,
    "no_purchase": no_purchase,
    "kl_kde": kl_kde,
    **dict.fromkeys(POINTS, points),
    "panel_test": panel_test,
    "query_ttr": query_ttr,
    "query_distinct": query_distinct,
    "query_duplicates": query_duplicates,
    "product_ttr": product_ttr,
}
assert set(_MEASURES) == set(METRICS), "the listed metrics are those that are measured"


def measure_metric(scorer: Scorer, task: str, condition: str, metric: MetricSpec, sides: Sides) -> Row:
    """Computes one metric of one task under one condition.

    Args:
        scorer: what the metrics of the run share.
        task: its name.
        condition: its name.
        metric: a metric that ``check_metrics`` let pass.
        sides: what humans and agents did.

    Returns:
        A row of ``results.json``; without a scored case its value is None and ``why`` says so.
    """
    row: Row = {"metric": metric_name(metric), "level": metric.level, "coverage": round(sides.coverage, 6)}
    if METRICS[metric.metric].scored:
        row["weight"] = weight_of(metric)
    if not sides.scored:
        return row | {"value": None, "n": 0, "why": "no scored case"}
    return row | _MEASURES[metric.metric](Asked(scorer, task, condition, metric, sides))
