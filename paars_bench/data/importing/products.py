"""Rows of a file of products to a catalog, and of a file of shoppers to what is truly known of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.importing.columns import CATALOG_COLUMNS, Column, ColumnMap, source_columns
from paars_bench.data.importing.convert import mask, read_lists, read_numbers, text
from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.rows import Rows
from paars_bench.data.importing.source import Chunk
from paars_bench.data.schema import CATALOG, SHOPPERS
from paars_bench.errors import DataError
from paars_bench.store.text import showable

_TRUE = frozenset({"true", "1", "yes", "y", "t"})


def read_catalog(chunks: Iterable[Chunk], columns: ColumnMap, defects: Defects) -> pa.Table:
    """Reads products.

    Raises:
        DataError: a file has no column for id or title.
        UsageError: a mapped column is not in a file.
    """
    tables, seen = [], set[str]()
    for chunk in chunks:
        found = source_columns(columns.catalog, CATALOG_COLUMNS, chunk.table.column_names, chunk.file)
        for needed in ("id", "title"):
            if needed not in found:
                have = ", ".join(chunk.table.column_names[:12])
                raise DataError(
                    f"{chunk.file}: no column {needed!r}; map it under `catalog` of --columns, the file has {have}"
                )
        tables.append(_products(Rows(chunk, "catalog", found, defects), seen))
    return pa.concat_tables(tables) if tables else CATALOG.empty_table()


def _products(rows: Rows, seen: set[str]) -> pa.Table:
    ids = text(rows.raw("id"))
    _check_ids(rows, ids, seen)
    title = text(rows.raw("title"))
    rows.find("title_missing", "title", mask(pc.is_null(title)))
    made: dict[str, Any] = {"id": ids, "title": title}
    for name, low, high, rule, unreadable in _NUMBERS:
        found = read_numbers(rows.raw(name))
        with np.errstate(invalid="ignore"):
            outside = (found.values < low) | (found.values > high)
            if name == "review_count":
                outside |= (found.values != np.floor(found.values)) & ~np.isnan(found.values)
        rows.find(unreadable, name, found.unreadable)
        rows.find(rule, name, outside)
        kept = pa.array(np.nan_to_num(found.values), mask=np.isnan(found.values) | outside)
        made[name] = kept.cast(CATALOG.field(name).type)
    for name in ("category", "bullets"):
        lists, bad = read_lists(rows.raw(name), rows.column(name).split)
        rows.find("list_unreadable", name, bad)
        made[name] = pa.array(lists, pa.list_(pa.string()))
    for name in ("brand", "description"):
        made[name] = text(rows.raw(name))
    reviews = [_reviews(v) for v in rows.raw("reviews").to_pylist()]
    rows.find("list_unreadable", "reviews", np.array([r is None for r in reviews], bool))
    made["reviews"] = pa.array([r or [] for r in reviews], CATALOG.field("reviews").type)
    made["sponsored"] = pa.array([str(v).strip().lower() in _TRUE for v in rows.raw("sponsored").to_pylist()])
    return rows.kept(pa.table({n: made[n] for n in CATALOG.names})).cast(CATALOG)


_NUMBERS = (
    ("price", 0, np.inf, "price_negative", "price_unreadable"),
    ("rating", 1, 5, "rating_outside", "rating_outside"),
    ("review_count", 0, 2**53, "count_unreadable", "count_unreadable"),
)


def _check_ids(rows: Rows, ids: pa.ChunkedArray, seen: set[str]) -> None:
    rows.find("id_missing", "id", mask(pc.is_null(ids)))
    names = ids.to_pylist()
    rows.find("id_unshowable", "id", np.array([n is not None and not showable(n) for n in names], bool))
    _find_repeats(rows, names, seen)


def _find_repeats(rows: Rows, names: list[str | None], seen: set[str]) -> None:
    twice = np.zeros(len(names), bool)
    for i in np.flatnonzero(rows.good).tolist():
        name = names[i]
        assert name is not None, "a row without an id is no longer good"
        twice[i] = name in seen
        seen.add(name)
    rows.find("id_twice", "id", twice)


def _reviews(value: str | None) -> list[dict[str, Any]] | None:
    """Reads reviews as JSON: objects with ``rating`` and ``text``. None where they are something else."""
    if value is None or not value.strip():
        return []
    try:
        found = json.loads(value)
        return [{"rating": float(r["rating"]), "text": str(r["text"])} for r in found]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def catalog_of_log(table: pa.Table) -> pa.Table:
    """Makes a catalog of what a log says of its products: the first title, category and brand of each.

    A product that only lists shown name has no title and is left out.
    """
    named = table.filter(pc.and_(pc.is_valid(table.column("product")), pc.is_valid(table.column("title"))))
    codes = named.column("product").combine_chunks().dictionary_encode().indices.to_numpy()
    first = np.sort(np.unique(codes, return_index=True)[1])
    kept = named.take(pa.array(first, pa.int64()))
    good = pa.array([showable(n) for n in kept.column("product").to_pylist()], pa.bool_())
    kept = kept.filter(good)
    blank = {f.name: pa.nulls(kept.num_rows, f.type) for f in CATALOG}
    known = {"id": kept.column("product"), **{n: kept.column(n) for n in ("title", "category", "brand")}}
    return pa.table({n: known.get(n, blank[n]) for n in CATALOG.names}).cast(CATALOG)


def read_shoppers(chunks: Iterable[Chunk], columns: ColumnMap, defects: Defects) -> pa.Table:
    """Reads shoppers: one column is the id, every other one a fact about them.

    Raises:
        DataError: a file has no such column.
    """
    made: list[dict[str, Any]] = []
    seen: set[str] = set()
    for chunk in chunks:
        if columns.shopper_id not in chunk.table.column_names:
            have = ", ".join(chunk.table.column_names[:12])
            raise DataError(
                f"{chunk.file}: no column {columns.shopper_id!r}; set `shopper_id` in --columns, it has {have}"
            )
        rows = Rows(chunk, "shoppers", {"id": Column(column=columns.shopper_id)}, defects)
        ids = text(rows.raw("id"))
        rows.find("id_missing", "id", mask(pc.is_null(ids)))
        names = ids.to_pylist()
        _find_repeats(rows, names, seen)
        facts = [n for n in chunk.table.column_names if n != columns.shopper_id]
        for i in np.flatnonzero(rows.good).tolist():
            truth = [
                {"key": n, "value": str(v)} for n in facts if (v := chunk.table.column(n)[i].as_py()) not in (None, "")
            ]
            made.append({"id": names[i], "truth": truth})
    return pa.Table.from_pylist(made, schema=SHOPPERS)
