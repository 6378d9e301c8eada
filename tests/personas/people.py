"""A shopper with a year of history, and a backbone that says what a test wants it to say."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from paars_bench.backbones.door import Completion, Request, Traits
from paars_bench.data.cases import Background
from paars_bench.data.schema import Action, Catalog, Event, Product, products_table
from paars_bench.personas.history import History, render_history
from paars_bench.personas.mine import PREFERENCE_FIELDS, PROFILE_FIELDS

CUTOFF = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def event(days_before: float, action: Action, product: str | None = None, **values: Any) -> Event:
    return Event("ann", "s", CUTOFF - timedelta(days=days_before), action, product=product, **values)


def background(events: Sequence[Event]) -> Background:
    return Background("ann", CUTOFF, tuple(sorted(events, key=lambda e: e.time)), 0)


def catalog(*titles: str) -> Catalog:
    return Catalog(products_table([Product(f"P{n}", title) for n, title in enumerate(titles)]))


def history(text: str = "2026-05-31: bought Blue mug", budget: int = 1000) -> History:
    return History(text, int(bool(text)), int(bool(text)), len(text), budget)


def rendered(events: Sequence[Event], shop: Catalog, *, budget: int = 10_000, **options: Any) -> History:
    return render_history(background(events), shop, budget=budget, count_tokens=len, **options)


class Says:
    """A backbone that is one function; it keeps what it was asked."""

    def __init__(self, answer: Callable[[Request], Completion]) -> None:
        self.not_sent: dict[str, str] = {}
        self.remarks: tuple[str, ...] = ()
        self.traits = Traits("fake", "fake/fake", False, 8000, False, False)
        self.asked: list[Request] = []
        self._answer = answer

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        return self._answer(request)

    def count_tokens(self, text: str) -> int:
        return len(text)

    async def aclose(self) -> None:
        """Holds nothing."""


PROFILE: dict[str, Any] = {
    "reasoning": "Buys mugs for two.",
    "age_range": "35-44",
    "marital_status": "partnered",
    "household": "two adults",
    "income": "middle",
    "lifestyle": "quiet",
    "interests": ["tea", "reading"],
}
PREFERENCES: dict[str, Any] = {
    "reasoning": "Compares prices first.",
    "price_sensitivity": "high",
    "value_perception": "lasting goods",
    "review_reliance": "medium",
    "brand_reputation": "low",
    "decision_style": "slow",
    "favourite_categories": ["Kitchen"],
}
assert set(PROFILE) == {"reasoning", *PROFILE_FIELDS}
assert set(PREFERENCES) == {"reasoning", *PREFERENCE_FIELDS}


def answer_to(request: Request) -> dict[str, Any]:
    """The right answer to either of the two prompts."""
    assert request.reply_schema is not None
    return PROFILE if "age_range" in request.reply_schema["properties"] else PREFERENCES


def well(request: Request) -> Completion:
    return Completion(json.dumps(answer_to(request)))
