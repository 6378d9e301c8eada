"""One digest for the content of Arrow tables, whatever their chunks, offsets or files look like."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def tables_sha256(tables: Mapping[str, pa.Table]) -> str:
    """Returns the hexadecimal SHA-256 of tables: names, columns, types, values and nulls, in the order of rows."""
    digest = hashlib.sha256()
    for name in sorted(tables):
        table = tables[name]
        digest.update(f"table {name} {table.num_rows}\n".encode())
        for column in table.schema.names:
            _add(digest, column, table.column(column).combine_chunks())
    return digest.hexdigest()


def _add(digest: Any, label: str, values: pa.Array) -> None:
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    digest.update(f"column {label} {_kind(values.type)} {len(values)}\n".encode())
    digest.update(np.packbits(np.asarray(values.is_null().to_numpy(zero_copy_only=False), bool)).tobytes())
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        _add_strings(digest, values)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        digest.update(_numbers(pc.list_value_length(values).fill_null(0).cast(pa.int64())))
        _add(digest, f"{label}.item", values.flatten())
    elif pa.types.is_struct(kind):
        for i, part in enumerate(values.flatten()):
            _add(digest, f"{label}.{kind.field(i).name}", part)
    elif pa.types.is_timestamp(kind):
        digest.update(_numbers(values.cast(pa.int64()).fill_null(0)))
    elif pa.types.is_boolean(kind):
        digest.update(_numbers(values.fill_null(False).cast(pa.int64())))
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        digest.update(_numbers(values.fill_null(0)))
    else:
        raise TypeError(f"column {label}: no digest is defined for type {kind}")


def _kind(kind: pa.DataType) -> str:
    """Parquet renames the items of a list, so a type's own text would tell a file from what was written."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return "list"
    return "struct" if pa.types.is_struct(kind) else str(kind)


def _add_strings(digest: Any, values: pa.Array) -> None:
    filled = values.fill_null("")
    digest.update(_numbers(pc.binary_length(filled).cast(pa.int64())))
    width = np.int64 if pa.types.is_large_string(values.type) else np.int32
    _, offsets, data = filled.buffers()
    if data is None or not len(filled):
        return
    ends = np.frombuffer(offsets, width)[filled.offset : filled.offset + len(filled) + 1]
    digest.update(memoryview(data)[int(ends[0]) : int(ends[-1])])


def _numbers(values: pa.Array) -> bytes:
    array = np.asarray(values.to_numpy(zero_copy_only=False))
    return array.astype(array.dtype.newbyteorder("<")).tobytes()
