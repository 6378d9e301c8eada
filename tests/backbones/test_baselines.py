"""Scripted baselines answer from the situation, in a model's words, the same every time."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paars_bench.backbones.baselines import SCRIPTED, scripted_backbone
from paars_bench.backbones.door import Completion, Request, Situation
from paars_bench.data.cases import Case, CaseKind
from paars_bench.data.schema import Action, Catalog, Event, Product, event_json, products_table
from paars_bench.errors import UsageError
from paars_bench.outcomes import Outcome
from paars_bench.store import (
    Refinement,
    Session,
    SessionEnd,
    SessionResult,
    Shop,
    Sort,
    Stop,
    StoreAction,
    Verb,
    parse_action,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
REVIEWS = [5, None, 90, 90, 0]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    mugs = [
        Product(f"P{n}", f"Stoneware mug, large number {n}", ("Kitchen", "Mugs"), price=5.0 + n, review_count=count)
        for n, count in enumerate(REVIEWS)
    ]
    mice = [Product(f"Q{n}", f"Wireless mouse {n}", price=20.0, review_count=n) for n in range(25)]
    return Catalog(products_table([*mugs, *mice]))


@pytest.fixture(scope="module")
def shop(catalog: Catalog) -> Shop:
    return Shop(catalog)


def case(kind: CaseKind, number: int = 0, **values: Any) -> Case:
    return Case(f"{kind}/s/{number}", kind, "s", "s/1", START, values)


def ask(name: str, situation: Situation | None) -> Completion:
    return asyncio.run(scripted_backbone(name).complete(Request([], situation=situation)))


def answer(name: str, catalog: Catalog, asked: Case, seed: int = 0) -> str:
    reply = ask(name, Situation(asked, catalog, seed))
    assert reply.outcome is Outcome.OK, reply.error
    return reply.text


PAIR = case(CaseKind.QUERY_PAIRS, query="big mug", product="P3")
CHOICE = case(CaseKind.ITEM_CHOICES, options=["P0", "P1", "P2", "P3"], answer=1)
RANKED = case(CaseKind.RANK_CHOICES, query="mug", shown=["P1", "P0", "P4", "P3", "P2"], rank=5)


@pytest.mark.parametrize(
    ("name", "asked", "reply"),
    [
        ("human", PAIR, "big mug"),
        ("first", PAIR, "Stoneware mug, large number"),
        ("popular", PAIR, "Mugs"),
        ("popular", case(CaseKind.QUERY_PAIRS, query="m", product="Q3"), "Wireless mouse"),
        ("human", CHOICE, "2"),
        ("first", CHOICE, "1"),
        ("popular", CHOICE, "3"),
        ("popular", case(CaseKind.ITEM_CHOICES, options=["P1", "P4"], answer=1), "1"),
        ("human", RANKED, "5"),
        ("first", RANKED, "1"),
        ("popular", RANKED, "4"),
    ],
)
def test_single_answers(name: str, asked: Case, reply: str, catalog: Catalog) -> None:
    assert answer(name, catalog, asked) == reply


def test_random_is_uniform_and_fixed_by_seed_and_case(catalog: Catalog) -> None:
    cases = [case(CaseKind.ITEM_CHOICES, n, options=["P0", "P1", "P2", "P3"], answer=0) for n in range(2000)]
    drawn = [answer("random", catalog, c) for c in cases]
    assert drawn == [answer("random", catalog, c) for c in cases]
    assert drawn != [answer("random", catalog, c, seed=1) for c in cases]
    assert all(abs(n - 500) < 90 for n in Counter(drawn).values())  # 4.6 standard deviations
    ranks = {answer("random", catalog, replace(RANKED, case_id=str(n))) for n in range(200)}
    assert ranks == {"1", "2", "3", "4", "5"}


def test_random_queries_are_words_of_titles(catalog: Catalog) -> None:
    known = {w for p in catalog for w in p.title.replace(",", "").split()}
    lengths = Counter()
    for n in range(200):
        words = answer("random", catalog, replace(PAIR, case_id=str(n))).split()
        assert set(words) <= known
        lengths[len(words)] += 1
    assert set(lengths) == {1, 2, 3}


async def _session(name: str, catalog: Catalog, shop: Shop, asked: Case, seed: int) -> SessionResult:
    backbone = scripted_backbone(name)
    session = Session(shop.open("s", "s/1", START), max_turns=60, max_errors=3)
    while session.result is None:
        situation = Situation(asked, catalog, seed, session.page, session.turns)
        reply = await backbone.complete(Request([], situation=situation))
        session.take(parse_action(reply.text) if reply.outcome is Outcome.OK else Stop(reply.outcome))
    return session.result


def play(name: str, catalog: Catalog, shop: Shop, seed: int = 0, **values: Any) -> SessionResult:
    return asyncio.run(_session(name, catalog, shop, case(CaseKind.SESSIONS, **values), seed))


@pytest.mark.parametrize(
    ("name", "query", "product", "rank"),
    [("first", "a wireless mouse", "Q0", 1), ("popular", "Mugs", "P2", 3)],
)
def test_first_and_popular_search_view_and_buy(
    name: str, query: str, product: str, rank: int, catalog: Catalog, shop: Shop
) -> None:
    result = play(name, catalog, shop, intention="I came to look for a wireless mouse.")
    assert (result.outcome, result.end, result.errors) == (Outcome.OK, SessionEnd.BOUGHT, 0)
    did = [(e.action, e.query or e.product, e.rank) for e in result.events]
    assert did == [
        (Action.SEARCH, query, None),
        (Action.VIEW, product, rank),
        (Action.CART_ADD, product, None),
        (Action.PURCHASE, product, None),
        (Action.LEAVE, None, None),
    ]


@pytest.mark.parametrize("intention", [None, "", "?!", "xyzzyplugh"])
def test_first_leaves_where_there_is_nothing(intention: str | None, catalog: Catalog, shop: Shop) -> None:
    assert play("first", catalog, shop, intention=intention).outcome is Outcome.OK


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**63 - 1))
def test_random_sessions_end_without_an_error_and_replay_to_the_same_events(
    seed: int, catalog: Catalog, shop: Shop
) -> None:
    human = play("random", catalog, shop, seed)
    assert (human.outcome, human.errors) == (Outcome.OK, 0)
    rows = [event_json(e) for e in human.events]
    for events in (rows, json.dumps(rows), [json.dumps(r) for r in rows]):
        again = play("human", catalog, shop, intention=None, events=events)
        assert (again.outcome, again.end, again.errors) == (Outcome.OK, human.end, 0)
        assert [replace(e, time=START) for e in again.events] == [replace(e, time=START) for e in human.events]


def test_a_long_visit_replays_to_the_same_events(catalog: Catalog, shop: Shop) -> None:
    visit = shop.open("s", "s/1", START)
    for verb, word in (
        ("search", "wireless mouse"),
        ("view", "Q2"),
        ("back", None),
        ("next_page", None),
        ("view", "Q12"),
        ("cart_add", "Q12"),
        ("search", "mug"),
        ("cart_add", "P4"),
        ("cart_remove", "Q12"),
        ("cart_add", "Q12"),
        ("buy", None),
        ("search", "nothing at all like it xyzzy"),
        ("search", "mug"),
        ("view", "P4"),
        ("cart_add", "P4"),
        ("buy", None),
        ("leave", None),
    ):
        named = {"search": "query"}.get(verb, "product")
        page = visit.act(StoreAction(Verb(verb), **({named: word} if word else {})))
        assert page.problem is None, page.problem
    again = play("human", catalog, shop, events=[event_json(e) for e in visit.events])
    assert again.end is SessionEnd.BOUGHT
    assert [replace(e, time=START) for e in again.events] == [replace(e, time=START) for e in visit.events]


def test_a_refined_list_replays_to_the_same_events(catalog: Catalog, shop: Shop) -> None:
    visit = shop.open("s", "s/1", START)
    for action in (
        StoreAction(Verb.SEARCH, query="wireless mouse"),
        StoreAction(Verb.VIEW, product="Q2"),
        StoreAction(Verb.BACK),
        StoreAction(Verb.REFINE, refinement=Refinement(max_price=20.0, sort=Sort.PRICE_LOW)),
        StoreAction(Verb.NEXT_PAGE),
        StoreAction(Verb.VIEW, product="Q11"),
        StoreAction(Verb.BACK),
        StoreAction(Verb.REFINE, refinement=Refinement()),
        StoreAction(Verb.REFINE, refinement=Refinement(sort=Sort.PRICE_HIGH)),
        StoreAction(Verb.LEAVE),
    ):
        assert visit.act(action).problem is None, visit.page.problem
    again = play("human", catalog, shop, events=[event_json(e) for e in visit.events])
    assert (again.outcome, again.errors) == (Outcome.OK, 0)
    assert [replace(e, time=START) for e in again.events] == [replace(e, time=START) for e in visit.events]


def test_filters_in_words_of_another_shop_cannot_be_replayed(catalog: Catalog, shop: Shop) -> None:
    events = [*_log((Action.SEARCH, "mug")), event_json(Event("s", "s/1", START, Action.REFINE, refined="cheap ones"))]
    assert play("human", catalog, shop, events=events).outcome is Outcome.ENV_ERROR


def test_random_shoppers_narrow_lists_too(catalog: Catalog, shop: Shop) -> None:
    refined = {e.refined for seed in range(60) for e in play("random", catalog, shop, seed).events if e.refined}
    assert {r.split("=")[0] for r in refined} >= {"sort", "price<", "category"}


def _log(*did: tuple[Action, str | None]) -> list[dict[str, Any]]:
    return [
        event_json(
            Event("s", "s/1", START, action, query=word, shown=("P0",))
            if action is Action.SEARCH
            else Event("s", "s/1", START, action, product=word)
        )
        for action, word in did
    ]


def test_a_purchase_that_never_was_in_the_cart_is_replayed(catalog: Catalog, shop: Shop) -> None:
    events = _log(
        (Action.SEARCH, "mug"),
        (Action.CART_ADD, "P1"),
        (Action.VIEW, "P2"),
        (Action.PURCHASE, "P2"),
        (Action.PURCHASE, "P2"),
    )
    result = play("human", catalog, shop, events=events)
    counted = Counter(e.action for e in result.events)
    assert (result.outcome, result.end) == (Outcome.OK, SessionEnd.BOUGHT)
    assert [e.product for e in result.events if e.action is Action.PURCHASE] == ["P2", "P2"]
    assert (counted[Action.SEARCH], counted[Action.VIEW], counted[Action.LEAVE]) == (1, 1, 1)


@pytest.mark.parametrize(
    "events",
    [
        _log((Action.VIEW, "P1")),
        _log((Action.SEARCH, "mug"), (Action.VIEW, "Q1"), (Action.LEAVE, None)),
        _log((Action.SEARCH, "mug"), (Action.PURCHASE, "gone")),
        _log((Action.SEARCH, " "), (Action.LEAVE, None)),
    ],
)
def test_a_session_that_cannot_be_replayed_says_so(events: list[dict[str, Any]], catalog: Catalog, shop: Shop) -> None:
    result = play("human", catalog, shop, events=events)
    assert (result.outcome, result.end) == (Outcome.ENV_ERROR, None)
    assert Action.LEAVE not in {e.action for e in result.events}
    visit = shop.open("s", "s/1", START)
    page = visit.act(StoreAction(Verb.VIEW, product="P1"))
    reply = ask("human", Situation(case(CaseKind.SESSIONS, events=events), catalog, 0, page, 1))
    assert reply.outcome is Outcome.ENV_ERROR
    assert "does not replay in this store: " in str(reply.error)


def test_nothing_to_answer_from_is_an_env_error(catalog: Catalog) -> None:
    for name in SCRIPTED:
        assert ask(name, None).outcome is Outcome.ENV_ERROR
        assert ask(name, Situation(case(CaseKind.SESSIONS, events=[]), catalog, 0)).outcome is Outcome.ENV_ERROR
    lost = case(CaseKind.QUERY_PAIRS, query="q", product="gone")
    assert "no product 'gone'" in str(ask("popular", Situation(lost, catalog, 0)).error)


def test_traits_say_that_it_is_scripted() -> None:
    for name, baseline in SCRIPTED.items():
        traits = scripted_backbone(name).traits
        assert (traits.name, traits.litellm_model, traits.scripted) == (name, f"scripted/{name}", True)
        assert (traits.tools, traits.reply_schema) == (False, True)
        assert baseline.meaning
    with pytest.raises(UsageError, match="did you mean 'random'"):
        scripted_backbone("randon")


def test_listing_the_baselines_loads_no_numerics() -> None:
    code = (
        "import sys, paars_bench.backbones.baselines\n"
        "assert not {'numpy', 'pyarrow', 'tantivy', 'litellm'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
