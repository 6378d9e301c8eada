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
        events = events.select(EVENTS.names).cast(EVENTS)
        if sessions is None:
            sessions = _sessions_of(events)
        sessions = sessions.select(SESSIONS.names).cast(SESSIONS)
        sessions = sessions.sort_by([(k, "ascending") for k in ("shopper", "start", "session")]).combine_chunks()
        code = _session_codes(events, sessions)
        order = _order(events, code)
        shoppers = SHOPPERS.empty_table() if shoppers is None else shoppers.select(SHOPPERS.names).cast(SHOPPERS)
        return cls(
            events.combine_chunks() if order is None else _taken(events, order),
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


def _order(events: pa.Table, code: np.ndarray) -> pa.Array | None:
    """Returns the canonical order of events, None where they have it already."""
    times = events.column("time").cast(pa.int64()).to_numpy()
    step, later = np.diff(code), np.diff(times)
    if ((step > 0) | ((step == 0) & (later >= 0))).all():
        return None
    return pa.array(np.lexsort((times, code)))


def _taken(events: pa.Table, order: pa.Array) -> pa.Table:
    """Takes rows column by column, so that only one column is ever there in three copies."""
    columns = [events.column(name).combine_chunks().take(order) for name in events.column_names]
    return pa.table(columns, schema=events.schema)


def _session_codes(events: pa.Table, sessions: pa.Table) -> np.ndarray:
    names = sessions.column("session").combine_chunks()
    if pc.count_distinct(names).as_py() != sessions.num_rows:
        twice = pc.value_counts(names).to_pylist()
        name = next(v["values"] for v in twice if v["counts"] > 1)
        raise DataError(f"sessions: session {name!r} stands in more than one row; give each its own id.")
    # Events of one session mostly stand together, so names are looked up once a run of them, not once an event.
    begins = run_starts(events.column("session")) | run_starts(events.column("shopper"))
    firsts = events.select(["session", "shopper"]).filter(pa.array(begins))
    found = pc.index_in(firsts.column("session"), names)
    if found.null_count:
        name = firsts.column("session").filter(pc.is_null(found))[0].as_py()
        raise DataError(f"events: session {name!r} has no row in sessions; add it or leave sessions out.")
    owner = sessions.column("shopper").take(found)
    other = pc.not_equal(owner, firsts.column("shopper"))
    if pc.any(other).as_py():
        row = pc.index(other, True).as_py()
        raise DataError(
            f"events: session {firsts.column('session')[row].as_py()!r} holds events of shopper "
            f"{firsts.column('shopper')[row].as_py()!r} but belongs to {owner[row].as_py()!r}."
        )
    lengths = np.diff(np.append(np.flatnonzero(begins), events.num_rows))
    return np.repeat(np.asarray(found.to_numpy()).astype(np.int64), lengths)


def run_starts(column: pa.ChunkedArray) -> np.ndarray:
    """Returns which rows differ from the row before; the first always does. Shape ``(rows,)``, bool."""
    if not len(column):
        return np.zeros(0, bool)
    other = pc.fill_null(pc.not_equal(column.slice(1), column.slice(0, len(column) - 1)), True)
    return np.append(True, other.to_numpy())
