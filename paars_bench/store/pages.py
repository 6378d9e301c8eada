"""What a shopper sees, as a frozen value: what is shown, what can be done now, and on what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from paars_bench.config.store_settings import PageSettings
from paars_bench.data.schema import Product
from paars_bench.store.actions import Verb
from paars_bench.store.page_text import page_lines
from paars_bench.store.refine import UNREFINED, Refinement, Sort
from paars_bench.store.text import whole

_PAGES = PageSettings()
_PRICES = 2  # prices offered as a highest one
_GOOD = 4.0  # the rating offered as a lowest one


class PageKind(StrEnum):
    """Where a shopper is."""

    HOME = "home"
    RESULTS = "results"
    PRODUCT = "product"
    CART = "cart"
    CLOSED = "closed"


class Listed(NamedTuple):
    """A product on a page.

    Attributes:
        rank: its place in the list where it was last shown, from 1, counted over pages; None where no list had it.
        product: it.
        badges: marks of the shop, the weightier first.
    """

    rank: int | None
    product: Product
    badges: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """What is shown now.

    Attributes:
        kind: where the shopper is.
        listed: products on the page in order: results, the product viewed, or the cart.
        cart: products in the cart.
        query: of the results, as typed.
        refinement: how the results are narrowed and sorted.
        total: products in the list.
        more: there is a next page of results.
        related: on a product's page, others that can be viewed.
        suggestions: on a page without results, queries that have some.
        loosened: there too, filters to take off, and how many products there are then.
        notice: what the last action did, where the page does not show it.
        problem: why the last action was not done; None if it was.
        departments: on the home page, the widest categories.
        page_size: results on a full page.
        leaves: leaving is among the tools; where it is asked for by itself, it is not.
        settings: how long its text is.
        names: how pages call products whose id is too long for a page; the others are called by their id.
    """

    kind: PageKind
    listed: tuple[Listed, ...] = ()
    cart: tuple[Product, ...] = ()
    query: str | None = None
    refinement: Refinement = UNREFINED
    total: int = 0
    more: bool = False
    related: tuple[Listed, ...] = ()
    suggestions: tuple[str, ...] = ()
    loosened: tuple[tuple[tuple[str, ...], int], ...] = ()
    notice: str | None = None
    problem: str | None = None
    departments: tuple[str, ...] = ()
    page_size: int = 10
    leaves: bool = True
    settings: PageSettings = _PAGES
    names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def possible(self) -> tuple[Verb, ...]:
        """The tools that can be used now, in the order of ``TOOLS``."""
        if self.kind is PageKind.CLOSED:
            return ()
        can = {
            Verb.SEARCH: True,
            Verb.NEXT_PAGE: self.more,
            Verb.REFINE: self.kind is PageKind.RESULTS and (self.total > 1 or self.refinement != UNREFINED),
            Verb.VIEW: bool(self.targets(Verb.VIEW)),
            Verb.BACK: self.kind in (PageKind.PRODUCT, PageKind.CART),
            Verb.CART_ADD: bool(self.targets(Verb.CART_ADD)),
            Verb.CART_REMOVE: bool(self.cart),
            Verb.BUY: bool(self.cart),
            Verb.LEAVE: self.leaves,
        }
        return tuple(verb for verb, yes in can.items() if yes)

    def targets(self, verb: Verb) -> tuple[str, ...]:
        """Returns what the products are called on which a tool can be used now: their id, or a name for it."""
        match verb:
            case Verb.VIEW if self.kind is PageKind.PRODUCT:
                return self._called(x.product for x in self.related)
            case Verb.VIEW:
                return self._called(x.product for x in self.listed)
            case Verb.CART_ADD if self.kind in (PageKind.RESULTS, PageKind.PRODUCT):
                inside = {p.id for p in self.cart}
                return self._called(x.product for x in self.listed if x.product.id not in inside)
            case Verb.CART_REMOVE:
                return self._called(self.cart)
            case _:
                return ()

    @cached_property
    def offers(self) -> dict[str, tuple[str | float, ...]]:
        """Filters that are not on yet, each with values that keep some product of this page.

        Categories and brands are those that most products of the page have, if they can be shown whole; prices are
        rounded up from the page's lower quarter and middle.
        """
        if Verb.REFINE not in self.possible:
            return {}
        shown = [x.product for x in self.listed]
        prices = sorted(p.price for p in shown if p.price is not None)
        rated = [p.rating for p in shown if p.rating is not None]
        steps = {_rounded_up(prices[len(prices) * n // 4]) for n in (1, 2)} if prices else set()
        found: dict[str, tuple[str | float, ...]] = {
            "category": self._commonest(p.category[-1] for p in shown if p.category),
            "brand": self._commonest(p.brand for p in shown if p.brand),
            "max_price": tuple(sorted(steps))[:_PRICES],
            "min_rating": (_GOOD,) if rated and max(rated) >= _GOOD else (),
            "sort": (
                *((Sort.PRICE_LOW, Sort.PRICE_HIGH) if prices else ()),
                *((Sort.RATING,) if rated else ()),
                *((Sort.NEWEST,) if any(p.added for p in shown) else ()),
            ),
        }
        on = {name for name, _ in self.refinement.said()}
        return {name: values for name, values in found.items() if values and name not in on}

    @cached_property
    def refinements(self) -> tuple[Refinement, ...]:
        """What the list can be narrowed or sorted to next: one offer more than is on, or nothing at all."""
        more = [{name: value} for name, values in self.offers.items() for value in values]
        return tuple(self.refinement.but(one) for one in more) + ((UNREFINED,) if self.refinement != UNREFINED else ())

    def called(self, product_id: str) -> str:
        """Returns what the page calls a product."""
        return self.names.get(product_id, product_id)

    @cached_property
    def text(self) -> str:
        """The page in words, for people and models alike; what sellers wrote stands between « and »."""
        return "\n".join(page_lines(self))

    def _called(self, products: Iterable[Product]) -> tuple[str, ...]:
        return tuple(self.called(p.id) for p in products)

    def _commonest(self, names: Iterable[str]) -> tuple[str, ...]:
        shown = Counter(n for n in names if whole(n, self.settings.filter))
        return tuple(name for name, _ in shown.most_common(self.settings.filters))


def _rounded_up(price: float) -> float:
    """Returns the next price that people would name: 1 to 9, or two digits that end in 0 or 5, and noughts."""
    step = 1
    while price > 10 * step:
        step *= 10
    half = step / 2 if step > 1 else step
    return float(-(-price // half) * half)
