"""A log as numpy columns: mining scans ten million events in it without making an object per event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.log import Log, session_codes
from paars_bench.data.schema import Action

Ints = npt.NDArray[np.int64]
ACTION_CODE: dict[Action, int] = {action: i for i, action in enumerate(Action)}


class LogIndex:
    """Columns of a canonical log, one entry per event, session or shopper.

    Attributes:
        session: row of each event's session, ascending.
        time: microseconds since 1970.
        action: code of each event's action, see ``ACTION_CODE``.
        product: row of each event's product in the catalog, -1 where it has none or the shop does not have it.
        start: of each session, microseconds since 1970.
        owner: row in ``shopper_names`` of each session, ascending.
        first_event: of each session, and the number of events at the end: shape ``(sessions + 1,)``.
        first_session: of each shopper, and the number of sessions at the end.
        shopper_names: ids, ascending.
    """

    def __init__(self, log: Log) -> None:
        self.log = log
        events, sessions = log.events, log.sessions
        self.session: Ints = session_codes(log)
        self.time: Ints = _ints(events.column("time").cast(pa.int64()))
        names = pa.array([str(a) for a in Action])
        self.action: Ints = _ints(pc.index_in(events.column("action"), names), missing=-1)
        ids = log.catalog.table.column("id").combine_chunks()
        found = pc.index_in(events.column("product"), ids, skip_nulls=True)
        self.product: Ints = _ints(found, missing=-1)
        self.start: Ints = _ints(sessions.column("start").cast(pa.int64()))
        self.first_event: Ints = np.searchsorted(self.session, np.arange(sessions.num_rows + 1))
        shoppers = sessions.column("shopper").combine_chunks()
        self.shopper_names: list[str] = sorted(pc.unique(shoppers).to_pylist())
        self.owner: Ints = _ints(pc.index_in(shoppers, pa.array(self.shopper_names, pa.string())))
        self.first_session: Ints = np.searchsorted(self.owner, np.arange(len(self.shopper_names) + 1))

    def is_action(self, *actions: Action) -> npt.NDArray[np.bool_]:
        """Returns which events are one of the actions."""
        return np.isin(self.action, self.codes(*actions))

    @staticmethod
    def codes(*actions: Action) -> list[int]:
        """Returns the codes of actions."""
        return [ACTION_CODE[a] for a in actions]

    def start_time(self, session: int) -> datetime:
        """Returns when a session began."""
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(self.start[session]))

    @cached_property
    def category(self) -> Ints:
        """Code of each product's category path, -1 where it has none."""
        paths = [tuple(p or ()) for p in self.log.catalog.table.column("category").to_pylist()]
        codes = {path: i for i, path in enumerate(sorted(set(paths)))}
        return np.array([codes[p] if p else -1 for p in paths], np.int64)

    @cached_property
    def session_names(self) -> list[str]:
        """Id of each session."""
        return list(self.log.sessions.column("session").to_pylist())

    def event_range(self, shopper: int) -> tuple[int, int]:
        """Returns the first event of a shopper and the first after."""
        low, high = self.first_session[shopper], self.first_session[shopper + 1]
        return int(self.first_event[low]), int(self.first_event[high])

    def number(self, events: Ints) -> Ints:
        """Returns the place of events in their sessions, from 0."""
        return events - self.first_event[self.session[events]]


def _ints(column: pa.ChunkedArray | pa.Array, *, missing: int | None = None) -> Ints:
    if missing is not None:
        column = pc.fill_null(column, missing)
    return np.asarray(column.to_numpy()).astype(np.int64)
