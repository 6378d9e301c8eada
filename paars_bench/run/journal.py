"""The journal: one line of strict JSON for each finished case, appended before the next begins to wait.

A process that is killed loses only what was in flight. On opening, a torn last line is cut off and its case is owed
again; a line that is damaged elsewhere is counted, said and owed again too.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import jsonlines

from paars_bench.backbones.door import Usage
from paars_bench.tasks.result import CaseResult, result_of

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
        self._handle: IO[str] | None = None
        self._writer: jsonlines.Writer | None = None
        self._synced = 0.0

    def load(self) -> Loaded:
        """Returns the rows on disk and cuts a torn last line off."""
        if not self.path.exists():
            return Loaded([], 0)
        rows: list[dict[str, Any]] = []
        damaged = 0
        sound_end = 0
        with self.path.open("rb") as handle:
            for line in handle:
                whole = line.endswith(b"\n")
                row = _row(line) if whole else None
                if row is None:
                    damaged += 1
                else:
                    rows.append(row)
                if whole:
                    sound_end += len(line)
        if sound_end != self.path.stat().st_size:
            os.truncate(self.path, sound_end)
        return Loaded(rows, damaged)

    def append(self, row: Mapping[str, Any]) -> None:
        """Writes one row and hands it to the operating system.

        Raises:
            OSError: the disk is full or read-only; nothing that was written before is lost.
        """
        if self._handle is None or self._writer is None:
            # A lone surrogate in a model's reply is not text; it is written as "?" and not as a crash.
            self._handle = self.path.open("a", encoding="utf-8", errors="replace")
            self._writer = jsonlines.Writer(self._handle, dumps=_dumps, flush=True)
        try:
            self._writer.write(row)
            now = time.monotonic()
            if now - self._synced > _FSYNC_SECONDS:
                os.fsync(self._handle.fileno())
                self._synced = now
        except OSError:
            handle, self._handle, self._writer = self._handle, None, None
            with suppress(OSError):  # closing writes the same bytes again, and fails again
                handle.close()
            raise

    def close(self) -> None:
        """Writes everything through to the disk."""
        if self._handle is not None:
            self._handle.flush()
            os.fsync(self._handle.fileno())
            self._handle.close()
            self._handle = self._writer = None


def _dumps(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class Journaled(NamedTuple):
    """What a journal holds: the last result of every case, what all its lines spent, how many lines were damaged."""

    done: dict[str, CaseResult]
    spent: list[Usage]
    damaged: int


def load_journal(journal: JsonLines) -> Journaled:
    """Reads a journal; a case that was owed and asked again spent twice and counts once."""
    loaded = journal.load()
    done: dict[str, CaseResult] = {}
    spent: list[Usage] = []
    damaged = loaded.damaged
    for row in loaded.rows:
        try:
            result = result_of(row)
        except (KeyError, TypeError, ValueError):  # JSON, but no line of a journal
            damaged += 1
            continue
        done[result.key] = result
        spent.append(result.usage)
    return Journaled(done, spent, damaged)
