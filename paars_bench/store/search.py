"""Full-text search over a catalog: the same query on the same catalog always gives the same list.

Agents are compared with each other and with people on what they did after a search, so a list that depended
on thread timing, on segment order or on a query parser would be noise in every metric behind it. Hence one
segment in catalog order (ties in score fall to the product listed first in the catalog) and query objects
built from analysed words: what a shopper types is never read as query syntax.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from paars_bench.data.schema import Catalog
from paars_bench.errors import DataError

FIELDS: dict[str, float] = {"title": 3.0, "brand": 2.0, "category": 2.0, "bullets": 1.0, "description": 0.5}
"""Indexed fields and their weights."""

_TYPO_FIELDS = ("title", "brand", "category")
_ANALYZER = "shop_en"
_MAX_WORDS = 32
_MOST_WORDS = 50_000  # kept in memory as queries
# A page and the next: with fewer products that hold every word, those that hold some are listed after them.
_ENOUGH = 20
# Puts a product with every word before any with some: 32 weighted words reach about 2,300, and float32 still
# tells scores 0.0005 apart up here.
_FULL_MATCH = 4096.0
# A budget, not an allocation (memory grows by pages): under it everything lands in one segment, whose
# documents keep the order of the catalog. Several segments would be listed in the random order of their ids.
_WRITER_BYTES = 2_000_000_000


class SearchResult(NamedTuple):
    """One page of a result list: product ids, best first, and how many products matched in all."""

    ids: tuple[str, ...]
    total: int


class Reading(NamedTuple):
    """How a query was read: its words as indexed, and those no product has."""

    words: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """A catalog that can be searched; make one with ``SearchIndex.build``."""

    ids: list[str] = field(repr=False)
    _searcher: Any = field(repr=False)
    _schema: Any = field(repr=False)
    _analyze: Any = field(repr=False)
    _stop: Any = field(repr=False)
    _words: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def build(cls, catalog: Catalog) -> SearchIndex:
        """Indexes a catalog in memory (about 0.2 s for 3,000 products).

        Raises:
            DataError: the catalog's text does not fit one segment (about 2 GB of postings).
        """
        import tantivy

        builder = tantivy.SchemaBuilder()
        for name in FIELDS:
            builder.add_text_field(name, tokenizer_name=_ANALYZER, index_option="freq")
        # Signed on purpose: an unsigned field that is given plain ints kills the writer thread of tantivy-py.
        builder.add_integer_field("row", stored=True)
        schema = builder.build()
        index = tantivy.Index(schema)
        index.register_tokenizer(_ANALYZER, _analyzer(stop=False))
        writer = index.writer(heap_size=_WRITER_BYTES, num_threads=1)
        for row, product in enumerate(catalog):
            document = tantivy.Document(title=product.title, row=row)
            for name, text in (
                ("brand", product.brand),
                ("category", " ".join(product.category)),
                ("bullets", "\n".join(product.bullets)),
                ("description", product.description),
            ):
                if text:
                    document.add_text(name, text)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        searcher = index.searcher()
        if searcher.num_docs != len(catalog) or searcher.num_segments > 1:
            raise DataError(
                f"catalog: {len(catalog)} products do not fit one in-memory search segment "
                f"({searcher.num_segments} segments, {searcher.num_docs} indexed); use a smaller catalog."
            )
        return cls(catalog.ids, searcher, schema, _analyzer(stop=False).analyze, _analyzer(stop=True).analyze)

    def read(self, query: str) -> Reading:
        """Returns how a query is read: distinct stemmed words without stop words, 32 at most, in order."""
        words = self._stop(query) or self._analyze(query)
        distinct = tuple(dict.fromkeys(words))[:_MAX_WORDS]
        return Reading(distinct, tuple(w for w in distinct if self._word(w) is None))

    def search(self, query: str, *, limit: int = 10, offset: int = 0) -> SearchResult:
        """Returns a page of products for a query.

        Products with every word come first. If they are fewer than 20, products with at least half of the
        words follow. A word that no product has is looked for with one typo (two from eight letters on), then
        ignored.

        Args:
            query: as typed; only letters and digits count, in any case, with or without accents.
            limit: products on the page, at least 1.
            offset: products to skip.
        """
        if limit < 1 or offset < 0:
            raise ValueError(f"limit must be at least 1 and offset at least 0, got {limit} and {offset}")
        if not self.ids:
            return SearchResult((), 0)
        words, unknown = self.read(query)
        parts = [part for part in (self._typo(w) if w in unknown else self._word(w) for w in words) if part is not None]
        if not parts:
            return SearchResult((), 0)
        every = _all_of(parts)
        found = self._searcher.search(every, limit=limit, offset=offset)
        if len(parts) > 1 and found.count < _ENOUGH:
            found = self._searcher.search(_some_of(parts, every), limit=limit, offset=offset)
        return SearchResult(tuple(self.ids[address.doc] for _, address in found.hits), found.count)

    def _word(self, word: str) -> Any | None:
        """Returns products with a word, or None where no product has it; made once a word, a third of a search."""
        if word not in self._words:
            if len(self._words) >= _MOST_WORDS:
                self._words.clear()
            self._words[word] = self._new_word(word)
        return self._words[word]

    def _new_word(self, word: str) -> Any | None:
        from tantivy import Query

        fields = [
            Query.boost_query(Query.term_query(self._schema, name, word, index_option="freq"), weight)
            for name, weight in FIELDS.items()
            if self._searcher.doc_freq(name, word)
        ]
        return Query.disjunction_max_query(fields, tie_breaker=0.2) if fields else None

    def _typo(self, word: str) -> Any | None:
        """Returns products with a word near ``word``, or None where no product has one."""
        from tantivy import Query

        if len(word) < 4:
            return None
        for distance in (1, 2) if len(word) >= 8 else (1,):
            near = Query.disjunction_max_query(
                [
                    Query.boost_query(Query.fuzzy_term_query(self._schema, name, word, distance), FIELDS[name])
                    for name in _TYPO_FIELDS
                ]
            )
            if self._searcher.search(near, limit=1).hits:
                return near
        return None


def _analyzer(*, stop: bool) -> Any:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(64))
    builder = builder.filter(Filter.lowercase()).filter(Filter.ascii_fold())
    if stop:
        builder = builder.filter(Filter.stopword("english"))
    return builder.filter(Filter.stemmer("english")).build()


def _all_of(parts: list[Any]) -> Any:
    from tantivy import Occur, Query

    return parts[0] if len(parts) == 1 else Query.boolean_query([(Occur.Must, p) for p in parts])


def _some_of(parts: list[Any], every: Any) -> Any:
    from tantivy import Occur, Query

    half = Query.boolean_query([(Occur.Should, p) for p in parts], minimum_number_should_match=(len(parts) + 1) // 2)
    first = Query.const_score_query(every, _FULL_MATCH)
    return Query.boolean_query([(Occur.Must, half), (Occur.Should, first)])
