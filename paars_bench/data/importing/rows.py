"""The rows of a chunk while they are checked: which are still to be loaded, and what is told of the others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.importing.columns import Column
from paars_bench.data.importing.convert import read_numbers, text
from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.formats import Chunk, records
from paars_bench.data.importing.lists import Lists, read_lists
from paars_bench.data.importing.rules import LONGEST, RULES, Fate
from paars_bench.data.mining_index import Bools, bools


class Rows:
    """A chunk of one of our tables.

    Args:
        chunk: as it was read.
        table: ``events``, ``catalog`` or ``shoppers``.
        columns: our columns that the file has, and where they come from.
        defects: told what is found.

    Attributes:
        size: rows of the chunk.
        good: which of them are still to be loaded.
    """

    def __init__(self, chunk: Chunk, table: str, columns: dict[str, Column], defects: Defects) -> None:
        self._chunk, self._table, self._columns, self._defects = chunk, table, columns, defects
        self.size = chunk.table.num_rows
        self.good = np.ones(self.size, bool)

    @property
    def numbers(self) -> pa.Array:
        """The number of each row in its file."""
        return pa.array(self._chunk.rows)

    def column(self, name: str) -> Column:
        """Returns where one of our columns comes from; itself where the file has none."""
        return self._columns.get(name) or Column(column=name)

    def has(self, name: str) -> bool:
        """Says whether the file has one of our columns."""
        return name in self._columns

    def raw(self, name: str) -> pa.ChunkedArray:
        """Returns what the file holds of one of our columns: null where it has none."""
        if name not in self._columns:
            return pa.chunked_array([pa.nulls(self.size, pa.string())])
        return self._chunk.table.column(self._columns[name].column)

    def texts(self, name: str, *, limited: bool = True) -> pa.ChunkedArray:
        """Returns a column as text without white space around it, null where there is none.

        Args:
            name: one of our columns.
            limited: a text over ``LONGEST`` characters takes its row out.
        """
        if not self.has(name):
            return self.raw(name)
        found = text(self.raw(name))
        if limited:
            self.find("text_long", name, bools(pc.greater(pc.utf8_length(found), LONGEST)))
        return found

    def lists(self, name: str, *, path: bool = False) -> Lists:
        """Returns a column as lists of text; those that cannot be read are told and null."""
        found = read_lists(self.raw(name), self.column(name).split, path=path)
        self.find("list_unreadable", name, found.unreadable)
        return found

    def numbers_between(self, name: str, least: float, most: float, unreadable: str, outside: str) -> pa.Array:
        """Returns a column of numbers, null where there is none, it is unreadable or outside; both are told."""
        if not self.has(name):
            return pa.nulls(self.size, pa.float64())
        found = read_numbers(self.raw(name))
        self.find(unreadable, name, found.unreadable)
        with np.errstate(invalid="ignore"):
            wrong = (found.values < least) | (found.values > most)
        self.find(outside, name, wrong)
        return pa.array(np.nan_to_num(found.values), mask=np.isnan(found.values) | wrong)

    def find(self, rule: str, name: str, where: Bools) -> None:
        """Tells the rows of a mask that are still good, and takes them out where the rule says so."""
        where = where & self.good
        if not where.any():
            return
        column = self.column(name).column
        rows = self._chunk.rows[where].tolist()
        for row, record in zip(rows, records(self._chunk.table.filter(pa.array(where))), strict=True):
            self._defects.add(rule, self._table, self._chunk.file, row, column, record.get(column), record)
        if RULES[rule].fate is Fate.QUARANTINED:
            self.good &= ~where

    def kept(self, table: pa.Table) -> pa.Table:
        """Returns the rows of a table of this chunk's size that are still good."""
        return table if self.good.all() else table.filter(pa.array(self.good))
