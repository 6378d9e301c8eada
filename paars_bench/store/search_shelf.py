"""What the search needs to know of a product beside its words, by row: from memory, or mapped from files.

A million ids as Python strings take 100 MB and a second; mapped, they cost what is looked at.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.store.refine import Sort

FEATURES = ("popularity", "rating", "price", "sponsored")
"""Columns of ``Shelf.features``."""
_FILES = ("shelf.arrow", "by_id.npy", "features.npy")
_PIECE = 65_536
_LEAVES = 50

Floats = npt.NDArray[np.float64]


class Shelf(NamedTuple):
    """Columns by row of the catalog.

    Attributes:
        table: ``id``, ``title`` and ``category``.
        by_id: rows in order of ids, int32.
        features: float32 of shape (products, 4), each in [0, 1], in the order of ``FEATURES``.
    """

    table: pa.Table
    by_id: npt.NDArray[np.int32]
    features: npt.NDArray[np.float32]

    @classmethod
    def of(cls, table: pa.Table) -> Shelf:
        """Returns the shelf of a ``catalog`` table."""
        order = pc.sort_indices(table.column("id")).to_numpy(zero_copy_only=False)
        features = [feature(table, name) for name in FEATURES]
        return cls(
            table.select(["id", "title", "category"]),
            order.astype(np.int32),
            # Rounded, so that a last bit that differs between machines never tells two products apart.
            np.stack(features, axis=1).round(6).astype(np.float32),
        )

    def write(self, folder: Path) -> None:
        """Writes the columns to files of ``folder``."""
        with pa.OSFile(str(folder / _FILES[0]), "wb") as sink, pa.ipc.new_file(sink, self.table.schema) as out:
            out.write_table(self.table, max_chunksize=_PIECE)
        np.save(folder / _FILES[1], self.by_id)
        np.save(folder / _FILES[2], self.features)

    @classmethod
    def read(cls, folder: Path) -> Shelf:
        """Maps the columns from files; OSError or ValueError (``pa.ArrowInvalid``) if they are not as written."""
        source = pa.memory_map(str(folder / _FILES[0]))
        table = pa.ipc.open_file(source).read_all()
        by_id, features = (np.load(folder / name, mmap_mode="r") for name in _FILES[1:])
        return cls(table, by_id, features)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def id(self, row: int) -> str:
        """Returns the id of a product."""
        return str(self.table.column("id")[row].as_py())

    def title(self, row: int) -> str:
        """Returns the title of a product."""
        return str(self.table.column("title")[row].as_py())

    def category(self, row: int) -> list[str]:
        """Returns the category path of a product, the widest first."""
        return list(self.table.column("category")[row].as_py() or ())

    def row(self, product_id: str) -> int:
        """Returns the row of a product; KeyError if the shop does not have it."""
        # Arrow sorts by bytes of UTF-8, which is the order of Python's strings.
        low, high = 0, len(self.by_id)
        while low < high:
            middle = (low + high) // 2
            if self.id(int(self.by_id[middle])) < product_id:
                low = middle + 1
            else:
                high = middle
        if low < len(self.by_id) and self.id(int(self.by_id[low])) == product_id:
            return int(self.by_id[low])
        raise KeyError(product_id)


def feature(table: pa.Table, name: str) -> Floats:
    """Returns a ranking feature of each product, in [0, 1] (``config.store_settings.FeatureWeights`` says of what)."""
    if name == "sponsored":
        return numbers(table, "sponsored", missing=0.0)
    if name == "popularity":
        logs = np.log1p(numbers(table, "review_count", missing=0.0))
        return np.asarray(logs / max(float(logs.max(initial=0.0)), 1e-12))
    values = numbers(table, name)
    known = ~np.isnan(values)
    if not known.any():
        return np.full(len(values), 0.5)
    if name == "rating":
        return np.where(known, (values - 1) / 4, (values[known].mean() - 1) / 4)
    below = np.searchsorted(np.sort(values[known]), values, side="left") / known.sum()
    return np.where(known, below, 0.5)


def numbers(table: pa.Table, name: str, *, missing: float = np.nan) -> Floats:
    """Returns a numeric, time or boolean column as float64."""
    column = table.column(name)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    filled = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(np.where(np.isnan(filled), missing, filled), dtype=np.float64)


def sort_places(table: pa.Table, sort: Sort) -> npt.NDArray[np.int64]:
    """Returns the place of each product in the catalog sorted: missing values last, ties in the catalog's order."""
    name = {Sort.PRICE_LOW: "price", Sort.PRICE_HIGH: "price", Sort.RATING: "rating", Sort.NEWEST: "added"}[sort]
    values = numbers(table, name) * (1 if sort is Sort.PRICE_LOW else -1)
    order = np.argsort(values, kind="stable")  # NaN last
    places = np.empty(len(values), dtype=np.int64)
    places[order] = np.arange(len(values))
    return places


def widest_leaves(table: pa.Table) -> list[str]:
    """Returns the 50 narrow categories with most products, the largest first, equals in order of name."""
    counts: Counter[str] = Counter()
    for chunk in table.column("category").chunks:
        lengths: Any = pc.list_value_length(chunk).fill_null(0).to_numpy(zero_copy_only=False)
        last = np.cumsum(lengths)[lengths > 0] - 1
        for found in pc.value_counts(chunk.flatten().take(pa.array(last))).to_pylist():
            counts[found["values"]] += found["counts"]
    return [name for name, _ in sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:_LEAVES]]
