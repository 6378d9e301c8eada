"""The rows of a chunk while they are checked: which are still to be loaded, and what is told of the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from paars_bench.data.importing.columns import Column
from paars_bench.data.importing.convert import Bools
from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.rules import RULES, Fate
from paars_bench.data.importing.source import Chunk


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

    def column(self, name: str) -> Column:
        """Returns where one of our columns comes from; itself where the file has none."""
        return self._columns.get(name) or Column(column=name)

    def raw(self, name: str) -> pa.ChunkedArray:
        """Returns what the file holds of one of our columns: null where it has none."""
        if name not in self._columns:
            return pa.chunked_array([pa.nulls(self.size, pa.string())])
        return self._chunk.table.column(self._columns[name].column)

    def find(self, rule: str, name: str, where: Bools) -> None:
        """Tells the rows of a mask that are still good, and takes them out where the rule says so."""
        where = where & self.good
        if not where.any():
            return
        column = self.column(name).column
        names = self._chunk.table.column_names
        for i in np.flatnonzero(where).tolist():
            record = {n: _plain(self._chunk.table.column(n)[i].as_py()) for n in names}
            self._defects.add(
                rule, self._table, self._chunk.file, int(self._chunk.rows[i]), column, record.get(column), record
            )
        if RULES[rule].fate is Fate.QUARANTINED:
            self.good &= ~where

    def kept(self, table: pa.Table) -> pa.Table:
        """Returns the rows of a table of this chunk's size that are still good."""
        return table if self.good.all() else table.filter(pa.array(self.good))


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else str(value)
