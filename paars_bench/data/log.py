"""A behaviour log in one canonical order, so that the same events always give the same cases and the same digest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.schema import EVENTS, SESSIONS, SHOPPERS, Catalog
from paars_bench.errors import DataError


class Log(NamedTuple):
    """The four tables of a behaviour log, made with ``Log.of``.

    Attributes:
        events: schema ``EVENTS``, sorted by shopper, start of the session, session and time.
        catalog: the products.
        shoppers: schema ``SHOPPERS``, sorted by id.
        sessions: schema ``SESSIONS``, sorted by shopper, start and session.
    """

    events: pa.Table
    catalog: Catalog
    shoppers: pa.Table
    sessions: pa.Table

    @classmethod
    def of(
        cls,
        events: pa.Table,
        catalog: Catalog,
        *,
        shoppers: pa.Table | None = None,
        sessions: pa.Table | None = None,
    ) -> Log:
        """Brings a log into canonical order; events of equal time keep the order they came in.

        Args:
            events: rows of schema ``EVENTS`` in any order.
            catalog: the products; events may name others, and mining counts them.
            shoppers: rows of schema ``SHOPPERS``; None where nothing is known of them.
            sessions: rows of schema ``SESSIONS``; None makes them from the events.

        Raises:
            DataError: a session without a row, with two rows, or with events of another shopper.
        """
        events = events.select(EVENTS.names).cast(EVENTS).combine_chunks()
        if sessions is None:
            sessions = _sessions_of(events)
        sessions = sessions.select(SESSIONS.names).cast(SESSIONS)
        sessions = sessions.sort_by([(k, "ascending") for k in ("shopper", "start", "session")]).combine_chunks()
        code = _session_codes(events, sessions)
        times = events.column("time").cast(pa.int64()).to_numpy()
        order = np.lexsort((times, code))
        shoppers = SHOPPERS.empty_table() if shoppers is None else shoppers.select(SHOPPERS.names).cast(SHOPPERS)
        return cls(
            events.take(pa.array(order)).combine_chunks(),
            catalog,
            shoppers.sort_by("id").combine_chunks(),
            sessions,
        )


def session_codes(log: Log) -> np.ndarray:
    """Returns for each event the row of its session, ascending: shape ``(events,)``, int64."""
    return _session_codes(log.events, log.sessions)


def _sessions_of(events: pa.Table) -> pa.Table:
    grouped = events.group_by(["session", "shopper"]).aggregate([("time", "min")])
    blank = pa.nulls(grouped.num_rows, pa.string())
    return pa.table(
        [grouped.column("session"), grouped.column("shopper"), grouped.column("time_min"), blank], schema=SESSIONS
    )


def _session_codes(events: pa.Table, sessions: pa.Table) -> np.ndarray:
    names = sessions.column("session")
    if pc.count_distinct(names).as_py() != sessions.num_rows:
        twice = pc.value_counts(names.combine_chunks()).to_pylist()
        name = next(v["values"] for v in twice if v["counts"] > 1)
        raise DataError(f"sessions: session {name!r} stands in more than one row; give each its own id.")
    found = pc.index_in(events.column("session"), names.combine_chunks())
    if found.null_count:
        name = events.column("session").filter(pc.is_null(found))[0].as_py()
        raise DataError(f"events: session {name!r} has no row in sessions; add it or leave sessions out.")
    owner = sessions.column("shopper").take(found)
    other = pc.not_equal(owner, events.column("shopper"))
    if pc.any(other).as_py():
        row = pc.index(other, True).as_py()
        raise DataError(
            f"events: session {events.column('session')[row].as_py()!r} holds events of shopper "
            f"{events.column('shopper')[row].as_py()!r} but belongs to {owner[row].as_py()!r}."
        )
    return np.asarray(found.to_numpy()).astype(np.int64)
