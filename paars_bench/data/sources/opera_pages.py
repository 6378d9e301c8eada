"""The result list of a simplified Amazon page: which products stood where, as the recorder of OPeRA named them.

The recorder gives an element the dotted name of what it is: ``search_results.<title slug>`` is a result, and
``search_results.<title slug>.product_name`` the link in it. Ads, sort and filter nodes have names of the same form, so
a result is known by what it holds. The markup comes from the web, so nothing here may take more than linear time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from paars_bench.data.sources.opera_cells import money

MARK = 'name="search_results'
"""What the HTML of a result page holds; looked for before anything is parsed."""

LONGEST = 4_000_000
"""Characters of a page that are parsed; the longest page of the source has 0.63 million."""

_PARTS = frozenset({"product_name", "product_image", "view_product"})
_FIELDS = frozenset({"product-name", "product-price", "product-rating", "product-rating-count"})
_MOST_OPEN, _MOST_PIECES, _LONGEST_PIECE = 16, 64, 2_000  # a field has a few words; hostile ones may not add up
_TITLE_PARTS = frozenset({"product_name", "view_product"})
_RATING = re.compile(r"([0-5](?:\.\d+)?) out of 5")
_COUNT = re.compile(r"\d[\d,]*")


class Place(NamedTuple):
    """A product in a result list.

    Attributes:
        slug: the title as the recorder spells it in names, see ``slug``.
        title: as shown; "" where the page has only the slug.
        price: in the shop's currency, None where not shown.
        rating: 1 to 5.
        review_count: None where not shown.
        sponsored: whether the page says so.
    """

    slug: str
    title: str
    price: float | None = None
    rating: float | None = None
    review_count: int | None = None
    sponsored: bool = False


@lru_cache(maxsize=1 << 16)  # every result page names its products again
def slug(title: str) -> str:
    """Returns a title as the recorder spells it in the names of elements: lower case, ASCII words, underscores."""
    return re.sub(r"[^a-z0-9_]+", "_", " ".join(title.split()).lower())


def result_slug(semantic_id: str) -> str | None:
    """Returns the slug in the name of an element of a result, None for elements elsewhere, ads and sort among them."""
    parts = semantic_id.split(".")
    in_result = len(parts) >= 2 and parts[0] == "search_results" and parts[1] not in {"ads", "sort", "filter"}
    return parts[1] if in_result else None


def result_list(page: str) -> tuple[Place, ...]:
    """Returns the results of a page in the order shown, each title at its first place; empty where it can't be read."""
    start = page.rfind("<", 0, page.find(MARK) + 1)  # what stands before is navigation and filters, and most of it
    if start < 0 or len(page) > LONGEST:
        return ()
    results = _Results()
    # Events and no tree: a tree takes quadratic time for an element with many attributes (17 s for 60,000).
    parser = etree.HTMLParser(target=results, encoding="utf-8", no_network=True)
    try:
        parser.feed(page[start:].encode("utf-8", "replace"))
        parser.close()
    except _Enough:
        pass
    except etree.LxmlError:
        return ()
    return results.places()


class _Enough(Exception):
    """The list has ended; the rest of the page is not parsed."""


class _Results:
    """Listens to the parser: keeps what stands in each result, by slug, in the order of the page."""

    def __init__(self) -> None:
        self._said: dict[str, dict[str, str]] = {}
        self._real: set[str] = set()
        self._depth = 0
        self._list = 0  # depth of the element that holds the list, 0 before it
        self._inside: list[tuple[int, str]] = []  # results that are open: depth and slug
        self._open: list[tuple[int, str, str, list[str]]] = []  # fields that are open: depth, slug, field and its text

    def start(self, _tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        parts = (attributes.get("name") or "").split(".")
        classes = (attributes.get("class") or "").split()
        if parts == ["search_results"] and not self._list:
            self._list = self._depth
        elif parts[0] == "search_results" and len(parts) in (2, 3) and parts[1]:
            self._said.setdefault(parts[1], {})
            if len(parts) == 2 and "search-result" in classes:
                self._real.add(parts[1])
                self._inside.append((self._depth, parts[1]))
            elif len(parts) == 3 and parts[2] in _PARTS:
                self._real.add(parts[1])
                if parts[2] in _TITLE_PARTS:
                    self._listen(parts[1], "title")
        if self._inside:
            slug = self._inside[-1][1]
            for name in _FIELDS.intersection(classes):
                self._listen(slug, name)
            if (attributes.get("aria-label") or "").strip().lower().startswith("sponsored"):
                self._said[slug]["sponsored"] = "yes"

    def _listen(self, slug: str, field: str) -> None:
        if len(self._open) < _MOST_OPEN and field not in self._said[slug]:
            self._open.append((self._depth, slug, field, []))

    def data(self, text: str) -> None:
        if self._inside and text.strip().lower() == "sponsored":
            self._said[self._inside[-1][1]]["sponsored"] = "yes"
        for *_, words in self._open:
            if len(words) < _MOST_PIECES:
                words.append(text[:_LONGEST_PIECE])

    def end(self, _tag: str) -> None:
        while self._open and self._open[-1][0] >= self._depth:
            _, slug, field, words = self._open.pop()
            self._said[slug].setdefault(field, " ".join("".join(words).split()))
        while self._inside and self._inside[-1][0] >= self._depth:
            self._inside.pop()
        if self._depth == self._list:
            raise _Enough
        self._depth -= 1

    def close(self) -> None:
        """Has nothing to return: the places are asked for."""

    def places(self) -> tuple[Place, ...]:
        return tuple(_place(slug, said) for slug, said in self._said.items() if slug in self._real)


def _place(slug: str, said: Mapping[str, str]) -> Place:
    rating = _RATING.search(said.get("product-rating", ""))
    count = _COUNT.search(said.get("product-rating-count", ""))
    return Place(
        slug,
        said.get("title") or said.get("product-name", ""),
        price=money(said.get("product-price")),
        rating=float(rating[1]) if rating and 1 <= float(rating[1]) <= 5 else None,
        review_count=int(count[0].replace(",", "")) if count and len(count[0]) < 16 else None,
        sponsored="sponsored" in said,
    )
