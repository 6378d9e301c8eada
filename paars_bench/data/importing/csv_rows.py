"""CSV as people really export it: rows keep their numbers, and a broken quotation mark costs its own row only.

PyArrow splits a block into fields in C but reads an open quotation mark on to the next one, over any number of sound
rows. So a block goes to it only where every mark stands where RFC 4180 puts it; any other is read row by row here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from paars_bench.data.importing.csv_long import Readable
from paars_bench.data.importing.csv_reader import LONGEST_ROW, TOO_LONG, Reader
from paars_bench.errors import DataError

_BLOCK = 4 << 20  # bytes that are read at once
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'


class BadRow(NamedTuple):
    """A row that could not be parted into fields, and the rule it breaks."""

    rule: str
    row: int
    text: bytes


class CsvBlock(NamedTuple):
    """Some rows.

    Attributes:
        rows: number of each, as a spreadsheet shows it: the header is 1, a row over several lines counts once.
        table: a column of bytes each.
        bad: rows between them that are none.
    """

    rows: NDArray[np.int64]
    table: pa.Table
    bad: list[BadRow]


def csv_blocks(
    file: str, handle: Readable, delimiter: str, *, size: int = _BLOCK, longest: int = LONGEST_ROW
) -> Iterator[CsvBlock]:
    """Yields the rows of a CSV file: at least one block, which tells the columns.

    Args:
        file: as errors name it.
        handle: its bytes, in UTF-8 (or in what was meant to be).
        delimiter: one ASCII character.
        size: bytes that are read at once; rows come out the same for any.
        longest: bytes of a row; a longer one is refused whole, whatever stands in it.

    Raises:
        DataError: no header.
    """
    reader = Reader(handle, delimiter, size, longest)
    names = _header(file, reader)
    number = 2
    yield _nothing(names)
    while reader.fill():
        parsed = _quick(reader, names, delimiter, number) or _slow(reader, names, number)
        reader.block = reader.block[parsed.size :]
        number = parsed.after
        if parsed.found.table.num_rows or parsed.found.bad:
            yield parsed.found


class _Parsed(NamedTuple):
    found: CsvBlock
    size: int  # bytes of it
    after: int  # number of the row that follows


def _header(file: str, reader: Reader) -> list[str]:
    after = -1
    while after == -1:
        if not reader.fill():
            raise DataError(f"{file}: is empty; the first row must name the columns")
        fields, after = reader.row(0)
    if reader.block[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{file}: is UTF-16; give --encoding utf-16")
    named = [f.decode("utf-8", "replace").removeprefix("\ufeff").strip().strip('"') for f in fields or ()]
    names = [name or f"(column {i})" for i, name in enumerate(named, 1)]  # pandas names no column for its index
    if not any(named) or len(set(names)) < len(names):
        shown = ", ".join(names[:8]) or "a broken quotation mark"
        raise DataError(f"{file}: the first row must name every column once, it holds {shown}")
    reader.block = reader.block[after:]
    return names


def _nothing(names: list[str]) -> CsvBlock:
    return CsvBlock(np.zeros(0, np.int64), pa.table([pa.array([], pa.binary())] * len(names), names=names), [])


def _quick(reader: Reader, names: list[str], delimiter: str, number: int) -> _Parsed | None:
    """Parses a block in C; None where a mark or a line end does not stand where the standard puts it."""
    block = reader.block
    buffer = np.frombuffer(block, np.uint8)
    ends, quotes = np.flatnonzero(buffer == _NEWLINE), np.flatnonzero(buffer == _QUOTE)
    ends = ends[np.searchsorted(quotes, ends) % 2 == 0]  # the others stand between quotation marks
    if not reader.end and not len(ends):
        return _Parsed(_nothing(names), 0, number) if len(block) <= reader.longest else None
    size = len(block) if reader.end else int(ends[-1]) + 1
    if np.diff(ends, prepend=-1, append=size - 1).max() > reader.longest:
        return None
    if not _standard(buffer[:size], quotes[quotes < size], ord(delimiter)):
        return None
    if not len(ends) or ends[-1] < size - 1:
        ends = np.append(ends, size)
    starts = np.append(0, ends[:-1] + 1)
    length = ends - starts
    blank = (length == 0) | ((length == 1) & (buffer[np.minimum(starts, size - 1)] == _RETURN))
    refused: list[int] = []

    def refuse(row: Any) -> str:
        refused.append(row.number - 1)
        return "skip"

    table = pacsv.read_csv(
        pa.py_buffer(memoryview(block)[:size]),
        read_options=pacsv.ReadOptions(use_threads=False, block_size=size + 1, column_names=names),
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=refuse
        ),
        convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.binary())),
    )
    parted = np.ones(len(ends), bool)
    parted[refused] = False
    texts = [block[starts[i] : ends[i]].rstrip(b"\r") for i in refused]
    if table.num_rows != parted.sum() or any(b"\n" in text for text in texts):
        return None
    bad = [BadRow("fields", number + i, text) for i, text in zip(refused, texts, strict=True) if text]
    if blank.any():
        table = table.filter(pa.array(~blank[parted]))
    rows = np.flatnonzero(parted & ~blank) + number
    return _Parsed(CsvBlock(rows, table, bad), size, number + len(ends))


def _standard(buffer: NDArray[np.uint8], quotes: NDArray[np.int64], delimiter: int) -> bool:
    """Says whether fields are quoted as RFC 4180 has it, and no line ends in a carriage return alone."""
    returns = np.flatnonzero(buffer == _RETURN)
    if np.any(buffer[np.minimum(returns + 1, len(buffer) - 1)] != _NEWLINE):
        return False
    if not len(quotes):
        return True
    opening, closing = quotes[0::2], quotes[1::2]
    before = buffer[opening[opening > 0] - 1]
    after = buffer[closing[closing < len(buffer) - 1] + 1]
    fits = (
        np.isin(before, [delimiter, _NEWLINE, _QUOTE]).all()
        and np.isin(after, [delimiter, _NEWLINE, _RETURN, _QUOTE]).all()
    )
    return len(quotes) % 2 == 0 and bool(fits)


def _slow(reader: Reader, names: list[str], number: int) -> _Parsed:
    """Parses a block row by row; a row whose marks are broken is its first line."""
    good: list[list[bytes]] = []
    rows: list[int] = []
    bad: list[BadRow] = []
    at = 0
    while at < len(reader.block):
        fields, after = reader.row(at)
        if after == -1:
            break
        if after == TOO_LONG:
            after = reader.shorten(at, len(names))
            if after:
                bad.append(BadRow("text_long", number, reader.block[at:after].rstrip(b"\r\n")))
                number, at = number + 1, after
                continue
            fields, after = None, reader.line(at)
        block = reader.block
        text = block[at:after].rstrip(b"\r\n")
        if fields is not None and len(fields) == len(names):
            if text or len(names) > 1:
                good.append(fields)
                rows.append(number)
        elif fields is None or any(line.count(reader.mark) >= len(names) - 1 for line in text.split(b"\n")[1:-1]):
            # One mark too many: read on to the next mark, it would take whole rows with it.
            after = block.find(b"\n", at) + 1 or len(block)
            bad.append(BadRow("quoting", number, block[at:after].rstrip(b"\r\n")))
        elif text:
            bad.append(BadRow("fields", number, text))
        number += 1
        at = after
    columns = list(zip(*good, strict=True)) or [()] * len(names)
    table = pa.table([pa.array(c, pa.binary()) for c in columns], names=names)
    return _Parsed(CsvBlock(np.array(rows, np.int64), table, bad), at, number)
