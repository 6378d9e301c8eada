"""Which column of a file holds what: a small YAML, or ``ours=theirs`` on the command line.

Without a map every column is looked for under its own name in the log schema.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from paars_bench.config.yamlfile import Document, read_yaml
from paars_bench.data.schema import CATALOG, EVENTS, Action
from paars_bench.errors import ConfigError, DataError, UsageError, unknown

EVENT_COLUMNS = (*EVENTS.names, "title", "category", "brand")
"""Columns of a log file; the last three make a catalog where no file of products is given."""
CATALOG_COLUMNS = tuple(CATALOG.names)
_GAP = re.compile(r"(\d{1,6})\s*(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_ONLY_OF = {
    "values": ("action",),
    "split": ("shown", "category", "bullets"),
    "zone": ("time",),
    "format": ("time",),
    "first": ("rank",),
}
"""Which of our columns a key of a column is for: elsewhere it would do nothing."""


class Column(BaseModel):
    """Where one column of ours comes from.

    Attributes:
        column: its name in the file.
        values: their words for ours (``click: view``), for actions.
        split: what parts the places of a list or the steps of a path; without it a list is JSON.
        zone: time zone of times that name none, such as ``Asia/Shanghai``.
        format: of times, in the letters of ``strptime``; without it ISO 8601 or Unix time (in seconds to nanoseconds).
        first: the number of the first place, for ranks.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    values: dict[str, str] | None = None
    split: str | None = None
    zone: str | None = None
    format: str | None = None
    first: Literal[0, 1] = 1

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        from zoneinfo import ZoneInfo

        if name is not None:
            try:
                ZoneInfo(name)
            except (KeyError, ValueError, OSError) as error:
                raise ValueError("no time zone; write one such as UTC or Europe/Rome") from error
        return name

    @field_validator("values")
    @classmethod
    def _known_actions(cls, values: dict[str, str] | None) -> dict[str, str] | None:
        for word in (values or {}).values():
            _known(word)
        return values


class ColumnMap(BaseModel):
    """How to read a log.

    Attributes:
        events: our column of the log to theirs.
        catalog: our column of the products to theirs.
        shopper_id: the column of the shoppers' file that holds the id; all others are truth about them.
        action: what every row is, for a log without such a column: a file of orders, say.
        sessions: ``column`` (the log has them), ``day`` (all of a shopper's day in the zone of the times) or a gap
            (``30m``) after which a new one begins.
        delimiter: of CSV files; a comma, or a tab in ``.tsv``.
        encoding: of CSV files and JSON lines.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    events: dict[str, Column] = {}
    catalog: dict[str, Column] = {}
    shopper_id: str = "id"
    action: str | None = None
    sessions: str = "column"
    delimiter: str | None = None
    encoding: str = "utf-8"

    @field_validator("events", "catalog", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {k: {"column": v} if isinstance(v, str) else v for k, v in value.items()}

    @field_validator("action")
    @classmethod
    def _known_action(cls, value: str | None) -> str | None:
        if value is not None:
            _known(value)
        return value

    @field_validator("sessions")
    @classmethod
    def _known_sessions(cls, value: str) -> str:
        if value not in ("column", "day") and gap_seconds(value) is None:
            raise ValueError("must be column, day, or a gap such as 30m")
        return value

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        value = "\t" if value == r"\t" else value
        if value is not None and (len(value) != 1 or not value.isascii() or value in '"\r\n'):
            raise ValueError("must be one ASCII character, and neither a quotation mark nor a line end")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "a".encode(value)  # Python's codecs also turn letters and unpack bytes
            return codecs.lookup(value).name
        except (LookupError, UnicodeError):
            raise ValueError("no text encoding; write one such as utf-8, gbk or latin-1") from None


def _known(action: str) -> None:
    valid = [a.value for a in Action]
    if action not in valid:
        raise ValueError(unknown("action", action, valid))


def gap_seconds(text: str) -> int | None:
    """Returns the seconds of ``30m``, None if it is no time."""
    found = _GAP.fullmatch(text.strip())
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    return seconds or None


def read_columns(file: Path | None, given: Mapping[str, str], **changes: str | None) -> ColumnMap:
    """Returns the map of a YAML file with what the command line adds.

    Args:
        file: the YAML; None starts from our own names.
        given: ``ours: theirs`` of the log.
        **changes: other keys that the command line sets; None leaves them.

    Raises:
        ConfigError: with file, line, key, value and the nearest valid one.
    """
    document = read_yaml(file, "a column map") if file is not None else Document({})
    values: dict[str, Any] = dict(document.values)
    for table, valid in (("events", EVENT_COLUMNS), ("catalog", CATALOG_COLUMNS)):
        _check_names(document, table, valid)
    for name in given:
        if name not in EVENT_COLUMNS:
            raise UsageError(f"--column {name}={given[name]}: {unknown('column', name, EVENT_COLUMNS)}")
    if given:
        values["events"] = {**(values.get("events") or {}), **given}
    values |= {key: value for key, value in changes.items() if value is not None}
    try:
        return ColumnMap.model_validate(values)
    except ValidationError as error:
        raise _told(error, document, changes) from None


def _told(error: ValidationError, document: Document, changes: Mapping[str, str | None]) -> UsageError:
    first = error.errors(include_url=False)[0]
    path = tuple(p for p in first["loc"] if isinstance(p, str | int))
    key = ".".join(str(p) for p in path)
    where = f"{document.mark(path)}: " if document.marks else ""
    if first["type"] == "extra_forbidden":
        valid = Column.model_fields if len(path) > 1 else ColumnMap.model_fields
        return ConfigError(f"{where}{unknown('key', str(path[-1]), valid)}")
    said = str(first["msg"]).removeprefix("Value error, ").rstrip(".?")
    if key in changes and changes[key] is not None:
        return UsageError(f"--{key} {changes[key]}: {said}.")
    return ConfigError(f"{where}{key}: {said}, not {str(first['input'])[:60]!r}.")


def _check_names(document: Document, table: str, valid: tuple[str, ...]) -> None:
    """Says on which line a column stands that is none of ours, or holds a key that does nothing there."""
    named = document.values.get(table)
    for name, column in named.items() if isinstance(named, Mapping) else ():
        if name not in valid:
            raise ConfigError(f"{document.mark((table, name))}: {unknown('column', name, valid)}")
        for key in column if isinstance(column, Mapping) else ():
            if name not in _ONLY_OF.get(key, (name,)):
                only = ", ".join(_ONLY_OF[key])
                raise ConfigError(f"{document.mark((table, name, key))}: {key!r} is for {only} only, not for {name}.")


def source_columns(
    ours: Mapping[str, Column], valid: tuple[str, ...], present: list[str], file: str
) -> dict[str, Column]:
    """Returns, for each column that a file has, where it comes from.

    Raises:
        UsageError: a mapped column is not in the file.
    """
    found: dict[str, Column] = {}
    for name in valid:
        column = ours.get(name) or Column(column=name)
        if column.column in present:
            found[name] = column
        elif name in ours:
            raise UsageError(f"{file}: {name} is mapped to an {unknown('column', column.column, present)}")
    return found


def needed(found: Mapping[str, Column], names: tuple[str, ...], chunk_file: str, present: list[str], fix: str) -> None:
    """Refuses a file that lacks a column.

    Raises:
        DataError: it does; the text names the columns that it has.
    """
    for name in names:
        if name not in found:
            have = ", ".join(present[:12])
            raise DataError(f"{chunk_file}: no column {name!r}; {fix.format(name=name)}, the file has {have}")
