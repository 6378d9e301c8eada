"""Counting what happened in a session: the same code for human and agent shoppers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from paars_bench.data.schema import Action, Event


def session_counts(events: Iterable[Event]) -> dict[str, int]:
    """Returns searches, views and purchases of one session (paper, section 4.3)."""
    counts = Counter(event.action for event in events)
    return {
        "searches": counts[Action.SEARCH],
        "views": counts[Action.VIEW],
        "purchases": counts[Action.PURCHASE],
    }
