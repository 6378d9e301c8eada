"""What a shopper sees: a page as a frozen value, and as text short enough to be read at every turn.

A page of ten results stays under 600 tokens and a product page under 800, whatever the catalog holds: each
line has a budget, and what does not fit is cut with a mark.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from paars_bench.data.schema import Product
from paars_bench.store.actions import Verb
from paars_bench.store.text import clean, cost, fit

__all__ = ["Listed", "Page", "PageKind", "clean"]

_LINE, _LEAST_TITLE = 48, 12  # tokens of a result line, and of its title if the id is long
_TITLE, _PATH, _BULLET, _DESCRIPTION, _REVIEW = 60, 30, 32, 130, 40
_BULLETS, _REVIEWS, _CART = 5, 3, 5


class PageKind(StrEnum):
    """Where a shopper is."""

    HOME = "home"
    RESULTS = "results"
    PRODUCT = "product"
    CART = "cart"
    CLOSED = "closed"


class Listed(NamedTuple):
    """A product on a page and its 1-based place in the list where it was last shown, counted over pages."""

    rank: int
    product: Product


@dataclass(frozen=True)
class Page:
    """What is shown now.

    Attributes:
        kind: where the shopper is.
        listed: products on the page in order: results, the product viewed, or the cart.
        cart: products in the cart.
        query: of the results, as typed.
        total: products that match it.
        more: there is a next page of results.
        notice: what the last action did, where the page does not show it.
        problem: why the last action was not done; None if it was.
        departments: on the home page, the widest categories.
        page_size: results on a full page.
        leaves: leaving is among the tools; where it is asked for by itself, it is not.
    """

    kind: PageKind
    listed: tuple[Listed, ...] = ()
    cart: tuple[Product, ...] = ()
    query: str | None = None
    total: int = 0
    more: bool = False
    notice: str | None = None
    problem: str | None = None
    departments: tuple[str, ...] = ()
    page_size: int = 10
    leaves: bool = True

    @cached_property
    def possible(self) -> tuple[Verb, ...]:
        """The tools that can be used now, in the order of ``TOOLS``."""
        if self.kind is PageKind.CLOSED:
            return ()
        can = {
            Verb.SEARCH: True,
            Verb.NEXT_PAGE: self.more,
            Verb.VIEW: bool(self.targets(Verb.VIEW)),
            Verb.BACK: self.kind in (PageKind.PRODUCT, PageKind.CART),
            Verb.CART_ADD: bool(self.targets(Verb.CART_ADD)),
            Verb.CART_REMOVE: bool(self.cart),
            Verb.BUY: bool(self.cart),
            Verb.LEAVE: self.leaves,
        }
        return tuple(verb for verb, yes in can.items() if yes)

    def targets(self, verb: Verb) -> tuple[str, ...]:
        """Returns the ids of the products on which a tool can be used now."""
        match verb:
            case Verb.VIEW if self.kind is not PageKind.PRODUCT:
                return tuple(x.product.id for x in self.listed)
            case Verb.CART_ADD if self.kind in (PageKind.RESULTS, PageKind.PRODUCT):
                inside = {p.id for p in self.cart}
                return tuple(x.product.id for x in self.listed if x.product.id not in inside)
            case Verb.CART_REMOVE:
                return tuple(p.id for p in self.cart)
            case _:
                return ()

    @cached_property
    def text(self) -> str:
        """The page in words, for people and models alike; product text stands between « and »."""
        return "\n".join(_lines(self))


def _lines(page: Page) -> Iterator[str]:
    if page.problem:
        yield f"Not done: {clean(page.problem, 300)}"
    if page.notice:
        yield page.notice
    match page.kind:
        case PageKind.HOME:
            yield from _home(page)
        case PageKind.RESULTS:
            yield from _results(page)
        case PageKind.PRODUCT:
            yield from _product(page.listed[0].product)
        case PageKind.CART:
            yield "Your cart:"
            yield from (_result_line(None, x.product) for x in page.listed[:_CART])
            yield from [f"and {len(page.listed) - _CART} more"] if len(page.listed) > _CART else []
        case PageKind.CLOSED:
            yield "You have left the shop."
            return
    yield _cart_line(page.cart)
    yield f"Possible now: {', '.join(page.possible)}"


def _home(page: Page) -> Iterator[str]:
    yield "Home page of the shop."
    if page.departments:
        yield f"Departments: {', '.join(_quoted(d, 8) for d in page.departments)}"


def _results(page: Page) -> Iterator[str]:
    asked = _quoted(page.query or "", 40)
    if not page.listed:
        yield f"No product matches {asked}. Try other or fewer words."
        return
    yield f"Results {page.listed[0].rank}-{page.listed[-1].rank} of {page.total} for {asked}"
    yield from (_result_line(x.rank, x.product) for x in page.listed)


def _result_line(rank: int | None, product: Product) -> str:
    front = (f"{rank}. " if rank is not None else "- ") + f"[{product.id}] "
    back = f" {_price(product.price)}{_stars(product)}{' · sponsored' if product.sponsored else ''}"
    room = max(_LEAST_TITLE, int(_LINE - cost(front + back)) - 2)
    return f"{front}{_quoted(product.title, room)}{back}"


def _product(product: Product) -> Iterator[str]:
    yield f"Product [{product.id}] {_quoted(product.title, _TITLE)}"
    if product.brand:
        yield f"Brand: {_quoted(product.brand, 12)}"
    if product.category:
        yield f"Category: {_quoted(' / '.join(product.category), _PATH)}"
    yield f"Price: {_price(product.price)}{_stars(product)}{' · sponsored' if product.sponsored else ''}"
    if product.bullets:
        yield "About it:"
        yield from _some([f"- {_quoted(b, _BULLET)}" for b in product.bullets[:_BULLETS]], len(product.bullets))
    if product.description:
        yield f"Description: {_quoted(product.description, _DESCRIPTION)}"
    if product.reviews:
        yield "Reviews:"
        shown = [f"- {r.rating:g}/5 {_quoted(r.text, _REVIEW)}" for r in product.reviews[:_REVIEWS]]
        yield from _some(shown, len(product.reviews))


def _some(lines: list[str], all_of_them: int) -> Iterator[str]:
    yield from lines
    if all_of_them > len(lines):
        yield f"- and {all_of_them - len(lines)} more"


def _cart_line(cart: tuple[Product, ...]) -> str:
    if not cart:
        return "Cart: empty"
    ids = ", ".join(f"[{p.id}]" for p in cart[:_CART])
    more = f" and {len(cart) - _CART} more" if len(cart) > _CART else ""
    return f"Cart: {ids}{more}, {total_price(cart)}"


def total_price(products: tuple[Product, ...]) -> str:
    """Returns the sum of prices in words; says so where a price is unknown."""
    known = [p.price for p in products if p.price is not None]
    unpriced = len(products) - len(known)
    return f"total ${sum(known):,.2f}" + (f" and {unpriced} without a price" if unpriced else "")


def _price(price: float | None) -> str:
    return "no price" if price is None else f"${price:,.2f}"


def _stars(product: Product) -> str:
    rating = "" if product.rating is None else f" · {product.rating:.1f}/5"
    if product.review_count is None:
        return rating
    return f"{rating or ' ·'} ({product.review_count} reviews)"


def _quoted(text: str, tokens: int) -> str:
    return f"«{fit(text, tokens)}»"
