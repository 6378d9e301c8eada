"""One digest for the content of Arrow tables, whatever their chunks, offsets or files look like."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_PIECE = 1_000_000  # rows


def tables_sha256(tables: Mapping[str, pa.Table]) -> str:
    """Returns the hexadecimal SHA-256 of tables: names, columns, types, values and nulls, in the order of rows."""
    digest = hashlib.sha256()
    for name in sorted(tables):
        table = tables[name]
        digest.update(f"table {name} {table.num_rows}\n".encode())
        for column in table.schema.names:
            _add(digest, column, table.column(column))
    return digest.hexdigest()


def _add(digest: Any, label: str, values: pa.ChunkedArray) -> None:
    kind = values.type
    digest.update(f"column {label} {_kind(kind)} {len(values)}\n".encode())
    digest.update(np.packbits(np.asarray(values.is_null().to_numpy(), bool)).tobytes())
    pieces = list(_pieces(values))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        for piece in pieces:
            digest.update(_numbers(pc.binary_length(piece.fill_null("")).cast(pa.int64())))
        for piece in pieces:
            _add_text(digest, piece.fill_null(""))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        for piece in pieces:
            digest.update(_numbers(pc.list_value_length(piece).fill_null(0).cast(pa.int64())))
        _add(digest, f"{label}.item", pa.chunked_array([p.flatten() for p in pieces], kind.value_type))
    elif pa.types.is_struct(kind):
        for i in range(kind.num_fields):
            part = pa.chunked_array([p.flatten()[i] for p in pieces], kind.field(i).type)
            _add(digest, f"{label}.{kind.field(i).name}", part)
    else:
        for piece in pieces:
            digest.update(_numbers(_whole(label, piece)))


def _pieces(values: pa.ChunkedArray) -> Iterator[pa.Array]:
    """Yields a column in pieces small enough that a copy of one costs little; pieces leave no trace in the digest."""
    for chunk in values.chunks:
        for low in range(0, len(chunk), _PIECE):
            yield chunk.slice(low, _PIECE)


def _whole(label: str, values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_timestamp(kind):
        return values.cast(pa.int64()).fill_null(0)
    if pa.types.is_boolean(kind):
        return values.fill_null(False).cast(pa.int64())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return values.fill_null(0)
    raise TypeError(f"column {label}: no digest is defined for type {kind}")


def _kind(kind: pa.DataType) -> str:
    """Parquet renames the items of a list, so a type's own text would tell a file from what was written."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return "list"
    return "struct" if pa.types.is_struct(kind) else str(kind)


def _add_text(digest: Any, filled: pa.Array) -> None:
    width = np.int64 if pa.types.is_large_string(filled.type) else np.int32
    _, offsets, data = filled.buffers()
    if data is None or not len(filled):
        return
    ends = np.frombuffer(offsets, width)[filled.offset : filled.offset + len(filled) + 1]
    digest.update(memoryview(data)[int(ends[0]) : int(ends[-1])])


def _numbers(values: pa.Array) -> bytes:
    array = np.asarray(values.to_numpy(zero_copy_only=False))
    return array.astype(array.dtype.newbyteorder("<")).tobytes()
