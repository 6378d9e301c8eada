"""The behaviour log: one schema for what human shoppers and agent shoppers leave behind.

Four tables, on disk as Parquet (``events``, ``catalog``, ``shoppers``, ``sessions``). The row types below are their
single definition: Arrow schema, Hugging Face ``Features`` and pydantic checks are read from them (``definition.py``).
No code may ask whether a log is human: it only sees events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import pyarrow as pa
from pydantic import AwareDatetime, Field

from paars_bench.data.definition import arrow_schema

_MOST_RANK = 2**31 - 1
MOST_PRICE = 1e12
"""More is a mistake in any currency, and near the largest floating number sums and steps of prices are infinite."""
Name = Annotated[str, Field(min_length=1)]
Price = Annotated[float, Field(ge=0, le=MOST_PRICE, allow_inf_nan=False)]
Rating = Annotated[float, Field(ge=1, le=5)]
Rank = Annotated[int, Field(ge=1, le=_MOST_RANK)]
Count = Annotated[int, Field(ge=0)]


class Action(StrEnum):
    """What a shopper can do."""

    SEARCH = "search"
    REFINE = "refine"
    VIEW = "view"
    CART_ADD = "cart_add"
    CART_REMOVE = "cart_remove"
    PURCHASE = "purchase"
    LEAVE = "leave"


LISTING = (Action.SEARCH, Action.REFINE)
"""Actions that show a list of products."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of ``events``.

    Attributes:
        shopper: whose it is.
        session: the visit that it belongs to; a session has one shopper.
        time: with a zone; stored in UTC, in microseconds.
        action: what was done.
        query: search: what was typed; refine: what the list is of.
        shown: search and refine: product ids in the order shown.
        product: every action on a product: its id.
        rank: view: place in the list that it was chosen from, from 1.
        price: purchase: paid for one, from 0 to ``MOST_PRICE``.
        arm: of an experiment.
        refined: refine: how the list was narrowed or sorted, as ``price<=20 sort=price_low``.
    """

    shopper: Name
    session: Name
    time: AwareDatetime
    action: Action
    query: str | None = None
    shown: tuple[str, ...] | None = None
    product: str | None = None
    rank: Rank | None = None
    price: Price | None = None
    arm: str | None = None
    refined: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """One review of a product."""

    rating: Rating
    text: str


@dataclass(frozen=True, slots=True)
class Product:
    """One row of ``catalog``.

    Attributes:
        id: unique in the shop.
        title: as shown.
        category: path, the widest first.
        brand: None where unknown.
        price: from 0 to ``MOST_PRICE``.
        rating: from 1 to 5.
        review_count: from 0.
        description: as the seller wrote it.
        bullets: as the seller wrote them.
        reviews: some or all of them.
        sponsored: whether the shop is paid to show it.
        added: since when the shop has it; None where unknown.
    """

    id: Name
    title: Name
    category: tuple[str, ...] = ()
    brand: str | None = None
    price: Price | None = None
    rating: Rating | None = None
    review_count: Count | None = None
    description: str | None = None
    bullets: tuple[str, ...] = ()
    reviews: tuple[Review, ...] = ()
    sponsored: bool = False
    added: AwareDatetime | None = None


class Fact(NamedTuple):
    """One thing known of a shopper: a column of a survey and the answer."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Shopper:
    """One row of ``shoppers``.

    Attributes:
        id: as in events.
        truth: demographics and survey answers, to compare mined profiles with; never shown to an agent.
    """

    id: Name
    truth: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One row of ``sessions``.

    Attributes:
        session: unique in the log.
        shopper: whose it is.
        start: of its first event.
        intention: why the shopper came, in words; None where unknown.
    """

    session: Name
    shopper: Name
    start: AwareDatetime
    intention: str | None = None


EVENTS = arrow_schema(Event)
CATALOG = arrow_schema(Product)
SHOPPERS = arrow_schema(Shopper)
SESSIONS = arrow_schema(SessionInfo)


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
        refined=row.get("refined"),
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
        added=row.get("added"),
    )


_SMALL, _MOST_SEEN = 10_000, 50_000
"""Products up to which a catalog is read at once; products kept of a larger one, whose memory they bound."""


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
        if hit is not None:
            return hit
        row = self._row[product_id]
        if len(self.ids) <= _SMALL:  # a row by itself takes fifty times as long as one among all
            self._seen.update(zip(self.ids, self, strict=True))
            return self._seen[product_id]
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen[product_id] = product_of(self.table.slice(row, 1).to_pylist()[0])
        return self._seen[product_id]

    def lacks(self, product_ids: Iterable[str]) -> list[str]:
        """Returns those of some ids that the shop does not have."""
        return [pid for pid in product_ids if pid not in self._row]

    def row(self, product_id: str) -> int:
        """Returns the row of a product in ``table``; KeyError if the shop does not have it."""
        return self._row[product_id]

    def __iter__(self) -> Iterator[Product]:
        for batch in self.table.to_batches(max_chunksize=2048):
            for row in batch.to_pylist():
                yield product_of(row)


_LATER = ("refined", "added")  # last columns of their tables, which the first release did not have


def conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Returns a stored table in a schema; a column that the first release did not have is null where it is missing.

    Raises:
        ValueError: it has other columns, or they hold something else (``pa.ArrowInvalid``).
    """
    for name in _LATER:
        if name in schema.names and name not in table.column_names:
            field = schema.field(name)
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table.cast(schema)


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
