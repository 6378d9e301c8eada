"""The course of a session: page, decision, page, until a typed end. It knows no backbone, no prompt and no task.

Whoever decides drives it: a backbone between awaits, a person at a terminal, a scripted shopper in a plain loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from paars_bench.data.schema import Event
from paars_bench.outcomes import RUN_CUTS, CutBy, Outcome
from paars_bench.store.actions import BadAction, StoreAction, Verb
from paars_bench.store.leaving import Stay
from paars_bench.store.pages import Page
from paars_bench.store.shop import SessionEnd, Visit

_NOT_NOW = "whether you leave is asked by itself, not here; choose another action."


@dataclass(frozen=True, slots=True)
class Stop:
    """The backbone or the run cannot go on; the session ends with this outcome and no leave event."""

    outcome: Outcome


Decision = StoreAction | BadAction | Stay | Stop
"""What comes back: an action, a reply that is none, a decision to stay, or a failure."""


class Spending(NamedTuple):
    """What a session may use at most; None is no cap.

    Attributes:
        tokens: of prompts and replies together.
        seconds: waited for whoever decides.
        cost: US dollars, as far as prices are known.
    """

    tokens: int | None = None
    seconds: float | None = None
    cost: float | None = None


class SessionResult(NamedTuple):
    """A finished session.

    Attributes:
        outcome: ``ok`` only if the shopper left; else a cap's, ``tool_error``, or the backbone's.
        end: how the shopper left; None if they did not.
        cut: whose cap ended it; None if none did.
        turns: steps taken: actions, and replies that were none.
        errors: replies that were no possible action, and no answer to the question whether to leave.
        leave_asks: times that leaving was decided about, one way or the other. By itself it is asked after the 1st,
            2nd, … thing done, so step k was asked about if ``leave_asks >= k``; among the tools, before each.
        events: what was done, in the log schema; behaviour only where ``outcome`` is ``ok``.
    """

    outcome: Outcome
    end: SessionEnd | None
    cut: CutBy | None
    turns: int
    errors: int
    leave_asks: int
    events: tuple[Event, ...]


class Session:
    """A visit on its way to an end: show ``page``, ``take`` what is decided, until there is a ``result``.

    Args:
        visit: as ``Shop.open`` gives it; where its pages do not offer leaving, that is asked for by itself.
        max_turns: steps at most, 1 or more.
        max_errors: consecutive bad decisions that end the session.
        caps: on what it may use.

    Attributes:
        turns: steps taken so far.
        result: None until the session has ended.
    """

    def __init__(self, visit: Visit, *, max_turns: int, max_errors: int, caps: Spending | None = None) -> None:
        self._visit, self._max_turns, self._max_errors = visit, max_turns, max_errors
        self._caps = caps or Spending()
        self._tokens, self._seconds, self._cost = 0, 0.0, 0.0
        self._by_itself = not visit.page.leaves
        self._undecided = False
        self._in_a_row = self._leave_asks = 0
        self.turns = 0
        self.result: SessionResult | None = None

    @property
    def page(self) -> Page:
        """The page that the next decision is about."""
        return self._visit.page

    @property
    def asks_leaving(self) -> bool:
        """Whether the next decision is to stay or to leave, and nothing else.

        So it is after each thing done. On the entry page it is not: the people of a log are those who did something,
        and an agent that left at once would be compared with nobody. After a reply that was no action the decision to
        stay holds: nothing new has been seen.
        """
        return self._by_itself and self._undecided

    def take(self, decision: Decision) -> None:
        """Does what was decided; ends the session where that, or a cap, ends it."""
        match decision:
            case Stop():
                self._end(decision.outcome, CutBy.RUN if decision.outcome in RUN_CUTS else None)
            case Stay():
                self._undecided = False
                self._leave_asks += 1
            case StoreAction(Verb.LEAVE) if self._by_itself and not self.asks_leaving:
                self._step(BadAction(_NOT_NOW))
            case _:
                self._step(decision)

    def pay(self, *, tokens: int, seconds: float, cost: float | None) -> None:
        """Counts what a decision took; ends a session that is still going where a cap is reached."""
        self._tokens += tokens
        self._seconds += seconds
        self._cost += cost or 0.0
        if self.result is not None:
            return
        for used, cap, outcome in (
            (self._tokens, self._caps.tokens, Outcome.TOKEN_LIMIT),
            (self._seconds, self._caps.seconds, Outcome.TIME_LIMIT),
            (self._cost, self._caps.cost, Outcome.COST_LIMIT),
        ):
            if cap is not None and used >= cap:
                self._end(outcome, CutBy.SESSION)
                return

    def _step(self, decision: StoreAction | BadAction) -> None:
        page = self._visit.act(decision)
        self.turns += 1
        if page.problem is None:
            self._in_a_row, self._undecided = 0, True
            self._leave_asks += not self._by_itself or self._visit.end is not None
        else:
            self._in_a_row += 1
        if self._visit.end is not None:
            self._end(Outcome.OK)
        elif self._in_a_row >= self._max_errors:
            self._end(Outcome.TOOL_ERROR)
        elif self.turns >= self._max_turns:
            self._end(Outcome.TURN_LIMIT, CutBy.SESSION)

    def _end(self, outcome: Outcome, cut: CutBy | None = None) -> None:
        visit = self._visit
        self.result = SessionResult(
            outcome, visit.end, cut, self.turns, visit.errors, self._leave_asks, tuple(visit.events)
        )
