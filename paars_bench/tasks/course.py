"""The course of an agent's session, as the events of its journal line tell it: what the store can leave, nothing else.

A journal may come from anyone. What is measured of a session is counted from its events, so an event that no visit
could have left (``paars_bench.store.visit``) is refused with its place, and never counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from paars_bench.data.schema import Name, Price, Rank
from paars_bench.store import Refinement
from paars_bench.store.actions import MAX_QUERY

_MOST_REFINED = 1_000  # characters: two names of 100, quoted, and four short filters
Query = Annotated[str, Field(max_length=MAX_QUERY, pattern=r"\S")]
Utc = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?\+00:00$")]


class _Step(BaseModel):
    """One event; what its action does not leave may not stand there."""

    model_config = ConfigDict(strict=True, extra="forbid")
    shopper: Name
    session: Name
    time: Utc


class Searched(_Step):
    """A query typed, and the list it gave."""

    action: Literal["search"]
    query: Query
    shown: list[Name]


class Refined(_Step):
    """The list narrowed or sorted."""

    action: Literal["refine"]
    query: Query
    shown: list[Name]
    refined: Annotated[str, Field(max_length=_MOST_REFINED)]


class Viewed(_Step):
    """A product's page; no rank where another product's page led there."""

    action: Literal["view"]
    product: Name
    rank: Rank | None = None


class Added(_Step):
    """A product put into the cart."""

    action: Literal["cart_add"]
    product: Name


class Removed(_Step):
    """A product taken out of the cart."""

    action: Literal["cart_remove"]
    product: Name


class Bought(_Step):
    """A product of the cart bought; no price where the catalog has none."""

    action: Literal["purchase"]
    product: Name
    price: Price | None = None


class Left(_Step):
    """The end."""

    action: Literal["leave"]


Step = Annotated[Searched | Refined | Viewed | Added | Removed | Bought | Left, Field(discriminator="action")]


def check_course(steps: Sequence[Step], shopper: str) -> None:
    """Checks that a visit to the store can have left these events.

    Args:
        steps: of one line, in order.
        shopper: whose line it is.

    Raises:
        ValueError: with the place of the first event that it cannot have left, from 0, and why.
    """
    walk = _Walk()
    for place, step in enumerate(steps):
        if step.shopper != shopper or step.session != steps[0].session:
            raise ValueError(f"events.{place}: of another shopper or session than its line and its first event")
        problem = walk.problem(step)
        if problem is not None:
            raise ValueError(f"events.{place}: {step.action} {problem}")


class _Walk:
    """A visit as far as its events tell it: lists shown, the cart, the time."""

    def __init__(self) -> None:
        self._lists: list[list[str]] = []
        self._cart: set[str] = set()
        self._viewed = self._left = False
        self._now: datetime | None = None

    def problem(self, step: Step) -> str | None:
        """Takes one step and returns why it cannot follow, or None."""
        now = datetime.fromisoformat(step.time)
        if self._left:
            return "after leaving"
        if self._now is not None and now < self._now:
            return "before the event in front of it"
        self._now = now
        match step:
            case Searched():
                self._lists.append(step.shown)
                return None
            case Left():
                self._left = True
                return None
        return self._on_a_page(step) if self._lists else "before any list was shown"

    def _on_a_page(self, step: Refined | Viewed | Added | Removed | Bought) -> str | None:
        match step:
            case Refined():
                self._lists.append(step.shown)
                return _unreadable(step.refined)
            case Viewed():
                known = self._viewed if step.rank is None else self._lists_at(step.rank, step.product)
                self._viewed = True
                return None if known else "of a product that no list before shows at its rank"
            case Added():
                again = step.product in self._cart
                self._cart.add(step.product)
                return "of what is in the cart already" if again else None
            case Removed() | Bought():
                missing = step.product not in self._cart
                self._cart.discard(step.product)
                return "of what is not in the cart" if missing else None

    def _lists_at(self, rank: int, product: str) -> bool:
        return any(len(shown) >= rank and shown[rank - 1] == product for shown in reversed(self._lists))


def _unreadable(refined: str) -> str | None:
    """Returns why a text is not what ``Refinement.text`` writes, or None."""
    try:
        read = Refinement.of(refined)
    except ValueError as error:
        return f"by {refined[:60]!r}: {error}"
    return (
        None if read.text == refined and read.problem is None else f"by {refined[:60]!r}, which the store never wrote"
    )
