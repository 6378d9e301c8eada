"""The behaviour log: one schema for what human shoppers and agent shoppers leave behind.

Four Arrow tables, on disk as Parquet (``events``, ``catalog``, ``shoppers``, ``sessions``). The Arrow schemas below are
the single definition; the dataclasses are their rows, and HF ``Features`` follow from them. No code may ask
whether a log is human: it only sees events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pyarrow as pa


class Action(StrEnum):
    """What a shopper can do."""

    SEARCH = "search"
    VIEW = "view"
    CART_ADD = "cart_add"
    CART_REMOVE = "cart_remove"
    PURCHASE = "purchase"
    LEAVE = "leave"


EVENTS = pa.schema(
    [
        pa.field("shopper", pa.string(), nullable=False),
        pa.field("session", pa.string(), nullable=False),
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("action", pa.string(), nullable=False),
        pa.field("query", pa.string()),  # search: what was typed
        pa.field("shown", pa.list_(pa.string())),  # search: product ids in the order shown
        pa.field("product", pa.string()),  # every action on a product
        pa.field("rank", pa.int32()),  # view: 1-based place in the list it was chosen from
        pa.field("price", pa.float64()),  # purchase: price paid for one
        pa.field("arm", pa.string()),  # arm of an experiment
    ]
)
CATALOG = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("category", pa.list_(pa.string())),  # path, the widest first
        pa.field("brand", pa.string()),
        pa.field("price", pa.float64()),
        pa.field("rating", pa.float64()),  # 1 to 5
        pa.field("review_count", pa.int64()),
        pa.field("description", pa.string()),
        pa.field("bullets", pa.list_(pa.string())),
        pa.field("reviews", pa.list_(pa.struct([("rating", pa.float64()), ("text", pa.string())]))),
        pa.field("sponsored", pa.bool_()),
    ]
)
SHOPPERS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        # demographics and survey answers: truth to compare mined profiles with, never shown to an agent
        pa.field("truth", pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))),
    ]
)
SESSIONS = pa.schema(
    [
        pa.field("session", pa.string(), nullable=False),
        pa.field("shopper", pa.string(), nullable=False),
        pa.field("start", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("intention", pa.string()),  # why the shopper came, in words; null where unknown
    ]
)


@dataclass(frozen=True, slots=True)
class Event:
    """One row of ``events``."""

    shopper: str
    session: str
    time: datetime
    action: Action
    query: str | None = None
    shown: tuple[str, ...] | None = None
    product: str | None = None
    rank: int | None = None
    price: float | None = None
    arm: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """One review of a product; ``rating`` from 1 to 5."""

    rating: float
    text: str


@dataclass(frozen=True, slots=True)
class Product:
    """One row of ``catalog``."""

    id: str
    title: str
    category: tuple[str, ...] = ()
    brand: str | None = None
    price: float | None = None
    rating: float | None = None
    review_count: int | None = None
    description: str | None = None
    bullets: tuple[str, ...] = ()
    reviews: tuple[Review, ...] = ()
    sponsored: bool = False


@dataclass(frozen=True, slots=True)
class Shopper:
    """One row of ``shoppers``."""

    id: str
    truth: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One row of ``sessions``."""

    session: str
    shopper: str
    start: datetime
    intention: str | None = None


def event_row(event: Event) -> dict[str, Any]:
    """Returns ``event`` as a row of the ``events`` table."""
    row: dict[str, Any] = {f.name: getattr(event, f.name) for f in fields(Event)}
    row["action"] = str(event.action)
    row["shown"] = None if event.shown is None else list(event.shown)
    return row


def event_json(event: Event) -> dict[str, Any]:
    """Returns ``event`` as strict JSON: time in ISO 8601, fields that are null left out."""
    row = event_row(event)
    row["time"] = event.time.astimezone(UTC).isoformat()
    return {k: v for k, v in row.items() if v is not None}


def event_of(row: Mapping[str, Any]) -> Event:
    """Returns the event of a table row or of its JSON form."""
    time = row["time"]
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    shown = row.get("shown")
    return Event(
        shopper=row["shopper"],
        session=row["session"],
        time=time,
        action=Action(row["action"]),
        query=row.get("query"),
        shown=None if shown is None else tuple(shown),
        product=row.get("product"),
        rank=row.get("rank"),
        price=row.get("price"),
        arm=row.get("arm"),
    )


def events_table(events: Iterable[Event]) -> pa.Table:
    """Returns events as an Arrow table of schema ``EVENTS``."""
    return pa.Table.from_pylist([event_row(e) for e in events], schema=EVENTS)


def product_of(row: Mapping[str, Any]) -> Product:
    """Returns the product of a ``catalog`` row."""
    return Product(
        id=row["id"],
        title=row["title"],
        category=tuple(row.get("category") or ()),
        brand=row.get("brand"),
        price=row.get("price"),
        rating=row.get("rating"),
        review_count=row.get("review_count"),
        description=row.get("description"),
        bullets=tuple(row.get("bullets") or ()),
        reviews=tuple(Review(r["rating"], r["text"]) for r in row.get("reviews") or ()),
        sponsored=bool(row.get("sponsored")),
    )


class Catalog:
    """The products of a shop, looked up by id.

    Args:
        table: rows of schema ``CATALOG``.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.ids: list[str] = table.column("id").to_pylist()
        self._row = {pid: i for i, pid in enumerate(self.ids)}
        self._seen: dict[str, Product] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, product_id: object) -> bool:
        return product_id in self._row

    def __getitem__(self, product_id: str) -> Product:
        """Returns a product; KeyError if the shop does not have it."""
        hit = self._seen.get(product_id)
        if hit is None:
            hit = product_of(self.table.slice(self._row[product_id], 1).to_pylist()[0])
            if len(self._seen) >= 50_000:  # bounds memory on catalogs of a million products
                self._seen.clear()
            self._seen[product_id] = hit
        return hit

    def row(self, product_id: str) -> int:
        """Returns the row of a product in ``table``; KeyError if the shop does not have it."""
        return self._row[product_id]

    def __iter__(self) -> Iterator[Product]:
        for batch in self.table.to_batches(max_chunksize=2048):
            for row in batch.to_pylist():
                yield product_of(row)


def products_table(products: Sequence[Product]) -> pa.Table:
    """Returns products as an Arrow table of schema ``CATALOG``."""
    rows = [
        {
            **{f.name: getattr(p, f.name) for f in fields(Product)},
            "category": list(p.category),
            "bullets": list(p.bullets),
            "reviews": [{"rating": r.rating, "text": r.text} for r in p.reviews],
        }
        for p in products
    ]
    return pa.Table.from_pylist(rows, schema=CATALOG)
