"""What a run says as a whole: how conditions differ, and one alignment score for each.

Both are made of figures of one plan: shoppers that one condition was lucky with are the shoppers of the other too, so a
difference is paired, and a mean of metrics has an interval of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from paars_bench.config.metric_options import metric_name
from paars_bench.config.spec import TaskSpec
from paars_bench.metrics import AlignmentScore, PairedDifference, ResamplingPlan, paired_divergences, paired_means
from paars_bench.tasks.scoring.asked import interval
from paars_bench.tasks.scoring.scorer import Kept, KeptDivergence, KeptMean, MetricKey, Row, Scorer

BESIDE = (("persona", "shuffled"),)
"""Conditions that are compared beside each with ``base``: is it this shopper's persona that helps, or any?"""
WEIGHING = "group metrics of a task by their weight, then tasks equally; each counts at most 100 and at least -100"
NO_SCORE = "no group metric of its tasks has a score"


def differences(scorer: Scorer) -> list[Row]:
    """Returns every condition's difference from ``base``, and of the pairs in ``BESIDE``, metric by metric."""
    rows = []
    for key, kept in scorer.kept.items():
        for other in ["base", *(b for a, b in BESIDE if a == key.condition)]:
            beside = scorer.kept.get(MetricKey(key.task, other, key.metric))
            if beside is not None and other != key.condition:
                rows.append(_difference(key, kept, other, beside, scorer.plan))
    return rows


def between(run: Mapping[MetricKey, Kept], against: Mapping[MetricKey, Kept], plan: ResamplingPlan) -> list[Row]:
    """Returns how the figures of one run differ from another's, on the same cases and plan."""
    return [_difference(key, kept, key.condition, against[key], plan) for key, kept in run.items() if key in against]


def _difference(key: MetricKey, kept: Kept, other: str, beside: Kept, plan: ResamplingPlan) -> Row:
    if isinstance(kept, KeptMean) and isinstance(beside, KeptMean):
        level, value, value_against = "individual", float(kept.values.mean()), float(beside.values.mean())
        paired = paired_means(kept.values, kept.rows, beside.values, beside.rows, plan)
        closer = value > value_against
    else:
        assert isinstance(kept, KeptDivergence)
        assert isinstance(beside, KeptDivergence)
        level, value, value_against = "group", kept.measured.value, beside.measured.value
        paired = paired_divergences(kept.measured, beside.measured)
        closer = _beyond(kept) < _beyond(beside)
    return {
        "task": key.task,
        "metric": key.metric,
        "level": level,
        "condition": key.condition,
        "against": other,
        "value": value,
        "value_against": value_against,
        "closer": closer,
        "weight": kept.weight,
        **_paired(paired),
    }


def _beyond(kept: KeptDivergence) -> float:
    """How far from what humans read among themselves: below the floor lies a population narrower than they are."""
    return abs(kept.measured.value - (kept.result.floor or 0.0))


def _paired(paired: PairedDifference) -> Row:
    return {**paired._asdict(), "ci": interval(paired.ci)}


def alignment(scorer: Scorer, specs: Mapping[str, TaskSpec]) -> list[Row]:
    """Returns one alignment score for each condition: 100 is human, 0 is knowing nothing.

    Group metrics of a task weigh as their ``weight`` says and count as ``AlignmentScore.capped`` says, and tasks weigh
    equally. A metric without a score takes no part and is named. Individual metrics have no human floor, so they have
    no score.
    """
    conditions = list(dict.fromkeys(key.condition for key in scorer.kept))
    return [_of_condition(scorer, specs, c) for c in conditions]


def _of_condition(scorer: Scorer, specs: Mapping[str, TaskSpec], condition: str) -> Row:
    tasks: list[Row] = []
    left_out: list[Row] = []
    scores: list[tuple[float, AlignmentScore]] = []
    clusters = 0
    for task, spec in specs.items():
        counted: list[tuple[float, AlignmentScore]] = []
        for metric in spec.metric_list:
            kept = scorer.kept.get(MetricKey(task, condition, metric_name(metric)))
            if not isinstance(kept, KeptDivergence) or kept.weight == 0:
                continue
            if kept.result.score is None:
                left_out.append({"task": task, "metric": metric_name(metric), "why": kept.result.score_note})
                continue
            counted.append((kept.weight, AlignmentScore.capped(kept.result.score, kept.result.score_spread)))
            clusters = max(clusters, kept.result.clusters)
        if counted:
            score = AlignmentScore.mean(counted)
            scores.append((1.0, score))
            tasks.append({"task": task, "score": score.value, "metrics": len(counted)})
    common: Row = {"condition": condition, "weighing": WEIGHING, "tasks": tasks, "left_out": left_out}
    if not scores:
        return common | {"score": None, "ci": None, "why": NO_SCORE}
    score = AlignmentScore.mean(scores)
    return common | {"score": score.value, "ci": interval(score.interval(clusters))}
