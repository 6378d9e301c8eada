"""What a run says as a whole: how conditions differ, and one alignment score for each.

Both are made of the resamples of every figure, which belong to one plan: shoppers that one condition was lucky with are
the shoppers of the other too, so a difference is paired and a mean of metrics has an interval of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from paars_bench.config.metric_options import metric_name, weight_of
from paars_bench.config.spec import TaskSpec
from paars_bench.metrics.resampling import quantile_interval
from paars_bench.tasks.scoring.asked import interval
from paars_bench.tasks.scoring.scorer import Kept, MetricKey, Row, Scorer

BESIDE = (("persona", "shuffled"),)
"""Conditions that are compared beside each with ``base``: is it this shopper's persona that helps, or any?"""
WEIGHING = "group metrics of a task by their weight, then tasks equally"
NO_SCORE = "no group metric of its tasks has a score"


def differences(scorer: Scorer) -> list[Row]:
    """Returns every condition's difference from ``base``, and of the pairs in ``BESIDE``, metric by metric."""
    rows = []
    for key, kept in scorer.kept.items():
        for other in ["base", *(b for a, b in BESIDE if a == key.condition)]:
            beside = scorer.kept.get(MetricKey(key.task, other, key.metric))
            if beside is not None and other != key.condition:
                rows.append(_difference(key, kept, other, beside))
    return rows


def between(runs: Mapping[MetricKey, Kept], against: Mapping[MetricKey, Kept]) -> list[Row]:
    """Returns how the figures of one run differ from another's, made on one plan of resamples and the same cases."""
    return [_difference(key, kept, key.condition, against[key]) for key, kept in runs.items() if key in against]


def _difference(key: MetricKey, kept: Kept, other: str, beside: Kept) -> Row:
    ci = quantile_interval(
        kept.replicates - beside.replicates,
        level=0.95,
        method="paired bootstrap of shoppers",
        n=min(kept.n, beside.n),
        clusters=min(kept.clusters, beside.clusters),
    )
    return {
        "task": key.task,
        "metric": key.metric,
        "level": kept.level,
        "condition": key.condition,
        "against": other,
        "value": kept.value,
        "value_against": beside.value,
        "difference": kept.value - beside.value,
        "better_is": "higher" if kept.level == "individual" else "lower",
        "ci": interval(ci),
        "p": None,
        "n": min(kept.n, beside.n),
        "clusters": min(kept.clusters, beside.clusters),
    }


def alignment(scorer: Scorer, specs: Mapping[str, TaskSpec]) -> list[Row]:
    """Returns one alignment score for each condition: 100 is human, 0 is knowing nothing.

    Group metrics of a task weigh as their ``weight`` says, and tasks weigh equally; a metric without a score takes no
    part and is named. Individual metrics have no human floor, so they have no score.
    """
    conditions = list(dict.fromkeys(key.condition for key in scorer.kept))
    return [_of_condition(scorer, specs, c) for c in conditions]


def _of_condition(scorer: Scorer, specs: Mapping[str, TaskSpec], condition: str) -> Row:
    tasks, left_out = [], []
    replicates = []
    for task, spec in specs.items():
        counted = []
        for metric in spec.metric_list:
            weight = weight_of(metric)
            kept = scorer.kept.get(MetricKey(task, condition, metric_name(metric)))
            if kept is None or kept.level != "group" or weight == 0:
                continue
            if kept.score is None:
                left_out.append({"task": task, "metric": metric_name(metric)})
                continue
            counted.append((weight, kept))
        if not counted:
            continue
        total = sum(w for w, _ in counted)
        score = sum(w * (k.score or 0.0) for w, k in counted) / total
        replicates.append(np.sum([w * k.score_replicates for w, k in counted], axis=0) / total)
        tasks.append({"task": task, "score": score, "metrics": len(counted)})
    if not tasks:
        return {"condition": condition, "score": None, "ci": None, "why": NO_SCORE, "tasks": [], "left_out": left_out}
    shoppers = scorer.plan.size
    ci = quantile_interval(
        np.mean(replicates, axis=0), level=0.95, method="bootstrap of shoppers", n=shoppers, clusters=shoppers
    )
    return {
        "condition": condition,
        "score": float(np.mean([t["score"] for t in tasks])),
        "ci": interval(ci),
        "weighing": WEIGHING,
        "tasks": tasks,
        "left_out": left_out,
    }
