"""A page in words: short enough to be read at every turn, and made so that no seller can write a line of it.

Every line begins with words of ours, and what sellers wrote stands between « and », in one piece, cleaned and cut with
a mark. With the lengths of the shipped settings a page of ten results stays under 600 tokens and a
product's page under 800, whatever the catalog holds: each piece has a budget.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from paars_bench.data.schema import Product
from paars_bench.store.fact_text import price, stars, total_price
from paars_bench.store.refine import NAMED, Refinement, Sort, number_text
from paars_bench.store.text import clean, fit
from paars_bench.store.token_cost import cost

if TYPE_CHECKING:
    from paars_bench.store.pages import Listed, Page

_PROBLEM = 55  # tokens of what was wrong
_CART = 40  # tokens of the ids of the cart
_NAMED_OFFERS = (*NAMED, "max_price")  # the others are the same on every page, and said where the tools are
_QUOTES = 3  # tokens of « and »
_PIECES = re.compile(r"(«[^«»]*»)")


def page_lines(page: Page) -> Iterator[str]:
    """Yields the lines of a page; ``Page.text`` joins them."""
    head = [f"Not done: {_said(page.problem)}"] if page.problem else []
    head += [page.notice] if page.notice else []
    foot = [] if page.kind == "closed" else [_cart_line(page), f"Possible now: {', '.join(page.possible)}"]
    yield from head
    yield from _body(page, _tokens([*head, *foot]))
    yield from foot


def _body(page: Page, spent: float) -> Iterator[str]:
    lengths = page.settings
    match page.kind:
        case "home":
            yield "Home page of the shop."
            if shown := page.departments[: lengths.departments]:
                yield f"Departments: {', '.join(quoted(d, lengths.department) for d in shown)}"
        case "results" if page.listed:
            # the budget is of a page of ten
            yield from _results(page, lengths.results * max(page.page_size, 10) / 10 - spent)
        case "results":
            yield from _no_results(page)
        case "product":
            yield from _product(page, lengths.product - spent)
        case "cart":
            yield "Your cart:"
            most = lengths.cart
            yield from (_line(page, x, _front(page, x, "- "), _facts(page, x)) for x in page.listed[:most])
            yield from [f"- and {len(page.listed) - most} more"] if len(page.listed) > most else []
        case "closed":
            yield "You have left the shop."


def quoted(text: str, tokens: int) -> str:
    """Returns foreign text as a page shows it: cleaned, cut, between « and »."""
    return f"«{fit(text, tokens)}»"


def refinement_words(refinement: Refinement, tokens: int) -> str:
    """Returns how a list is narrowed and sorted, as ``narrowed to brand «Acme», sorted by price_low``; "" for not."""
    said = dict(refinement.said())
    by = [f"{name} {quoted(str(said[name]), tokens)}" for name in NAMED if name in said]
    by += [f"{name} {value:.7g}" for name, value in said.items() if not isinstance(value, str)]
    words = [f"narrowed to {', '.join(by)}"] if by else []
    words += [] if refinement.sort is Sort.RELEVANCE else [f"sorted by {refinement.sort}"]
    return ", ".join(words)


def _results(page: Page, budget: float) -> Iterator[str]:
    """Yields the lines of a page of results; titles share what the other words leave of the budget, in tokens.

    Where that is less than ``least_title`` each, the offers are left out, then badges and numbers of reviews.
    """
    lengths, count = page.settings, len(page.listed)
    head = f"Results {page.listed[0].rank}-{page.listed[-1].rank} of {page.total} for {_asked(page)}"
    fronts = [_front(page, x, f"{x.rank}. ") for x in page.listed]
    for facts, offers in (
        ([_facts(page, x) for x in page.listed], list(_offers(page))),
        ([_facts(page, x) for x in page.listed], []),
        ([_facts(page, x, few=True) for x in page.listed], []),
    ):
        rest = _tokens([head, *offers, *(f"{a}{b}" for a, b in zip(fronts, facts, strict=True))])
        room = budget - rest - _QUOTES * count
        if room >= lengths.least_title * count:
            break
    title = _shared(room, [cost(clean(x.product.title, lengths.line * 6)) for x in page.listed])
    yield head
    for listed, front, back in zip(page.listed, fronts, facts, strict=True):
        yield _line(page, listed, front, back, most=max(math.ceil(title), 1))
    yield from offers


def _shared(room: float, wanted: list[float]) -> float:
    """Returns the largest share of a room that is the same for all who want more, if the others take what they want."""
    for place, least in enumerate(sorted(wanted)):
        share = room / (len(wanted) - place)
        if least > share:
            return share
        room -= least
    return max(wanted)


def _no_results(page: Page) -> Iterator[str]:
    yield f"No product matches {_asked(page)}."
    for filters, total in page.loosened:
        yield f"Without {' and '.join(filters)}: {total} result{'s' if total > 1 else ''}"
    if page.suggestions:
        yield f"Searches with results: {', '.join(quoted(s, page.settings.query) for s in page.suggestions)}"


def _asked(page: Page) -> str:
    how = refinement_words(page.refinement, page.settings.filter)
    return quoted(page.query or "", page.settings.query) + (f", {how}" if how else "")


def _offers(page: Page) -> Iterator[str]:
    tokens = page.settings.filter
    shown = {name: page.offers[name] for name in _NAMED_OFFERS if name in page.offers}
    offers = [f"{name} {', '.join(_value(v, tokens) for v in values)}" for name, values in shown.items()]
    if offers:
        yield f"Refine by: {'; '.join(offers)}"


def _value(value: str | float, tokens: int) -> str:
    return quoted(value, tokens) if isinstance(value, str) else number_text(value)


def _line(page: Page, listed: Listed, front: str, back: str, most: int = 1000) -> str:
    """Returns the line of a product in a list; its title takes what the facts leave of it, ``most`` tokens at most."""
    room = max(page.settings.least_title, int(page.settings.line - cost(front + back) - _QUOTES))
    return f"{front}{quoted(listed.product.title, min(room, most))}{back}"


def _front(page: Page, listed: Listed, begin: str) -> str:
    return f"{begin}[{page.called(listed.product.id)}] "


def _facts(page: Page, listed: Listed, *, few: bool = False) -> str:
    product = listed.product
    facts = [price(product.price)]
    if product.rating is not None or product.review_count is not None:
        facts.append(stars(product, counted=not few))
    facts += [] if few else listed.badges[: page.settings.badges]
    facts += ["sponsored"] if product.sponsored else []
    return " " + " · ".join(facts)


def _product(page: Page, budget: float) -> Iterator[str]:
    """Yields the lines of a product's page; the description takes what the others leave of the budget, in tokens."""
    above, below = list(_above(page)), list(_below(page))
    description, lengths = page.listed[0].product.description, page.settings
    yield from above
    if description and lengths.description:
        room = int(budget - _tokens([*above, *below, "Description: "]) - _QUOTES)
        yield f"Description: {quoted(description, min(lengths.description, max(room, 1)))}"
    yield from below


def _above(page: Page) -> Iterator[str]:
    (listed, *_), lengths = page.listed, page.settings
    product = listed.product
    yield f"Product [{page.called(product.id)}] {quoted(product.title, lengths.title)}"
    if product.brand:
        yield f"Brand: {quoted(product.brand, lengths.brand)}"
    if product.category:
        yield f"Category: {quoted(' / '.join(product.category), lengths.path)}"
    yield f"Price:{_facts(page, listed)}"
    if product.bullets and lengths.bullets:
        yield "About it:"
        shown = [f"- {quoted(b, lengths.bullet)}" for b in product.bullets[: lengths.bullets]]
        yield from _some(shown, len(product.bullets))


def _below(page: Page) -> Iterator[str]:
    product, lengths = page.listed[0].product, page.settings
    if product.reviews and lengths.reviews:
        yield "Reviews:"
        told = [f"- {r.rating:g}/5 {quoted(r.text, lengths.review)}" for r in product.reviews[: lengths.reviews]]
        yield from _some(told, len(product.reviews))
    if page.related:
        yield "Related products:"
        yield from (_related(page, x.product) for x in page.related)


def _related(page: Page, product: Product) -> str:
    front, back = f"- [{page.called(product.id)}] ", f" {price(product.price)}"
    room = max(page.settings.least_title, int(page.settings.related_line - cost(front + back) - _QUOTES))
    return f"{front}{quoted(product.title, room)}{back}"


def _some(lines: list[str], all_of_them: int) -> Iterator[str]:
    yield from lines
    if all_of_them > len(lines):
        yield f"- and {all_of_them - len(lines)} more"


def _cart_line(page: Page) -> str:
    if not page.cart:
        return "Cart: empty"
    ids: list[str] = []
    for product in page.cart[: page.settings.cart]:
        ids.append(f"[{page.called(product.id)}]")
        if ids[1:] and cost(", ".join(ids)) > _CART:
            ids.pop()
            break
    more = f" and {len(page.cart) - len(ids)} more" if len(page.cart) > len(ids) else ""
    return f"Cart: {', '.join(ids)}{more}, {total_price(page.cart)}"


def _tokens(lines: Iterable[str]) -> float:
    """Returns the estimate of the tokens of lines with what ends each."""
    return sum(cost(line) + 1 for line in lines)


def _said(problem: str) -> str:
    """Returns a message in one line, cut to its budget; between « and » stays there what stood there."""
    said, room = "", float(_PROBLEM)
    for place, piece in enumerate(_PIECES.split(problem)):
        foreign = bool(place % 2)
        text = fit(piece[1:-1] if foreign else piece, max(int(room), 1))
        said += f"«{text}»" if foreign else " " * piece[:1].isspace() + text + " " * piece[-1:].isspace()
        room -= cost(text) + 2 * foreign
        if room <= 0:
            break
    return said.strip()
