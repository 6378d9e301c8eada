"""The part of ``results.json`` that a leaderboard reads, validated: a run's results may come from anyone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from paars_bench.errors import UsageError

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


class Metric(_Loose):
    """One metric of a task: its number, the scale it stands on, and its score there or why it has none."""

    metric: str = Field(max_length=100)
    level: str = Field(pattern="^(individual|group)$")
    value: _Number | None
    ci: _Interval | None = None
    floor: _Number | None = None
    null_band: tuple[_Number | None, _Number | None] = (None, None)
    uninformed: _Number | None = None
    score: _Number | None = None
    score_note: str = Field(default="", max_length=300)
    weight: float | None = Field(default=None, ge=0, le=1000, allow_inf_nan=False)
    why: str = Field(default="", max_length=300)
    n: int = Field(ge=0)
    coverage: float = Field(ge=0, le=1)

    @property
    def null_high(self) -> float | None:
        """The upper end of what human halves differ by among themselves."""
        return self.null_band[1]

    @model_validator(mode="after")
    def _on_a_scale(self) -> Self:
        if self.value is not None and (self.floor is None) != (self.uninformed is None):
            raise ValueError("floor and uninformed come together")
        if self.score is None:
            return self
        if self.value is None or self.floor is None or self.uninformed is None or self.null_high is None:
            raise ValueError("a score needs value, floor, null_band and uninformed")
        if self.weight is None:
            raise ValueError("a score without a weight is of an earlier version; `paars-bench score RUN` computes it")
        if not self.uninformed > max(self.floor, self.null_high):
            raise ValueError("a score where knowing nothing does not lie above the null band")
        return self


class _Counts(_Loose):
    planned: int = Field(ge=0)


class Task(_Loose):
    """One task under one condition; ``cases_sha256`` says which cases were asked."""

    task: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=100)
    version: str = Field(max_length=20)
    condition: str = Field(pattern=r"^[a-z_]+$", max_length=40)
    cases_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    counts: _Counts
    coverage: float = Field(ge=0, le=1)
    metrics: list[Metric]

    @field_validator("metrics")
    @classmethod
    def _once(cls, metrics: list[Metric]) -> list[Metric]:
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
    tasks: list[Task] = Field(min_length=1)
    usage: _UsageByRole

    @field_validator("tasks")
    @classmethod
    def _once(cls, tasks: list[Task]) -> list[Task]:
        asked: dict[str, tuple[str, str, int]] = {}
        for t in tasks:
            this = (t.version, t.cases_sha256, t.counts.planned)
            if asked.setdefault(t.task, this) != this:
                raise ValueError(f"{t.task} was asked other cases under {t.condition}")
        return _each_once(tasks, [f"{t.task} under {t.condition}" for t in tasks])


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
        if first["type"] == "missing" and first["loc"][-1] == "cases_sha256":
            raise UsageError(
                f"{file}: does not say which cases were asked, so it is of an earlier version; "
                f"`paars-bench score {file.parent}` computes it again"
            ) from None
        raise UsageError(f"{file}: key {where}: {first['msg']} (got {str(first['input'])[:60]!r})") from None
