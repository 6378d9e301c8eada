"""``leaderboard.json``: rows share a board only where the same cases were asked and the same engines measured.

A divergence, its floor and what knowing nothing gets all depend on the number of cases. So a board is one data set, one
set of task versions and engines, and one set of cases; a row never changes another board.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from paars_bench.errors import UsageError
from paars_bench.files import write_atomically
from paars_bench.report.boards import SCHEMA_VERSION, read_boards
from paars_bench.report.submitted import Metric, Results, Task, read_results

_NO_GROUP_METRIC = "its tasks have no group metric, and only those have a human floor to be scored against"


def leaderboard_add(run: Path, leaderboard: Path) -> str:
    """Puts a finished run on its board, in place of an earlier row of the same run, and returns what was done.

    Args:
        run: a run directory, or a ``results.json``.
        leaderboard: ``leaderboard.json``, made if it does not exist.

    Raises:
        UsageError: no results, results that do not validate, a run that is not complete, or a leaderboard of another
            version.
    """
    results = read_results(run)
    if results.run.status not in ("complete", "partial"):
        raise UsageError(
            f"{run}: the run is {results.run.status}, not complete; repeat its command to finish it, then add it"
        )
    try:
        leaderboard.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(leaderboard) + ".lock"):
            boards = read_boards(leaderboard)
            board = _board(boards, results)
            entries = [e for e in board["entries"] if e["run_id"] != results.run.id]
            added = _entries(results)
            board["entries"] = _ranked(_scored([*entries, *added]))
            stamp = datetime.now(UTC).isoformat(timespec="seconds")
            write_atomically(leaderboard, {"schema_version": SCHEMA_VERSION, "generated": stamp, "boards": boards})
    except OSError as error:
        raise UsageError(f"{leaderboard}: cannot be written ({error.strerror}); name another file") from error
    return f"{results.model.name} on {results.dataset.name}: {_told(board, results)}; in {leaderboard}"


def _told(board: Mapping[str, Any], results: Results) -> str:
    """The ranks of a run's rows, or why they have none, and how many cases the board's rows share."""
    own = [e for e in board["entries"] if e["run_id"] == results.run.id]
    ranked = sum(e["rank"] is not None for e in board["entries"])
    parts = [f"{e['condition']} rank {e['rank']} of {ranked}" for e in own if e["rank"] is not None]
    unranked: dict[str, list[str]] = {}
    for entry in (e for e in own if e["rank"] is None):
        unranked.setdefault("; ".join(_reasons(entry)), []).append(entry["condition"])
    parts += [f"{' and '.join(names)} not ranked ({why})" for why, names in unranked.items()]
    asked = ", ".join(f"{task} {cases['planned']}" for task, cases in board["cases"].items())
    partial = "partial: cases are missing from its figures; " if results.run.status == "partial" else ""
    return f"{partial}{', '.join(parts)}, among rows of the same cases ({asked})"


def _reasons(entry: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(n["why"] for n in entry["not_scored"])) or [_NO_GROUP_METRIC]


def _board(boards: list[dict[str, Any]], results: Results) -> dict[str, Any]:
    identity = {
        "dataset": results.dataset.name,
        "human_reference": results.dataset.human_reference,
        "dataset_sha256": results.dataset.sha256,
        "task_versions": {t.task: t.version for t in results.tasks},
        "cases": {t.task: {"planned": t.counts.planned, "sha256": t.cases_sha256} for t in results.tasks},
        "engines": {
            "embedding": results.engines.embedding and results.engines.embedding.model_dump(),
            "perplexity": results.engines.perplexity and results.engines.perplexity.model_dump(),
        },
    }
    for board in boards:
        if all(board.get(k) == v for k, v in identity.items()):
            return board
    boards.append({**identity, "entries": []})
    return boards[-1]


def _entries(results: Results) -> list[dict[str, Any]]:
    conditions = list(dict.fromkeys(t.condition for t in results.tasks))
    return [_entry(results, c, [t for t in results.tasks if t.condition == c]) for c in conditions]


def _entry(results: Results, condition: str, tasks: Sequence[Task]) -> dict[str, Any]:
    spent = results.usage.by_role.values()
    costs = [u.cost_usd for u in spent]
    return {
        "model": results.model.name,
        "scripted": results.model.scripted,
        "condition": condition,
        "run_id": results.run.id,
        "status": results.run.status,
        "date": results.run.started.date().isoformat(),
        "tasks": {t.task: {m.metric: _number(m) for m in t.metrics} for t in tasks},
        "not_scored": [
            {"task": t.task, "metric": m.metric, "why": m.score_note or m.why}
            for t in tasks
            for m in t.metrics
            if m.weight and m.score is None and (m.score_note or m.why)
        ],
        "coverage": min(t.coverage for t in tasks),
        "cost_usd": None if None in costs else sum(c for c in costs if c is not None),
        "tokens": sum(u.input + u.output for u in spent),
        "engines": results.engines.model_dump(),
        "config_sha256": results.run.config_sha256,
    }


def _number(metric: Metric) -> dict[str, Any]:
    return {
        "value": metric.value,
        "ci": metric.ci and metric.ci.model_dump(),
        "floor": metric.floor,
        "null_high": metric.null_high,
        "uninformed": metric.uninformed,
        "score_in_run": metric.score,
        "weight": metric.weight,
        "n": metric.n,
        "coverage": metric.coverage,
    }


def _scored(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns entries with one alignment score each, all on the same scale.

    For each group metric 100 is the human floor and 0 the best anyone on the board reaches without knowing the shopper:
    the better of the uninformed agent and of every model's ``base``. Were each model measured against its own ``base``,
    a model that is good without a persona would look worse for it. Metrics of a task weigh equally, then tasks do. A
    metric without a score in its run has none here.
    """
    zeros: dict[tuple[str, str], list[float]] = {}
    for entry in entries:
        blind = entry["condition"] == "base" and not entry["scripted"]
        for key, metric in _scored_metrics(entry):
            zeros.setdefault(key, []).extend([metric["uninformed"], *([metric["value"]] if blind else [])])
    return [{**entry, **_alignment(entry, zeros)} for entry in entries]


def _scored_metrics(entry: Mapping[str, Any]) -> list[tuple[tuple[str, str], Mapping[str, Any]]]:
    return [
        ((task, name), metric)
        for task, metrics in entry["tasks"].items()
        for name, metric in metrics.items()
        if metric["score_in_run"] is not None and metric["weight"]
    ]


def _alignment(entry: Mapping[str, Any], zeros: Mapping[tuple[str, str], Sequence[float]]) -> dict[str, Any]:
    by_task: dict[str, list[tuple[float, float, float]]] = {}
    for (task, name), metric in _scored_metrics(entry):
        floor = metric["floor"]
        # A base as human as human halves are among themselves is no zero: what is left below it is noise.
        room = min(z for z in zeros[task, name] if z > metric["null_high"] and z > floor) - floor
        ci = metric["ci"] or {"low": metric["value"], "high": metric["value"]}
        ends = [100 * (1 - (d - floor) / room) for d in (metric["value"], ci["high"], ci["low"])]
        by_task.setdefault(task, []).append((ends[0], ends[1], ends[2]))
    if not by_task:
        return {"score": None, "score_ci": None}
    means = [[sum(column) / len(rows) for column in zip(*rows, strict=True)] for rows in by_task.values()]
    score, low, high = (sum(column) / len(means) for column in zip(*means, strict=True))
    # The mean of the metrics' interval ends: wider than needed where metrics err independently.
    return {"score": score, "score_ci": {"low": low, "high": high}}


def _ranked(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns entries by score, each with its rank and the ranks its interval leaves open."""
    ordered = sorted(entries, key=lambda e: (e["score"] is None, -(e["score"] or 0.0), e["run_id"], e["condition"]))
    out = []
    for place, entry in enumerate(ordered, 1):
        others = [e for e in ordered if e is not entry and e["score_ci"] is not None]
        ci = entry["score_ci"]
        rank_ci = None
        if ci is not None:
            above = sum(e["score_ci"]["low"] > ci["high"] for e in others)
            below = sum(e["score_ci"]["high"] < ci["low"] for e in others)
            rank_ci = {"low": 1 + above, "high": len(others) + 1 - below}
        out.append({**entry, "rank": place if entry["score"] is not None else None, "rank_ci": rank_ci})
    return out
