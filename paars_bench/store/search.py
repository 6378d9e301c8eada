"""Full-text search over a catalog: the same query and settings on the same catalog always give the same list.

Agents are compared with each other and with people on what they did after a search, so a list that depended on
thread timing, on segment order or on a query parser would be noise in every metric behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from paars_bench.config.store_settings import StoreSettings, default_settings
from paars_bench.data.schema import Catalog
from paars_bench.store.refine import Refinement, Sort
from paars_bench.store.search_rank import Ranker
from paars_bench.store.search_schema import ANALYZER, Progress, analyzer, fill, name_key, sort_field
from paars_bench.store.search_shelf import Shelf, widest_leaves
from paars_bench.store.search_words import Reading, Words, all_of, within

if TYPE_CHECKING:
    from paars_bench.store.search_suggest import Suggestion

# A page and the next: with fewer products that hold every word, those that hold some are listed after them.
_ENOUGH = 20
_MOST_PLANS = 20_000  # kept in memory: other shoppers ask the same query, a shopper its next page
_ANY = Refinement()


class SearchResult(NamedTuple):
    """One page of a result list: product ids, best first, and how many products matched in all."""

    ids: tuple[str, ...]
    total: int


class _Plan(NamedTuple):
    """The products of a query: how tantivy is asked for them, the first 20 rows by relevance, and how many they are."""

    query: Any
    head: list[int]
    total: int


@dataclass(frozen=True, slots=True, eq=False)
class SearchIndex:
    """A catalog that can be searched; make one with ``build``, ``open`` or ``search_folder.open_index``.

    Attributes:
        shelf: ids, titles, categories and features by row.
        leaves: the narrow categories with most products, the largest first.
        settings: which weights rank.
        words: queries on the index.
    """

    shelf: Shelf = field(repr=False)
    leaves: tuple[str, ...] = field(repr=False)
    settings: StoreSettings
    words: Words = field(repr=False)
    _searcher: Any = field(repr=False)
    _schema: Any = field(repr=False)
    _ranker: Ranker = field(repr=False)
    _plans: dict[str, _Plan] = field(default_factory=dict, repr=False)

    @classmethod
    def build(
        cls,
        catalog: Catalog,
        folder: Path | None = None,
        *,
        digest: str = "",
        settings: StoreSettings | None = None,
        progress: Progress | None = None,
    ) -> SearchIndex:
        """Indexes a catalog: 0.1 s for 1,000 products, a minute or two for a million.

        Args:
            catalog: the products.
            folder: where the index is to lie, in place of what lies there; None keeps it in memory.
            digest: of the catalog, to tell later whose index it is (for an index in a folder).
            settings: the weights; the shipped default if None.
            progress: told the number of products indexed so far.

        Raises:
            DataError: the catalog's text does not fit one segment (about 2 GB of postings).
            OSError: the folder cannot be written.
        """
        if folder is not None:
            from paars_bench.store.search_folder import write_index

            write_index(catalog, folder, digest, progress)
            return cls.open(folder, digest=digest, settings=settings)
        shelf, leaves = Shelf.of(catalog.table), widest_leaves(catalog.table)
        return cls._over(fill(catalog, None, progress), shelf, leaves, settings)

    @classmethod
    def open(cls, folder: Path, *, digest: str | None = None, settings: StoreSettings | None = None) -> SearchIndex:
        """Opens an index in place: its files are mapped, not read into memory, and shared by processes.

        Args:
            folder: which ``build`` wrote.
            digest: of the catalog that is meant; None takes the index of any catalog.
            settings: the weights; the shipped default if None.

        Raises:
            UnusableIndex: there is none, it is damaged, or it is of another catalog, tantivy or format.
        """
        from paars_bench.store.search_folder import read_index

        return cls._over(*read_index(folder, digest), settings)

    @classmethod
    def _over(cls, index: Any, shelf: Shelf, leaves: list[str], settings: StoreSettings | None) -> SearchIndex:
        index.register_tokenizer(ANALYZER, analyzer(stop=False))
        index.reload()
        chosen = default_settings() if settings is None else settings
        searcher, schema = index.searcher(), index.schema
        words = Words(searcher, schema, chosen.fields)
        return cls(shelf, tuple(leaves), chosen, words, searcher, schema, Ranker(shelf, chosen))

    def with_settings(self, settings: StoreSettings) -> SearchIndex:
        """Returns the same index ranked by other settings; nothing is built again."""
        words = Words(self._searcher, self._schema, settings.fields)
        ranker = Ranker(self.shelf, settings)
        return SearchIndex(self.shelf, self.leaves, settings, words, self._searcher, self._schema, ranker)

    def read(self, query: str) -> Reading:
        """Returns how a query is read: distinct stemmed words without stop words, 32 at most, in order."""
        return self.words.read(query)

    def search(self, query: str, *, limit: int = 10, offset: int = 0, refine: Refinement = _ANY) -> SearchResult:
        """Returns a page of products for a query.

        Products with every word come first. If they are fewer than 20 in the whole shop, products with at least half
        of the words follow. A word that no product has is looked for with one typo (two from eight letters on), then
        ignored. Filters leave products out and add none; a sort other than relevance orders the same products.

        Args:
            query: as typed; only letters and digits count, in any case, with or without accents.
            limit: products on the page, at least 1.
            offset: products to skip.
            refine: filters and sort.
        """
        if limit < 1 or offset < 0:
            raise ValueError(f"limit must be at least 1 and offset at least 0, got {limit} and {offset}")
        plan = self._plan(query)
        if plan is None:
            return SearchResult((), 0)
        if refine == _ANY and (offset + limit <= _ENOUGH or plan.total <= _ENOUGH):
            rows, total = plan.head[offset : offset + limit], plan.total
        else:
            rows, total = self._page(plan, refine, limit, offset)
        return SearchResult(tuple(map(self.shelf.id, rows)), total)

    def full_matches(self, query: str) -> int:
        """Returns how many products have every word of a query, as it is read."""
        parts = self.words.parts(query)
        return int(self._searcher.search(all_of(parts), limit=1).count) if parts else 0

    def suggest(self, query: str, refine: Refinement = _ANY) -> Suggestion:
        """Returns what else to ask where ``search`` found nothing: see ``search_suggest.suggest``."""
        from paars_bench.store.search_suggest import suggest

        return suggest(self, query, refine)

    def related(self, product_id: str, limit: int | None = None) -> tuple[str, ...]:
        """Returns products like one: of its narrow category, the most similar title first, then catalog order.

        Args:
            product_id: of the product; it is not among them.
            limit: how many at most; ``settings.pages.related`` if None.

        Raises:
            KeyError: the shop does not have the product.
        """
        from paars_bench.store.search_suggest import related

        wanted = self.settings.pages.related if limit is None else limit
        return related(self, self._searcher, product_id, wanted) if wanted > 0 else ()

    def _plan(self, query: str) -> _Plan | None:
        if (kept := self._plans.get(query)) is not None:
            return kept
        plan = self._new_plan(query)
        if plan is not None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            self._plans[query] = plan
        return plan

    def _new_plan(self, query: str) -> _Plan | None:
        parts = self.words.parts(query) if len(self.shelf) else []
        if not parts:
            return None
        asked = all_of(parts)
        head, total = self._ranker.page(self._searcher, asked, _ENOUGH, 0)
        # Decided by the query alone, never by page or filter: so pages join to one list, and filters only leave out.
        if len(parts) > 1 and total < _ENOUGH:
            asked = self.words.some_of(parts, asked)
            head, total = self._ranker.page(self._searcher, asked, _ENOUGH, 0)
        return _Plan(asked, head, total)

    def _page(self, plan: _Plan, refine: Refinement, limit: int, offset: int) -> tuple[list[int], int]:
        """Returns the rows of a page and how many products there are in all."""
        from tantivy import Order

        asked = within(plan.query, self._filters(refine))
        if refine.sort is Sort.RELEVANCE:
            return self._ranker.page(self._searcher, asked, limit, offset)
        by = sort_field(refine.sort)
        found = self._searcher.search(asked, limit=limit, offset=offset, order_by_field=by, order=Order.Asc)
        return [address.doc for _, address in found.hits], found.count

    def _filters(self, refine: Refinement) -> list[Any]:
        from tantivy import FieldType, Query

        found = [
            self.words.term(f"{name}_is", name_key(value), frequencies=False)
            for name in ("category", "brand")
            if (value := getattr(refine, name)) is not None
        ]
        prices, rating = (refine.min_price, refine.max_price), (refine.min_rating, None)
        return found + [
            Query.range_query(self._schema, name, FieldType.Float, *bounds)
            for name, bounds in (("price", prices), ("rating", rating))
            if bounds != (None, None)
        ]
