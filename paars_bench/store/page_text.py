"""A page in words: short enough to be read at every turn, and made so that no seller can write a line of it.

Every line begins with words of ours, and what sellers wrote stands between « and », in one piece, cleaned and cut with
a mark. With the lengths of the shipped settings a page of ten results takes 600 tokens at most and a product's page
800, whatever the catalog holds: a page is counted as a whole, and one that is too long is written again with less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from paars_bench.data.schema import Product
from paars_bench.store.fact_text import price, stars, total_price
from paars_bench.store.refine import NAMED, Refinement, Sort, number_text
from paars_bench.store.text import fit
from paars_bench.store.token_cost import cost

if TYPE_CHECKING:
    from paars_bench.store.pages import Listed, Page

_PROBLEM = 55  # tokens of what was wrong
_CART = 40  # tokens of the ids of the cart
_NAMED_OFFERS = (*NAMED, "max_price")  # the others are the same on every page, and said where the tools are
_PIECES = re.compile(r"(«[^«»]*»)")


class _Much(NamedTuple):
    """How much of a page is written.

    Attributes:
        offers: the filters to narrow results by.
        marks: badges and numbers of reviews.
        facts: ratings, and the cents of prices from 100 on.
        share: of the tokens that queries, names, titles and texts may take.
    """

    offers: bool = True
    marks: bool = True
    facts: bool = True
    share: float = 1.0


_LESS_AND_LESS = (
    _Much(),
    _Much(offers=False),
    _Much(offers=False, marks=False),
    _Much(offers=False, marks=False, share=0.5),
    _Much(offers=False, marks=False, facts=False, share=0.25),
)


def page_lines(page: Page) -> list[str]:
    """Returns the lines of a page, which ``Page.text`` joins: as much as its tokens allow."""
    lengths = page.settings
    # the budget of results is that of a page of ten
    budget = lengths.product if page.kind == "product" else lengths.results * max(page.page_size, 10) / 10
    lines: list[str] = []
    for much in _LESS_AND_LESS:
        lines = list(_lines(page, budget, much))
        if _tokens(lines) <= budget:
            break
    return lines


def quoted(text: str, tokens: float) -> str:
    """Returns foreign text as a page shows it: cleaned, cut, between « and »."""
    return f"«{fit(text, tokens)}»"


def refinement_words(refinement: Refinement, tokens: float) -> str:
    """Returns how a list is narrowed and sorted, as ``narrowed to brand «Acme», sorted by price_low``; "" for not."""
    said = dict(refinement.said())
    by = [f"{name} {quoted(str(said[name]), tokens)}" for name in NAMED if name in said]
    by += [f"{name} {value:.7g}" for name, value in said.items() if not isinstance(value, str)]
    words = [f"narrowed to {', '.join(by)}"] if by else []
    words += [] if refinement.sort is Sort.RELEVANCE else [f"sorted by {refinement.sort}"]
    return ", ".join(words)


def _lines(page: Page, budget: float, much: _Much) -> Iterator[str]:
    head = [f"Not done: {_said(page.problem)}"] if page.problem else []
    head += [page.notice] if page.notice else []
    foot = [] if page.kind == "closed" else [_cart_line(page, much), f"Possible now: {', '.join(page.possible)}"]
    yield from head
    yield from _body(page, budget - _tokens([*head, *foot]), much)
    yield from foot


def _body(page: Page, room: float, much: _Much) -> Iterator[str]:
    lengths = page.settings
    match page.kind:
        case "home":
            yield "Home page of the shop."
            if shown := page.departments[: lengths.departments]:
                yield f"Departments: {', '.join(quoted(d, lengths.department * much.share) for d in shown)}"
        case "results" if page.listed:
            yield from _results(page, room, much)
        case "results":
            yield from _no_results(page, much)
        case "product":
            yield from _product(page, room, much)
        case "cart":
            yield "Your cart:"
            yield from (_in_cart(page, x, much) for x in page.listed[: lengths.cart])
            more = len(page.listed) - lengths.cart
            yield from [f"- and {more} more"] if more > 0 else []
        case "closed":
            yield "You have left the shop."


def _results(page: Page, room: float, much: _Much) -> Iterator[str]:
    """Yields the lines of a page of results; titles share what the other words leave of the room, in tokens."""
    lengths = page.settings
    head = f"Results {page.listed[0].rank}-{page.listed[-1].rank} of {page.total} for {_asked(page, much)}"
    offers = list(_offers(page)) if much.offers else []
    fronts = [f"{x.rank}. [{page.called(x.product.id)}]" for x in page.listed]
    backs = [_facts(page, x, much) for x in page.listed]
    bare = [f"{front} «»{back}" for front, back in zip(fronts, backs, strict=True)]
    least = lengths.least_title * much.share
    titles = [fit(x.product.title, max(least, lengths.line - cost(b))) for x, b in zip(page.listed, bare, strict=True)]
    most = max(least, _shared(room - _tokens([head, *offers, *bare]), [cost(t) for t in titles]))
    yield head
    yield from (f"{a} {quoted(title, most)}{b}" for a, title, b in zip(fronts, titles, backs, strict=True))
    yield from offers


def _shared(room: float, wanted: list[int]) -> float:
    """Returns the largest share of a room that is the same for all who want more, if the others take what they want."""
    for place, least in enumerate(sorted(wanted)):
        share = room / (len(wanted) - place)
        if least > share:
            return share
        room -= least
    return max(wanted)


def _no_results(page: Page, much: _Much) -> Iterator[str]:
    yield f"No product matches {_asked(page, much)}."
    for filters, total in page.loosened:
        yield f"Without {' and '.join(filters)}: {total} result{'s' if total > 1 else ''}"
    if page.suggestions:
        shown = (quoted(s, page.settings.query * much.share) for s in page.suggestions)
        yield f"Searches with results: {', '.join(shown)}"


def _asked(page: Page, much: _Much) -> str:
    how = refinement_words(page.refinement, page.settings.filter * much.share)
    return quoted(page.query or "", page.settings.query * much.share) + (f", {how}" if how else "")


def _offers(page: Page) -> Iterator[str]:
    tokens = page.settings.filter
    shown = {name: page.offers[name] for name in _NAMED_OFFERS if name in page.offers}
    offers = [f"{name} {', '.join(_value(v, tokens) for v in values)}" for name, values in shown.items()]
    if offers:
        yield f"Refine by: {'; '.join(offers)}"


def _value(value: str | float, tokens: int) -> str:
    return quoted(value, tokens) if isinstance(value, str) else number_text(value)


def _facts(page: Page, listed: Listed, much: _Much) -> str:
    product = listed.product
    facts = [price(product.price, cents=much.facts)]
    if much.facts and (product.rating is not None or product.review_count is not None):
        facts.append(stars(product, counted=much.marks))
    facts += listed.badges[: page.settings.badges] if much.marks else []
    facts += ["sponsored"] if product.sponsored else []
    return " " + " · ".join(facts)


def _in_cart(page: Page, listed: Listed, much: _Much) -> str:
    return _titled(page, listed.product, _facts(page, listed, much), page.settings.line, much)


def _titled(page: Page, product: Product, back: str, tokens: int, much: _Much) -> str:
    """Returns the line of a product; its title takes what the rest leaves of the tokens."""
    front, lengths = f"- [{page.called(product.id)}] ", page.settings
    room = max(lengths.least_title * much.share, tokens * much.share - cost(f"{front}«»{back}"))
    return f"{front}{quoted(product.title, room)}{back}"


def _product(page: Page, room: float, much: _Much) -> Iterator[str]:
    """Yields the lines of a product's page; the description takes what the others leave of the room, in tokens."""
    above, below = list(_above(page, much)), list(_below(page, much))
    description, lengths = page.listed[0].product.description, page.settings
    yield from above
    if description and lengths.description:
        left = max(room - _tokens([*above, *below, "Description: «»"]), lengths.least_title * much.share)
        yield f"Description: {quoted(description, min(lengths.description, left))}"
    yield from below


def _above(page: Page, much: _Much) -> Iterator[str]:
    (listed, *_), lengths = page.listed, page.settings
    product = listed.product
    yield f"Product [{page.called(product.id)}] {quoted(product.title, lengths.title * much.share)}"
    if product.brand:
        yield f"Brand: {quoted(product.brand, lengths.brand * much.share)}"
    if product.category:
        yield f"Category: {quoted(' / '.join(product.category), lengths.path * much.share)}"
    yield f"Price:{_facts(page, listed, much)}"
    if product.bullets and lengths.bullets:
        yield "About it:"
        shown = [f"- {quoted(b, lengths.bullet * much.share)}" for b in product.bullets[: lengths.bullets]]
        yield from _some(shown, len(product.bullets))


def _below(page: Page, much: _Much) -> Iterator[str]:
    product, lengths = page.listed[0].product, page.settings
    if product.reviews and lengths.reviews:
        yield "Reviews:"
        tokens, shown = lengths.review * much.share, product.reviews[: lengths.reviews]
        yield from _some([f"- {r.rating:g}/5 {quoted(r.text, tokens)}" for r in shown], len(product.reviews))
    if page.related:
        yield "Related products:"
        for other in page.related:
            amount = price(other.product.price, cents=much.facts)
            yield _titled(page, other.product, f" {amount}", lengths.related_line, much)


def _some(lines: list[str], all_of_them: int) -> Iterator[str]:
    yield from lines
    if all_of_them > len(lines):
        yield f"- and {all_of_them - len(lines)} more"


def _cart_line(page: Page, much: _Much) -> str:
    if not page.cart:
        return "Cart: empty"
    ids: list[str] = []
    for product in page.cart[: page.settings.cart]:
        ids.append(f"[{page.called(product.id)}]")
        if ids[1:] and cost(", ".join(ids)) > _CART * much.share:
            ids.pop()
            break
    more = f" and {len(page.cart) - len(ids)} more" if len(page.cart) > len(ids) else ""
    return f"Cart: {', '.join(ids)}{more}, {total_price(page.cart)}"


def _tokens(lines: Iterable[str]) -> int:
    """Returns the tokens of lines at most, with what ends each."""
    return sum(cost(line) + 1 for line in lines)


def _said(problem: str) -> str:
    """Returns a message in one line, cut to its tokens; between « and » stays there what stood there."""
    said, room = "", _PROBLEM
    for place, piece in enumerate(_PIECES.split(problem)):
        foreign = bool(place % 2)
        text = quoted(piece[1:-1], room - 2) if foreign else fit(piece, room)
        said += text if foreign else " " * piece[:1].isspace() + text + " " * piece[-1:].isspace()
        room -= cost(text)
        if room < 3:
            break
    return said.strip()
