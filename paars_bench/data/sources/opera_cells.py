"""Reading OPeRA's cells: JSON in text, JSON inside that JSON, prices as text, and ``nan`` where there is nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from paars_bench.data.schema import MOST_PRICE

_NOTHING = frozenset({"", "nan", "none", "null", "undefined"})
_MONEY = re.compile(r"\d[\d,]*(?:\.\d+)?")
_RANGE = re.compile(r"\d\s*(?:-|–|to)\s*\$?\s*\d")
_ASIN = re.compile(r"[A-Z0-9]{10}")


class Item(NamedTuple):
    """A product as a cell names it; None where the cell does not say."""

    asin: str | None
    title: str | None
    price: float | None


@dataclass(slots=True)
class JsonCells:
    """Reads cells of JSON and counts those that are none: a broken cell is a missing value, never a crash.

    Attributes:
        read: cells with something in them.
        broken: those of them that are no JSON.
    """

    read: int = 0
    broken: int = 0

    def value(self, cell: Any) -> Any:
        """Returns what a cell holds, None where it is empty or broken."""
        text = cell_text(cell)
        if text is None:
            return None
        self.read += 1
        try:
            return json.loads(text)
        except (ValueError, RecursionError):  # a cell nested thousands deep is broken, too
            self.broken += 1
            return None

    def element(self, cell: Any) -> tuple[str, Item | None]:
        """Returns the name of the element clicked and the product that it stands for (JSON in JSON)."""
        found = self.value(cell)
        if not isinstance(found, Mapping):
            return "", None
        inner = found.get("data")
        inner = self.value(inner) if isinstance(inner, str) else inner
        return str(found.get("name") or ""), item_of(inner)

    def items(self, cell: Any) -> tuple[Item, ...]:
        """Returns the products of a cell that holds a list of them, or one."""
        return _items(self.value(cell))

    def page(self, cell: Any) -> PageMeta:
        """Returns what the page's metadata say of the search box, the results and the product shown."""
        found = self.value(cell)
        if not isinstance(found, Mapping):
            return PageMeta(None, (), None)
        terms = [t.get("term") for t in _dicts(found.get("search_term"))]
        # Title, price and ASIN of the product page are separate elements of one list.
        parts: dict[str, Any] = {}
        for part in _dicts(found.get("product_details")):
            parts.update({k: v for k, v in part.items() if cell_text(v)})
        return PageMeta(cell_text(terms[0]) if terms else None, _items(found.get("search_results")), item_of(parts))


class PageMeta(NamedTuple):
    """Metadata of the page on which an action happened.

    Attributes:
        term: what was searched for.
        results: products of the result list, which unlike the page's HTML have ASINs.
        product: the product of a product page.
    """

    term: str | None
    results: tuple[Item, ...]
    product: Item | None


def cell_text(cell: Any) -> str | None:
    """Returns the text of a cell without white space around it, None where it says nothing (``nan`` is nothing)."""
    text = cell.strip() if isinstance(cell, str) else "" if cell is None else str(cell)
    return None if text.lower() in _NOTHING else text


def money(cell: Any) -> float | None:
    """Returns a price of text such as ``$1,299.00``; None for nothing and for a range, which is no price."""
    text = cell_text(cell)
    if text is None or _RANGE.search(text):
        return None
    found = _MONEY.search(text)
    amount = float(found[0].replace(",", "")) if found else None
    return amount if amount is not None and amount <= MOST_PRICE else None


def item_of(found: Any) -> Item | None:
    """Returns the product of a JSON object, None where it names none."""
    if not isinstance(found, Mapping):
        return None
    asin = (cell_text(found.get("asin")) or "").upper()
    title = cell_text(found.get("title"))
    item = Item(asin if _ASIN.fullmatch(asin) else None, " ".join(title.split()) if title else None, None)
    return item._replace(price=money(found.get("price"))) if item.asin or item.title else None


def _items(found: Any) -> tuple[Item, ...]:
    made = (item_of(one) for one in _dicts(found))
    return tuple(item for item in made if item is not None)


def _dicts(found: Any) -> list[Mapping[str, Any]]:
    several = found if isinstance(found, list) else [found]
    return [one for one in several if isinstance(one, Mapping)]
