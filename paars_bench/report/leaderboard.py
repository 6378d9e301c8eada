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
from paars_bench.report.ranking import ranked
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
            board["entries"] = ranked([*entries, *added])
            stamp = datetime.now(UTC).isoformat(timespec="seconds")
            write_atomically(leaderboard, {"schema_version": SCHEMA_VERSION, "generated": stamp, "boards": boards})
    except OSError as error:
        raise UsageError(f"{leaderboard}: cannot be written ({error.strerror}); name another file") from error
    return f"{results.model.name} on {results.dataset.name}: {_told(board, results)}; in {leaderboard}"


def _told(board: Mapping[str, Any], results: Results) -> str:
    """The ranks of a run's rows, or why they have none, and how many cases the board's rows share."""
    own = [e for e in board["entries"] if e["run_id"] == results.run.id]
    of = sum(e["rank"] is not None for e in board["entries"])
    parts = [f"{e['condition']} rank {e['rank']} of {of}" for e in own if e["rank"] is not None]
    unranked: dict[str, list[str]] = {}
    for entry in (e for e in own if e["rank"] is None):
        unranked.setdefault("; ".join(_reasons(entry)), []).append(entry["condition"])
    parts += [f"{' and '.join(names)} not ranked ({why})" for why, names in unranked.items()]
    asked = ", ".join(f"{task} {cases['planned']}" for task, cases in board["cases"].items())
    return f"{', '.join(parts)}, among rows of the same cases ({asked})"


def _reasons(entry: Mapping[str, Any]) -> list[str]:
    return entry["too_few"] or list(dict.fromkeys(n["why"] for n in entry["not_scored"])) or [_NO_GROUP_METRIC]


def _board(boards: list[dict[str, Any]], results: Results) -> dict[str, Any]:
    identity = {
        "dataset": results.dataset.name,
        "human_reference": results.dataset.human_reference,
        "dataset_sha256": results.dataset.sha256,
        "task_versions": {t.task: t.version for t in results.tasks},
        "weights": {t.task: {m.metric: m.weight for m in t.metrics if m.weight} for t in results.tasks},
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
        "too_few": [
            f"{t.coverage:.1%} of the cases of {t.task} are scored, below the {t.min_coverage:.0%} it asks for"
            for t in tasks
            if t.coverage < t.min_coverage
        ],
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
        "spread": metric.spread and metric.spread.model_dump(),
        "n": metric.n,
        "clusters": metric.clusters,
        "coverage": metric.coverage,
    }
