"""A page in words: short enough to be read at every turn, and made so that no seller can write a line of it.

Every line begins with words of ours, and what sellers or shoppers wrote stands between « and », in one piece, cleaned
and cut with a mark. With the lengths of the shipped settings a page of ten results stays under 600 tokens and a
product's page under 800, whatever the catalog holds: each piece has a budget.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from paars_bench.data.schema import Product
from paars_bench.store.refine import NAMED, Refinement, Sort, number_text
from paars_bench.store.text import MARK, cost, fit

if TYPE_CHECKING:
    from paars_bench.store.pages import Listed, Page

_PROBLEM = 80
_DASH = "- "
_PIECES = re.compile(r"(«[^«»]*»)")


def page_lines(page: Page) -> Iterator[str]:
    """Yields the lines of a page; ``Page.text`` joins them."""
    if page.problem:
        yield f"Not done: {_said(page.problem)}"
    if page.notice:
        yield page.notice
    match page.kind:
        case "home":
            yield "Home page of the shop."
            if shown := page.departments[: page.settings.departments]:
                yield f"Departments: {', '.join(quoted(d, page.settings.department) for d in shown)}"
        case "results":
            yield from _results(page)
        case "product":
            yield from _product(page)
        case "cart":
            yield "Your cart:"
            most = page.settings.cart
            yield from (_line(page, x, _DASH) for x in page.listed[:most])
            yield from [f"- and {len(page.listed) - most} more"] if len(page.listed) > most else []
        case "closed":
            yield "You have left the shop."
            return
    yield _cart_line(page)
    yield f"Possible now: {', '.join(page.possible)}"


def quoted(text: str, tokens: int) -> str:
    """Returns foreign text as a page shows it: cleaned, cut, between « and »."""
    return f"«{fit(text, tokens)}»"


def refinement_words(refinement: Refinement, tokens: int) -> str:
    """Returns how a list is narrowed and sorted, as ``narrowed to brand «Acme»; sorted by price_low``; "" for not."""
    said = dict(refinement.said())
    by = [f"{name} {quoted(str(said[name]), tokens)}" for name in NAMED if name in said]
    by += [f"{name} {number_text(float(value))}" for name, value in said.items() if not isinstance(value, str)]
    words = [f"narrowed to {', '.join(by)}"] if by else []
    words += [] if refinement.sort is Sort.RELEVANCE else [f"sorted by {refinement.sort}"]
    return "; ".join(words)


def total_price(products: tuple[Product, ...]) -> str:
    """Returns the sum of prices in words; says so where a price is unknown."""
    known = [p.price for p in products if p.price is not None]
    unpriced = len(products) - len(known)
    return f"total {_money(sum(known))}" + (f" and {unpriced} without a price" if unpriced else "")


def _results(page: Page) -> Iterator[str]:
    asked = quoted(page.query or "", page.settings.query)
    how = refinement_words(page.refinement, page.settings.filter)
    how = f", {how}" if how else ""
    if page.listed:
        yield f"Results {page.listed[0].rank}-{page.listed[-1].rank} of {page.total} for {asked}{how}"
        yield from (_line(page, x, f"{x.rank}. ") for x in page.listed)
        yield from _offers(page)
        return
    yield f"No product matches {asked}{how}."
    for filters, total in page.loosened:
        yield f"Without {' and '.join(filters)}: {total} result{'s' if total > 1 else ''}"
    if page.suggestions:
        yield f"Searches with results: {', '.join(quoted(s, page.settings.query) for s in page.suggestions)}"


def _offers(page: Page) -> Iterator[str]:
    tokens = page.settings.filter
    offers = [f"{name} {', '.join(_value(v, tokens) for v in values)}" for name, values in page.offers.items()]
    if offers:
        yield f"Refine by: {'; '.join(offers)}"


def _value(value: str | float, tokens: int) -> str:
    if isinstance(value, Sort):
        return str(value)
    return quoted(value, tokens) if isinstance(value, str) else number_text(value)


def _line(page: Page, listed: Listed, front: str) -> str:
    """Returns the line of a product in a list; the title takes what its facts leave of the line."""
    product, lengths = listed.product, page.settings
    front = f"{front}[{page.called(product.id)}] "
    badges = "".join(f" · {badge}" for badge in listed.badges[: lengths.badges])
    back = f" {_price(product.price)}{_stars(product)}{badges}{' · sponsored' if product.sponsored else ''}"
    room = max(lengths.least_title, int(lengths.line - cost(front + back)) - 2)
    return f"{front}{quoted(product.title, room)}{back}"


def _product(page: Page) -> Iterator[str]:
    (listed, *_), lengths = page.listed, page.settings
    product = listed.product
    yield f"Product [{page.called(product.id)}] {quoted(product.title, lengths.title)}"
    if product.brand:
        yield f"Brand: {quoted(product.brand, lengths.brand)}"
    if product.category:
        yield f"Category: {quoted(' / '.join(product.category), lengths.path)}"
    badges = "".join(f" · {badge}" for badge in listed.badges)
    yield f"Price: {_price(product.price)}{_stars(product)}{badges}{' · sponsored' if product.sponsored else ''}"
    if product.bullets and lengths.bullets:
        yield "About it:"
        shown = [f"- {quoted(b, lengths.bullet)}" for b in product.bullets[: lengths.bullets]]
        yield from _some(shown, len(product.bullets))
    if product.description and lengths.description:
        yield f"Description: {quoted(product.description, lengths.description)}"
    if product.reviews and lengths.reviews:
        yield "Reviews:"
        told = [f"- {r.rating:g}/5 {quoted(r.text, lengths.review)}" for r in product.reviews[: lengths.reviews]]
        yield from _some(told, len(product.reviews))
    if page.related:
        yield "Related products:"
        yield from (_related(page, x.product) for x in page.related)


def _related(page: Page, product: Product) -> str:
    front, back = f"- [{page.called(product.id)}] ", f" {_price(product.price)}"
    room = max(page.settings.least_title, int(page.settings.related_line - cost(front + back)) - 2)
    return f"{front}{quoted(product.title, room)}{back}"


def _some(lines: list[str], all_of_them: int) -> Iterator[str]:
    yield from lines
    if all_of_them > len(lines):
        yield f"- and {all_of_them - len(lines)} more"


def _cart_line(page: Page) -> str:
    if not page.cart:
        return "Cart: empty"
    most = page.settings.cart
    ids = ", ".join(f"[{page.called(p.id)}]" for p in page.cart[:most])
    more = f" and {len(page.cart) - most} more" if len(page.cart) > most else ""
    return f"Cart: {ids}{more}, {total_price(page.cart)}"


def _price(price: float | None) -> str:
    return "no price" if price is None else _money(price)


def _money(amount: float) -> str:
    """Returns an amount in dollars; a catalog may hold one of 300 digits."""
    return f"${amount:,.2f}" if amount < 1e9 else f"${amount:.3g}"


def _stars(product: Product) -> str:
    rating = "" if product.rating is None else f" · {product.rating:.1f}/5"
    if product.review_count is None:
        return rating
    return f"{rating or ' ·'} ({product.review_count} reviews)"


def _said(problem: str) -> str:
    """Returns a message in one line, cut to its budget; between « and » stays there what stood there."""
    said, room = "", float(_PROBLEM)
    for place, piece in enumerate(_PIECES.split(problem)):
        foreign = bool(place % 2)
        text = fit(piece[1:-1] if foreign else piece, max(int(room), 1))
        room -= cost(text) + 2 * foreign
        if room < 0:
            return said.rstrip() + MARK
        said += f"«{text}»" if foreign else " " * piece[:1].isspace() + text + " " * piece[-1:].isspace()
    return said.strip()
