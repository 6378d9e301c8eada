"""Rows that the whole of a log refuses, read again: what is told of them is what stands in their file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.formats import Chunk, records
from paars_bench.errors import DataError


class Broken(NamedTuple):
    """Events that break one rule, by where they stand.

    Attributes:
        rule: its name.
        column: our column that it is about, "" for the row.
        files: number of the file of each event.
        rows: number of each event in its file.
    """

    rule: str
    column: str
    files: NDArray[np.int32]
    rows: NDArray[np.int64]


def tell_again(
    broken: Sequence[Broken],
    files: Sequence[str],
    read: Callable[[str], Iterable[Chunk]],
    names: Mapping[str, str],
    defects: Defects,
) -> None:
    """Tells events with their whole record; only files that hold some are read, a chunk at a time.

    Args:
        broken: the events.
        files: names of the files, by number.
        read: reads the file of a name from its start.
        names: columns of the files by ours, where they differ.
        defects: told.

    Raises:
        DataError: a file holds other rows than when it was read first.
    """
    numbers = np.unique(np.concatenate([b.files for b in broken])).tolist() if broken else []
    for number in numbers:
        here = [b._replace(rows=np.sort(b.rows[b.files == number])) for b in broken]
        left = sum(len(b.rows) for b in here)
        for chunk in read(files[number]) if left else ():
            for b in here:
                left -= _tell(b, chunk, names.get(b.column, b.column), defects)
            if not left:
                break
        if left:
            raise DataError(f"{files[number]}: changed while it was read; read it again")


def _tell(broken: Broken, chunk: Chunk, column: str, defects: Defects) -> int:
    """Tells the events that stand in a chunk and returns how many they are."""
    if not len(chunk.rows):
        return 0
    first, after = np.searchsorted(broken.rows, [chunk.rows[0], chunk.rows[-1] + 1])
    rows = broken.rows[first:after]
    at = np.searchsorted(chunk.rows, rows)
    there = chunk.rows[at] == rows
    table = chunk.table.take(pa.array(at[there]))
    for row, record in zip(rows[there].tolist(), records(table), strict=True):
        defects.add(broken.rule, "events", chunk.file, row, column, record.get(column), record)
    return int(there.sum())
