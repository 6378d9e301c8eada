"""How a shopper narrows and sorts a list of results."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum


class Sort(StrEnum):
    """Orders of a list; products without the value come last, ties in the order of the catalog."""

    RELEVANCE = "relevance"
    PRICE_LOW = "price_low"
    PRICE_HIGH = "price_high"
    RATING = "rating"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Refinement:
    """What a list of results is narrowed to, and how it is sorted; nothing at all by default.

    Attributes:
        category: a name on the category path, any case.
        brand: in any case.
        min_price: in the shop's currency, from 0; a product without a price is not in a range of prices.
        max_price: likewise.
        min_rating: from 1 to 5; a product without a rating is not above one.
        sort: of the list.
    """

    category: str | None = None
    brand: str | None = None
    min_price: float | None = None
    max_price: float | None = None
    min_rating: float | None = None
    sort: Sort = Sort.RELEVANCE

    @property
    def text(self) -> str:
        """The refinement as the log holds it, as ``category=Mugs price<=20 sort=price_low``; "" for none."""
        said = [f"{name}={getattr(self, name)}" for name in ("category", "brand") if getattr(self, name) is not None]
        for name, sign in (("min_price", "price>="), ("max_price", "price<="), ("min_rating", "rating>=")):
            value = getattr(self, name)
            said += [] if value is None else [f"{sign}{value:g}"]
        said += [] if self.sort is Sort.RELEVANCE else [f"sort={self.sort}"]
        return " ".join(said)

    @property
    def narrows(self) -> bool:
        """Whether it leaves products out."""
        return any(getattr(self, f.name) is not None for f in fields(self) if f.name != "sort")
