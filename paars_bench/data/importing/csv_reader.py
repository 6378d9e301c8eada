"""Bytes of CSV that are parsed row by row, of rows of any length."""

from __future__ import annotations

import io
import re

from paars_bench.data.importing.csv_long import Readable, Rewound, row_end, shortened

LONGEST_ROW = 16 << 20
"""Bytes of a row that are held: a longer row is refused."""
TOO_LONG = -2
"""Place of the row after one that is longer."""


class Reader:
    """Bytes of a CSV file that are not parsed yet.

    Args:
        handle: the file.
        delimiter: one ASCII character.
        size: bytes that are read at once.
        longest: bytes of a row that are held.

    Attributes:
        block: the bytes.
        end: whether the file has no more.
        mark: between fields.
        longest: as given.
    """

    def __init__(self, handle: Readable, delimiter: str, size: int, longest: int = LONGEST_ROW) -> None:
        self.block, self.end = b"", False
        self._handle, self._size = Rewound(handle), size
        self.longest = longest
        self._mac: bool | None = None
        self.mark = delimiter.encode()
        mark = re.escape(self.mark)
        plain = b'|[^"' + mark + rb"\n][^" + mark + rb"\n]*?"
        self._field = re.compile(rb'(?:"([^"]*(?:""[^"]*)*)"|(' + plain + rb"))(" + mark + rb"|\r?\n|\r?\Z)")
        self._open = re.compile(rb'"[^"]*(?:""[^"]*)*\Z')

    def fill(self) -> bool:
        """Reads on; False once everything is parsed."""
        if not self.end:
            self.block += self._read()
        return bool(self.block)

    def _read(self) -> bytes:
        read = self._handle.read(self._size)
        self.end = not read
        if self._mac is None:  # lines ended in a carriage return alone on a Macintosh before 2001
            self._mac = b"\r" in read and b"\n" not in read
        return read.replace(b"\r", b"\n") if self._mac else read

    def row(self, at: int) -> tuple[list[bytes] | None, int]:
        """Returns the fields of the row at a place and where the next one begins.

        No fields: its marks are broken, and the next row begins on the next line. A place of -1: the row goes on past
        the block, and more can be read; -2: it is longer than may be held.
        """
        block, start = self.block, at
        patient = not self.end and len(block) - at <= self.longest
        line = block.find(b"\n", at) + 1
        if not line and not self.end:
            return None, -1 if patient else TOO_LONG
        line = line or len(block)
        fields: list[bytes] = []
        while at <= len(block):
            found = self._field.match(block, at)
            cut = found is not None and found.end() == len(block) and not found[3].endswith(b"\n") and not self.end
            if found is None or cut:
                if not self.end and (cut or self._open.match(block, at)):
                    return None, -1 if patient else TOO_LONG
                return None, line
            quoted = found[1]
            fields.append(found[2] if quoted is None else quoted.replace(b'""', b'"'))
            at = found.end()
            if found[3] in (b"", b"\r") or found[3].endswith(b"\n"):
                return fields, at if at - start <= self.longest else TOO_LONG
        raise AssertionError(f"the row at byte {start} of the block has no end")

    def shorten(self, at: int, width: int) -> int:
        """Cuts the fields of the row at a place short where it is well formed, and returns where the next one begins.

        0: it is not, or has quotation marks and another number of fields; nothing has changed.
        """
        short, piece, inside, after = b"", self.block[at:], False, 0
        ended = self.end
        self._handle.mark()
        while piece and not after and len(short) < LONGEST_ROW:
            after = row_end(piece, inside)
            short += shortened(piece[: after or None], inside, self.mark)
            inside ^= bool(piece.count(b'"') % 2)
            piece = piece[after:] if after else self._read()
        trial = Reader(io.BytesIO(), self.mark.decode(), 1)
        trial.block, trial.end = short, True
        fields, size = trial.row(0)
        whole = after or (self.end and not piece)
        if not whole or fields is None or size != len(short) or (len(fields) != width and b'"' in short):
            self._handle.rewind()
            self.end = ended
            return 0
        self._handle.forget()
        self.block = self.block[:at] + short + piece
        return at + size

    def line(self, at: int) -> int:
        """Returns where the line after that at a place begins; one longer than the block is cut short."""
        after = self.block.find(b"\n", at) + 1
        if after:
            return after
        piece = self.block[at:]
        kept = at + min(len(piece), self.longest)
        while piece and b"\n" not in piece:
            piece = self._read()
        rest = piece.find(b"\n") + 1
        self.block = self.block[:kept] + b"\n" * bool(rest) + piece[rest:]
        return kept + bool(rest)
