"""What a behaviour log looks like in figures: the same for humans and for agents."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from paars_bench.data.log import Log
from paars_bench.data.mining_index import LogIndex
from paars_bench.data.schema import Action

_COUNTED = (Action.SEARCH, Action.REFINE, Action.VIEW, Action.CART_ADD, Action.CART_REMOVE, Action.PURCHASE)


class Spread(NamedTuple):
    """How a count is spread over sessions."""

    mean: float
    median: float
    p90: float
    most: int


class LogFigures(NamedTuple):
    """Figures of a log.

    Attributes:
        shoppers: with a session.
        sessions: in all.
        events: in all.
        products: of the catalog.
        first: time of the first event, ISO 8601, None without events.
        last: time of the last.
        per_session: of each action, how many a session has.
        without_purchase: share of sessions, 0 to 1.
        queries: searches with a query.
        distinct_queries: share of them that are distinct, 0 to 1; None without any.
        query_words: words a query, mean; None without any.
        searches_with_list: searches whose list shown is known.
        views_with_rank: views whose rank is known.
        rank_shares: share of the ranked views at places 1 to 10.
        with_truth: shoppers of whom something is truly known.
        intentions: sessions whose intention is known.
    """

    shoppers: int
    sessions: int
    events: int
    products: int
    first: str | None
    last: str | None
    per_session: dict[str, Spread]
    without_purchase: float
    queries: int
    distinct_queries: float | None
    query_words: float | None
    searches_with_list: int
    views_with_rank: int
    rank_shares: tuple[float, ...]
    with_truth: int
    intentions: int


def describe_log(log: Log) -> LogFigures:
    """Returns the figures of a log."""
    index = LogIndex(log)
    events, sessions = log.events, log.sessions
    counts = {a: np.bincount(index.session[index.is_action(a)], minlength=sessions.num_rows) for a in _COUNTED}
    time = events.column("time")
    span = pc.min_max(time).as_py() if events.num_rows else {"min": None, "max": None}
    typed = pc.equal(events.column("action"), str(Action.SEARCH))  # a refinement names the query of its list again
    queries = pc.drop_null(events.column("query").filter(typed))
    words = pc.list_value_length(pc.split_pattern_regex(pc.utf8_trim_whitespace(queries), r"\s+"))
    ranks = np.asarray(pc.drop_null(events.column("rank")).to_numpy(), np.int64)
    truth = pc.list_value_length(log.shoppers.column("truth"))
    return LogFigures(
        shoppers=len(index.shopper_names),
        sessions=sessions.num_rows,
        events=events.num_rows,
        products=len(log.catalog),
        first=span["min"].isoformat() if span["min"] else None,
        last=span["max"].isoformat() if span["max"] else None,
        per_session={str(a): _spread(c) for a, c in counts.items()},
        without_purchase=float((counts[Action.PURCHASE] == 0).mean()) if sessions.num_rows else 0.0,
        queries=len(queries),
        distinct_queries=pc.count_distinct(queries).as_py() / len(queries) if len(queries) else None,
        query_words=pc.mean(words).as_py() if len(queries) else None,
        searches_with_list=len(pc.drop_null(events.column("shown"))),
        views_with_rank=len(ranks),
        rank_shares=tuple(float((ranks == r).mean()) for r in range(1, 11)) if len(ranks) else (),
        with_truth=int(pc.sum(pc.greater(truth, 0)).as_py() or 0),
        intentions=sessions.num_rows - sessions.column("intention").null_count,
    )


def _spread(counts: np.ndarray) -> Spread:
    if not len(counts):
        return Spread(0.0, 0.0, 0.0, 0)
    return Spread(float(counts.mean()), float(np.median(counts)), float(np.quantile(counts, 0.9)), int(counts.max()))
