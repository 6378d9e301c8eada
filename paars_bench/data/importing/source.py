"""CSV, JSON lines and Parquet, from a file, a folder or a URL, as tables of text with the row each came from."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from paars_bench.data.importing.defects import Defects
from paars_bench.errors import DataError

_ROWS = 100_000  # of one chunk
_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_BLOCK = 8 << 20


class Chunk(NamedTuple):
    """Some rows of a file.

    Attributes:
        file: as it is named in defects.
        rows: number of each row: as a spreadsheet shows it (the header is 1), or the line, or the row of Parquet.
        table: a column of text each (lists as JSON); timestamps stay what they are.
    """

    file: str
    rows: NDArray[np.int64]
    table: pa.Table


def files_of(source: str) -> list[str]:
    """Returns the files of a source: itself, or those in a folder, in the order of their names.

    Raises:
        DataError: there is nothing there that can be read.
    """
    try:
        system, path = fsspec.core.url_to_fs(source)
        if not system.exists(path):
            raise DataError(f"{source}: there is no such file or folder")
        if not system.isdir(path):
            return [source]
        inside = sorted(p for p in system.find(path) if _kind(p))
        names = [system.unstrip_protocol(p) if "://" in source else p for p in inside]
    except (OSError, ValueError, ImportError) as error:
        raise DataError(f"{source}: cannot be opened ({error})") from error
    if not names:
        raise DataError(f"{source}: the folder holds no file that ends in {', '.join(_SUFFIXES)}")
    return names


def read_chunks(source: str, table: str, defects: Defects, *, delimiter: str | None, encoding: str) -> Iterator[Chunk]:
    """Yields the rows of a source; what is no row at all is told to ``defects``.

    Args:
        source: file, folder or fsspec URL.
        table: which of ours the rows are for, as defects name it.
        defects: told what cannot be read.
        delimiter: of CSV; None takes a comma, or a tab in ``.tsv``.
        encoding: of CSV and JSON lines.

    Raises:
        DataError: a file cannot be opened or has no header.
    """
    for file in files_of(source):
        kind = _kind(file)
        if not kind:
            raise DataError(f"{file}: ends in none of {', '.join(_SUFFIXES)}; rename it or convert it")
        try:
            with fsspec.open(file, "rb", compression="infer" if kind != ".parquet" else None) as handle:
                if kind == ".parquet":
                    yield from _parquet(file, handle)
                elif kind in (".csv", ".tsv"):
                    yield from _csv(
                        file, table, handle, defects, delimiter or ("\t" if kind == ".tsv" else ","), encoding
                    )
                else:
                    yield from _json_lines(file, table, handle, defects, encoding)
        except (OSError, pa.ArrowException, ImportError) as error:
            raise DataError(f"{file}: cannot be read ({error})") from error


def _kind(file: str) -> str | None:
    suffixes = PurePosixPath(file.split("?", 1)[0]).suffixes
    if suffixes and suffixes[-1].lower() in (".gz", ".bz2", ".xz", ".zip", ".zst"):
        suffixes = suffixes[:-1]
    last = suffixes[-1].lower() if suffixes else ""
    return last if last in _SUFFIXES else None


def _csv(file: str, table: str, handle: Any, defects: Defects, delimiter: str, encoding: str) -> Iterator[Chunk]:
    text = handle if encoding == "utf-8" else _Recoded(handle, encoding)
    first = text.readline()
    header = next(csv.reader([first.decode("utf-8-sig", "replace")], delimiter=delimiter), [])
    names = [h.strip() for h in header]
    if not names or len(set(names)) != len(names) or not all(names):
        raise DataError(f"{file}: the first row must name every column once, it holds {header[:8]}")
    broken: dict[int, str] = {}

    def refuse(row: Any) -> str:
        broken[row.number + 1] = row.text  # the header, read above, was row 1
        return "skip"

    reader = pacsv.open_csv(
        text,
        read_options=pacsv.ReadOptions(use_threads=False, block_size=_BLOCK, column_names=names),
        parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse),
        convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.binary())),
    )
    number = 2
    for batch in reader:
        ahead = [n for n in broken if n >= number]  # the reader may already have met some of the next block
        numbers = np.setdiff1d(np.arange(number, number + batch.num_rows + len(ahead)), ahead)[: batch.num_rows]
        number = int(numbers[-1]) + 1 if len(numbers) else number
        yield _decoded(file, table, numbers, pa.Table.from_batches([batch]), defects)
    for row, line in broken.items():
        defects.add("fields", table, file, row, "", line, {"line": line})


class _Recoded(io.RawIOBase):
    """A file in another encoding, read as UTF-8; what is no text in it becomes bytes that are no UTF-8 either."""

    def __init__(self, handle: Any, encoding: str) -> None:
        self._text = io.TextIOWrapper(handle, encoding=encoding, errors="surrogateescape", newline="")
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._text.read(1 << 16).encode("utf-8", "surrogateescape")
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def _decoded(file: str, table: str, rows: NDArray[np.int64], raw: pa.Table, defects: Defects) -> Chunk:
    """Makes text of bytes; rows that hold none are told and left out."""
    good = np.ones(raw.num_rows, bool)
    columns: dict[str, Any] = {}
    for name in raw.column_names:
        column = raw.column(name)
        try:
            columns[name] = column.cast(pa.string())
        except pa.ArrowInvalid:
            texts, bad = [], []
            for i, value in enumerate(column.to_pylist()):
                try:
                    texts.append(value.decode() if value is not None else None)
                except UnicodeDecodeError:
                    texts.append(None)
                    bad.append(i)
            for i in bad:
                record = {k: _readable(raw.column(k)[i].as_py()) for k in raw.column_names}
                defects.add("encoding", table, file, int(rows[i]), name, record[name], record)
            good[bad] = False
            columns[name] = pa.array(texts, pa.string())
    made = pa.table(columns)
    if not good.all():
        made, rows = made.filter(pa.array(good)), rows[good]
    return Chunk(file, rows, made)


def _readable(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")


def _json_lines(file: str, table: str, handle: Any, defects: Defects, encoding: str) -> Iterator[Chunk]:
    rows: list[int] = []
    records: list[dict[str, Any]] = []
    for number, line in enumerate(handle, 1):
        if not line.strip():
            continue
        try:
            text = line.decode("utf-8-sig" if encoding == "utf-8" else encoding)
        except UnicodeDecodeError:
            shown = line[:2000].decode("utf-8", "backslashreplace")
            defects.add("encoding", table, file, number, "", shown, {"line": shown})
            continue
        record = _json_object(text)
        if record is None:
            defects.add("json", table, file, number, "", text, {"line": text})
            continue
        rows.append(number)
        records.append(record)
        if len(rows) == _ROWS:
            yield _of_records(file, rows, records)
            rows, records = [], []
    if rows:
        yield _of_records(file, rows, records)


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _of_records(file: str, rows: list[int], records: list[dict[str, Any]]) -> Chunk:
    names = list(dict.fromkeys(k for r in records for k in r))
    columns = {n: pa.array([_text(r.get(n)) for r in records], pa.string()) for n in names}
    return Chunk(file, np.array(rows, np.int64), pa.table(columns))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        # A lone surrogate is no text; JSON can write one.
        return value if value is None or value.isascii() else value.encode("utf-8", "replace").decode()
    return json.dumps(value, ensure_ascii=False)


def _parquet(file: str, handle: Any) -> Iterator[Chunk]:
    number = 1
    for batch in pq.ParquetFile(handle).iter_batches(_ROWS):
        columns = {n: _as_text(batch.column(i)) for i, n in enumerate(batch.schema.names)}
        rows = np.arange(number, number + batch.num_rows)
        number += batch.num_rows
        yield Chunk(file, rows, pa.table(columns))


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type) or pa.types.is_string(column.type):
        return column
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        return pa.array([_text(_plain(v)) for v in column.to_pylist()], pa.string())
    return pc.cast(column, pa.string())


def _plain(value: Any) -> Any:
    return _readable(value) if isinstance(value, bytes) else value
