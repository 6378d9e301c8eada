"""Cases of single searches: what was typed before a view, and which place of a list was opened (paper, section 4.3)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.case_tables import CASES, common_columns
from paars_bench.data.cases import CaseKind
from paars_bench.data.mining_index import Bools, Ints, LogIndex, bools, ints
from paars_bench.data.mining_rules import Funnel, MiningRules
from paars_bench.data.mining_split import TestPeriod
from paars_bench.data.schema import LISTING, Action

_CHUNK = 100_000  # searches at a time: their lists are 1 million ids


def mine_query_pairs(index: LogIndex, period: TestPeriod, rules: MiningRules, funnel: Funnel) -> pa.Table:
    """Mines the first search of a session and the view that directly follows it (paper, section 4.3)."""
    searches = searches_of(index, period)
    first = searches[np.unique(index.session[searches], return_index=True)[1]]
    funnel.keep("session has a search", period.sessions.sum(), len(first))
    first = _with_query(index, first, funnel)
    kept = first[first + 1 < len(index.session)]
    kept = kept[index.session[kept + 1] == index.session[kept]]
    kept = kept[index.is_action(Action.VIEW)[kept + 1]]
    funnel.keep("the next event is a view", len(first), len(kept))
    soon = kept[index.time[kept + 1] - index.time[kept] <= rules.view_window_s * 1e6]
    funnel.keep(f"viewed within {rules.view_window_s:g} s", len(kept), len(soon))
    known = soon[index.product[soon + 1] >= 0]
    funnel.keep("product viewed is in the catalog", len(soon), len(known))
    columns = [
        *common_columns(CaseKind.QUERY_PAIRS, index.log.sessions, index.session[known], np.zeros(len(known), np.int64)),
        index.log.events.column("query").take(pa.array(known)),
        index.log.catalog.table.column("id").take(pa.array(index.product[known + 1])),
    ]
    return pa.table(columns, schema=CASES[CaseKind.QUERY_PAIRS])


def mine_rank_choices(index: LogIndex, period: TestPeriod, rules: MiningRules, funnel: Funnel) -> pa.Table:
    """Mines the ranked results of a search and the place of the first one viewed (paper, section 4.3)."""
    searches = searches_of(index, period, *LISTING)
    funnel.start("searches in these sessions, and lists narrowed or sorted", len(searches))
    searches = _with_query(index, searches, funnel)
    pairs, views = _first_views(index, searches)
    funnel.keep("a product is viewed before the next search", len(searches), len(pairs))
    drops = np.zeros(len(_RANK_RULES), np.int64)
    parts: list[pa.Table] = []
    for low in range(0, len(pairs), _CHUNK):
        found = _Lists(index, pairs[low : low + _CHUNK], views[low : low + _CHUNK], rules)
        fault = found.faults()
        drops += np.bincount(fault, minlength=len(_RANK_RULES) + 1)[: len(_RANK_RULES)]
        parts.append(found.cases(fault == len(_RANK_RULES)))
    left = len(pairs)
    for rule, dropped in zip(_RANK_RULES, drops.tolist(), strict=True):
        funnel.keep(rule, left, left - dropped)
        left -= dropped
    schema = CASES[CaseKind.RANK_CHOICES]
    return pa.concat_tables(parts) if parts else schema.empty_table()


def searches_of(index: LogIndex, period: TestPeriod, *actions: Action) -> Ints:
    """Returns the searches (or what else is named) of the sessions that cases come from."""
    return np.flatnonzero(index.is_action(*(actions or (Action.SEARCH,))) & period.sessions[index.session])


_RANK_RULES = (
    "the list shown is known, with two products or more",
    "the rank is known",
    "the rank lies inside the list kept",
    "the list has the product viewed at that rank",
    "every product shown is in the catalog",
)


class _Lists:
    """Some searches and the first view after each, with their lists laid end to end.

    Attributes:
        shown: the lists, cut to ``most_shown``.
        length: of each list, cut.
        rank: of each view, from the view or from its product's place in the whole list, 0 where unknown.
    """

    def __init__(self, index: LogIndex, searches: Ints, views: Ints, rules: MiningRules) -> None:
        self.index, self.searches = index, searches
        events = index.log.events
        whole = events.column("shown").take(pa.array(searches))
        self.product = events.column("product").take(pa.array(views))
        given = events.column("rank").take(pa.array(views))
        self.rank = ints(given, missing=0)
        unknown = np.flatnonzero(bools(pc.is_null(given)))
        self.known = np.ones(len(searches), bool)
        # Logs without ranks still tell the place by the list.
        place = _places(whole.take(pa.array(unknown)), self.product.take(pa.array(unknown)))
        self.rank[unknown] = place
        self.known[unknown] = place > 0
        self.shown = _filled(pc.list_slice(whole, 0, rules.most_shown))
        self.length = ints(pc.list_value_length(self.shown))

    def faults(self) -> Ints:
        """Returns which rule each pair breaks first, ``len(_RANK_RULES)`` where it breaks none."""
        inside = self.known & (self.rank >= 1) & (self.rank <= self.length)
        flat = self.shown.flatten()
        start = np.cumsum(self.length) - self.length
        at = np.where(inside, start + self.rank - 1, 0)
        there = flat.take(pa.array(at, mask=~inside))
        agrees = inside & bools(pc.equal(there, self.product))
        foreign = np.repeat(np.arange(len(self.length)), self.length)[self.index.product_rows(flat) < 0]
        sold = np.bincount(foreign, minlength=len(self.length)) == 0
        checks = np.stack([self.length >= 2, self.known, inside, agrees, sold, np.zeros(len(sold), bool)])
        return np.asarray(np.argmin(checks, axis=0))

    def cases(self, good: Bools) -> pa.Table:
        """Returns the cases of the pairs that break no rule."""
        searches = self.searches[good]
        columns = [
            *common_columns(
                CaseKind.RANK_CHOICES,
                self.index.log.sessions,
                self.index.session[searches],
                self.index.number(searches),
            ),
            self.index.log.events.column("query").take(pa.array(searches)),
            self.shown.filter(pa.array(good)),
            pa.array(self.rank[good].astype(np.int32)),
        ]
        return pa.table(columns, schema=CASES[CaseKind.RANK_CHOICES])


def _filled(lists: pa.ChunkedArray) -> pa.ListArray:
    """Returns lists in one piece without nulls, so that lengths and the flat items go together."""
    one = pc.fill_null(lists, pa.scalar([], pa.list_(pa.string()))).combine_chunks()
    assert isinstance(one, pa.ListArray)
    return one


def _places(lists: pa.ChunkedArray, wanted: pa.ChunkedArray) -> Ints:
    """Returns the first place of each wanted item in its list, from 1; 0 where it is not there."""
    whole = _filled(lists)
    length = ints(pc.list_value_length(whole))
    parent = np.repeat(np.arange(len(length)), length)
    hits = np.flatnonzero(bools(pc.equal(whole.flatten(), wanted.take(pa.array(parent)))))
    places = np.zeros(len(length), np.int64)
    first, hit = np.unique(parent[hits], return_index=True)
    places[first] = hits[hit] - (np.cumsum(length) - length)[first] + 1
    return places


def _first_views(index: LogIndex, searches: Ints) -> tuple[Ints, Ints]:
    """Returns searches with the first view after each, before the next list of the session."""
    views = np.flatnonzero(index.is_action(Action.VIEW))
    is_search = index.is_action(*LISTING)
    last = np.maximum.accumulate(np.where(is_search, np.arange(len(is_search)), -1)) if len(is_search) else views
    origin = last[views]
    good = (origin >= 0) & (index.session[np.maximum(origin, 0)] == index.session[views])
    views, origin = views[good], origin[good]
    origin, first = np.unique(origin, return_index=True)
    chosen = np.isin(origin, searches, assume_unique=True)
    return origin[chosen], views[first][chosen]


def _with_query(index: LogIndex, searches: Ints, funnel: Funnel) -> Ints:
    queries = index.log.events.column("query").take(pa.array(searches))
    kept: Ints = searches[bools(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(queries)), 0))]
    funnel.keep("the search has a query", len(searches), len(kept))
    return kept
