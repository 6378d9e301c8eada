"""The journal: one line of strict JSON for each finished case, appended before the next begins to wait.

A process that is killed loses only what was in flight. On opening, a torn last line is cut off and its case is owed
again; a line that is damaged elsewhere is counted, said and owed again too.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import jsonlines

from paars_bench.files import strict_json

_FSYNC_SECONDS = 1.0  # flushing saves a line from the death of this process; fsync, from that of the machine
_WORDS = 300


class Damage(NamedTuple):
    """Lines that are torn, or no lines of their file.

    Attributes:
        lines: how many.
        first: the number of the first, and what is wrong with it.
    """

    lines: int = 0
    first: str = ""

    def said(self, file: Path, then: str) -> str:
        """Returns one sentence; ``then`` says what becomes of them."""
        return f"{file}: {self.lines:,} torn or damaged line{'s' * (self.lines > 1)}, {then}; the first is {self.first}"


class Loaded(NamedTuple):
    """What a file of JSON lines held: its rows, and how many lines were torn or damaged."""

    rows: list[dict[str, Any]]
    damaged: int


class JsonLines:
    """An append-only file of JSON objects.

    Args:
        path: the file; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: IO[bytes] | None = None
        self._writer: jsonlines.Writer | None = None
        self._end = 0
        self._synced = 0.0

    def load(self) -> Loaded:
        """Returns the rows on disk and cuts a torn last line off."""
        rows: list[dict[str, Any]] = []
        return Loaded(rows, self.each(lambda row, _: rows.append(row)).lines)

    def each(self, take: Callable[[dict[str, Any], int], None]) -> Damage:
        """Hands out the rows on disk one by one, cuts a torn last line off, and returns what is damaged.

        Args:
            take: gets a row and at which byte it begins. One for which it raises ``KeyError``, ``TypeError`` or
                ``ValueError`` is damaged too: it is JSON, but no line of this file.
        """
        if not self.path.exists():
            return Damage()
        damaged = Damage()
        sound_end = 0
        with self.path.open("rb") as handle:
            for number, line in enumerate(handle, 1):
                whole = line.endswith(b"\n")
                wrong = _wrong(line, sound_end, take) if whole else "torn off at its end"
                if wrong is not None:
                    damaged = Damage(damaged.lines + 1, damaged.first or f"line {number}: {wrong[:_WORDS]}")
                if whole:
                    sound_end += len(line)
        if sound_end != self.path.stat().st_size:
            os.truncate(self.path, sound_end)
        return damaged

    def at(self, places: Iterable[int]) -> Iterator[dict[str, Any]]:
        """Yields the rows that begin at these bytes, as ``each`` and ``append`` named them.

        Raises:
            ValueError: no row begins there; the file was changed by somebody else.
        """
        with self.path.open("rb") as handle:
            for place in places:
                handle.seek(place)
                row = strict_json(handle.readline())
                if not isinstance(row, dict):
                    raise ValueError(f"no row at byte {place}")
                yield row

    def append(self, row: Mapping[str, Any]) -> int:
        """Writes one row, hands it to the operating system and returns at which byte it begins.

        Raises:
            OSError: the disk is full or read-only; nothing that was written before is lost.
        """
        if self._handle is None or self._writer is None:
            self._handle = self.path.open("ab")
            self._end = self._handle.tell()
            self._writer = jsonlines.Writer(self._handle, dumps=_dumps, flush=True)
        try:
            begin, self._end = self._end, self._end + self._writer.write(row)
            now = time.monotonic()
            if now - self._synced > _FSYNC_SECONDS:
                os.fsync(self._handle.fileno())
                self._synced = now
        except OSError:
            handle, self._handle, self._writer = self._handle, None, None
            with suppress(OSError):  # closing writes the same bytes again, and fails again
                handle.close()
            raise
        return begin

    def close(self) -> None:
        """Writes everything through to the disk."""
        if self._handle is not None:
            self._handle.flush()
            os.fsync(self._handle.fileno())
            self._handle.close()
            self._handle = self._writer = None


def _dumps(row: Mapping[str, Any]) -> bytes:
    text = json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)
    return text.encode(errors="replace")  # half a character in a model's reply is written as "?" and not as a crash


def _wrong(line: bytes, place: int, take: Callable[[dict[str, Any], int], None]) -> str | None:
    """Hands out a line and returns what is wrong with it, or None."""
    try:
        value = strict_json(line)
        if not isinstance(value, dict):
            return "no JSON object"
        take(value, place)
    except KeyError as error:
        return f"{error.args[0]} is missing"
    except (ValueError, TypeError) as error:
        return str(error)
    return None
