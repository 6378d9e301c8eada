"""What happened in a session, in few words: the same code reads it off human and agent shoppers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from paars_bench.data.schema import Action, Event


class SessionFacts(NamedTuple):
    """All that a metric needs of a session.

    Attributes:
        searches: queries sent (paper, section 4.3), as all counts from 0.
        refines: lists narrowed or sorted.
        views: product pages opened.
        cart_adds: products put into the cart.
        purchases: products bought.
        steps: everything done, leaving not counted: how long the session is.
        queries: what was typed, in order.
        products: ids of the products viewed, in order.
        ranks: places of the views whose place is known, from 1, in order.
    """

    searches: int
    refines: int
    views: int
    cart_adds: int
    purchases: int
    steps: int
    queries: tuple[str, ...]
    products: tuple[str, ...]
    ranks: tuple[int, ...]


def session_facts(rows: Iterable[Mapping[str, Any]]) -> SessionFacts:
    """Returns the facts of one session.

    Args:
        rows: its events in order, as rows of the log schema or their JSON form.
    """
    counts: Counter[str] = Counter()
    queries: list[str] = []
    products: list[str] = []
    ranks: list[int] = []
    for row in rows:
        action = row["action"]
        counts[action] += 1
        if action == Action.SEARCH and row.get("query"):
            queries.append(row["query"])
        elif action == Action.VIEW:
            if row.get("product"):
                products.append(row["product"])
            if row.get("rank"):
                ranks.append(row["rank"])
    return SessionFacts(
        searches=counts[Action.SEARCH],
        refines=counts[Action.REFINE],
        views=counts[Action.VIEW],
        cart_adds=counts[Action.CART_ADD],
        purchases=counts[Action.PURCHASE],
        steps=counts.total() - counts[Action.LEAVE],
        queries=tuple(queries),
        products=tuple(products),
        ranks=tuple(ranks),
    )


def session_counts(events: Iterable[Event]) -> dict[str, int]:
    """Returns searches, views and purchases of one session (paper, section 4.3)."""
    counts = Counter(event.action for event in events)
    return {
        "searches": counts[Action.SEARCH],
        "views": counts[Action.VIEW],
        "purchases": counts[Action.PURCHASE],
    }
