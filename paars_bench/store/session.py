"""The session loop: page, decision, page, until a typed end. It knows no backbone, no prompt and no task."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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

Decide = Callable[[Page, int], Awaitable[Decision]]
"""Gets the page and the number of decisions made before."""


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


async def run_session(visit: Visit, decide: Decide, *, max_turns: int, max_errors: int) -> SessionResult:
    """Runs a visit to its end.

    Args:
        visit: as ``Shop.open`` gives it.
        decide: is asked at every page.
        max_turns: decisions at most.
        max_errors: consecutive bad decisions that end the session.
    """
    turns = in_a_row = 0
    outcome = Outcome.TURN_LIMIT
    while turns < max_turns:
        decision = await decide(visit.page, turns)
        if isinstance(decision, Stop):
            outcome = decision.outcome
            break
        page = visit.act(decision)
        turns += 1
        in_a_row = 0 if page.problem is None else in_a_row + 1
        if visit.end is not None:
            outcome = Outcome.OK
            break
        if in_a_row >= max_errors:
            outcome = Outcome.TOOL_ERROR
            break
    return SessionResult(outcome, visit.end, turns, visit.errors, tuple(visit.events))
