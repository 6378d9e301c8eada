"""From any behaviour log to the paper's four test sets (section 4.3), each rule a named step with a count.

A shopper's last sessions are the test period: cases come from there, and what an agent may know of the shopper comes
from before. So one background, one persona and one prompt prefix serve all cases of a shopper, and no event of a
case's session or later can reach a prompt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.case_tables import CASES
from paars_bench.data.cases import CaseKind
from paars_bench.data.log import Log
from paars_bench.data.mining_index import Ints, LogIndex
from paars_bench.data.mining_items import mine_item_choices
from paars_bench.data.mining_rules import Funnel, FunnelStep, MiningRules
from paars_bench.data.registry import Progress
from paars_bench.data.schema import Action, event_json, event_of

SPLIT = pa.schema(
    [
        pa.field("shopper", pa.string(), nullable=False),
        pa.field("cutoff", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)


class Mined(NamedTuple):
    """What mining made of a log.

    Attributes:
        split: schema ``SPLIT``, the cutoff of every shopper with enough history.
        cases: the test set of each kind asked for, with its schema of ``CASES``.
        funnels: what each rule kept and dropped, by kind.
    """

    split: pa.Table
    cases: dict[CaseKind, pa.Table]
    funnels: dict[CaseKind, list[FunnelStep]]


class TestPeriod(NamedTuple):
    """Which sessions cases come from: ``cutoff`` per shopper in microseconds (-1: none), ``sessions`` a mask."""

    cutoff: Ints
    sessions: npt.NDArray[np.bool_]


def mine(
    log: Log,
    rules: MiningRules | None = None,
    *,
    kinds: Iterable[CaseKind] = tuple(CaseKind),
    progress: Progress | None = None,
) -> Mined:
    """Mines the test sets of a log.

    Args:
        log: in canonical order.
        rules: the numbers; None takes the defaults.
        kinds: which test sets to mine.
        progress: told which kind is being mined.
    """
    rules = rules or MiningRules()
    index = LogIndex(log)
    period = split_by_cutoff(index, rules)
    cases: dict[CaseKind, pa.Table] = {}
    funnels: dict[CaseKind, list[FunnelStep]] = {}
    chosen = sorted(kinds)
    for done, kind in enumerate(chosen):
        if progress:
            progress(f"mining {kind}", done, len(chosen))
        funnel = Funnel()
        funnel.start("sessions in the log", len(index.start))
        rows = _MINERS[kind](index, _in_test_period(index, period, rules, funnel), rules, funnel)
        cases[kind] = pa.Table.from_pylist(rows, schema=CASES[kind])
        funnels[kind] = funnel.steps
    if progress:
        progress("mining", len(chosen), len(chosen))
    has = np.flatnonzero(period.cutoff >= 0)
    split = pa.table(
        [
            pa.array([index.shopper_names[s] for s in has], pa.string()),
            pa.array(period.cutoff[has]).cast(pa.timestamp("us", tz="UTC")),
        ],
        schema=SPLIT,
    )
    return Mined(split, cases, funnels)


def split_by_cutoff(index: LogIndex, rules: MiningRules) -> TestPeriod:
    """Finds each shopper's cutoff: the start of the first of the last ``test_share`` of the sessions.

    Sessions without events do not count. A shopper with fewer than ``min_history`` sessions before has no cutoff.
    """
    cutoff = np.full(len(index.shopper_names), -1, np.int64)
    lived = np.diff(index.first_event) > 0
    for shopper in range(len(cutoff)):
        low, high = index.first_session[shopper], index.first_session[shopper + 1]
        starts = index.start[low:high][lived[low:high]]
        if not len(starts):
            continue
        first = starts[len(starts) - max(1, int(len(starts) * rules.test_share))]
        # Sessions that start together with the first of the test period belong to it, so they are no history.
        if np.searchsorted(starts, first) >= rules.min_history:
            cutoff[shopper] = first
    own = cutoff[index.owner]
    return TestPeriod(cutoff, lived & (own >= 0) & (index.start >= own))


def _in_test_period(index: LogIndex, period: TestPeriod, rules: MiningRules, funnel: Funnel) -> npt.NDArray[np.bool_]:
    enough = period.cutoff[index.owner] >= 0
    funnel.keep(f"shopper has {rules.min_history} sessions before a cutoff", len(enough), enough.sum())
    funnel.keep("session at or after the cutoff", enough.sum(), period.sessions.sum())
    return period.sessions


def mine_query_pairs(
    index: LogIndex, test: npt.NDArray[np.bool_], rules: MiningRules, funnel: Funnel
) -> list[dict[str, Any]]:
    """Mines the first search of a session and the view that directly follows it (paper, section 4.3)."""
    searches = np.flatnonzero(index.is_action(Action.SEARCH) & test[index.session])
    first = searches[np.unique(index.session[searches], return_index=True)[1]]
    funnel.keep("session has a search", test.sum(), len(first))
    first = _with_query(index, first, funnel)
    kept = first[first + 1 < len(index.session)]
    kept = kept[index.session[kept + 1] == index.session[kept]]
    kept = kept[index.is_action(Action.VIEW)[kept + 1]]
    funnel.keep("the next event is a view", len(first), len(kept))
    soon = kept[index.time[kept + 1] - index.time[kept] <= rules.view_window_s * 1e6]
    funnel.keep(f"viewed within {rules.view_window_s:g} s", len(kept), len(soon))
    known = soon[index.product[soon + 1] >= 0]
    funnel.keep("product viewed is in the catalog", len(soon), len(known))
    queries = index.log.events.column("query")
    ids = index.log.catalog.ids
    return [
        {
            **_common(index, CaseKind.QUERY_PAIRS, int(index.session[i]), 0),
            "query": queries[int(i)].as_py(),
            "product": ids[index.product[i + 1]],
        }
        for i in known
    ]


def mine_rank_choices(
    index: LogIndex, test: npt.NDArray[np.bool_], rules: MiningRules, funnel: Funnel
) -> list[dict[str, Any]]:
    """Mines the ranked results of a search and the place of the first one viewed (paper, section 4.3)."""
    searches = np.flatnonzero(index.is_action(Action.SEARCH) & test[index.session])
    funnel.start("searches in these sessions", len(searches))
    searches = _with_query(index, searches, funnel)
    pairs = _first_views(index, searches)
    funnel.keep("a product is viewed before the next search", len(searches), len(pairs))
    lists = index.log.events.column("shown")
    ranks = index.log.events.column("rank")
    products = index.log.events.column("product")
    queries = index.log.events.column("query")
    rows: list[dict[str, Any]] = []
    drops = dict.fromkeys(_RANK_RULES, 0)
    for search, view in pairs:
        shown = lists[search].as_py() or []
        rank = ranks[view].as_py()
        product = products[view].as_py()
        if rank is None and product in shown:  # logs without ranks still tell the place by the list
            rank = shown.index(product) + 1
        fault = _rank_fault(index, shown, rank, product, rules)
        if fault:
            drops[fault] += 1
            continue
        number = int(index.number(np.array([search]))[0])
        rows.append(
            {
                **_common(index, CaseKind.RANK_CHOICES, int(index.session[search]), number),
                "query": queries[search].as_py(),
                "shown": shown[: rules.most_shown],
                "rank": rank,
            }
        )
    left = len(pairs)
    for rule in _RANK_RULES:
        funnel.keep(rule, left, left - drops[rule])
        left -= drops[rule]
    return rows


_RANK_RULES = (
    "the list shown is known, with two products or more",
    "the rank is known",
    "the rank lies inside the list kept",
    "the list has the product viewed at that rank",
    "every product shown is in the catalog",
)


def _rank_fault(index: LogIndex, shown: list[str], rank: int | None, product: str, rules: MiningRules) -> str:
    kept = shown[: rules.most_shown]
    checks = (
        len(kept) >= 2,
        rank is not None,
        rank is not None and 1 <= rank <= len(kept),
        rank is not None and 1 <= rank <= len(kept) and kept[rank - 1] == product,
        all(p in index.log.catalog for p in kept),
    )
    return next((rule for rule, good in zip(_RANK_RULES, checks, strict=True) if not good), "")


def _first_views(index: LogIndex, searches: Ints) -> list[tuple[int, int]]:
    """Returns searches with the first view after each, before the next search of the session."""
    views = np.flatnonzero(index.is_action(Action.VIEW))
    is_search = index.is_action(Action.SEARCH)
    last = np.maximum.accumulate(np.where(is_search, np.arange(len(is_search)), -1)) if len(is_search) else views
    origin = last[views]
    good = (origin >= 0) & (index.session[np.maximum(origin, 0)] == index.session[views])
    views, origin = views[good], origin[good]
    origin, first = np.unique(origin, return_index=True)
    chosen = np.isin(origin, searches)
    return list(zip(origin[chosen].tolist(), views[first][chosen].tolist(), strict=True))


def mine_sessions(
    index: LogIndex, test: npt.NDArray[np.bool_], rules: MiningRules, funnel: Funnel
) -> list[dict[str, Any]]:
    """Mines whole sessions: why the shopper came, and everything that they did."""
    intentions = index.log.sessions.column("intention")
    rows = []
    for session in np.flatnonzero(test).tolist():
        low, high = int(index.first_event[session]), int(index.first_event[session + 1])
        events = [event_json(event_of(row)) for row in index.log.events.slice(low, high - low).to_pylist()]
        rows.append(
            {
                **_common(index, CaseKind.SESSIONS, session, 0),
                "intention": intentions[session].as_py(),
                "events": json.dumps(events, ensure_ascii=False, separators=(",", ":")),
            }
        )
    return rows


def _with_query(index: LogIndex, searches: Ints, funnel: Funnel) -> Ints:
    queries = index.log.events.column("query").take(pa.array(searches))
    has = pc.fill_null(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(queries)), 0), False)
    kept: Ints = searches[np.asarray(has.to_numpy(), bool)]
    funnel.keep("the search has a query", len(searches), len(kept))
    return kept


def _common(index: LogIndex, kind: CaseKind, session: int, number: int) -> dict[str, Any]:
    name = index.session_names[session]
    return {
        "case_id": f"{kind}/{name}/{number}",
        "kind": str(kind),
        "shopper": index.shopper_names[index.owner[session]],
        "session": name,
        "time": index.start_time(session),
    }


_MINERS = {
    CaseKind.QUERY_PAIRS: mine_query_pairs,
    CaseKind.ITEM_CHOICES: mine_item_choices,
    CaseKind.RANK_CHOICES: mine_rank_choices,
    CaseKind.SESSIONS: mine_sessions,
}
