"""What happened in a session, in few words: the same code reads it off human and agent shoppers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from sys import intern
from typing import Any, NamedTuple

from paars_bench.data.schema import Action


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

    @property
    def counts(self) -> dict[str, int]:
        """Searches, views and purchases (paper, section 4.3)."""
        return {"searches": self.searches, "views": self.views, "purchases": self.purchases}


def session_rows(value: str | Sequence[Mapping[str, Any] | str]) -> list[Mapping[str, Any]]:
    """Returns the events of a sessions case, which come as rows, or as their JSON text as a whole or one by one."""
    rows = json.loads(value) if isinstance(value, str) else value
    return [json.loads(row) if isinstance(row, str) else row for row in rows]


def session_facts(rows: Iterable[Mapping[str, Any]]) -> SessionFacts:
    """Returns the facts of one session; a text that comes again in others is one object, since it is their bulk.

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
            queries.append(intern(row["query"]))
        elif action == Action.VIEW:
            if row.get("product"):
                products.append(intern(row["product"]))
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
