"""Why a shopper came, read from how a visit opens, for logs that do not say it.

An agent is told the intention, so an intention must not say how the visit ended: simulated shoppers hardly walk away,
and where intents say "buy", conversion is an input. So the rules read the opening alone: the first search and the
views before the second one. No cart, no purchase and no later event of the visit is read. What was bought *before
the shopper's cutoff* is history that the agent may know anyway; it tells a re-order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.hiding import is_plain, words_of
from paars_bench.data.mining_index import Bools, Ints, LogIndex
from paars_bench.data.mining_rules import case_number
from paars_bench.data.schema import Action
from paars_bench.store.text import clean


class IntentionKind(StrEnum):
    """The five kinds of shopping intention; the first that fits a visit is its kind, in the order of ``RULES``."""

    BROWSE = "browse"
    COMPARE = "compare"
    REORDER = "reorder"
    GIFT = "gift"
    BUY = "buy"


RULES: dict[IntentionKind, str] = {
    IntentionKind.GIFT: "the first query says gift, present or an occasion for one",
    IntentionKind.REORDER: "the first product viewed, or one with every word of the first query in its title, was "
    "bought before the cutoff",
    IntentionKind.COMPARE: "three or more products viewed after one query, most of them in one leaf category",
    IntentionKind.BROWSE: "views without a search, or a first query of at most two words",
    IntentionKind.BUY: "any other query",
}
"""What makes a visit each kind, tried in this order."""

_SENTENCES: dict[IntentionKind, tuple[str, ...]] = {
    IntentionKind.BROWSE: ("Looks around for ideas", "Curious what there is", "Passes some time in the shop"),
    IntentionKind.COMPARE: ("Wants to compare a few options", "Weighs up what is on offer"),
    IntentionKind.REORDER: ("May need some more of the usual", "Thinks of getting the same kind of thing again"),
    IntentionKind.GIFT: ("Looks for a present for somebody", "Wants ideas for a gift"),
    IntentionKind.BUY: ("Has something particular in mind", "Looks for something certain"),
}
_GIFT = re.compile(
    r"\b(gifts?|gifting|presents?|birthday|anniversary|christmas|xmas|valentine'?s?|mother'?s day|father'?s day|"
    r"stocking stuffers?|geschenke?|cadeaux?|regalos?)\b|礼物|礼品|プレゼント|선물",
    re.IGNORECASE,
)
_TOPIC_CHARS = 60
_MANY_VIEWS = 3
_BROAD_WORDS = 2
_LEAST_WORDS = 2  # of a query that can name one thing bought: "tea" alone would make every tea a re-order
_BROAD_CHARS = 4  # of a query in a script that sets no blanks between words


class Inferred(NamedTuple):
    """Intentions of some sessions, in their order.

    Attributes:
        kinds: None where a visit has no search and no view.
        sentences: the same in words, naming nothing but the topic.
    """

    kinds: list[IntentionKind | None]
    sentences: list[str | None]


class Opening(NamedTuple):
    """How visits begin, one entry a session.

    Attributes:
        query: of the first search, None where there is none.
        product: row in the catalog of the first product viewed in the opening, -1 where none is known.
        views: products viewed in the opening, each counted once.
        alike: of those, how many share the most frequent leaf category.
    """

    query: list[str | None]
    product: Ints
    views: Ints
    alike: Ints


def infer_intentions(index: LogIndex, sessions: Ints, cutoff: Ints, *, seed: int) -> Inferred:
    """Gives each session an intention from its opening, see ``RULES``.

    Args:
        index: of the log.
        sessions: rows of ``index.start``, ascending.
        cutoff: of each shopper, microseconds since 1970.
        seed: chooses among the sentences of a kind, by session.
    """
    if not len(sessions):
        return Inferred([], [])
    opening = read_openings(index, sessions)
    past = _Past(index, cutoff)
    again = past.holds(index.owner[sessions], opening.product)
    names = index.log.sessions.column("session").take(pa.array(sessions)).to_pylist()
    topics = _Topics(index)
    read = lru_cache(maxsize=100_000)(_read_query)
    kinds: list[IntentionKind | None] = []
    sentences: list[str | None] = []
    for place, owner in enumerate(index.owner[sessions].tolist()):
        query = read(opening.query[place])
        bought = bool(again[place]) or past.typed(owner, query.words)
        kind = kind_of(query, int(opening.views[place]), int(opening.alike[place]), bought=bought)
        kinds.append(kind)
        topic = topics.of(int(opening.product[place])) or query.topic
        sentences.append(None if kind is None else _sentence(kind, topic, names[place], seed))
    return Inferred(kinds, sentences)


class Query(NamedTuple):
    """What a first query says of a visit; of no query, nothing.

    Attributes:
        there: whether anything was typed.
        gift: whether it speaks of a gift.
        broad: whether it could mean much.
        words: of the query, each once.
        topic: the query as it may stand in a sentence.
    """

    there: bool = False
    gift: bool = False
    broad: bool = False
    words: frozenset[str] = frozenset()
    topic: str = ""


def kind_of(query: Query, views: int, alike: int, *, bought: bool) -> IntentionKind | None:
    """Returns the kind of a visit by its opening, None where it has neither query nor view.

    Args:
        query: of the first search, blank where there is none.
        views: distinct products viewed before the second search.
        alike: how many of them share the most frequent leaf category.
        bought: whether what was viewed first or typed had been bought before.
    """
    if not query.there and not views:
        return None
    if query.gift:
        return IntentionKind.GIFT
    if bought:
        return IntentionKind.REORDER
    if views >= _MANY_VIEWS and 2 * alike > views:
        return IntentionKind.COMPARE
    return IntentionKind.BROWSE if query.broad or not query.there else IntentionKind.BUY


def read_openings(index: LogIndex, sessions: Ints) -> Opening:
    """Reads the first search and the views before the second of each session; no other event is looked at."""
    wanted = np.zeros(len(index.start), bool)
    wanted[sessions] = True
    searches = np.flatnonzero(index.is_action(Action.SEARCH) & wanted[index.session])
    place = np.searchsorted(searches, index.first_event[sessions])
    padded = np.append(searches, [len(index.session)] * 2)
    end = index.first_event[sessions + 1]
    first, second = padded[place], np.minimum(padded[np.minimum(place + 1, len(searches))], end)
    has = first < end
    queries = index.log.events.column("query").take(pa.array(first, mask=~has)).to_pylist()
    stop = np.zeros(len(index.start), np.int64)
    stop[sessions] = np.where(has, second, end)
    views = np.flatnonzero(index.is_action(Action.VIEW) & wanted[index.session])
    views = views[(views < stop[index.session[views]]) & (index.product[views] >= 0)]
    return Opening([q if q and q.strip() else None for q in queries], *_viewed(index, sessions, views))


def _viewed(index: LogIndex, sessions: Ints, views: Ints) -> tuple[Ints, Ints, Ints]:
    """Returns each session's first product viewed, how many distinct ones, and how many of those are alike."""
    size = len(index.log.catalog) + 1
    row = np.searchsorted(sessions, index.session[views])
    product = np.full(len(sessions), -1, np.int64)
    at, first = np.unique(row, return_index=True)
    product[at] = index.product[views[first]]
    distinct = np.unique(row * size + index.product[views])
    count = np.bincount(distinct // size, minlength=len(sessions))
    # A product without a category shares it with none.
    category = index.category[distinct % size]
    some = category >= 0
    width = int(index.category.max(initial=0)) + 1
    leaf, times = np.unique((distinct // size)[some] * width + category[some], return_counts=True)
    alike = np.zeros(len(sessions), np.int64)
    np.maximum.at(alike, leaf // width, times)
    return product, count.astype(np.int64), alike


class _Past:
    """What each shopper bought before the cutoff."""

    def __init__(self, index: LogIndex, cutoff: Ints) -> None:
        self._titles = index.title
        bought = np.flatnonzero(index.is_action(Action.PURCHASE) & (index.product >= 0))
        own = cutoff[index.owner[index.session[bought]]]
        bought = bought[(index.time[bought] < own) & (index.start[index.session[bought]] < own)]
        owner = index.owner[index.session[bought]]
        self._width = len(index.log.catalog) + 1
        self._keys = np.unique(owner * self._width + self._titles[index.product[bought]])
        pairs = np.unique(owner * self._width + index.product[bought])
        self._products = pairs % self._width
        self._bounds = np.searchsorted(pairs // self._width, np.arange(len(index.shopper_names) + 1))
        titles = index.log.catalog.table.column("title").to_pylist()
        self._lower = [t.lower() if is_plain(t) else words_of(t) for t in titles]

    def holds(self, shoppers: Ints, products: Ints) -> Bools:
        """Says which products, or others of their title, their shopper had bought; -1 was never bought."""
        if not len(self._keys):
            return np.zeros(len(products), bool)
        keys = shoppers * self._width + self._titles[products]
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.asarray((self._keys[place] == keys) & (products >= 0))

    def typed(self, shopper: int, words: frozenset[str]) -> bool:
        """Says whether every word of a query of two words or more stands in the title of one thing bought."""
        if len(words) < _LEAST_WORDS:
            return False
        low, high = self._bounds[shopper], self._bounds[shopper + 1]
        titles = (self._lower[p] for p in self._products[low:high].tolist())
        # Most titles lack a word even as a piece of another, which is found out before any is parted into words.
        return any(all(w in title for w in words) and words <= set(words_of(title).split()) for title in titles)


class _Topics:
    """What a visit is about, in words that are no product's title: the leaf category of what was viewed first."""

    def __init__(self, index: LogIndex) -> None:
        table = index.log.catalog.table
        raw = [path[-1] if path else "" for path in table.column("category").to_pylist()]
        leaf = {name: clean(name, _TOPIC_CHARS) for name in set(raw)}
        titles = {words_of(title) for title in _short(table.column("title"), leaf.values()).to_pylist()} - {""}
        safe = {name: text for name, text in leaf.items() if not _holds_any(words_of(text).split(), titles)}
        self._leaf = [safe.get(name, "") for name in raw]

    def of(self, product: int) -> str:
        """Returns the leaf category of a product, "" where it has none or none that may be named."""
        return self._leaf[product] if product >= 0 else ""


def _short(titles: pa.ChunkedArray, leaves: Iterable[str]) -> pa.ChunkedArray:
    """Returns the titles that a leaf's name may hold: of as few words, or with more to them than plain words."""
    most = max((len(words_of(leaf).split()) for leaf in leaves), default=0)
    few = pc.less_equal(pc.count_substring_regex(titles, r"[0-9A-Za-z_]+"), most)
    return titles.filter(pc.or_(few, pc.match_substring_regex(titles, r"[&<]|[^\x00-\x7f]")))


def _holds_any(words: Sequence[str], titles: set[str]) -> bool:
    spans = ((a, b) for a in range(len(words)) for b in range(a + 1, len(words) + 1))
    return any(" ".join(words[a:b]) in titles for a, b in spans)


def _read_query(query: str | None) -> Query:
    if query is None:
        return Query()
    words = words_of(query)
    parted = words.isascii() or " " in words
    broad = len(words.split()) <= _BROAD_WORDS if parted else len(words) <= _BROAD_CHARS
    return Query(True, bool(_GIFT.search(query)), broad, frozenset(words.split()), clean(query, _TOPIC_CHARS))


def _sentence(kind: IntentionKind, topic: str, session: str, seed: int) -> str:
    heads = _SENTENCES[kind]
    head = heads[case_number(seed, f"intention/{session}") % len(heads)]
    return f"{head}: {topic}." if topic else f"{head}."
