"""What else to ask: other queries where one found nothing, filters to drop, and products like one that is looked at."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from paars_bench.store.refine import Refinement
from paars_bench.store.search_schema import name_key
from paars_bench.store.search_words import Part, scored_by

if TYPE_CHECKING:
    from paars_bench.store.search import SearchIndex

_WORD = re.compile(r"\w+")
_SPELLED_IN = ("title", "category", "brand")
_LOOKED_AT = 300  # words with the same beginning
_TITLE_WORDS = 6
_READ_TITLES = 200


class Alternative(NamedTuple):
    """Another query, and how many products it finds in the whole shop."""

    query: str
    total: int


class Loosened(NamedTuple):
    """Filters to drop, as fields of ``Refinement``, and how many products there are then."""

    drop: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What to do where a search found nothing.

    Attributes:
        queries: other queries, each with results: spelled otherwise, fewer words, the largest categories.
        loosened: where the query finds products and the filters leave none: which filter to drop, the one that gives
            most first; all of them where no single one helps.
    """

    queries: tuple[Alternative, ...] = ()
    loosened: tuple[Loosened, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.queries or self.loosened)


def suggest(index: SearchIndex, query: str, refine: Refinement) -> Suggestion:
    """Returns what to ask instead of a query that found nothing, the same for the same query and settings.

    It is empty only where no product has a word that can be searched.
    """
    if refine.narrows and index.search(query, limit=1).total:
        return Suggestion(loosened=_loosened(index, query, refine))
    most = index.settings.pages.suggestions
    found: list[Alternative] = []
    for text in dict.fromkeys(_others(index, query)):
        if text.casefold() == query.strip().casefold():
            continue
        total = index.search(text, limit=1).total
        if total:
            found.append(Alternative(text, total))
        if len(found) == most:
            break
    return Suggestion(queries=tuple(found))


def _loosened(index: SearchIndex, query: str, refine: Refinement) -> tuple[Loosened, ...]:
    given = [name for name, _ in refine.said() if name != "sort"]
    one_less = [Loosened((name,), _total_without(index, query, refine, [name])) for name in given]
    useful = sorted((x for x in one_less if x.total), key=lambda x: -x.total)
    return tuple(useful) or (Loosened(tuple(given), _total_without(index, query, refine, given)),)


def _total_without(index: SearchIndex, query: str, refine: Refinement, drop: Sequence[str]) -> int:
    fewer: dict[str, Any] = dict.fromkeys(drop)
    return index.search(query, limit=1, refine=replace(refine, **fewer)).total


def _others(index: SearchIndex, query: str) -> Iterator[str]:
    """Yields other queries, the nearest to what was typed first; not all of them need have results."""
    typed = _WORD.findall(query)[:32]
    spelled = [word if _known(index, word) else _nearest(index, word) for word in typed]
    words = [word for word in spelled if word]
    if words:
        yield " ".join(words)
    rarest = sorted(set(words), key=lambda w: (index.search(w, limit=1).total, words.index(w)))
    yield from rarest
    yield from index.leaves
    for row in range(min(_READ_TITLES, len(index.shelf))):  # a shop without categories still has titles
        yield " ".join(_WORD.findall(index.shelf.title(row)[:80])[:4])


def _known(index: SearchIndex, word: str) -> bool:
    return any(index.words.word(w) or index.words.near(w) for w in index.read(word).words)


def _nearest(index: SearchIndex, word: str) -> str | None:
    """Returns a word of the shop that begins like a word and resembles it most, spelled as a title spells it."""
    stems = index.words.stemmed(word)
    if not stems or len(stems[0]) < 3:
        return None
    stem = str(stems[0])
    for letters in (3, 2):
        begins = {t for name in _SPELLED_IN for t in index.words.beginning(name, stem[:letters], _LOOKED_AT)}
        close: list[str] = difflib.get_close_matches(stem, sorted(begins), n=1, cutoff=0.6)
        if close:
            return _as_spelled(index, close[0])
    return None


def _as_spelled(index: SearchIndex, stem: str) -> str:
    for product in index.search(stem, limit=3).ids:
        for word in _WORD.findall(index.shelf.title(index.shelf.row(product))):
            if index.words.stemmed(word) == [stem]:
                return str(word).lower()
    return stem


def related(index: SearchIndex, searcher: Any, product_id: str, limit: int) -> tuple[str, ...]:
    """Returns products of the narrow category of one, by the words of its title (the six rarest)."""
    from tantivy import Occur, Query

    row = index.shelf.row(product_id)
    words = index.read(index.shelf.title(row)).words
    counts = {w: n for w in words if (n := index.words.frequency("title", w)) > 1}
    rarest = sorted(counts, key=lambda w: (counts[w], w))[:_TITLE_WORDS]
    parts = [Part(index.words.term("title", w), counts[w]) for w in rarest]
    path = index.shelf.category(row)
    if path:
        leaf = index.words.term("category_is", name_key(path[-1]), frequencies=False)
        asked = scored_by(Query.const_score_query(leaf, 0.0), parts)
    elif parts:
        asked = Query.boolean_query([(Occur.Should, p.query) for p in parts])
    else:
        return ()
    hits = searcher.search(asked, limit=limit + 1, count=False).hits
    return tuple(index.shelf.id(address.doc) for _, address in hits if address.doc != row)[:limit]
