"""From typed words to tantivy queries: what a shopper types is never read as query syntax.

In a catalog of up to 10,000 products every word is looked for in every field. In a larger one, two bounds keep a long
query from reading hundreds of thousands of postings; docs/store.md says what they change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from paars_bench.config.store_settings import FieldWeights
from paars_bench.store.search_schema import FIELDS, analyzer

LARGE = 10_000
"""Products up to which no bound applies."""
COMMON = 5_000
"""A word with more postings than this, over all fields, is common: it is looked for in one field."""
READ = 10_000
"""Postings, together, of the words of which half must be found."""

_SHORT_FIELDS = ("title", "brand", "category")
_MAX_WORDS = 32
_MOST_WORDS = 50_000  # kept in memory as queries
# Puts a product with every word before any with some: 32 weighted words reach about 2,300, and float32 still
# tells scores 0.0005 apart up here.
_FULL_MATCH = 4096.0


class Reading(NamedTuple):
    """How a query was read: its words as indexed, and those no product has."""

    words: tuple[str, ...]
    unknown: tuple[str, ...]


class Part(NamedTuple):
    """Products with a word: the tantivy query, how many postings it reads, and whether the word is common."""

    query: Any
    postings: int
    common: bool = False


class Words:
    """Queries on one index.

    Args:
        searcher: of the index.
        schema: of the index.
        weights: of the fields.
    """

    def __init__(self, searcher: Any, schema: Any, weights: FieldWeights) -> None:
        self._searcher, self._schema = searcher, schema
        self._large = searcher.num_docs > LARGE
        self._weights = {name: w for name in FIELDS if (w := getattr(weights, name)) > 0}
        self.stemmed = analyzer(stop=False).analyze
        self._telling = analyzer(stop=True).analyze
        self._known: dict[str, Part | None] = {}
        self._near: dict[str, Part | None] = {}

    def read(self, query: str) -> Reading:
        """Returns how a query is read: distinct stemmed words without stop words, 32 at most, in order."""
        words = self._telling(query) or self.stemmed(query)
        distinct = tuple(dict.fromkeys(words))[:_MAX_WORDS]
        return Reading(distinct, tuple(w for w in distinct if self.word(w) is None))

    def parts(self, query: str) -> list[Part]:
        """Returns the words of a query that products have, as they are or with typos."""
        words, unknown = self.read(query)
        found = (self.near(w) if w in unknown else self.word(w) for w in words)
        return [part for part in found if part is not None]

    def some_of(self, parts: Sequence[Part], every: Any) -> Any:
        """Returns products that have at least half of the words, those with every word first.

        In a large catalog: half of the words that are not common (of all, where all are), the rarest first, as many as
        have 10,000 postings together. The other words add to the score only.
        """
        from tantivy import Occur, Query

        wanted, more = _telling(parts) if self._large else (list(parts), [])
        half = Query.boolean_query(
            [(Occur.Should, p.query) for p in wanted], minimum_number_should_match=(len(wanted) + 1) // 2
        )
        first = Query.const_score_query(every, _FULL_MATCH)
        return Query.boolean_query([(Occur.Must, scored_by(half, more)), (Occur.Should, first)])

    def word(self, word: str) -> Part | None:
        """Returns products with a word as indexed, or None where no product has it."""
        return _kept(self._known, word, self._exact)

    def near(self, word: str) -> Part | None:
        """Returns products with a word that differs in one letter (two from eight letters on), None where none has."""
        return _kept(self._near, word, self._typo)

    def frequency(self, name: str, word: str) -> int:
        """Returns how many products have a word in a field."""
        return int(self._searcher.doc_freq(name, word))

    def beginning(self, name: str, letters: str, most: int) -> list[str]:
        """Returns words of a field that begin with some letters, ``most`` at most."""
        return [word for word, _ in self._searcher.terms_with_prefix(name, letters, limit=most)]

    def term(self, name: str, word: str, *, frequencies: bool = True) -> Any:
        """Returns products with a word, or with a whole name, in one field."""
        from tantivy import Query

        return Query.term_query(self._schema, name, word, index_option="freq" if frequencies else "basic")

    def _exact(self, word: str) -> Part | None:
        from tantivy import Query

        counts = {name: n for name in self._weights if (n := self.frequency(name, word))}
        if not counts:
            return None
        common = self._large and sum(counts.values()) > COMMON
        if common:
            # Fields with many words say little of a common one, and one list can be skipped through: a union cannot.
            short = {name: n for name, n in counts.items() if name in _SHORT_FIELDS} or counts
            counts = dict([max(short.items(), key=lambda c: c[1])])
        fields = [Query.boost_query(self.term(name, word), self._weights[name]) for name in counts]
        query = fields[0] if common else Query.disjunction_max_query(fields, tie_breaker=0.2)
        return Part(query, sum(counts.values()), common)

    def _typo(self, word: str) -> Part | None:
        from tantivy import Query

        short = {name: self._weights[name] for name in _SHORT_FIELDS if name in self._weights}
        if len(word) < 4 or not short:
            return None
        for distance in (1, 2) if len(word) >= 8 else (1,):
            near = Query.disjunction_max_query(
                [
                    Query.boost_query(Query.fuzzy_term_query(self._schema, name, word, distance), weight)
                    for name, weight in short.items()
                ]
            )
            count = self._searcher.search(near, limit=1).count
            if count:
                return Part(near, count, self._large and count > COMMON)
        return None


_NOT_ASKED = Part(None, -1)


def _kept(kept: dict[str, Part | None], word: str, make: Callable[[str], Part | None]) -> Part | None:
    """Returns what is made of a word, made once; threads that meet here make it twice, and the same."""
    found = kept.get(word, _NOT_ASKED)
    if found is _NOT_ASKED:
        found = make(word)
        if len(kept) >= _MOST_WORDS:
            kept.clear()
        kept[word] = found
    return found


def all_of(parts: Sequence[Part]) -> Any:
    """Returns products that have every word."""
    from tantivy import Occur, Query

    return parts[0].query if len(parts) == 1 else Query.boolean_query([(Occur.Must, p.query) for p in parts])


def _telling(parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """Splits words into those that must be found in half, and the others."""
    ordered = sorted(parts, key=lambda p: (p.common, p.postings))
    count, read = 1, ordered[0].postings
    while count < len(ordered):
        part = ordered[count]
        if read + part.postings > READ or part.common != ordered[0].common:
            break
        count, read = count + 1, read + part.postings
    return ordered[:count], ordered[count:]


def scored_by(query: Any, parts: Sequence[Part]) -> Any:
    """Returns the same products, with the scores of words added that they may have or not."""
    from tantivy import Occur, Query

    for part in parts:  # one inside the other: a list beside others is read to its end, alone it is skipped through
        query = Query.boolean_query([(Occur.Must, query), (Occur.Should, part.query)])
    return query


def within(query: Any, filters: Sequence[Any]) -> Any:
    """Returns those products of a query that pass every filter, with the same scores."""
    from tantivy import Occur, Query

    if not filters:
        return query
    silent = [(Occur.Must, Query.const_score_query(f, 0.0)) for f in filters]
    return Query.boolean_query([(Occur.Must, query), *silent])
