"""A shopper's history as text: daily sessions of the last six months, then the older purchases (paper, section 3).

What does not fit is cut by one rule, newest first up to a token budget, and the cut is part of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import NamedTuple

from paars_bench.data.cases import Background
from paars_bench.data.schema import Action, Catalog, Event

RECENT = timedelta(days=182)
CUT_RULE = "newest first, whole days, to a token budget"
_TITLE_CHARS = 90


class History(NamedTuple):
    """A rendered history.

    Attributes:
        text: one line a day, the newest first; "" where nothing is known.
        events: events that could have been shown.
        shown: events that are in the text.
        tokens: estimated length of the text in tokens.
        budget: tokens it was allowed.
    """

    text: str
    events: int
    shown: int
    tokens: int
    budget: int

    def cut(self) -> dict[str, int | str]:
        """Returns what was cut, for the record."""
        return {
            "events": self.events,
            "shown": self.shown,
            "tokens": self.tokens,
            "budget": self.budget,
            "rule": CUT_RULE,
        }


def render_history(
    background: Background,
    catalog: Catalog,
    *,
    budget: int,
    count_tokens: Callable[[str], int],
    exclude: Collection[str] = (),
) -> History:
    """Returns a shopper's history as text.

    Args:
        background: the events the agent may know.
        catalog: gives titles.
        budget: tokens at most.
        count_tokens: the backbone's own count or an upper estimate.
        exclude: product ids that must not appear (the options of a case asked with another shopper's persona).
    """
    recent_from = background.cutoff - RECENT
    days: dict[str, list[Event]] = {}
    older: list[Event] = []
    for event in background.events:
        if event.product in exclude and event.product is not None:
            continue
        if event.time >= recent_from:
            if event.action is not Action.LEAVE:
                days.setdefault(event.time.date().isoformat(), []).append(event)
        elif event.action is Action.PURCHASE:
            older.append(event)
    blocks = [(f"{day}: {_day(days[day], catalog)}", len(days[day])) for day in sorted(days, reverse=True)]
    blocks += [
        (f"{e.time.date().isoformat()} (older): bought {_product(e, catalog)}", 1) for e in reversed(older)
    ]
    lines: list[str] = []
    shown = tokens = 0
    for text, events in blocks:
        cost = count_tokens(text + "\n")
        if tokens + cost > budget:
            break
        lines.append(text)
        shown += events
        tokens += cost
    return History("\n".join(lines), sum(n for _, n in blocks), shown, tokens, budget)


def _day(events: Sequence[Event], catalog: Catalog) -> str:
    parts: list[str] = []
    for event in events:
        match event.action:
            case Action.SEARCH:
                parts.append(f'searched "{event.query}"')
            case Action.VIEW:
                parts.append(f"viewed {_product(event, catalog)}")
            case Action.CART_ADD:
                parts.append(f"put in cart {_product(event, catalog)}")
            case Action.CART_REMOVE:
                parts.append(f"took out of cart {_product(event, catalog)}")
            case Action.PURCHASE:
                parts.append(f"bought {_product(event, catalog)}")
            case Action.LEAVE:
                continue
    return "; ".join(dict.fromkeys(parts))


def _product(event: Event, catalog: Catalog) -> str:
    if event.product is None or event.product not in catalog:
        return "a product no longer listed"
    title = " ".join(catalog[event.product].title.split())
    title = title if len(title) <= _TITLE_CHARS else title[: _TITLE_CHARS - 1] + "…"
    return f"{title} (${event.price:.2f})" if event.price is not None else title
