"""What was wrong with a log: counted by rule and column, and every row kept with its place."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jsonlines

from paars_bench.data.importing.rules import RULES, Fate, Rule

_LONGEST = 200  # characters of a value that are shown; the record holds it whole


class Place(NamedTuple):
    """Where the first row of a kind of defect stands, and what it holds."""

    file: str
    row: int
    value: str | None


class Found(NamedTuple):
    """One kind of defect: in which table and column of the file ("" for the row), how often, and where first."""

    table: str
    rule: Rule
    column: str
    rows: int
    first: Place


class Defects:
    """Collects defects; with a file, every one is also a line of it.

    Args:
        quarantine: JSON lines of ``table, file, row, column, value, rule, fate, record``; None keeps counts only.

    Attributes:
        quarantined: rows of each table that are not loaded.
    """

    def __init__(self, quarantine: Path | None = None) -> None:
        self._handle: io.TextIOWrapper | None = None
        if quarantine is not None:
            self._handle = quarantine.open("w", encoding="utf-8", errors="backslashreplace")
            self._writer = jsonlines.Writer(self._handle)
        self._counts: dict[tuple[str, str, str], int] = {}
        self._first: dict[tuple[str, str, str], Place] = {}
        self.quarantined: dict[str, int] = {}

    def add(
        self, rule: str, table: str, file: str, row: int, column: str, value: object, record: Mapping[str, Any]
    ) -> None:
        """Takes one defect.

        Args:
            rule: its name.
            table: ``events``, ``catalog`` or ``shoppers``.
            file: where it was read.
            row: which row of it.
            column: of the file, "" where it is the whole row.
            value: what stands there.
            record: the whole row.
        """
        fate = RULES[rule].fate
        text = None if value is None else str(value)
        if text is not None and len(text) > _LONGEST:
            text = text[:_LONGEST] + "…"
        key = (table, rule, column)
        self._counts[key] = self._counts.get(key, 0) + 1
        self._first.setdefault(key, Place(file, row, text))
        if fate is Fate.QUARANTINED:
            self.quarantined[table] = self.quarantined.get(table, 0) + 1
        if self._handle is not None:
            self._writer.write(
                {
                    "table": table,
                    "file": file,
                    "row": row,
                    "column": column or None,
                    "value": text,
                    "rule": rule,
                    "fate": str(fate),
                    "record": dict(record),
                }
            )

    def __len__(self) -> int:
        return sum(self._counts.values())

    def found(self) -> list[Found]:
        """Returns every kind of defect, by table and in the order of the rules."""
        order = {name: i for i, name in enumerate(RULES)}
        keys = sorted(self._counts, key=lambda k: (k[0], order[k[1]], k[2]))
        return [Found(t, RULES[r], c, self._counts[t, r, c], self._first[t, r, c]) for t, r, c in keys]

    def close(self) -> None:
        """Writes the file to its end."""
        if self._handle is not None:
            self._handle.close()
