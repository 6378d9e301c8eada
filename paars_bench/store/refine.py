"""How a shopper narrows and sorts a list of results."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from paars_bench.errors import unknown


class Sort(StrEnum):
    """Orders of a list; products without the value come last, ties in the order of the catalog."""

    RELEVANCE = "relevance"
    PRICE_LOW = "price_low"
    PRICE_HIGH = "price_high"
    RATING = "rating"
    NEWEST = "newest"


_SIGNS = {
    "category": "category=",
    "brand": "brand=",
    "min_price": "price>=",
    "max_price": "price<=",
    "min_rating": "rating>=",
    "sort": "sort=",
}
NAMED = ("category", "brand")
"""Arguments that are names."""
_KEY = "|".join(_SIGNS.values())
_PART = re.compile(rf'\s*({_KEY})("(?:[^"\\]|\\.)*"|.*?)(?=\s+(?:{_KEY})|\s*$)', re.DOTALL)


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

    def __post_init__(self) -> None:
        for name in ("min_price", "max_price"):
            if getattr(self, name) == 0:
                object.__setattr__(self, name, 0.0)  # -0.0 too, which would be written with its sign

    @classmethod
    def of(cls, text: str) -> Refinement:
        """Reads what ``text`` writes; ``Refinement.of(r.text) == r``.

        Raises:
            ValueError: it is not written so, with what would be.
        """
        said: dict[str, Any] = {}
        place = 0
        while text[place:].strip():
            part = _PART.match(text, place)
            if part is None:
                rest = text[place:].strip()[:40]
                raise ValueError(f"{rest!r} is no filter; there are category, brand, price, rating and sort")
            name = next(n for n, sign in _SIGNS.items() if sign == part[1])
            if name in said:
                raise ValueError(f"{name} stands twice; write it once")
            said[name] = _read(name, part[2])
            place = part.end()
        return cls(**said)

    @property
    def text(self) -> str:
        """The refinement as the log holds it, as ``category=Mugs price<=20 sort=price_low``; "" for none.

        A name that could be read otherwise is written as a JSON string.
        """
        return " ".join(f"{_SIGNS[name]}{_written(value)}" for name, value in self.said())

    def said(self) -> Iterator[tuple[str, str | float]]:
        """Yields the name and value of each argument that is set, in the order of the attributes."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value != field.default:
                yield field.name, value

    def but(self, changed: Mapping[str, str | float]) -> Refinement:
        """Returns the refinement with some arguments set to other values."""
        values: dict[str, Any] = dict(changed)
        return replace(self, **values)

    @property
    def narrows(self) -> bool:
        """Whether it leaves products out."""
        return any(name != "sort" for name, _ in self.said())

    @property
    def problem(self) -> str | None:
        """Why no list can be narrowed so, whatever it holds; None where one can."""
        for name in ("min_price", "max_price"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                return f"{name} is {value:g}; give 0 or more."
        if self.min_rating is not None and not 1 <= self.min_rating <= 5:
            return f"min_rating is {self.min_rating:g}; ratings go from 1 to 5."
        if self.min_price is not None and self.max_price is not None and self.min_price > self.max_price:
            return f"min_price {self.min_price:g} is above max_price {self.max_price:g}."
        return None


UNREFINED = Refinement()
"""The whole list, by relevance."""


def number_of(text: str) -> float | None:
    """Returns the number that a text writes as people do, None where it writes none: ``1_0`` is a program's 10."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def number_text(value: float) -> str:
    """Returns a number in full, without the ``.0`` of a whole one."""
    return repr(float(value)).removesuffix(".0")


def _written(value: str | float) -> str:
    if isinstance(value, Sort):
        return str(value)
    if not isinstance(value, str):
        return number_text(value)
    plain = value and value == value.strip() and value.isprintable() and "=" not in value and value[0] != '"'
    return value if plain else json.dumps(value, ensure_ascii=False)


def _read(name: str, value: str) -> str | float:
    if name in NAMED:
        if not value:
            raise ValueError(f"{name} says nothing; give a name or leave it out")
        return _unquoted(name, value) if value.startswith('"') else value
    if name == "sort":
        if value not in set(Sort):
            raise ValueError(unknown("sort", value[:40], map(str, Sort)))
        return Sort(value)
    number = number_of(value)
    if number is None:
        raise ValueError(f"{name} is {value[:40]!r}, no number; write one such as 20")
    return number


def _unquoted(name: str, value: str) -> str:
    """Returns what a JSON string holds."""
    try:
        return str(json.loads(value))
    except ValueError:
        wrong = "is closed too early or holds a bare backslash" if value[1:].endswith('"') else "is not closed"
        raise ValueError(f'{name} is {value[:40]!r}, where the quotation mark {wrong}; write {name}="…"') from None
