"""Rows of a file of products to a catalog, and of a file of shoppers to what is truly known of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.definition import bounds
from paars_bench.data.importing.columns import CATALOG_COLUMNS, Column, ColumnMap, needed, source_columns
from paars_bench.data.importing.convert import possible, read_times, text
from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.formats import Chunk
from paars_bench.data.importing.rows import Rows
from paars_bench.data.mining_index import bools
from paars_bench.data.schema import CATALOG, SHOPPERS, Product
from paars_bench.errors import DataError
from paars_bench.store.text import showable

_YES = frozenset({"true", "1", "yes", "y", "t"})
_NO = frozenset({"false", "0", "no", "n", "f"})
_NUMBERS = {  # a number of a product: the rules it breaks where it cannot be read, and where it is out of bounds
    "price": ("price_unreadable", "price_outside"),
    "rating": ("rating_outside", "rating_outside"),
    "review_count": ("count_unreadable", "count_unreadable"),
}


def read_catalog(chunks: Iterable[Chunk], columns: ColumnMap, defects: Defects) -> pa.Table:
    """Reads products.

    Raises:
        DataError: a file has no column for id or title.
        UsageError: a mapped column is not in a file.
    """
    tables, seen = [], set[str]()
    for chunk in chunks:
        have = chunk.table.column_names
        if have:  # none of a chunk had a column where every row was refused
            found = source_columns(columns.catalog, CATALOG_COLUMNS, have, chunk.file)
            needed(found, ("id", "title"), chunk.file, have, "map it under `catalog` of --columns")
            tables.append(_products(Rows(chunk, "catalog", found, defects), seen))
    return pa.concat_tables(tables).combine_chunks() if tables else CATALOG.empty_table()


def _products(rows: Rows, seen: set[str]) -> pa.Table:
    ids = rows.texts("id")
    title = rows.texts("title")
    rows.find("id_missing", "id", bools(pc.is_null(ids)))
    names = ids.to_pylist()
    rows.find("id_unshowable", "id", np.array([n is not None and not showable(n) for n in names], bool))
    rows.find("title_missing", "title", bools(pc.is_null(title)))
    _find_repeats(rows, names, seen)
    made: dict[str, Any] = {"id": ids, "title": title}
    for name, (unreadable, outside) in _NUMBERS.items():
        made[name] = rows.numbers_between(name, *bounds(Product, name), unreadable, outside)
    made["review_count"] = _whole(rows, made["review_count"])
    made["category"] = rows.lists("category", path=True).values
    made["bullets"] = rows.lists("bullets", path=True).values
    made["brand"] = rows.texts("brand", limited=False)
    made["description"] = rows.texts("description", limited=False)
    made["reviews"] = _reviews(rows)
    made["sponsored"] = _sponsored(rows)
    made["added"] = _added(rows)
    return rows.kept(pa.table({n: made[n] for n in CATALOG.names})).cast(CATALOG)


def _whole(rows: Rows, counts: pa.Array) -> pa.Array:
    broken = bools(pc.not_equal(counts, pc.floor(counts))) | bools(pc.greater(counts, 2.0**53))
    rows.find("count_unreadable", "review_count", broken)
    return pc.if_else(pa.array(broken), pa.scalar(None, pa.float64()), counts).cast(pa.int64())


def _find_repeats(rows: Rows, names: list[str | None], seen: set[str]) -> None:
    twice = np.zeros(len(names), bool)
    for i in np.flatnonzero(rows.good).tolist():
        name = names[i]
        assert name is not None, "a row without an id is no longer good"
        twice[i] = name in seen
        seen.add(name)
    rows.find("id_twice", "id", twice)


def _reviews(rows: Rows) -> pa.Array:
    if not rows.has("reviews"):
        return pa.array([[]] * rows.size, CATALOG.field("reviews").type)
    read = [_read_reviews(v) for v in text(rows.raw("reviews")).to_pylist()]
    rows.find("list_unreadable", "reviews", np.array([r is None for r in read], bool))
    return pa.array([r or [] for r in read], CATALOG.field("reviews").type)


def _read_reviews(value: str | None) -> list[dict[str, Any]] | None:
    """Reads reviews as JSON: objects with ``rating`` and ``text``. None where they are something else."""
    if value is None:
        return []
    try:
        return [{"rating": float(r["rating"]), "text": str(r["text"])} for r in json.loads(value)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _sponsored(rows: Rows) -> pa.Array:
    if not rows.has("sponsored"):
        return pa.array(np.zeros(rows.size, bool))
    said = pc.utf8_lower(text(rows.raw("sponsored")))
    yes = bools(pc.is_in(said, pa.array(sorted(_YES))))
    rows.find("sponsored_unreadable", "sponsored", ~yes & ~bools(pc.is_in(said, pa.array([*sorted(_NO), None]))))
    return pa.array(yes)


def _added(rows: Rows) -> pa.Array:
    if not rows.has("added"):
        return pa.nulls(rows.size, CATALOG.field("added").type)
    times = read_times(rows.raw("added"), rows.column("added"))
    sound = times.readable & possible(times.micros)
    rows.find("added_unreadable", "added", ~sound & ~times.missing)
    return pa.array(times.micros, mask=~sound).cast(CATALOG.field("added").type)


class LogCatalog:
    """The products that a log itself describes: the first title, category and brand of each.

    A product that only lists shown name has no title and is left out.
    """

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []
        self._seen: set[str] = set()

    def add(self, rows: Rows, products: pa.ChunkedArray) -> None:
        """Takes what a chunk says of the products of its good rows."""
        if not rows.has("title") or not rows.good.any():
            return
        title = rows.kept(pa.table({"title": rows.texts("title", limited=False)})).column("title")
        named = bools(pc.and_(pc.is_valid(products), pc.is_valid(title)))
        ids = products.filter(pa.array(named)).to_pylist()
        new = {p: i for i, p in reversed(list(enumerate(ids))) if p not in self._seen}
        self._seen |= new.keys()
        place = pa.array(sorted(i for p, i in new.items() if showable(p)), pa.int64())
        if not len(place):
            return
        told = {"title": rows.texts("title", limited=False), "brand": rows.texts("brand", limited=False)}
        told["category"] = rows.lists("category", path=True).values
        table = rows.kept(pa.table(told)).filter(pa.array(named)).take(place)
        known: dict[str, Any] = {"id": pa.array(ids, pa.string()).take(place)}
        known |= {name: table.column(name) for name in told}
        blank = {f.name: pa.nulls(len(place), f.type) for f in CATALOG if f.name not in known}
        self._tables.append(pa.table({n: {**blank, **known}[n] for n in CATALOG.names}).cast(CATALOG))

    def table(self) -> pa.Table:
        """Returns the catalog."""
        return pa.concat_tables(self._tables).combine_chunks() if self._tables else CATALOG.empty_table()


def read_shoppers(chunks: Iterable[Chunk], columns: ColumnMap, defects: Defects) -> pa.Table:
    """Reads shoppers: one column is the id, every other one a fact about them.

    Raises:
        DataError: a file has no such column.
    """
    tables: list[pa.Table] = []
    seen: set[str] = set()
    for chunk in chunks:
        have = chunk.table.column_names
        if not have:
            continue
        if columns.shopper_id not in have:
            raise DataError(
                f"{chunk.file}: no column {columns.shopper_id!r}; set `shopper_id` in --columns, "
                f"the file has {', '.join(have[:12])}"
            )
        rows = Rows(chunk, "shoppers", {"id": Column(column=columns.shopper_id)}, defects)
        ids = rows.texts("id")
        rows.find("id_missing", "id", bools(pc.is_null(ids)))
        _find_repeats(rows, ids.to_pylist(), seen)
        facts = [{"key": n, "texts": text(chunk.table.column(n)).to_pylist()} for n in have if n != columns.shopper_id]
        truth = [
            [{"key": f["key"], "value": f["texts"][i]} for f in facts if f["texts"][i] is not None]
            for i in range(rows.size)
        ]
        made = pa.table({"id": ids, "truth": pa.array(truth, SHOPPERS.field("truth").type)})
        tables.append(rows.kept(made).cast(SHOPPERS))
    return pa.concat_tables(tables).combine_chunks() if tables else SHOPPERS.empty_table()
