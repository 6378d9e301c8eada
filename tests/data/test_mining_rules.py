"""Each rule on a log made for it."""

from datetime import timedelta

import pytest
from small_logs import START, at, catalog, history, log

from paars_bench.data.case_tables import cases_of
from paars_bench.data.cases import CaseKind
from paars_bench.data.mining import mine
from paars_bench.data.mining_rules import MiningRules
from paars_bench.data.schema import Action, Event, SessionInfo
from paars_bench.errors import DataError

SHOWN = tuple(f"p{i}" for i in range(12))


def mined(events, kind, **rules):
    result = mine(log(events), MiningRules(**rules), kinds=[kind])
    return list(cases_of(result.cases[kind].to_pylist())), {s.rule: s for s in result.funnels[kind]}


def search(seconds=0.0, session=3, query="red shoes", shown=SHOWN):
    return at("ann", session, seconds, Action.SEARCH, query=query, shown=shown)


def view(seconds, product="p2", rank=3, session=3):
    return at("ann", session, seconds, Action.VIEW, product=product, rank=rank)


def test_a_pair_is_the_first_search_and_the_view_right_after():
    events = [*history(), search(), view(10), search(20, query="second"), view(25, "p5", 6)]
    cases, _ = mined(events, CaseKind.QUERY_PAIRS)
    assert [(c.case_id, dict(c.values)) for c in cases] == [
        ("query_pairs/ann-3/0", {"query": "red shoes", "product": "p2"})
    ]


@pytest.mark.parametrize(
    ("tail", "rule"),
    [
        ([view(60.5)], "viewed within 60 s"),
        ([search(5, query="refined"), view(10)], "the next event is a view"),
        ([view(10, "gone")], "product viewed is in the catalog"),
        ([], "the next event is a view"),
    ],
)
def test_what_makes_no_pair_is_counted_under_its_rule(tail, rule):
    cases, funnel = mined([*history(), search(), *tail], CaseKind.QUERY_PAIRS)
    assert not cases and funnel[rule].dropped == 1


def test_a_view_after_exactly_sixty_seconds_counts():
    assert len(mined([*history(), search(), view(60)], CaseKind.QUERY_PAIRS)[0]) == 1


def test_a_view_of_the_next_session_makes_no_pair():
    events = [*history(sessions=6), search(session=6), view(5, session=7)]
    cases, _ = mined(events, CaseKind.QUERY_PAIRS, test_share=0.5)
    assert not cases


def test_a_rank_is_taken_from_the_list_where_the_log_has_none():
    cases, _ = mined([*history(), search(), view(5, "p4", None)], CaseKind.RANK_CHOICES)
    assert cases[0].values["rank"] == 5 and cases[0].values["shown"] == list(SHOWN[:10])


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (view(5, "p10", 11), "the rank lies inside the list kept"),
        (view(5, "p2", 4), "the list has the product viewed at that rank"),
        (view(5, "p40", None), "the rank is known"),
    ],
)
def test_ranks_that_cannot_be_trusted_are_dropped_and_counted(event, rule):
    cases, funnel = mined([*history(), search(), event], CaseKind.RANK_CHOICES)
    assert not cases and funnel[rule].dropped == 1


def test_one_rank_choice_a_search_the_first_view():
    events = [*history(), search(), view(5), view(9, "p0", 1), search(20, query="b"), view(30, "p1", 2)]
    cases, _ = mined(events, CaseKind.RANK_CHOICES)
    assert [(c.values["query"], c.values["rank"]) for c in cases] == [("red shoes", 3), ("b", 2)]


def test_the_latest_thirty_percent_of_sessions_are_the_test_period():
    cases, _ = mined(history(sessions=10), CaseKind.SESSIONS)
    assert [c.session for c in cases] == ["ann-7", "ann-8", "ann-9"]


def test_a_shopper_with_three_sessions_has_no_case():
    cases, funnel = mined(history(sessions=3), CaseKind.SESSIONS)
    assert not cases and funnel["shopper has 3 sessions before a cutoff"].dropped == 3


def test_sessions_that_start_with_the_first_test_session_are_no_history():
    events = history(sessions=3) + [
        Event("ann", f"same-{n}", START + timedelta(days=9), Action.LEAVE) for n in range(4)
    ]
    cases, _ = mined(events, CaseKind.SESSIONS)
    assert {c.session for c in cases} == {f"same-{n}" for n in range(4)}


def test_a_product_bought_twice_is_one_case():
    buys = [at("ann", n, 1, Action.PURCHASE, product="p1", price=2.0) for n in (7, 8, 9)]
    cases, funnel = mined(history(sessions=10) + buys, CaseKind.ITEM_CHOICES)
    assert [c.session for c in cases] == ["ann-7"]
    assert funnel["first purchase of the product in the test period"].dropped == 2


def test_the_cap_keeps_cases_by_seed_and_more_data_does_not_reshuffle_them():
    buys = [at("ann", 3, i, Action.PURCHASE, product=f"p{i}") for i in range(0, 30, 12)]
    everything, _ = mined(history() + buys, CaseKind.ITEM_CHOICES)
    few, funnel = mined(history() + buys, CaseKind.ITEM_CHOICES, item_cap=2)
    assert len(few) == 2 and funnel["among 2 a shopper, chosen by seed"].dropped == 1
    known = {c.case_id: c for c in everything}
    assert all(known[c.case_id] == c for c in few)


def test_a_shopper_interested_in_everything_has_no_item_choice():
    views = [at("ann", 0, i, Action.VIEW, product=f"p{i}") for i in range(12)]
    buy = [at("ann", 3, 1, Action.PURCHASE, product="p1")]
    cases, funnel = mined(views + history() + buy, CaseKind.ITEM_CHOICES)
    assert not cases and funnel["3 distractors outside the interests exist"].dropped == 1


def test_answers_are_spread_over_the_four_places():
    buys = [at("ann", n, n, Action.PURCHASE, product=f"p{n % 12}") for n in range(12)]
    events = [e for s in range(60) for e in history() for e in [Event(f"s{s}", f"s{s}-{e.session}", e.time, e.action)]]
    events += [
        Event(f"s{s}", f"s{s}-buy", b.time + timedelta(days=20), b.action, product=b.product)
        for s in range(60)
        for b in buys[s % 12 : s % 12 + 1]
    ]
    cases, _ = mined(events, CaseKind.ITEM_CHOICES)
    places = [c.values["answer"] for c in cases]
    assert len(places) == 60 and min(places.count(p) for p in range(4)) >= 5


def test_intentions_come_with_their_session():
    events = history(sessions=4)
    rows = [SessionInfo(e.session, "ann", e.time, f"why {e.session}") for e in events]
    result = mine(log(events, sessions=rows), kinds=[CaseKind.SESSIONS])
    assert result.cases[CaseKind.SESSIONS].column("intention").to_pylist() == ["why ann-3"]


def test_a_session_of_two_shoppers_is_refused():
    events = [Event("ann", "s", START, Action.LEAVE), Event("bob", "s", START, Action.LEAVE)]
    with pytest.raises(DataError, match="'s'"):
        log(events)
    rows = [SessionInfo("s", "ann", START)]
    with pytest.raises(DataError, match="shopper 'bob' but belongs to 'ann'"):
        log(events, sessions=rows)


def test_an_event_of_an_unknown_session_is_refused():
    with pytest.raises(DataError, match="'ann-0' has no row"):
        log(history(), sessions=[SessionInfo("other", "ann", START)])


def test_an_empty_log_gives_empty_test_sets():
    result = mine(log([]))
    assert {kind: table.num_rows for kind, table in result.cases.items()} == dict.fromkeys(CaseKind, 0)
    assert len(catalog()) == 60
