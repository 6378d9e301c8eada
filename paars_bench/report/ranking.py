"""Scores and ranks of a board: all rows on one scale, and how sure their order is.

Rows of a board were asked the same cases and measured on one plan of half-splits, so two rows are compared paired: what
was hard for the one was hard for the other. A rank's interval holds every place that such comparisons leave open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from paars_bench.metrics import AlignmentScore, Spread, spread_interval

Zeros = Mapping[tuple[str, str], Sequence[float]]


class _Scored(NamedTuple):
    """An entry, its score where it has one, and the shoppers behind it."""

    entry: Mapping[str, Any]
    score: AlignmentScore | None
    clusters: int


def ranked(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns entries by score, each with its score, rank and their intervals.

    For each group metric 100 is the human floor and 0 the best anyone on the board reaches without knowing the shopper:
    the better of the uninformed agent and of every model's ``base``. Were each model measured against its own ``base``,
    a model that is good without a persona would look worse for it. Metrics of a task weigh as its YAML says, then tasks
    equally; a metric counts at most 100, since a population narrower than the humans makes up for nothing, and at least
    -100. An entry with too few cases scored has no rank, nor has one without a score for a metric that others have.
    """
    zeros = _zeros(entries)
    scored = [_score(e, zeros) for e in entries]
    scored.sort(
        key=lambda s: (s.score is None, -s.score.value if s.score else 0.0, s.entry["run_id"], s.entry["condition"])
    )
    out = []
    for place, one in enumerate(scored, 1):
        rank_ci = ci = None
        if one.score is not None and one.score.spread is not None:
            ci = one.score.interval(one.clusters)
            others = [o for o in scored if o is not one and o.score is not None]
            better = sum(_surely_better(o, one) for o in others)
            worse = sum(_surely_better(one, o) for o in others)
            rank_ci = {"low": 1 + better, "high": len(others) + 1 - worse}
        out.append(
            {
                **one.entry,
                "score": one.score and one.score.value,
                "score_ci": ci and ci._asdict(),
                "rank": None if one.score is None else place,
                "rank_ci": rank_ci,
            }
        )
    return out


def _zeros(entries: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[float]]:
    zeros: dict[tuple[str, str], list[float]] = {}
    for entry in entries:
        blind = entry["condition"] == "base" and not entry["scripted"] and not entry["too_few"]
        for key, metric in _counted(entry):
            zeros.setdefault(key, []).extend([metric["uninformed"], *([metric["value"]] if blind else [])])
    return zeros


def _counted(entry: Mapping[str, Any]) -> list[tuple[tuple[str, str], Mapping[str, Any]]]:
    return [
        ((task, name), metric)
        for task, metrics in entry["tasks"].items()
        for name, metric in metrics.items()
        if metric["score_in_run"] is not None and metric["weight"]
    ]


def _score(entry: Mapping[str, Any], zeros: Zeros) -> _Scored:
    by_task: dict[str, list[tuple[float, AlignmentScore]]] = {}
    clusters = 0
    for (task, name), metric in _counted(entry):
        floor = metric["floor"]
        # A base as human as human halves are among themselves is no zero: what is left below it is noise.
        room = min(z for z in zeros[task, name] if z > metric["null_high"] and z > floor) - floor
        score = 100 * (1 - (metric["value"] - floor) / room)
        by_task.setdefault(task, []).append(
            (metric["weight"], AlignmentScore.capped(score, _spread(metric, -100 / room)))
        )
        clusters = max(clusters, metric["clusters"])
    lacking = any((n["task"], n["metric"]) in zeros for n in entry["not_scored"])
    if not by_task or entry["too_few"] or lacking:
        return _Scored(entry, None, 0)
    return _Scored(
        entry, AlignmentScore.mean([(1.0, AlignmentScore.mean(parts)) for parts in by_task.values()]), clusters
    )


def _spread(metric: Mapping[str, Any], factor: float) -> Spread | None:
    if metric["spread"] is None:
        return None
    parts = [np.array([np.nan if v is None else v for v in metric["spread"][p]]) for p in ("linear", "curved")]
    return Spread.combined([(factor, Spread(parts[0], parts[1]))])


def _surely_better(one: _Scored, other: _Scored) -> bool:
    """Whether one score lies above another beyond what chance in the shoppers explains, at 95 %."""
    assert one.score is not None
    assert other.score is not None
    a, b = one.score.spread, other.score.spread
    if a is None or b is None or len(a.linear) != len(b.linear):
        return False
    clusters = min(one.clusters, other.clusters)
    paired = Spread.combined([(1.0, a), (-1.0, b)])
    ci = spread_interval(one.score.value - other.score.value, paired, n=clusters, clusters=clusters)
    return ci is not None and ci.low > 0
