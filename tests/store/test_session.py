from __future__ import annotations

import pytest

from paars_bench.data.schema import Action
from paars_bench.outcomes import Outcome
from paars_bench.store import (
    BadAction,
    Decision,
    Session,
    SessionEnd,
    SessionResult,
    Stop,
    StoreAction,
    Verb,
    Visit,
)

SEARCH, LEAVE = StoreAction(Verb.SEARCH, query="mug"), StoreAction(Verb.LEAVE)
BAD = BadAction("what?")


def run(visit: Visit, decisions: list[Decision], max_turns: int = 10, max_errors: int = 3) -> SessionResult:
    """Says the decisions one after the other, then the last one for ever."""
    session = Session(visit, max_turns=max_turns, max_errors=max_errors)
    while session.result is None:
        session.take(decisions[min(session.turns, len(decisions) - 1)])
    return session.result


def test_leaving_is_the_good_end(visit: Visit) -> None:
    result = run(visit, [SEARCH, BAD, LEAVE])
    assert (result.outcome, result.end, result.turns, result.errors) == (Outcome.OK, SessionEnd.LEFT, 3, 1)
    assert [e.action for e in result.events] == [Action.SEARCH, Action.LEAVE]


def test_a_purchase_on_the_way_makes_the_end_bought(visit: Visit) -> None:
    result = run(visit, [SEARCH, StoreAction(Verb.CART_ADD, product="T0"), StoreAction(Verb.BUY), LEAVE])
    assert (result.outcome, result.end) == (Outcome.OK, SessionEnd.BOUGHT)


@pytest.mark.parametrize(
    ("decisions", "outcome", "turns", "errors"),
    [
        ([SEARCH], Outcome.TURN_LIMIT, 10, 0),
        ([SEARCH, BAD], Outcome.TOOL_ERROR, 4, 3),
        ([BAD, BAD, SEARCH, BAD, BAD, SEARCH, BAD], Outcome.TOOL_ERROR, 9, 7),
        ([SEARCH, Stop(Outcome.PROVIDER_ERROR)], Outcome.PROVIDER_ERROR, 1, 0),
        ([Stop(Outcome.REFUSED)], Outcome.REFUSED, 0, 0),
    ],
)
def test_other_ends_are_typed_and_leave_no_leave_event(
    visit: Visit, decisions: list[Decision], outcome: Outcome, turns: int, errors: int
) -> None:
    result = run(visit, decisions)
    assert (result.outcome, result.end, result.turns, result.errors) == (outcome, None, turns, errors)
    assert Action.LEAVE not in {e.action for e in result.events}


def test_leaving_on_the_last_turn_counts(visit: Visit) -> None:
    assert run(visit, [SEARCH, LEAVE], max_turns=2).outcome is Outcome.OK


def test_each_decision_sees_the_page_of_the_one_before(visit: Visit) -> None:
    seen: list[tuple[str, int, str | None]] = []
    session = Session(visit, max_turns=9, max_errors=3)
    for decision in (SEARCH, BAD, LEAVE):
        seen.append((session.page.kind, session.turns, session.page.problem))
        session.take(decision)
    assert seen == [("home", 0, None), ("results", 1, None), ("results", 2, "what?")]
