"""What every importer of a public data set does alike: rows of text, a choice of shoppers, the tables of a log."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.cases import CaseKind
from paars_bench.data.importing.columns import Column
from paars_bench.data.importing.convert import Times, possible, read_times, text
from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.source import read_chunks
from paars_bench.data.mined import About
from paars_bench.data.mining_index import Bools
from paars_bench.data.mining_rules import Funnel, case_number
from paars_bench.data.schema import EVENTS, SHOPPERS, Action
from paars_bench.errors import DataError

ITEM_CAP = 4
"""Item choices of one shopper, so that heavy buyers do not fill a test set; see design/data.md."""

NOT_ANSWERED = frozenset({"", "Prefer not to say"})
"""Answers of a survey that say nothing of the person."""

_Name = TypeVar("_Name", str, int)


def choose_shoppers(
    dataset: str, names: Iterable[_Name], shoppers: int | None, seed: int, *, of: str = "shopper"
) -> list[_Name]:
    """Chooses shoppers by seed; a smaller choice is part of a larger one, and None takes all.

    Args:
        dataset: as given to ``--dataset``, for the error.
        names: of those to choose from, each once.
        shoppers: how many.
        seed: of the choice.
        of: what a shopper is called in this data set; part of the draw.

    Raises:
        DataError: there are fewer.
    """
    found = sorted(names)
    if shoppers is None:
        return found
    if shoppers > len(found):
        raise too_few(dataset, shoppers, len(found))
    return sorted(found, key=lambda name: shopper_number(seed, str(name), of=of))[:shoppers]


def too_few(dataset: str, shoppers: int, found: int) -> DataError:
    """Returns the error of asking for more shoppers than a source has."""
    return DataError(f"--dataset {dataset}: shoppers={shoppers} but the source has {found}; ask for fewer.")


def shopper_number(seed: int, name: str, *, of: str = "shopper") -> int:
    """Returns 64 random bits that belong to a shopper alone; the smallest ones are chosen first."""
    return case_number(seed, f"{of}/{name}")


def published(
    name: str, revision: str, kinds: Iterable[CaseKind], steps: Funnel, *, licence: str, citation: str
) -> About:
    """Returns what is said of a public data set of real people and of how it was imported."""
    return About(name, revision, "real", licence, citation, frozenset(kinds), tuple(steps.steps))


def ids(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns ids of any type as text."""
    return column.cast(pa.string())


def events_of(action: Action, columns: Mapping[str, pa.ChunkedArray | pa.Array]) -> pa.Table:
    """Returns events of one action from the columns that are known, schema ``EVENTS``; the others are null."""
    count = len(columns["shopper"])
    known = {**columns, "action": pa.repeat(pa.scalar(str(action)), count)}
    return pa.table([known.get(f.name, pa.nulls(count, f.type)) for f in EVENTS], schema=EVENTS)


def day_sessions(shoppers: pa.ChunkedArray, times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns a session id for each event: its shopper and its day in UTC, ``R_1-2019-03-05``."""
    return pc.binary_join_element_wise(shoppers, pc.strftime(times, "%Y-%m-%d"), "-")


def truth_table(present: Iterable[str], facts: Mapping[str, Mapping[str, str]]) -> pa.Table:
    """Returns the shoppers of a log with what is truly known of each, schema ``SHOPPERS``."""
    rows = [{"id": name, "truth": [{"key": k, "value": v} for k, v in facts.get(name, {}).items()]} for name in present]
    return pa.Table.from_pylist(rows, schema=SHOPPERS)


class Dates(NamedTuple):
    """Times of rows: microseconds since 1970, and which of them can be read and lie between 1990 and now."""

    micros: Times
    good: Bools


def read_dates(rows: pa.Table, name: str) -> Dates:
    """Reads a column of times in ISO 8601; without a zone they are taken as UTC."""
    read = read_times(rows.column(name), Column(column=name))
    return Dates(read.micros, read.readable & possible(read.micros))


class _BadRows(Defects):
    """Counts each row that is none once, whatever is wrong with it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[int] = set()

    def add(
        self, rule: str, table: str, file: str, row: int, column: str, value: object, record: Mapping[str, object]
    ) -> None:
        super().add(rule, table, file, row, column, value, record)
        self.seen.add(row)


def read_text(
    dataset: str, file: Path, columns: tuple[str, ...], steps: Funnel, what: str, *, others: bool = False
) -> pa.Table:
    """Reads some columns of a CSV file as trimmed text, null where nothing is written; bad rows are counted.

    A file whose every line is quoted once more as a whole, as spreadsheets write it, is read as well.

    Args:
        dataset: as given to ``--dataset``, for the error.
        file: CSV in UTF-8 with a header.
        columns: those that it must have.
        steps: told how many rows there are and how many of them can be read.
        what: what a row is, for the first step.
        others: whether to read its other columns too.

    Raises:
        DataError: the file cannot be read, or a column is missing.
    """
    bad = _BadRows()
    tables, broken = [], 0
    for chunk in read_chunks(str(file), "events", bad, delimiter=None, encoding="utf-8"):
        table = chunk.table
        if table.num_columns == 1 and "," in table.column_names[0]:
            table, lost = _unwrapped(table)
            broken += lost
        missing = [name for name in columns if name not in table.column_names]
        if missing:
            have = ", ".join(table.column_names[:12])
            raise DataError(f"data set {dataset!r}: {file} has no column {missing[0]!r}, it has {have}")
        read = (*columns, *(n for n in table.column_names if n not in columns)) if others else columns
        tables.append(pa.table({name: text(table.column(name)) for name in read}))
    schema = pa.schema([(name, pa.string()) for name in columns])
    rows = pa.concat_tables(tables) if tables else schema.empty_table()
    total = rows.num_rows + len(bad.seen) + broken
    steps.start(what, total)
    steps.keep("row has the fields of the header, in UTF-8", total, rows.num_rows)
    return rows


def _unwrapped(table: pa.Table) -> tuple[pa.Table, int]:
    names = next(csv.reader([table.column_names[0]]))
    lines = pc.fill_null(table.column(0), "").to_pylist()
    rows = [row for row in csv.reader(lines) if len(row) == len(names)]
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    made = pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)})
    return made, len(lines) - len(rows)


def drop_missing(rows: pa.Table, columns: Iterable[str], steps: Funnel, rule: str) -> pa.Table:
    """Returns the rows that have a value in each of some columns, and counts the others."""
    whole = pa.repeat(pa.scalar(True), rows.num_rows)
    for name in columns:
        whole = pc.and_(whole, pc.is_valid(rows.column(name)))
    return keep_rows(rows, whole, steps, rule)


def keep_rows(rows: pa.Table, where: pa.Array | pa.ChunkedArray, steps: Funnel, rule: str) -> pa.Table:
    """Returns the rows of a mask, and counts the others; null is no."""
    kept = rows.filter(where)
    steps.keep(rule, rows.num_rows, kept.num_rows)
    return kept
