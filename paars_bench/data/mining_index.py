"""A log as numpy columns: mining scans ten million events in it without making an object per event."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.hiding import Titles
from paars_bench.data.log import Log, session_codes
from paars_bench.data.schema import Action

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
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
        self.time: Ints = ints(events.column("time").cast(pa.int64()))
        names = pa.array([str(a) for a in Action])
        self.action = ints(pc.index_in(events.column("action"), names), missing=-1).astype(np.int8)
        self.product: Ints = self.product_rows(events.column("product"))
        self.start: Ints = ints(sessions.column("start").cast(pa.int64()))
        self.first_event: Ints = np.searchsorted(self.session, np.arange(sessions.num_rows + 1))
        shoppers = sessions.column("shopper").combine_chunks()
        names = pc.unique(shoppers)
        self.shopper_names: list[str] = sorted(names.to_pylist())
        self.owner: Ints = ints(pc.index_in(shoppers, pa.array(self.shopper_names, pa.string())))
        self.first_session: Ints = np.searchsorted(self.owner, np.arange(len(self.shopper_names) + 1))

    def product_rows(self, products: pa.ChunkedArray | pa.Array) -> Ints:
        """Returns the row of each product id in the catalog, -1 where it is null or the shop does not have it."""
        ids = self.log.catalog.table.column("id").combine_chunks()
        return ints(pc.index_in(products, ids, skip_nulls=True), missing=-1)

    def is_action(self, *actions: Action) -> Bools:
        """Returns which events are one of the actions."""
        return np.isin(self.action, np.array([ACTION_CODE[a] for a in actions], np.int8))

    @cached_property
    def category(self) -> Ints:
        """Code of each product's category path, -1 where it has none."""
        column = self.log.catalog.table.column("category")
        paths = [tuple(p or ()) for p in column.to_pylist()]
        codes = {path: i for i, path in enumerate(sorted(set(paths)))}
        return np.array([codes[p] if p else -1 for p in paths], np.int64)

    @cached_property
    def title(self) -> Ints:
        """Code of each product's title, equal for equal titles."""
        return Titles(self.log.catalog).code

    def number(self, events: Ints) -> Ints:
        """Returns the place of events in their sessions, from 0."""
        return events - self.first_event[self.session[events]]


def ints(column: pa.ChunkedArray | pa.Array, *, missing: int | None = None) -> Ints:
    """Returns a column of whole numbers as int64; nulls become ``missing``, and are an error without it."""
    if missing is not None:
        column = pc.fill_null(column, missing)
    return np.asarray(column.to_numpy()).astype(np.int64, copy=False)


def bools(column: pa.ChunkedArray | pa.Array) -> Bools:
    """Returns a column of truth values; nulls are false."""
    filled = pc.fill_null(column, False)
    return np.asarray(filled.to_numpy() if isinstance(filled, pa.ChunkedArray) else filled.to_numpy(False), bool)
