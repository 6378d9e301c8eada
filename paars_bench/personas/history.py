"""A shopper's history as text: daily sessions of the last six months, then the older purchases (paper, section 3).

What does not fit is cut by one rule, newest first up to a token budget, and the cut is part of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

from paars_bench.data.cases import Background
from paars_bench.data.schema import Action, Catalog, Event
from paars_bench.store.fact_text import price
from paars_bench.store.page_text import refinement_words
from paars_bench.store.refine import Refinement
from paars_bench.store.text import clean

RECENT = timedelta(days=182)
BYTES_PER_TOKEN = 3  # an upper estimate: English runs at 4 bytes a token, Chinese at about 3
CUT_RULE = "newest first, whole days, to a token budget"
_TITLE_CHARS = 90
_NAME_TOKENS = 12


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


def estimate_tokens(text: str) -> int:
    """Returns an upper estimate of the tokens of ``text``, without loading a tokenizer."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def render_history(
    background: Background,
    catalog: Catalog,
    *,
    budget: int,
    count_tokens: Callable[[str], int],
) -> History:
    """Returns a shopper's history as text.

    Args:
        background: the events the agent may know.
        catalog: gives titles.
        budget: tokens at most.
        count_tokens: the backbone's own count or an upper estimate.
    """
    recent_from = background.cutoff - RECENT
    days: dict[str, list[Event]] = {}
    older: list[Event] = []
    for event in background.events:
        if event.time >= recent_from:
            if event.action is not Action.LEAVE:
                days.setdefault(event.time.date().isoformat(), []).append(event)
        elif event.action is Action.PURCHASE:
            older.append(event)
    blocks = [(f"{day}: {_day(days[day], catalog)}", len(days[day])) for day in sorted(days, reverse=True)]
    blocks += [(f"{e.time.date().isoformat()} (older): bought {_product(e, catalog)}", 1) for e in reversed(older)]
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


def event_words(event: Event, catalog: Catalog) -> str:
    """Returns one event in words, such as ``searched "usb hub"``; "" for leaving."""
    match event.action:
        case Action.SEARCH:
            return f'searched "{clean(event.query or "", _TITLE_CHARS)}"'
        case Action.REFINE:
            return _refined(event.refined or "")
        case Action.VIEW:
            return f"viewed {_product(event, catalog)}"
        case Action.CART_ADD:
            return f"put in cart {_product(event, catalog)}"
        case Action.CART_REMOVE:
            return f"took out of cart {_product(event, catalog)}"
        case Action.PURCHASE:
            return f"bought {_product(event, catalog)}"
        case Action.LEAVE:
            return ""


def _refined(text: str) -> str:
    try:
        how = refinement_words(Refinement.of(text), _NAME_TOKENS)
    except ValueError:  # a log of people may say it in words of another shop
        how = f"narrowed to {clean(text, _TITLE_CHARS)}"
    return f"saw the results {how}" if how else "saw the results without filters"


def _day(events: Sequence[Event], catalog: Catalog) -> str:
    return "; ".join(dict.fromkeys(event_words(e, catalog) for e in events))


def _product(event: Event, catalog: Catalog) -> str:
    if event.product is None or event.product not in catalog:
        return "a product no longer listed"
    title = clean(catalog[event.product].title, _TITLE_CHARS)
    return f"{title} ({price(event.price)})" if event.price is not None else title
