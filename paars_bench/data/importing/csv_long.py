"""A row of CSV that is longer than may be held: read to its end with its fields cut short, or given back unread."""

from __future__ import annotations

import re
import tempfile
from typing import IO, Protocol

import numpy as np

_KEPT = 200  # bytes of a field that are kept, of each piece that it is read in
_HELD = 1 << 20  # bytes of what may have to be given back that are held in memory; more is in a file
_NEWLINE, _QUOTE = b'\n"'


class Readable(Protocol):
    """A file of bytes."""

    def read(self, size: int, /) -> bytes:
        """Returns up to ``size`` bytes, none at the end."""
        ...


class Rewound:
    """A file of bytes that can be read again from a place on, whether or not the file itself can.

    Args:
        handle: the file.
    """

    def __init__(self, handle: Readable) -> None:
        self._handles: list[Readable] = [handle]  # the last is read first
        self._seen: IO[bytes] | None = None

    def read(self, size: int, /) -> bytes:
        """Returns up to ``size`` bytes, none at the end."""
        read = self._handles[-1].read(size)
        while not read and len(self._handles) > 1:
            self._handles.pop()
            read = self._handles[-1].read(size)
        if self._seen is not None:
            self._seen.write(read)
        return read

    def mark(self) -> None:
        """Remembers the place."""
        self._seen = tempfile.SpooledTemporaryFile(_HELD)  # noqa: SIM115 - it is read after this

    def rewind(self) -> None:
        """Goes back to the place."""
        assert self._seen is not None, "no place is marked"
        self._seen.seek(0)
        self._handles.append(self._seen)
        self._seen = None

    def forget(self) -> None:
        """Frees what was kept of the file since the place."""
        if self._seen is not None:
            self._seen.close()
        self._seen = None


def row_end(piece: bytes, inside: bool) -> int:
    """Returns where the first row of a piece ends, after its line end; 0 if it goes on.

    Args:
        piece: bytes of CSV.
        inside: whether they begin between quotation marks.
    """
    buffer = np.frombuffer(piece, np.uint8)
    ends, quotes = np.flatnonzero(buffer == _NEWLINE), np.flatnonzero(buffer == _QUOTE)
    ends = ends[(np.searchsorted(quotes, ends) + inside) % 2 == 0]
    return int(ends[0]) + 1 if len(ends) else 0


def shortened(piece: bytes, inside: bool, mark: bytes) -> bytes:
    """Returns a piece with its fields cut short and every mark in its place.

    Args:
        piece: bytes of CSV.
        inside: whether they begin between quotation marks.
        mark: between fields.
    """
    plain = b'[^"\r\n' + re.escape(mark) + b"]"
    run = re.compile(b"(" + plain + b"{%d})" % _KEPT + plain + b"*")
    parts = piece.split(b'"')
    return b'"'.join(part[:_KEPT] if i % 2 != inside else run.sub(rb"\1", part) for i, part in enumerate(parts))
