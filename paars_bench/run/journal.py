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

_FSYNC_SECONDS = 1.0  # flushing saves a line from the death of this process; fsync, from that of the machine


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
        return Loaded(rows, self.each(lambda row, _: rows.append(row)))

    def each(self, take: Callable[[dict[str, Any], int], None]) -> int:
        """Hands out the rows on disk one by one, cuts a torn last line off, and returns how many lines are damaged.

        Args:
            take: gets a row and at which byte it begins. One for which it raises ``KeyError``, ``TypeError`` or
                ``ValueError`` is damaged too: it is JSON, but no line of this file.
        """
        if not self.path.exists():
            return 0
        damaged = 0
        sound_end = 0
        with self.path.open("rb") as handle:
            for line in handle:
                whole = line.endswith(b"\n")
                damaged += not (whole and _taken(line, sound_end, take))
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
                row = json.loads(handle.readline())
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


def _taken(line: bytes, place: int, take: Callable[[dict[str, Any], int], None]) -> bool:
    try:
        value = json.loads(line)
        if not isinstance(value, dict):
            return False
        take(value, place)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    return True
