"""What was wrong with a log: counted by rule and column, and every row kept with its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jsonlines

from paars_bench.data.importing.rules import RULES, Fate, Rule

_LONGEST = 200  # characters of a value that are shown


class Place(NamedTuple):
    """Where the first row of a kind of defect stands, and what it holds."""

    file: str
    row: int
    value: str | None


class Defects:
    """Collects defects; with a file, every one is also a line of it.

    Args:
        quarantine: JSON lines of ``table, file, row, column, value, rule, fate, record``; None keeps counts only.
    """

    def __init__(self, quarantine: Path | None = None) -> None:
        self._writer = jsonlines.open(quarantine, "w") if quarantine is not None else None
        self._counts: dict[tuple[str, str, str], int] = {}
        self._first: dict[tuple[str, str, str], Place] = {}
        self.rows: dict[Fate, int] = dict.fromkeys(Fate, 0)

    def add(
        self,
        rule: str,
        table: str,
        file: str,
        row: int,
        column: str,
        value: object,
        record: Mapping[str, Any],
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
        broken = RULES[rule]
        text = None if value is None else str(value)
        key = (table, rule, column)
        self._counts[key] = self._counts.get(key, 0) + 1
        self._first.setdefault(key, Place(file, row, text and text[:_LONGEST]))
        self.rows[broken.fate] += 1
        if self._writer is not None:
            self._writer.write(
                {
                    "table": table,
                    "file": file,
                    "row": row,
                    "column": column or None,
                    "value": text,
                    "rule": rule,
                    "fate": str(broken.fate),
                    "record": dict(record),
                }
            )

    def __len__(self) -> int:
        return sum(self._counts.values())

    def found(self) -> list[tuple[str, Rule, str, int, Place]]:
        """Returns table, rule, column, count and first place of every kind of defect, in the order of the rules."""
        order = list(RULES)
        keys = sorted(self._counts, key=lambda k: (k[0], order.index(k[1]), k[2]))
        return [(t, RULES[r], c, self._counts[t, r, c], self._first[t, r, c]) for t, r, c in keys]

    def close(self) -> None:
        """Writes the file to its end."""
        if self._writer is not None:
            self._writer.close()
