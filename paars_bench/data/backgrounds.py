"""The one place that decides what an agent may know of a shopper.

Nothing is made for a shopper until it is asked for: a log of ten million events has a hundred thousand shoppers.
"""

from __future__ import annotations

from datetime import UTC
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.cases import Background, CaseKind
from paars_bench.data.hiding import Titles
from paars_bench.data.log import Log, run_starts
from paars_bench.data.mining import Mined
from paars_bench.data.schema import Event, event_of
from paars_bench.errors import DataError, unknown


class Backgrounds:
    """What an agent may know of each shopper of a mined log.

    Args:
        log: in canonical order.
        mined: the cases mined from it.
    """

    def __init__(self, log: Log, mined: Mined) -> None:
        self._log, self._mined = log, mined
        self._titles = Titles(log.catalog)

    def of(self, shopper: str) -> Background:
        """Returns what an agent may know of a shopper, see ``MinedData.background``.

        Raises:
            DataError: the shopper has no cutoff.
        """
        row = self._cutoff_rows.get(shopper)
        if row is None:
            raise DataError(unknown("shopper", shopper, self._cutoff_rows))
        cutoff = self._mined.split.column("cutoff")[row]
        before = self._events_before(shopper, cutoff)
        kept = self._titles.hidden(self._offered(shopper)).without(before)
        return Background(shopper, cutoff.as_py().astimezone(UTC), kept, len(before) - len(kept))

    def _events_before(self, shopper: str, cutoff: pa.Scalar) -> list[Event]:
        """Events of sessions before the cutoff; a session may say that it starts later than its first event."""
        own = self._events.slice(self._log.events, shopper)
        sessions = self._sessions.slice(self._log.sessions, shopper)
        tested = sessions.column("session").filter(pc.greater_equal(sessions.column("start"), cutoff))
        before = pc.and_not(
            pc.less(own.column("time"), cutoff), pc.is_in(own.column("session"), tested.combine_chunks())
        )
        return [event_of(row) for row in own.filter(before).to_pylist()]

    def _offered(self, shopper: str) -> list[str]:
        table = self._mined.cases.get(CaseKind.ITEM_CHOICES)
        if table is None:
            return []
        own = self._items.slice(table, shopper).column("options")
        return sorted(set(pc.list_flatten(own).to_pylist()))

    @cached_property
    def _cutoff_rows(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self._mined.split.column("shopper").to_pylist())}

    @cached_property
    def _events(self) -> _Rows:
        return _Rows.of(self._log.events)

    @cached_property
    def _sessions(self) -> _Rows:
        return _Rows.of(self._log.sessions)

    @cached_property
    def _items(self) -> _Rows:
        return _Rows.of(self._mined.cases[CaseKind.ITEM_CHOICES])


class _Rows(NamedTuple):
    """Where each shopper's rows stand in a table that is ordered by shopper."""

    row: dict[str, int]
    bounds: np.ndarray

    @classmethod
    def of(cls, table: pa.Table) -> _Rows:
        shoppers = table.column("shopper")
        first = np.flatnonzero(run_starts(shoppers))
        names = shoppers.take(pa.array(first)).to_pylist()
        return cls({name: i for i, name in enumerate(names)}, np.append(first, table.num_rows))

    def slice(self, table: pa.Table, shopper: str) -> pa.Table:
        """Returns a shopper's rows, none where it has none."""
        row = self.row.get(shopper)
        if row is None:
            return table.slice(0, 0)
        low, high = int(self.bounds[row]), int(self.bounds[row + 1])
        return table.slice(low, high - low)
