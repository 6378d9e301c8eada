"""Collects the demo's events row by row and turns them into Arrow batches, so that memory grows by batches only."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa

from paars_bench.data.schema import EVENTS, SESSIONS, Action

SECOND = 1_000_000
"""Microseconds."""

_BATCH = 50_000


class Row(NamedTuple):
    """One event; the fields of ``EVENTS`` but ``arm`` and ``refined``, ``time`` in microseconds since 1970."""

    shopper: str
    session: str
    time: int
    action: Action
    query: str | None = None
    shown: list[str] | None = None
    product: str | None = None
    rank: int | None = None
    price: float | None = None


class Recorder:
    """Events and sessions in the making; times are microseconds since 1970.

    Attributes:
        rows: events not yet in a batch. The list shown by a search may still grow.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._sessions: list[tuple[str, str, int, str | None]] = []
        self._batches: list[pa.RecordBatch] = []

    def session(self, session: str, shopper: str, start: int, intention: str | None) -> None:
        """Adds a session."""
        self._sessions.append((session, shopper, start, intention))

    def settle(self) -> None:
        """Says that what was recorded so far is done."""
        if len(self.rows) >= _BATCH:
            self._flush()

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Returns events and sessions."""
        self._flush()
        events = pa.Table.from_batches(self._batches, EVENTS)
        return events, pa.Table.from_batches([_batch(self._sessions, SESSIONS)], SESSIONS)

    def _flush(self) -> None:
        if self.rows:
            self._batches.append(_batch([(*row, None, None) for row in self.rows], EVENTS))
            self.rows = []


def _batch(rows: list[Any], schema: pa.Schema) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = []
    for field, column in zip(schema, columns, strict=True):
        kind = pa.int64() if pa.types.is_timestamp(field.type) else field.type
        arrays.append(pa.array(column, kind).cast(field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
