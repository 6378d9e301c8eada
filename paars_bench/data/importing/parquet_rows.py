"""Parquet as tables of text, times and lists of text: whatever its columns are, a bit at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from paars_bench.data.importing.convert import json_text
from paars_bench.errors import DataError


def parquet_tables(file: str, handle: Any, size: int) -> Iterator[pa.Table]:
    """Yields the rows of a Parquet file, text as bytes where it may be none.

    Args:
        file: as it is named in errors.
        handle: its bytes.
        size: most rows of a table.

    Raises:
        DataError: two columns have one name, or a column holds what no text can be made of.
    """
    source = pq.ParquetFile(handle)
    names = source.schema_arrow.names
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{file}: {names.count(name)} columns are named {name!r}; each must have a name of its own")
    for batch in source.iter_batches(size):
        yield pa.table({n: _told(file, n, batch.column(i)) for i, n in enumerate(names)})


def _told(file: str, name: str, column: pa.Array) -> pa.Array:
    try:
        return _plain(column)
    except (ValueError, OverflowError) as error:  # such as a date in a list that Python has no year for
        raise DataError(f"{file}: column {name!r} cannot be read ({error})") from error


def _plain(column: pa.Array) -> pa.Array:
    """Brings a column to text (as bytes where it may be none), and keeps times and lists of text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        return column.cast(pa.binary())  # Parquet does not promise that its text is UTF-8
    if pa.types.is_timestamp(kind) or pa.types.is_binary(kind):
        return column
    if pa.types.is_list(kind) and pa.types.is_string(kind.value_type) and _valid(column):
        return column
    if pa.types.is_nested(kind):
        return pa.array([json_text(v) for v in column.to_pylist()], pa.string())
    if pa.types.is_floating(kind):
        return _floats(column.cast(pa.float64()))
    return pc.cast(column, pa.string())


def _floats(column: pa.Array) -> pa.Array:
    """Numbers as text: pandas makes 12.0 of 12 where a value is missing, and NaN of the missing value."""
    column = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
    whole = pc.and_(pc.equal(column, pc.round(column)), pc.less(pc.abs(column), 2.0**53))
    ints = pc.if_else(whole, column, pa.scalar(0.0)).cast(pa.int64())
    return pc.if_else(whole, ints.cast(pa.string()), column.cast(pa.string()))


def _valid(column: pa.Array) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
