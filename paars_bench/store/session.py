"""The course of a session: page, decision, page, until a typed end. It knows no backbone, no prompt and no task.

Whoever decides drives it: a backbone between awaits, a person at a terminal, a scripted shopper in a plain loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from paars_bench.data.schema import Event
from paars_bench.outcomes import Outcome
from paars_bench.store.actions import BadAction, StoreAction
from paars_bench.store.pages import Page
from paars_bench.store.shop import SessionEnd, Visit


@dataclass(frozen=True, slots=True)
class Stop:
    """The backbone cannot go on; the session ends with this outcome and no leave event."""

    outcome: Outcome


Decision = StoreAction | BadAction | Stop
"""What comes back for a page: an action, a reply that is none, or the backbone's failure."""


class SessionResult(NamedTuple):
    """A finished session.

    Attributes:
        outcome: ``ok`` only if the shopper left; else ``turn_limit``, ``tool_error``, or the backbone's.
        end: how the shopper left; None if they did not.
        turns: decisions made, bad ones included.
        errors: bad ones.
        events: what was done, in the log schema; behaviour only where ``outcome`` is ``ok``.
    """

    outcome: Outcome
    end: SessionEnd | None
    turns: int
    errors: int
    events: tuple[Event, ...]


class Session:
    """A visit on its way to an end: show ``page``, ``take`` what is decided, until there is a ``result``.

    Args:
        visit: as ``Shop.open`` gives it.
        max_turns: decisions at most, 1 or more.
        max_errors: consecutive bad decisions that end the session.

    Attributes:
        turns: decisions taken so far.
        result: None until the session has ended.
    """

    def __init__(self, visit: Visit, *, max_turns: int, max_errors: int) -> None:
        self._visit, self._max_turns, self._max_errors = visit, max_turns, max_errors
        self._in_a_row = 0
        self.turns = 0
        self.result: SessionResult | None = None

    @property
    def page(self) -> Page:
        """The page that the next decision is about."""
        return self._visit.page

    def take(self, decision: Decision) -> None:
        """Does what was decided; ends the session where that, or a cap, ends it."""
        if isinstance(decision, Stop):
            self._end(decision.outcome)
            return
        page = self._visit.act(decision)
        self.turns += 1
        self._in_a_row = 0 if page.problem is None else self._in_a_row + 1
        if self._visit.end is not None:
            self._end(Outcome.OK)
        elif self._in_a_row >= self._max_errors:
            self._end(Outcome.TOOL_ERROR)
        elif self.turns >= self._max_turns:
            self._end(Outcome.TURN_LIMIT)

    def _end(self, outcome: Outcome) -> None:
        visit = self._visit
        self.result = SessionResult(outcome, visit.end, self.turns, visit.errors, tuple(visit.events))
