"""Rows of a log file to events, as far as each row tells by itself; ``whole`` checks what only the whole log shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.definition import bounds
from paars_bench.data.importing.columns import EVENT_COLUMNS, ColumnMap, needed, source_columns
from paars_bench.data.importing.convert import possible, read_numbers, read_times
from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.formats import Chunk
from paars_bench.data.importing.lists import repeats
from paars_bench.data.importing.products import LogCatalog
from paars_bench.data.importing.rows import Rows
from paars_bench.data.mining_index import Bools, bools
from paars_bench.data.schema import EVENTS, LISTING, Action, Event
from paars_bench.errors import UsageError

ON_PRODUCTS = [a.value for a in (Action.VIEW, Action.CART_ADD, Action.CART_REMOVE, Action.PURCHASE)]
_PLACE = [("file", pa.int32()), ("row", pa.int64()), ("zoned", pa.bool_())]
TYPED = pa.schema([*(pa.field(f.name, f.type) for f in EVENTS), *(pa.field(n, t) for n, t in _PLACE)])
"""Events whose sessions and order are not checked yet, then where each stood and whether its time names a zone."""


_NAME_IT = "name the one that holds it with --column {name}=…"
_NO_ACTION = _NAME_IT + ", or say what every row is with --action purchase"


class ReadEvents(NamedTuple):
    """Events as far as their own rows tell.

    Attributes:
        table: schema ``TYPED``.
        files: names of the files, by number.
        rows: rows of the files, those that were refused included.
        columns: our columns that some file had.
    """

    table: pa.Table
    files: list[str]
    rows: int
    columns: frozenset[str]


def read_events(
    chunks: Iterable[Chunk],
    columns: ColumnMap,
    defects: Defects,
    *,
    products: LogCatalog | None,
    told: Callable[[int], None],
) -> ReadEvents:
    """Reads the rows of a log.

    Args:
        chunks: of its files.
        columns: which column holds what.
        defects: told what is wrong with a row.
        products: told what the log says of products, where no file of products is given.
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
        have = chunk.table.column_names
        if have:  # none of a chunk had a column where every row was refused
            found = source_columns(columns.events, EVENT_COLUMNS, have, chunk.file)
            if columns.action and "action" in found:
                raise UsageError(
                    f"{chunk.file}: has a column {found['action'].column!r} for the action, and every row is to be "
                    f"a {columns.action}; leave out one of the two"
                )
            needed(found, ("shopper", "time"), chunk.file, have, _NAME_IT)
            if not columns.action:
                needed(found, ("action",), chunk.file, have, _NO_ACTION)
            present |= found.keys()
            rows = _EventRows(chunk, "events", found, defects)
            tables.append(rows.events(len(files) - 1, columns.action))
            if products is not None:
                products.add(rows, tables[-1].column("product"))
        count += chunk.table.num_rows + chunk.refused
        told(count)
    table = pa.concat_tables(tables) if tables else TYPED.empty_table()
    return ReadEvents(table, files, count, frozenset(present))


class _EventRows(Rows):
    """A chunk of events."""

    def events(self, file: int, every: str | None) -> pa.Table:
        """Returns the rows that are good by themselves, schema ``TYPED``; ``every`` as no column holds the action."""
        shopper = self.texts("shopper")
        self.find("shopper_missing", "shopper", bools(pc.is_null(shopper)))
        times = self._times()
        action = self._actions(every)
        query = self.texts("query")
        search = bools(pc.equal(action, str(Action.SEARCH)))
        self.find("query_empty", "query", search & bools(pc.is_null(query)))
        listing = bools(pc.is_in(action, pa.array([str(a) for a in LISTING])))
        product = self.texts("product")
        on_product = bools(pc.is_in(action, pa.array(ON_PRODUCTS)))
        self.find("product_missing", "product", on_product & bools(pc.is_null(product)))
        self.texts("title")  # a long one takes its row out
        null = pa.scalar(None, pa.string())
        price = bounds(Event, "price")
        columns: dict[str, Any] = {
            "shopper": shopper,
            "session": self.texts("session"),
            "time": pa.array(times.micros).cast(pa.timestamp("us", tz="UTC")),
            "action": action,
            "query": pc.if_else(pa.array(listing), query, null),
            "shown": self._shown(listing),
            "product": pc.if_else(pa.array(on_product), product, null),
            "rank": self._ranks(bools(pc.equal(action, str(Action.VIEW)))),
            "price": self.numbers_between("price", *price, "price_unreadable", "price_outside"),
            "arm": self.texts("arm"),
            "refined": pc.if_else(pc.equal(action, str(Action.REFINE)), self.texts("refined"), null),
            "file": pa.array(np.full(self.size, file, np.int32)),
            "row": self.numbers,
            "zoned": pa.array(times.zoned),
        }
        return self.kept(pa.table({name: columns[name] for name in TYPED.names}).cast(TYPED))

    def _times(self) -> Any:
        times = read_times(self.raw("time"), self.column("time"))
        self.find("time_missing", "time", times.missing)
        self.find("time_unreadable", "time", ~times.readable & ~times.missing)
        self.find("time_impossible", "time", times.readable & ~possible(times.micros))
        return times

    def _actions(self, every: str | None) -> pa.ChunkedArray:
        if every:
            return pa.chunked_array([pa.repeat(pa.scalar(every), self.size)])
        said = self.texts("action")
        self.find("action_missing", "action", bools(pc.is_null(said)))
        words = {a.value: a.value for a in Action} | (self.column("action").values or {})
        theirs = pa.array(list(words), pa.string())
        found = pc.index_in(said, theirs)
        lower = pc.index_in(pc.utf8_lower(said), theirs)  # Search, SEARCH
        places = pc.coalesce(found, lower)
        action = pa.array(list(words.values()), pa.string()).take(places.combine_chunks())
        self.find("action_unknown", "action", bools(pc.is_null(action)))
        return pa.chunked_array([action])

    def _shown(self, search: Bools) -> pa.Array:
        if not self.has("shown"):
            return pa.nulls(self.size, pa.list_(pa.string()))
        lists = self.lists("shown").values
        lists = pc.if_else(pa.array(search), lists, pa.scalar(None, lists.type))
        self.find("list_repeats", "shown", repeats(lists))
        return lists

    def _ranks(self, view: Bools) -> pa.Array:
        if not self.has("rank"):
            return pa.nulls(self.size, pa.int32())
        found = read_numbers(self.raw("rank"))
        first = self.column("rank").first
        least, most = bounds(Event, "rank")
        values = found.values - first + 1
        with np.errstate(invalid="ignore"):
            whole = (values == np.floor(values)) & (values >= least) & (values <= most)
        written = found.unreadable | ~np.isnan(values)
        self.find("rank_unreadable", "rank", view & written & ~whole)
        keep = view & whole
        return pa.array(np.where(keep, values, 1).astype(np.int32), mask=~keep)
