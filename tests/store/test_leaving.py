from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.data.schema import Action
from paars_bench.outcomes import CutBy, Outcome
from paars_bench.store import (
    LEAVING_TOOL,
    BadAction,
    Session,
    Shop,
    Spending,
    Stay,
    Stop,
    StoreAction,
    Verb,
    Visit,
    leaving_question,
    parse_leaving,
    parse_leaving_call,
)

SEARCH, LEAVE = StoreAction(Verb.SEARCH, query="mug"), StoreAction(Verb.LEAVE)


@pytest.fixture
def asked(shop: Shop) -> Session:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    return Session(shop.open("s1", "s1/1", start, leaves=False), max_turns=9, max_errors=3)


@pytest.mark.parametrize(
    "reply", ["leave", " Leave.\n", '"leave"', "**LEAVE**", '{"decision": "leave"}', "```\nleave\n```"]
)
def test_one_word_decides(reply: str) -> None:
    assert parse_leaving(reply, "word") == LEAVE
    assert parse_leaving(reply.replace("eave", "EAVE"), "object") == LEAVE
    assert parse_leaving("stay", "word") == Stay()


@pytest.mark.parametrize(
    "reply",
    ["", "I leave", "stay or leave", '{"decision": "leave", "why": "x"}', '{"decision": ["leave"]}', "{" * 9000, "no"],
)
def test_anything_else_decides_nothing_and_is_told_what_would(reply: str) -> None:
    for form, hint in (("word", "one word"), ("object", '{"decision": "stay"}'), ("call", LEAVING_TOOL)):
        read = parse_leaving(reply, form)  # type: ignore[arg-type]
        assert isinstance(read, BadAction)
        assert hint in read.message and hint in leaving_question(form)  # type: ignore[arg-type]


@given(st.text())
def test_any_text_is_read(reply: str) -> None:
    assert isinstance(parse_leaving(reply, "word"), Stay | StoreAction | BadAction)
    assert isinstance(parse_leaving_call(LEAVING_TOOL, reply), Stay | StoreAction | BadAction)


def test_a_call_decides_by_its_argument() -> None:
    assert parse_leaving_call(LEAVING_TOOL, json.dumps({"decision": "leave"})) == LEAVE
    assert parse_leaving_call(LEAVING_TOOL, json.dumps({"decision": "stay"})) == Stay()
    for name, arguments in (("search", '{"query": "x"}'), (LEAVING_TOOL, "{}"), (LEAVING_TOOL, '{"decision": "st')):
        assert isinstance(parse_leaving_call(name, arguments), BadAction)


def test_leaving_is_asked_for_once_after_each_thing_done(asked: Session) -> None:
    seen = []
    for decision in (BadAction("what?"), SEARCH, BadAction("neither"), Stay(), BadAction("what?"), SEARCH, LEAVE):
        seen.append(asked.asks_leaving)
        asked.take(decision)
    assert seen == [False, False, True, True, False, False, True]
    assert asked.result is not None
    assert (asked.result.outcome, asked.result.turns, asked.result.errors) == (Outcome.OK, 6, 3)
    assert asked.result.leave_asks == 2
    assert [e.action for e in asked.result.events] == [Action.SEARCH, Action.SEARCH, Action.LEAVE]


def test_leaving_unasked_is_an_error(asked: Session) -> None:
    assert Verb.LEAVE not in asked.page.possible
    asked.take(LEAVE)
    assert (asked.result, asked.page.problem is None) == (None, False)


def test_among_the_tools_each_action_is_a_decision_about_leaving(visit: Visit) -> None:
    session = Session(visit, max_turns=9, max_errors=3)
    for decision in (SEARCH, BadAction("what?"), LEAVE):
        assert not session.asks_leaving
        session.take(decision)
    assert session.result is not None
    assert session.result.leave_asks == 2


@pytest.mark.parametrize(
    ("caps", "outcome"),
    [
        (Spending(tokens=30), Outcome.TOKEN_LIMIT),
        (Spending(seconds=3.0), Outcome.TIME_LIMIT),
        (Spending(cost=0.3), Outcome.COST_LIMIT),
    ],
)
def test_a_cap_ends_a_session_when_it_is_reached(visit: Visit, caps: Spending, outcome: Outcome) -> None:
    session = Session(visit, max_turns=99, max_errors=3, caps=caps)
    for n in range(1, 5):
        session.take(SEARCH)
        session.pay(tokens=10, seconds=1.0, cost=0.1 if n != 2 else 0.100001)
        if session.result is not None:
            break
    assert session.result is not None
    assert (session.result.outcome, session.result.cut, session.result.turns) == (outcome, CutBy.SESSION, 3)
    assert session.result.end is None


@pytest.mark.parametrize(
    ("outcome", "cut"),
    [(Outcome.COST_LIMIT, CutBy.RUN), (Outcome.CANCELLED, CutBy.RUN), (Outcome.PROVIDER_ERROR, None)],
)
def test_what_the_run_cut_is_told_from_a_fault(visit: Visit, outcome: Outcome, cut: CutBy | None) -> None:
    session = Session(visit, max_turns=9, max_errors=3)
    session.take(Stop(outcome))
    assert session.result is not None
    assert session.result.cut is cut
