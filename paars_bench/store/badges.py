"""Marks that a shop puts on products, such as "best seller": shoppers follow them, so they are settings."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.config.store_settings import BadgeSettings
from paars_bench.store.search_shelf import numbers


class Badge(StrEnum):
    """A mark, in the words of a page, the weightier first."""

    BEST_SELLER = "best seller"
    TOP_RATED = "top rated"


def badge_rows(table: pa.Table, settings: BadgeSettings) -> dict[Badge, frozenset[int]]:
    """Returns the rows of the products that bear each badge; ``BadgeSettings`` says which do.

    Products without a category have none. 0.5 s for a million products.

    Args:
        table: of schema ``CATALOG``.
        settings: which badges there are, and from how many products and reviews on.
    """
    group = _narrow_category(table)
    reviews = numbers(table, "review_count", missing=-1.0)
    sizes = np.bincount(group[group >= 0], minlength=int(group.max(initial=-1)) + 1)
    able = (group >= 0) & (reviews >= settings.least_reviews)
    able[able] &= sizes[group[able]] >= settings.least_products
    rows = np.flatnonzero(able)
    found: dict[Badge, frozenset[int]] = {}
    if settings.best_seller:
        found[Badge.BEST_SELLER] = _first_of_each(rows, group, (reviews,))
    if settings.top_rated:
        rating = numbers(table, "rating", missing=-1.0)
        found[Badge.TOP_RATED] = _first_of_each(rows[rating[rows] >= 0], group, (rating, reviews))
    return found


def _first_of_each(rows: npt.NDArray[np.intp], group: np.ndarray, keys: tuple[np.ndarray, ...]) -> frozenset[int]:
    """Returns of each group the row with the largest keys, the first key first; the lowest row of equals."""
    order = rows[np.lexsort([rows, *(-key[rows] for key in reversed(keys)), group[rows]])]
    first = np.ones(len(order), bool)
    first[1:] = group[order][1:] != group[order][:-1]
    return frozenset(order[first].tolist())


def _narrow_category(table: pa.Table) -> npt.NDArray[np.int64]:
    """Returns a code of the whole category path of each product; -1 where it has none."""
    paths = pc.binary_join(table.column("category").combine_chunks(), "\x1f")
    codes = pc.fill_null(paths, "").dictionary_encode()
    numbers = np.asarray(codes.indices.to_numpy(zero_copy_only=False), np.int64)
    empty = pc.index(codes.dictionary, "").as_py()
    return np.where(numbers == empty, -1, numbers) if empty >= 0 else numbers
