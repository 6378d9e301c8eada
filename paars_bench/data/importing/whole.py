"""What only the whole of a log shows: mixed zones, unknown products, sessions, duplicates, order, ranks and lists."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from paars_bench.data.importing.again import Broken
from paars_bench.data.importing.columns import ColumnMap, gap_seconds
from paars_bench.data.importing.events import ReadEvents
from paars_bench.data.importing.rules import RULES, Fate
from paars_bench.data.mining_index import Bools, bools
from paars_bench.data.schema import EVENTS, LISTING, Action
from paars_bench.data.session_ids import cut_sessions

_DAY = 86_400_000_000  # microseconds
_SAME = ("shopper", "session", "time", "action", "query", "product", "rank", "price", "arm", "refined")
_FACTORS = np.random.Generator(np.random.PCG64(0)).integers(1, 2**63, len(_SAME)) | 1


class _Log:
    """The events of all files while they are checked, and those that break a rule."""

    def __init__(self, read: ReadEvents) -> None:
        self.table = read.table.combine_chunks()
        self.broken: list[Broken] = []
        self._codes: dict[str, NDArray[np.int64]] = {}

    def find(self, rule: str, name: str, where: Bools) -> None:
        """Notes every row of a mask; takes it out, or its value, where the rule says so."""
        if not where.any():
            return
        files, rows = (np.asarray(self.column(n).to_numpy())[where] for n in ("file", "row"))
        self.broken.append(Broken(rule, name, files, rows))
        fate = RULES[rule].fate
        if fate is Fate.QUARANTINED:
            self.reorder(np.flatnonzero(~where))
        elif fate is Fate.EMPTIED:
            null = pa.scalar(None, self.table.schema.field(name).type)
            self.set(name, pc.if_else(pa.array(where), null, self.column(name)))

    def column(self, name: str) -> pa.ChunkedArray:
        return self.table.column(name)

    def set(self, name: str, values: pa.ChunkedArray | pa.Array) -> None:
        self.table = self.table.set_column(self.table.column_names.index(name), name, values)
        self._codes.pop(name, None)

    def reorder(self, rows: NDArray[np.int64]) -> None:
        """Keeps rows, in the order given."""
        self.table = self.table.take(pa.array(rows)).combine_chunks()
        self._codes = {name: codes[rows] for name, codes in self._codes.items()}

    def code(self, name: str) -> NDArray[np.int64]:
        """Returns a number for each different value of a column, -1 for null."""
        if name not in self._codes:
            found = self.column(name).combine_chunks().dictionary_encode().indices
            self._codes[name] = np.asarray(pc.fill_null(found, -1).to_numpy(), np.int64)
        return self._codes[name]

    def micros(self) -> NDArray[np.int64]:
        return np.asarray(self.column("time").cast(pa.int64()).to_numpy())

    def is_action(self, *actions: Action) -> Bools:
        return bools(pc.is_in(self.column("action"), pa.array([str(a) for a in actions])))


def check_events(read: ReadEvents, columns: ColumnMap, known: pa.Array) -> tuple[pa.Table, list[Broken]]:
    """Returns the events of a log, schema ``EVENTS``, after the checks that need all of it, and those that break one.

    Args:
        read: as ``read_events`` gives it.
        columns: how sessions are made.
        known: ids of the catalog.
    """
    log = _Log(read)
    zoned = bools(log.column("zoned"))
    log.find("time_zone", "time", zoned != (zoned.sum() * 2 >= len(zoned)))
    product = log.column("product")
    log.find("product_unknown", "product", bools(pc.is_valid(product)) & ~bools(pc.is_in(product, known)))
    if columns.sessions == "column":
        _given_sessions(log)
    else:
        log.set("session", _made_sessions(log, columns))
    _duplicates(log)
    _order(log)
    _ranks(log)
    return log.table.select(EVENTS.names).cast(EVENTS), log.broken


def _made_sessions(log: _Log, columns: ColumnMap) -> pa.Array:
    """Makes a session of all of a shopper's day, or of what lies no further apart than a gap."""
    when, gap = log.column("time").cast(pa.int64()).to_numpy(), 0
    if columns.sessions == "day":
        zone = columns.events["time"].zone if "time" in columns.events else None
        local = pc.local_timestamp(log.column("time").cast(pa.timestamp("us", tz=zone or "UTC")))
        when = np.floor_divide(local.cast(pa.int64()).to_numpy(), _DAY)
    else:
        seconds = gap_seconds(columns.sessions)
        assert seconds is not None, "the column map is checked"
        gap = seconds * 1_000_000
    return cut_sessions(log.column("shopper").combine_chunks(), when, gap)


def _given_sessions(log: _Log) -> None:
    log.find("session_missing", "session", bools(pc.is_null(log.column("session"))))
    session, shopper = log.code("session"), log.code("shopper")
    size = int(session.max(initial=-1)) + 1
    first = np.zeros(size, np.int64)
    first[session] = shopper
    shared = np.zeros(size, bool)
    shared[session[first[session] != shopper]] = True
    log.find("session_shared", "session", shared[session])


def _duplicates(log: _Log) -> None:
    """Finds rows that say what an earlier one says; a hash finds the candidates, and those are compared."""
    hashed = np.zeros(log.table.num_rows, np.int64)
    for name, factor in zip(_SAME, _FACTORS, strict=True):
        hashed += log.code(name) * factor
    places = np.sort(hashed)
    alike = np.isin(hashed, places[1:][places[1:] == places[:-1]])
    twice = np.zeros(len(hashed), bool)
    seen: set[str] = set()
    rows = log.table.select([*_SAME, "shown"]).filter(pa.array(alike)).to_pylist()
    for row, values in zip(np.flatnonzero(alike).tolist(), rows, strict=True):
        said = repr(values)
        twice[row] = said in seen
        seen.add(said)
    log.find("duplicate", "", twice)


def _order(log: _Log) -> None:
    """Puts the events of a session in order of time; those of one time keep the order they came in."""
    session, time = log.code("session"), log.micros()
    in_file = np.argsort(session, kind="stable")
    back = np.zeros(len(session), bool)
    same = session[in_file][1:] == session[in_file][:-1]
    back[in_file[1:]] = same & (np.diff(time[in_file]) < 0)
    log.find("unordered", "time", back)
    log.reorder(np.lexsort((time, session)))
    session, left = log.code("session"), log.is_action(Action.LEAVE)
    before: NDArray[np.int64] = np.cumsum(left) - left  # departures before the row
    starts = np.r_[True, session[1:] != session[:-1]][: len(session)]
    at_start = np.maximum.accumulate(np.where(starts, before, 0)) if len(session) else before
    log.find("after_leave", "action", before > at_start)


def _ranks(log: _Log) -> None:
    """Looks every ranked view up in the list before it."""
    session = log.code("session")
    lists = log.column("shown").combine_chunks()
    length = np.asarray(pc.fill_null(pc.list_value_length(lists), 0).to_numpy(), np.int64)
    if not length.any():
        return
    search = log.is_action(*LISTING)
    origin = np.maximum.accumulate(np.where(search, np.arange(len(session)), -1))
    rank = np.asarray(pc.fill_null(log.column("rank"), 0).to_numpy(), np.int64)
    own = (origin >= 0) & (session[np.maximum(origin, 0)] == session)
    size = length[np.maximum(origin, 0)]
    ranked = (rank > 0) & own & (size > 0)
    outside = ranked & (rank > size)
    looked = ranked & ~outside
    at = np.asarray(lists.offsets.to_numpy(), np.int64)[origin[looked]] + rank[looked] - 1
    there = lists.values.take(pa.array(at))
    other = np.zeros(len(session), bool)
    other[looked] = bools(pc.not_equal(there, log.column("product").combine_chunks().filter(pa.array(looked))))
    log.find("rank_outside", "rank", outside)
    log.find("rank_other", "rank", other)
