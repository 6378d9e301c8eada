"""Each format of file as chunks: columns of text, and the number of the row that each value came from."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from paars_bench.data.importing.convert import json_text, read_json
from paars_bench.data.importing.csv_long import Readable
from paars_bench.data.importing.csv_rows import csv_blocks
from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.parquet_rows import parquet_tables
from paars_bench.data.mining_index import bools

_ROWS = 50_000  # of one chunk


class Chunk(NamedTuple):
    """Some rows of a file.

    Attributes:
        file: as it is named in defects.
        rows: number of each row: as a spreadsheet shows it (the header is 1), or the line, or the row of Parquet.
        table: columns of text; lists of text, numbers and timestamps of Parquet stay what they are.
        refused: rows that stood between them and were told to the defects.
    """

    file: str
    rows: NDArray[np.int64]
    table: pa.Table
    refused: int = 0


class Target(NamedTuple):
    """Which file is read for which of our tables, and who is told what is wrong."""

    file: str
    table: str
    defects: Defects

    def refuse(self, rule: str, row: int, text: str) -> None:
        """Tells a row that is none."""
        self.defects.add(rule, self.table, self.file, row, "", text, {"line": text})


def csv_chunks(target: Target, handle: Readable, delimiter: str, encoding: str) -> Iterator[Chunk]:
    """Yields the rows of a CSV file."""
    text = handle if encoding == "utf-8" else Recoded(handle, encoding)
    for block in csv_blocks(target.file, text, delimiter):
        for bad in block.bad:
            target.refuse(bad.rule, bad.row, _readable(bad.text))
        yield _sound(target, block.rows, block.table, len(block.bad))


class Recoded:
    """A file in another encoding, read as UTF-8; what is no text in it becomes bytes that are no UTF-8 either."""

    def __init__(self, handle: Any, encoding: str) -> None:
        self._text = io.TextIOWrapper(handle, encoding=encoding, errors="surrogateescape", newline="")

    def read(self, size: int, /) -> bytes:
        """Returns about ``size`` bytes, none at the end."""
        return self._text.read(size).encode("utf-8", "surrogateescape")

    def lines(self) -> Iterator[bytes]:
        """Yields the lines."""
        return (line.encode("utf-8", "surrogateescape") for line in self._text)


def _readable(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _sound(target: Target, rows: NDArray[np.int64], raw: pa.Table, refused: int = 0) -> Chunk:
    """Makes text of bytes; a row that holds none, or a NUL character, is told and left out."""
    good = np.ones(raw.num_rows, bool)
    columns: dict[str, Any] = {}
    for name in raw.column_names:
        column = raw.column(name)
        if pa.types.is_binary(column.type):
            bad, column = _text_of(column)
            _refuse(target, "encoding", name, bad & good, rows, raw)
            good &= ~bad
        if pa.types.is_string(column.type):
            nul = bools(pc.match_substring(column, "\0"))
            _refuse(target, "nul", name, nul & good, rows, raw)
            good &= ~nul
        columns[name] = column
    made = pa.table(columns)
    if not good.all():
        refused += int((~good).sum())
        made, rows = made.filter(pa.array(good)), rows[good]
    return Chunk(target.file, rows, made, refused)


def _text_of(column: pa.ChunkedArray) -> tuple[NDArray[np.bool_], pa.ChunkedArray]:
    bad = np.zeros(len(column), bool)
    try:
        return bad, column.cast(pa.string())
    except pa.ArrowInvalid:
        texts: list[str | None] = []
        for i, value in enumerate(column.to_pylist()):
            try:
                texts.append(None if value is None else value.decode())
            except UnicodeDecodeError:
                texts.append(None)
                bad[i] = True
        return bad, pa.chunked_array([pa.array(texts, pa.string())])


def _refuse(
    target: Target, rule: str, name: str, where: NDArray[np.bool_], rows: NDArray[np.int64], raw: pa.Table
) -> None:
    if not where.any():
        return
    for row, record in zip(rows[where].tolist(), records(raw.filter(pa.array(where))), strict=True):
        target.defects.add(rule, target.table, target.file, row, name, record[name], record)


def records(table: pa.Table) -> Iterator[dict[str, str | None]]:
    """Yields the rows of a chunk's table as a quarantine holds them: text by column, null where there is none."""
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):  # Python has no year over 9999
            utc = table.column(i).cast(pa.timestamp(field.type.unit, field.type.tz and "UTC"))
            table = table.set_column(i, field.name, utc.cast(pa.string()))
    return ({name: _told(value) for name, value in row.items()} for row in table.to_pylist())


def _told(value: Any) -> str | None:
    if isinstance(value, bytes):
        return _readable(value)
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return value if value is None or isinstance(value, str) else str(value)


def json_chunks(target: Target, handle: Any, encoding: str) -> Iterator[Chunk]:
    """Yields the objects of a file of JSON lines."""
    lines = handle if encoding == "utf-8" else Recoded(handle, encoding).lines()
    rows: list[int] = []
    records: list[dict[str, Any]] = []
    refused = 0
    for number, line in enumerate(lines, 1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        record = _json_object(target, number, line)
        if record is None:
            refused += 1
            continue
        rows.append(number)
        records.append(record)
        if len(rows) == _ROWS:
            yield _of_records(target, rows, records, refused)
            rows, records, refused = [], [], 0
    if rows or refused:
        yield _of_records(target, rows, records, refused)


def _json_object(target: Target, number: int, line: bytes) -> dict[str, Any] | None:
    try:
        text = line.decode()
        value = read_json(text)
        if b"\\u" in line:  # the escapes of JSON can write half of a pair, which is no text
            json.dumps(value, ensure_ascii=False).encode()
        if isinstance(value, dict) and value:
            return value
        target.refuse("json", number, text.strip())
    except UnicodeError:
        target.refuse("encoding", number, _readable(line).strip())
    except (ValueError, RecursionError):
        target.refuse("json", number, text.strip())
    return None


def _of_records(target: Target, rows: list[int], records: list[dict[str, Any]], refused: int) -> Chunk:
    names: dict[str, Any] = {}
    for record in records:
        names.update(record)
    columns = {n: _column([r.get(n) for r in records]) for n in names}
    return _sound(target, np.array(rows, np.int64), pa.table(columns), refused)


def _column(values: list[Any]) -> pa.Array:
    kinds = {type(v) for v in values if v is not None} or {str}
    try:
        if len(kinds) == 1 and (kind := kinds.pop()) in _KINDS:  # of several, Arrow would make 2 of 2.5 after a 1
            found = pa.array(values, _KINDS[kind])
            return found.cast(pa.string()) if kind is int else found
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        pass  # a list of other things than text, or a number of more than 64 bits
    return pa.array([json_text(v) for v in values], pa.string())


_KINDS = {str: pa.string(), int: pa.int64(), list: pa.list_(pa.string())}


def parquet_chunks(target: Target, handle: Any) -> Iterator[Chunk]:
    """Yields the rows of a Parquet file.

    Raises:
        DataError: two columns have one name, or a column holds what no text can be made of.
    """
    number = 1
    for table in parquet_tables(target.file, handle, _ROWS):
        rows = np.arange(number, number + table.num_rows)
        number += table.num_rows
        yield _sound(target, rows, table)
