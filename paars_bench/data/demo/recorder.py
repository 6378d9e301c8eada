"""Collects the demo's events column by column, which is several times faster than an object per event."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from paars_bench.data.schema import EVENTS, SESSIONS, Action

SECOND = 1_000_000
"""Microseconds."""


class Recorder:
    """Events and sessions in the making; times are microseconds since 1970."""

    def __init__(self) -> None:
        self._events: dict[str, list[Any]] = {name: [] for name in EVENTS.names}
        self._sessions: dict[str, list[Any]] = {name: [] for name in SESSIONS.names}

    def session(self, session: str, shopper: str, start: int, intention: str) -> None:
        """Adds a session."""
        for name, value in zip(SESSIONS.names, (session, shopper, start, intention), strict=True):
            self._sessions[name].append(value)

    def event(self, shopper: str, session: str, time: int, action: Action, **values: Any) -> None:
        """Adds an event; columns not given are null."""
        known = {"shopper": shopper, "session": session, "time": time, "action": str(action), **values}
        for name, column in self._events.items():
            column.append(known.get(name))

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Returns events and sessions."""
        return _table(self._events, EVENTS), _table(self._sessions, SESSIONS)


def _table(columns: dict[str, list[Any]], schema: pa.Schema) -> pa.Table:
    arrays = []
    for field in schema:
        kind = pa.int64() if pa.types.is_timestamp(field.type) else field.type
        arrays.append(pa.array(columns[field.name], kind).cast(field.type))
    return pa.table(arrays, schema=schema)
