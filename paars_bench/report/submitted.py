"""The part of ``results.json`` that a leaderboard reads, validated: a run's results may come from anyone."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from paars_bench.backbones.baselines import SCRIPTED
from paars_bench.errors import UsageError
from paars_bench.personas.conditions import CONDITIONS

SCHEMA_VERSION = 1
_MOST_BYTES = 64 << 20
_GOT, _WHERE = 60, 120  # characters of a wrong value and of its place
_Item = TypeVar("_Item")


def _each_once(items: list[_Item], names: Sequence[str]) -> list[_Item]:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{twice[0]} stands twice")
    return items


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore")


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("holds characters that cannot be shown, or blanks around it")
    return text


def _known_condition(name: str) -> str:
    if name not in CONDITIONS:
        raise ValueError(f"is no condition; valid are {', '.join(CONDITIONS)}")
    return name


# What is shown on a board may not move a terminal's cursor or break a line.
_Shown = Annotated[str, AfterValidator(_printable)]
# Sums and differences of numbers within these bounds stay finite.
Number = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Tokens = Annotated[int, Field(ge=0, le=10**15)]
_Cases = Annotated[int, Field(ge=0, le=10**9)]
_RANGES = {"accuracy": (0.0, 1.0), "query_similarity": (-1.0, 1.0)}
_ROUNDING = 1e-5  # results.json rounds a coverage to six places; float32 cosines pass 1 by less


class Interval(_Loose):
    """An interval of a metric, its ends in order."""

    low: Number
    high: Number

    @model_validator(mode="after")
    def _upright(self) -> Self:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class Halves(_Loose):
    """How a divergence varies over the half-splits of the plan that all runs on the same cases share."""

    linear: list[Number | None] = Field(max_length=1000)
    curved: list[Number | None] = Field(max_length=1000)

    @model_validator(mode="after")
    def _of_one_length(self) -> Self:
        if len(self.linear) != len(self.curved):
            raise ValueError("linear and curved have one number for each half-split")
        return self


class Metric(_Loose):
    """One metric of a task: its number, the scale it stands on, and its score there or why it has none."""

    metric: _Shown = Field(min_length=1, max_length=100)
    level: str = Field(pattern="^(individual|group)$")
    value: Number | None
    ci: Interval | None = None
    floor: Number | None = None
    null_band: tuple[Number | None, Number | None] = (None, None)
    uninformed: Number | None = None
    score: Number | None = None
    score_note: _Shown = Field(default="", max_length=300)
    weight: float | None = Field(default=None, ge=0, le=1000, allow_inf_nan=False)
    spread: Halves | None = None
    why: _Shown = Field(default="", max_length=300)
    n: _Cases
    clusters: _Cases = 0
    coverage: _Share

    @property
    def null_high(self) -> float | None:
        """The upper end of what human halves differ by among themselves."""
        return self.null_band[1]

    @model_validator(mode="after")
    def _within_its_range(self) -> Self:
        low, high = _RANGES.get(self.metric, (float("-inf"), float("inf")))
        for number in (self.value, *((self.ci.low, self.ci.high) if self.ci else ())):
            if number is not None and not low - _ROUNDING <= number <= high + _ROUNDING:
                raise ValueError(f"{self.metric} lies between {low:g} and {high:g}, got {number:g}")
        if self.value is not None and not self.n:
            raise ValueError("a value of no case")
        return self

    @model_validator(mode="after")
    def _on_a_scale(self) -> Self:
        if self.weight is not None and self.value is not None and (self.floor is None) != (self.uninformed is None):
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
    planned: _Cases = Field(gt=0)
    scored: _Cases

    @model_validator(mode="after")
    def _no_more_than_planned(self) -> Self:
        if self.scored > self.planned:
            raise ValueError("more cases scored than planned")
        return self


class Task(_Loose):
    """One task under one condition; ``cases_sha256`` says which cases were asked."""

    task: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=100)
    version: _Shown = Field(min_length=1, max_length=20)
    condition: Annotated[str, AfterValidator(_known_condition)]
    cases_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    counts: _Counts
    coverage: _Share
    min_coverage: _Share
    metrics: list[Metric]

    @field_validator("metrics")
    @classmethod
    def _once(cls, metrics: list[Metric]) -> list[Metric]:
        return _each_once(metrics, [m.metric for m in metrics])

    @model_validator(mode="after")
    def _covers_what_it_scored(self) -> Self:
        share = self.counts.scored / self.counts.planned
        if abs(share - self.coverage) > _ROUNDING:
            raise ValueError(f"coverage is {self.coverage:g}, and {share:g} of the cases planned are scored")
        return self


class _Run(_Loose):
    id: str = Field(pattern=r"^[0-9A-Za-z-]+$", max_length=80)
    status: _Shown = Field(max_length=40)
    started: datetime
    config_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class _Model(_Loose):
    name: _Shown = Field(min_length=1, max_length=200)
    scripted: bool

    @model_validator(mode="after")
    def _no_borrowed_name(self) -> Self:
        """The baselines are the reference rows of every board: a model that looks like one would stand in for it."""
        looks_like = unicodedata.normalize("NFKC", self.name).casefold()
        if not self.scripted and looks_like in SCRIPTED:
            raise ValueError(f"{self.name!r} is the name of a baseline, and this model is none")
        return self


class _Dataset(_Loose):
    name: _Shown = Field(min_length=1, max_length=200)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    human_reference: str = Field(pattern="^(real|simulated)$")


class _Engine(_Loose):
    name: _Shown = Field(max_length=200)
    revision: _Shown = Field(max_length=100)


class _Engines(_Loose):
    embedding: _Engine | None
    perplexity: _Engine | None


class _Usage(_Loose):
    input: _Tokens
    output: _Tokens
    cost_usd: float | None = Field(ge=0, le=1e9, allow_inf_nan=False)


class _UsageByRole(_Loose):
    by_role: dict[str, _Usage] = Field(max_length=20)


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
        got = repr(first["input"])
        got = got if len(got) <= _GOT else got[:_GOT] + "…"
        raise UsageError(f"{file}: key {where[:_WHERE]}: {first['msg']} (got {got})") from None
