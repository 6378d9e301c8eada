"""``leaderboard.json`` as it lies on disk, checked as far as it is read: anyone may have edited it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ValidationError, model_validator

from paars_bench.errors import UsageError
from paars_bench.files import read_strict_json
from paars_bench.report.submitted import Halves, Interval, Number

SCHEMA_VERSION = 3


class _Figures(BaseModel):
    value: Number | None
    ci: Interval | None
    floor: Number | None
    null_high: Number | None
    uninformed: Number | None
    score_in_run: Number | None
    weight: Number | None
    spread: Halves | None
    clusters: int

    @model_validator(mode="after")
    def _on_a_scale(self) -> Self:
        if self.score_in_run is not None and None in (self.value, self.floor, self.null_high, self.uninformed):
            raise ValueError("a score needs value, floor, null_high and uninformed")
        return self


class _Unscored(BaseModel):
    task: str
    metric: str
    why: str


class _Row(BaseModel):
    model: str
    condition: str
    run_id: str
    scripted: bool
    tasks: dict[str, dict[str, _Figures]]
    not_scored: list[_Unscored]
    too_few: list[str]


class _Asked(BaseModel):
    planned: int


class _Board(BaseModel):
    cases: dict[str, _Asked]
    entries: list[_Row]


class _Boards(BaseModel):
    boards: list[_Board]


def read_boards(file: Path) -> list[dict[str, Any]]:
    """Returns the boards of a leaderboard; none where there is no file.

    Raises:
        UsageError: it is no leaderboard (the text names the key), or one of another version.
    """
    if not file.exists():
        return []
    try:
        value = read_strict_json(file)
        version = value["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_leaderboard(file, error) from error
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"{file}: has schema_version {str(version)[:20]}, this version writes {SCHEMA_VERSION}, where rows on a "
            "board are compared paired; move it away and add the runs again (`paars-bench score RUN` first where a run "
            "is older)"
        )
    try:
        _Boards.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])[:120]
        raise _no_leaderboard(file, f"key {where}: {first['msg']}") from None
    boards: list[dict[str, Any]] = value["boards"]
    return boards


def _no_leaderboard(file: Path, why: object) -> UsageError:
    return UsageError(f"{file}: not a leaderboard ({why}); move it away to start a new one")
