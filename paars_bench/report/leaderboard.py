"""``leaderboard.json``: rows share a board only where data set, task versions and engines are the same.

A run's results come from anywhere, so they are validated before they are taken: shape, ranges, and that every number
stands with its coverage.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from paars_bench.errors import UsageError
from paars_bench.files import write_atomically

SCHEMA_VERSION = 1
_MOST_BYTES = 64 << 20


_Item = TypeVar("_Item")


def _each_once(items: list[_Item], names: Sequence[str]) -> list[_Item]:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{twice[0]} stands twice")
    return items


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore")


# Sums and differences of numbers within these bounds stay finite.
_Number = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]


class _Interval(_Loose):
    low: _Number
    high: _Number

    @model_validator(mode="after")
    def _upright(self) -> Self:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class _Metric(_Loose):
    metric: str = Field(max_length=100)
    level: str = Field(pattern="^(individual|group)$")
    value: _Number | None
    ci: _Interval | None = None
    floor: _Number | None = None
    uninformed: _Number | None = None
    n: int = Field(ge=0)
    coverage: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _on_a_scale(self) -> Self:
        if self.value is not None and (self.floor is None) != (self.uninformed is None):
            raise ValueError("floor and uninformed come together")
        return self


class _Task(_Loose):
    task: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=100)
    version: str = Field(max_length=20)
    condition: str = Field(pattern=r"^[a-z_]+$", max_length=40)
    coverage: float = Field(ge=0, le=1)
    metrics: list[_Metric]

    @field_validator("metrics")
    @classmethod
    def _once(cls, metrics: list[_Metric]) -> list[_Metric]:
        return _each_once(metrics, [m.metric for m in metrics])


class _Run(_Loose):
    id: str = Field(pattern=r"^[0-9A-Za-z-]+$", max_length=80)
    status: str
    started: datetime
    config_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class _Model(_Loose):
    name: str = Field(max_length=200)
    scripted: bool


class _Dataset(_Loose):
    name: str = Field(max_length=200)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    human_reference: str = Field(pattern="^(real|simulated)$")


class _Engine(_Loose):
    name: str = Field(max_length=200)
    revision: str = Field(max_length=100)


class _Engines(_Loose):
    embedding: _Engine | None
    perplexity: _Engine | None


class _Usage(_Loose):
    input: int = Field(ge=0)
    output: int = Field(ge=0)
    cost_usd: float | None = Field(ge=0, allow_inf_nan=False)


class _UsageByRole(_Loose):
    by_role: dict[str, _Usage]


class Results(_Loose):
    """The part of ``results.json`` that a leaderboard reads."""

    schema_version: int = Field(ge=1, le=SCHEMA_VERSION)
    run: _Run
    model: _Model
    dataset: _Dataset
    engines: _Engines
    tasks: list[_Task] = Field(min_length=1)
    usage: _UsageByRole

    @field_validator("tasks")
    @classmethod
    def _once(cls, tasks: list[_Task]) -> list[_Task]:
        return _each_once(tasks, [f"{t.task} under {t.condition}" for t in tasks])


def leaderboard_add(run: Path, leaderboard: Path) -> str:
    """Puts a finished run on its board, in place of an earlier row of the same run, and returns what was done.

    Args:
        run: a run directory, or a ``results.json``.
        leaderboard: ``leaderboard.json``, made if it does not exist.

    Raises:
        UsageError: no results, results that do not validate, or a run that is not complete.
    """
    results = read_results(run)
    if results.run.status not in ("complete", "partial"):
        raise UsageError(
            f"{run}: the run is {results.run.status}, not complete; repeat its command to finish it, then add it"
        )
    leaderboard.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(str(leaderboard) + ".lock"):
        boards = _read_boards(leaderboard)
        board = _board(boards, results)
        entries = [e for e in board["entries"] if e["run_id"] != results.run.id]
        added = _entries(results)
        board["entries"] = _ranked(_scored([*entries, *added]))
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        write_atomically(leaderboard, {"schema_version": SCHEMA_VERSION, "generated": stamp, "boards": boards})
    ranks = ", ".join(f"{e['condition']} rank {e['rank']}" for e in board["entries"] if e["run_id"] == results.run.id)
    return f"{results.model.name} on {results.dataset.name}: {ranks} of {len(board['entries'])} in {leaderboard}"


def read_results(run: Path) -> Results:
    """Returns the validated results of a run directory or file.

    Raises:
        UsageError: there are none, or they do not validate; the text names the key.
    """
    file = run / "results.json" if run.is_dir() else run
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{file}: larger than {_MOST_BYTES >> 20} MB; not the results of a run")
        return Results.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror}); give a run directory") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise UsageError(f"{file}: key {where}: {first['msg']} (got {str(first['input'])[:60]!r})") from None


def _read_boards(file: Path) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        return list(value["boards"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file}: not a leaderboard ({error}); move it away to start a new one") from error


def _board(boards: list[dict[str, Any]], results: Results) -> dict[str, Any]:
    identity = {
        "dataset": results.dataset.name,
        "human_reference": results.dataset.human_reference,
        "dataset_sha256": results.dataset.sha256,
        "task_versions": {t.task: t.version for t in results.tasks},
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


def _entry(results: Results, condition: str, tasks: Sequence[_Task]) -> dict[str, Any]:
    spent = results.usage.by_role.values()
    costs = [u.cost_usd for u in spent]
    return {
        "model": results.model.name,
        "scripted": results.model.scripted,
        "condition": condition,
        "run_id": results.run.id,
        "date": results.run.started.date().isoformat(),
        "tasks": {t.task: {m.metric: _number(m) for m in t.metrics} for t in tasks},
        "coverage": min(t.coverage for t in tasks),
        "cost_usd": None if None in costs else sum(c for c in costs if c is not None),
        "tokens": sum(u.input + u.output for u in spent),
        "engines": results.engines.model_dump(),
        "config_sha256": results.run.config_sha256,
    }


def _number(metric: _Metric) -> dict[str, Any]:
    return {
        "value": metric.value,
        "ci": metric.ci and metric.ci.model_dump(),
        "floor": metric.floor,
        "uninformed": metric.uninformed,
        "n": metric.n,
        "coverage": metric.coverage,
    }


def _scored(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns entries with one alignment score each, all on the same scale.

    For each group metric 100 is the human floor and 0 the best anyone on the board reaches without knowing the shopper:
    the better of the uninformed agent and of every model's ``base``. Were each model measured against its own ``base``,
    a model that is good without a persona would look worse for it. Metrics of a task weigh equally, then tasks do. The
    ``paper`` variant of a metric that is also there with its default estimator is shown, not counted.
    """
    zero: dict[tuple[str, str], float] = {}
    for entry in entries:
        blind = entry["condition"] == "base" and not entry["scripted"]
        for key, metric in _group_metrics(entry):
            known = [metric["uninformed"], metric["value"] if blind else None, zero.get(key)]
            zero[key] = min(v for v in known if v is not None)
    return [{**entry, **_alignment(entry, zero)} for entry in entries]


def _group_metrics(entry: Mapping[str, Any]) -> list[tuple[tuple[str, str], Mapping[str, Any]]]:
    return [
        ((task, name), metric)
        for task, metrics in entry["tasks"].items()
        for name, metric in metrics.items()
        if metric["value"] is not None and metric["uninformed"] is not None and not name.endswith("(paper)")
    ]


def _alignment(entry: Mapping[str, Any], zero: Mapping[tuple[str, str], float]) -> dict[str, Any]:
    by_task: dict[str, list[tuple[float, float, float]]] = {}
    for (task, name), metric in _group_metrics(entry):
        room = zero[task, name] - metric["floor"]
        if room <= 0:  # the metric cannot tell knowing nothing from the humans at this n
            continue
        ci = metric["ci"] or {"low": metric["value"], "high": metric["value"]}
        ends = [100 * (1 - (d - metric["floor"]) / room) for d in (metric["value"], ci["high"], ci["low"])]
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
