"""Rows of a log file to events: what each row can be checked for alone, then what only the whole log shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from paars_bench.data.importing.columns import EVENT_COLUMNS, ColumnMap, gap_seconds, source_columns
from paars_bench.data.importing.convert import (
    EARLIEST,
    Bools,
    latest,
    mask,
    read_lists,
    read_numbers,
    read_times,
    text,
)
from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.rows import Rows
from paars_bench.data.importing.rules import RULES, Fate
from paars_bench.data.importing.source import Chunk
from paars_bench.data.schema import EVENTS, Action
from paars_bench.data.session_ids import cut_sessions
from paars_bench.errors import DataError

_ON_PRODUCTS = [a.value for a in (Action.VIEW, Action.CART_ADD, Action.CART_REMOVE, Action.PURCHASE)]
_DAY = 86_400_000_000
_PLACE = [("file", pa.int32()), ("row", pa.int64()), ("zoned", pa.bool_())]
_PRODUCT = [("title", pa.string()), ("category", pa.list_(pa.string())), ("brand", pa.string())]
_TYPED = pa.schema([*(pa.field(f.name, f.type) for f in EVENTS), *_PLACE, *_PRODUCT])


class ReadEvents(NamedTuple):
    """Events as far as their own rows tell.

    Attributes:
        table: the columns of ``EVENTS``, sessions and orders not yet checked, then file, row, zone and product.
        files: names of the files, by number.
        columns: our columns that some file had.
    """

    table: pa.Table
    files: list[str]
    columns: frozenset[str]


def read_events(
    chunks: Iterable[Chunk], columns: ColumnMap, defects: Defects, told: Callable[[int], None]
) -> ReadEvents:
    """Reads the rows of a log.

    Args:
        chunks: of its files.
        columns: which column holds what.
        defects: told what is wrong with a row.
        told: how many rows have been read.

    Raises:
        DataError: a file has no column for shopper, time or action.
        UsageError: a mapped column is not in a file.
    """
    tables: list[pa.Table] = []
    files: list[str] = []
    present: set[str] = set()
    count = 0
    for chunk in chunks:
        if not files or files[-1] != chunk.file:
            files.append(chunk.file)
        found = source_columns(columns.events, EVENT_COLUMNS, chunk.table.column_names, chunk.file)
        for needed in ("shopper", "time", "action"):
            if needed not in found:
                have = ", ".join(chunk.table.column_names[:12])
                raise DataError(
                    f"{chunk.file}: no column {needed!r}; name the one that holds it with --column {needed}=…, "
                    f"the file has {have}"
                )
        present |= found.keys()
        tables.append(_EventRows(chunk, "events", found, defects).events(len(files) - 1))
        count += chunk.table.num_rows
        told(count)
    table = pa.concat_tables(tables) if tables else _TYPED.empty_table()
    return ReadEvents(table, files, frozenset(present))


class _EventRows(Rows):
    """A chunk of events."""

    def events(self, file: int) -> pa.Table:
        shopper = text(self.raw("shopper"))
        self.find("shopper_missing", "shopper", mask(pc.is_null(shopper)))
        times = self._times()
        action = self._actions()
        query = text(self.raw("query"))
        search = mask(pc.equal(action, str(Action.SEARCH)))
        self.find("query_empty", "query", search & mask(pc.is_null(query)))
        product = text(self.raw("product"))
        on_product = mask(pc.is_in(action, pa.array(_ON_PRODUCTS)))
        self.find("product_missing", "product", on_product & mask(pc.is_null(product)))
        shown = self._shown(search)
        rank = self._ranks(mask(pc.equal(action, str(Action.VIEW))))
        price = self._prices()
        null = pa.scalar(None, pa.string())
        category, _ = read_lists(self.raw("category"), self.column("category").split)
        columns = {
            "shopper": shopper,
            "session": text(self.raw("session")),
            "time": pa.array(times.micros).cast(pa.timestamp("us", tz="UTC")),
            "action": action,
            "query": pc.if_else(pa.array(search), query, null),
            "shown": pa.array(shown, pa.list_(pa.string())),
            "product": pc.if_else(pa.array(on_product), product, null),
            "rank": rank,
            "price": price,
            "arm": text(self.raw("arm")),
            "file": pa.array(np.full(self.size, file, np.int32)),
            "row": pa.array(self._chunk.rows),
            "zoned": pa.array(times.zoned),
            "title": text(self.raw("title")),
            "category": pa.array(category, pa.list_(pa.string())),
            "brand": text(self.raw("brand")),
        }
        table = pa.table({name: columns[name] for name in _TYPED.names}).cast(_TYPED)
        return self.kept(table)

    def _times(self) -> Any:
        times = read_times(self.raw("time"), self.column("time"))
        self.find("time_missing", "time", times.missing)
        self.find("time_unreadable", "time", ~times.readable & ~times.missing)
        outside = (times.micros < EARLIEST) | (times.micros > latest())
        self.find("time_impossible", "time", times.readable & outside)
        return times

    def _actions(self) -> pa.ChunkedArray:
        said = text(self.raw("action"))
        self.find("action_missing", "action", mask(pc.is_null(said)))
        column = self.column("action")
        words = {a.value: a.value for a in Action} | (column.values or {})
        theirs = pa.array(list(words), pa.string())
        found = pc.index_in(said, theirs)
        lower = pc.index_in(pc.utf8_lower(said), theirs)  # Search, SEARCH
        action = pa.array(list(words.values()), pa.string()).take(pc.coalesce(found, lower).combine_chunks())
        self.find("action_unknown", "action", mask(pc.is_null(action)) & mask(pc.is_valid(said)))
        return pa.chunked_array([action])

    def _shown(self, search: Bools) -> list[list[str] | None]:
        lists, unreadable = read_lists(self.raw("shown"), self.column("shown").split)
        self.find("list_unreadable", "shown", unreadable)
        repeats = np.array([found is not None and len(set(found)) < len(found) for found in lists], bool)
        self.find("list_repeats", "shown", repeats & search)
        return [found if is_search else None for found, is_search in zip(lists, search.tolist(), strict=True)]

    def _ranks(self, view: Bools) -> pa.Array:
        found = read_numbers(self.raw("rank"))
        first = self.column("rank").first
        with np.errstate(invalid="ignore"):
            whole = (found.values == np.floor(found.values)) & (found.values >= first) & (found.values < 2**31 - 1)
        written = found.unreadable | ~np.isnan(found.values)
        self.find("rank_unreadable", "rank", view & written & ~whole)
        keep = view & whole
        values = np.where(keep, found.values, first) - first + 1
        return pa.array(values.astype(np.int32), mask=~keep)

    def _prices(self) -> pa.Array:
        found = read_numbers(self.raw("price"))
        self.find("price_unreadable", "price", found.unreadable)
        with np.errstate(invalid="ignore"):
            negative = found.values < 0
        self.find("price_negative", "price", negative)
        return pa.array(np.nan_to_num(found.values), mask=np.isnan(found.values) | negative)


class _Log:
    """The events of all files while the whole is checked."""

    def __init__(self, read: ReadEvents, defects: Defects) -> None:
        self.table, self._files, self._defects = read.table, read.files, defects

    def find(self, rule: str, name: str, where: Bools) -> None:
        """Tells every row of a mask; takes it out, or its value, where the rule says so."""
        if not where.any():
            return
        shown = [n for n in _TYPED.names if n not in ("file", "row", "zoned")]
        for row in self.table.filter(pa.array(where)).to_pylist():
            record = {n: v if isinstance(v, list) else str(v) for n in shown if (v := row[n]) is not None}
            value = record.get(name)
            self._defects.add(rule, "events", self._files[row["file"]], row["row"], name, value, record)
        fate = RULES[rule].fate
        if fate is Fate.QUARANTINED:
            self.table = self.table.filter(pa.array(~where))
        elif fate is Fate.EMPTIED:
            kept = pc.if_else(
                pa.array(where), pa.scalar(None, self.table.schema.field(name).type), self.table.column(name)
            )
            self.table = self.table.set_column(self.table.column_names.index(name), name, kept)

    def column(self, name: str) -> pa.ChunkedArray:
        return self.table.column(name)

    def codes(self, *names: str) -> NDArray[np.int64]:
        """Returns one number for each different combination of columns."""
        total = np.zeros(self.table.num_rows, np.int64)
        for name in names:
            encoded = self.column(name).combine_chunks().dictionary_encode()
            own = np.asarray(pc.fill_null(encoded.indices, -1).to_numpy(), np.int64) + 1
            total = np.unique(total * (int(own.max(initial=0)) + 1) + own, return_inverse=True)[1]
        return total


def check_events(read: ReadEvents, columns: ColumnMap, known: pa.Array | None, defects: Defects) -> pa.Table:
    """Returns the events of a log, schema ``EVENTS``, after the checks that need all of it.

    Args:
        read: as ``read_events`` gives it.
        columns: how sessions are made.
        known: ids of the catalog; None where the log itself makes it.
        defects: told what is wrong.
    """
    log = _Log(read, defects)
    zoned = mask(log.column("zoned"))
    if zoned.any() and not zoned.all():
        log.find("time_zone", "time", ~zoned)
    if known is not None:
        log.find(
            "product_unknown",
            "product",
            mask(pc.invert(pc.is_in(log.column("product"), known))) & mask(pc.is_valid(log.column("product"))),
        )
    _sessions(log, columns)
    _duplicates(log)
    _order(log)
    return log.table.select(EVENTS.names).cast(EVENTS)


def _duplicates(log: _Log) -> None:
    code = log.codes("shopper", "session", "time", "action", "query", "product")
    first = np.zeros(len(code), bool)
    first[np.unique(code, return_index=True)[1]] = True
    log.find("duplicate", "", ~first)


def _sessions(log: _Log, columns: ColumnMap) -> None:
    if columns.sessions == "column":
        log.find("session_missing", "session", mask(pc.is_null(log.column("session"))))
        session, shopper = log.codes("session"), log.codes("shopper")
        size = int(session.max(initial=-1)) + 1
        low, high = np.full(size, np.iinfo(np.int64).max), np.full(size, -1)
        np.minimum.at(low, session, shopper)
        np.maximum.at(high, session, shopper)
        log.find("session_shared", "session", (low < high)[session])
        return
    when = log.column("time").cast(pa.int64()).to_numpy()
    if columns.sessions == "day":
        zone = columns.events["time"].zone if "time" in columns.events else None
        local = pc.local_timestamp(log.column("time").cast(pa.timestamp("us", tz=zone or "UTC")))
        when, gap = np.floor_divide(local.cast(pa.int64()).to_numpy(), _DAY), 0
    else:
        gap = (gap_seconds(columns.sessions) or 0) * 1_000_000
    names = cut_sessions(log.column("shopper").combine_chunks(), when, gap)
    log.table = log.table.set_column(log.table.column_names.index("session"), "session", names)


def _order(log: _Log) -> None:
    session = log.codes("session")
    time = log.column("time").cast(pa.int64()).to_numpy()
    in_file = np.lexsort((np.arange(len(session)), session))
    back = np.zeros(len(session), bool)
    same = session[in_file][1:] == session[in_file][:-1]
    back[in_file[1:]] = same & (np.diff(time[in_file]) < 0)
    log.find("unordered", "time", back)
    order = np.lexsort((np.arange(len(session)), time, session))
    log.table = log.table.take(pa.array(order))
    session = session[order]
    left = mask(pc.equal(log.column("action"), str(Action.LEAVE)))
    log.find("after_leave", "action", _since(left, session) & ~left)
    _ranks(log, session)


def _since(event: Bools, session: NDArray[np.int64]) -> Bools:
    """Says which rows come after such an event in their session; rows stand in order."""
    seen = np.cumsum(event)
    starts = np.r_[True, session[1:] != session[:-1]] if len(session) else np.zeros(0, bool)
    before = np.maximum.accumulate(np.where(starts, seen - event, -1)) if len(session) else seen
    return np.asarray(seen > before, bool)


def _ranks(log: _Log, session: NDArray[np.int64]) -> None:
    """Looks every ranked view up in the list of the search before it."""
    if not len(session):
        return
    search = mask(pc.equal(log.column("action"), str(Action.SEARCH)))
    place = np.arange(len(session))
    origin = np.maximum.accumulate(np.where(search, place, -1))
    lists = log.column("shown").combine_chunks()
    length = np.asarray(pc.fill_null(pc.list_value_length(lists), 0).to_numpy(), np.int64)
    rank = np.asarray(pc.fill_null(log.column("rank"), 0).to_numpy(), np.int64)
    inside = (origin >= 0) & (session[np.maximum(origin, 0)] == session)
    ranked = (rank > 0) & inside & (length[np.maximum(origin, 0)] > 0)
    outside = ranked & (rank > length[np.maximum(origin, 0)])
    offsets = np.asarray(lists.offsets.to_numpy(), np.int64)
    flat = lists.values
    looked = ranked & ~outside
    other = np.zeros(len(session), bool)
    if looked.any():
        at = offsets[origin[looked]] + rank[looked] - 1
        there = flat.take(pa.array(at))
        other[looked] = mask(pc.not_equal(there, log.column("product").combine_chunks().filter(pa.array(looked))))
    log.find("rank_outside", "rank", outside)
    log.find("rank_other", "rank", other)
