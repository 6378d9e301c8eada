"""Products of a category of Amazon Reviews 2023, a line at a time: those that someone kept bought, and some others."""

from __future__ import annotations

import heapq
import html
from collections.abc import Set
from pathlib import Path
from typing import Any

import pyarrow as pa

from paars_bench.data.mining_rules import Funnel, case_number
from paars_bench.data.schema import CATALOG, MOST_PRICE
from paars_bench.data.sources.amazon_reviews_scan import Told, lines_of, product_key, record_of
from paars_bench.store.text import clean

OTHERS = 20_000
"""Products beside those bought by the shoppers kept: what distractors are drawn from, too."""

_TITLE, _LINE, _BULLETS, _TEXT = 300, 200, 5, 1_000  # characters kept of each


def read_products(file: Path, bought: Set[int], seed: int, steps: Funnel, told: Told | None = None) -> dict[str, Any]:
    """Reads the catalog, without reviews.

    Args:
        file: JSON lines with ``parent_asin, title, categories, store, price, average_rating, rating_number, features,
            description``.
        bought: keys of the products to keep in any case.
        seed: of the choice among the others.
        steps: told what was dropped by which rule.
        told: how many lines have been read.

    Returns:
        Rows of schema ``CATALOG`` by id.
    """
    kept: dict[str, Any] = {}
    others: list[tuple[int, str]] = []
    total = left_over = 0
    lost = dict.fromkeys(_RULES, 0)
    for _, line in lines_of(file, told):
        total += 1
        row = record_of(line)
        fault = _fault(row, kept)
        if row is None or fault:
            lost[fault] += 1
            continue
        name = row["parent_asin"]
        if product_key(name) not in bought:
            rank = -case_number(seed, f"product/{name}")
            if len(others) == OTHERS and rank < others[0][0]:
                left_over += 1
                continue
            heapq.heappush(others, (rank, name))
            if len(others) > OTHERS:
                del kept[heapq.heappop(others)[1]]
                left_over += 1
        kept[name] = product_row(row)
    steps.start("products in the source", total)
    for rule, count in lost.items():
        steps.keep(rule, total, total - count)
        total -= count
    steps.keep(f"bought by a shopper kept, or among {OTHERS:,} others chosen by seed", total, total - left_over)
    unpriced = sum(row["price"] is None for row in kept.values())
    steps.start("… without a price that is a number", unpriced)
    return kept


PATH_RULE = "has a category path"
_RULES = ("line is a JSON object", "has an id and a title", PATH_RULE, "first of its id")


def _fault(row: dict[str, Any] | None, kept: dict[str, Any]) -> str:
    if row is None:
        return _RULES[0]
    name, title, path = row.get("parent_asin"), row.get("title"), row.get("categories")
    if not isinstance(name, str) or not name.strip() or not isinstance(title, str) or not title.strip():
        return _RULES[1]
    if not isinstance(path, list) or not any(isinstance(step, str) and step.strip() for step in path):
        return _RULES[2]
    return _RULES[3] if name in kept else ""


def product_row(row: dict[str, Any]) -> dict[str, Any]:
    """Returns a product as a row of schema ``CATALOG``; what is not of its type is left empty."""
    rating, count = _number(row.get("average_rating")), _number(row.get("rating_number"))
    store = row.get("store")
    description = " ".join(_texts(row.get("description")))
    return {
        "id": row["parent_asin"],
        "title": html.unescape(row["title"]).strip()[:_TITLE],
        "category": _texts(row["categories"]),
        "brand": store.strip() or None if isinstance(store, str) else None,
        "price": _number(row.get("price")),
        "rating": rating if rating is not None and 1 <= rating <= 5 else None,
        "review_count": int(count) if count is not None else None,
        "description": clean(description, _TEXT) or None,
        "bullets": [clean(text, _LINE) for text in _texts(row.get("features"))[:_BULLETS]],
    }


def _texts(value: object) -> list[str]:
    found = value if isinstance(value, list) else []
    return [html.unescape(v).strip() for v in found if isinstance(v, str) and v.strip()]


def _number(value: object) -> float | None:
    """Reads a number from 0 on; the source writes prices as numbers, as text, and as the text ``None``."""
    if isinstance(value, str):
        bare = value.strip().removeprefix("$").replace(",", "")
        value = float(bare) if bare.replace(".", "", 1).isdecimal() and bare.isascii() else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_PRICE:
        return None
    return float(value)


def products_table(rows: dict[str, Any], reviews: dict[str, list[dict[str, Any]]]) -> pa.Table:
    """Returns products with their reviews, schema ``CATALOG``, in the order of their ids."""
    made = [{**rows[name], "reviews": reviews.get(name, [])} for name in sorted(rows)]
    return pa.Table.from_pylist(made, schema=CATALOG)
