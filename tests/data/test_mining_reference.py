"""The fast mining agrees with the rules written row by row, and draws what it says it draws."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import slow_mining as slow
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_logs import START, at, catalog, history, log, populations

from paars_bench.data.cases import CaseKind
from paars_bench.data.event_text import event_lists
from paars_bench.data.mined import About, MinedData
from paars_bench.data.mining import mine
from paars_bench.data.mining_draws import permuted
from paars_bench.data.mining_rules import MiningRules
from paars_bench.data.schema import Action, Event, SessionInfo, events_table

RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
SHOP = catalog()
RULES = st.builds(
    MiningRules,
    test_share=st.sampled_from([0.3, 0.5, 1.0]),
    min_history=st.integers(0, 3),
    most_shown=st.sampled_from([3, 10]),
    seed=st.integers(0, 3),
)


def columns(table, *names):
    return list(zip(*(table.column(n).to_pylist() for n in names), strict=True))


def number(case_id):
    return int(case_id.rsplit("/", 1)[1])


@RELAXED
@given(populations(), RULES)
def test_searches_give_the_cases_of_the_slow_rules(events, rules):
    cases = mine(log(events), rules).cases
    pairs = cases[CaseKind.QUERY_PAIRS]
    assert columns(pairs, "session", "query", "product") == slow.query_pairs(events, SHOP, rules)
    ranks = columns(cases[CaseKind.RANK_CHOICES], "session", "case_id", "query", "shown", "rank")
    assert [(s, number(c), *rest) for s, c, *rest in ranks] == slow.rank_choices(events, SHOP, rules)


@RELAXED
@given(populations(), RULES)
def test_sessions_are_the_text_that_json_gives(events, rules):
    cases = mine(log(events), rules).cases[CaseKind.SESSIONS]
    assert columns(cases, "session", "events") == slow.session_texts(events, rules)


@RELAXED
@given(populations(), RULES)
def test_items_are_the_purchases_of_the_slow_rules_with_foreign_products_wherever_there_are_enough(events, rules):
    cases = mine(log(events), rules).cases[CaseKind.ITEM_CHOICES]
    found = {
        (session, number(case_id), options[answer]): set(options) - {options[answer]}
        for session, case_id, options, answer in columns(cases, "session", "case_id", "options", "answer")
    }
    owner = {e.session: e.shopper for e in events}
    expected = {
        case: slow.foreign_products(events, SHOP, owner[case[0]], case[2])
        for case in slow.item_answers(events, SHOP, rules)
    }
    # The pool of 1,000 holds the whole small catalog, so a case is dropped only where there really are too few.
    assert set(found) == {case for case, foreign in expected.items() if len(foreign) >= 3}
    for case, distractors in found.items():
        assert len(distractors) == 3 and distractors <= expected[case]


TEXT = st.text(max_size=6) | st.sampled_from(['"', "\\", "\n\t", "\x00\x1f", "é 咖啡 🙂", "\u2028"])
EVENT = st.builds(
    Event,
    shopper=TEXT,
    session=TEXT,
    time=st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC)),
    action=st.sampled_from(list(Action)),
    query=st.none() | TEXT,
    shown=st.none() | st.lists(TEXT, max_size=3).map(tuple),
    product=st.none() | TEXT,
    rank=st.none() | st.integers(-5, 2**31 - 1),
    price=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    arm=st.none() | TEXT,
)


@given(st.lists(st.lists(EVENT, min_size=1, max_size=4), max_size=4))
def test_any_event_is_written_as_json_writes_it(sessions):
    flat = [e for own in sessions for e in own]
    lengths = np.array([len(own) for own in sessions], np.int64)
    expected = [slow.text_of(own) for own in sessions]
    assert event_lists(events_table(flat), lengths).to_pylist() == expected


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4), st.integers(1, 300))
def test_a_row_of_all_places_is_a_permutation(words, size):
    rows = permuted(np.array(words, np.uint64), np.arange(size), size)
    assert (np.sort(rows, axis=1) == np.arange(size)).all()


def test_every_product_is_drawn_about_equally_often_at_every_place():
    words = np.random.default_rng(0).integers(2**63, size=30_000).astype(np.uint64)
    drawn = permuted(words, np.arange(3), 50)
    for place in range(3):
        counts = np.bincount(drawn[:, place], minlength=50)
        # Chi-squared with 49 degrees of freedom: above 99 once in 30,000 places.
        assert ((counts - 600) ** 2 / 600).sum() < 99
    assert abs(np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] + 1 / 49) < 0.02


def test_draws_are_the_same_on_every_machine():
    words = np.array([0, 1, 2**64 - 1], np.uint64)
    expected = [[853, 576, 529, 196], [995, 51, 725, 212], [412, 447, 924, 268]]
    assert permuted(words, np.arange(4), 1000).tolist() == expected


def test_a_shopper_of_a_single_session_gives_cases_without_a_history():
    shown = ("p1", "p2", "p3")
    visit = [
        at("ann", 0, 0, Action.SEARCH, query="red hat", shown=shown),
        at("ann", 0, 9, Action.VIEW, product="p2", rank=2),
        at("ann", 0, 20, Action.PURCHASE, product="p2", price=3.0),
    ]
    made = log(visit)
    mined = mine(made, MiningRules(min_history=0))
    assert {kind: table.num_rows for kind, table in mined.cases.items()} == dict.fromkeys(CaseKind, 1)
    data = MinedData(About("one", "1", "simulated", "", "", frozenset(CaseKind)), made, mined)
    background = data.background("ann")
    assert (background.events, background.removed) == ((), 0)
    assert background.cutoff == START
    assert not any(t.num_rows for t in mine(made).cases.values())


@pytest.mark.parametrize("late", [0, 300])
def test_a_session_that_says_it_starts_late_does_not_reach_its_own_background(late):
    events = [*history(sessions=4), at("ann", 3, 60, Action.VIEW, product="p1")]
    rows = [SessionInfo(e.session, "ann", e.time, None) for e in history(sessions=3)]
    rows.append(SessionInfo("ann-3", "ann", START + timedelta(days=3, seconds=late), None))
    made = log(events, sessions=rows)
    data = MinedData(About("late", "1", "simulated", "", "", frozenset(CaseKind)), made, mine(made))
    assert {e.session for e in data.background("ann").events} == {"ann-0", "ann-1", "ann-2"}


def test_the_half_of_a_shopper_is_its_own():
    events = [e for s in range(40) for e in (Event(f"s{s}", f"s{s}-{n.session}", n.time, n.action) for n in history())]
    events += [Event(f"s{s}", f"s{s}-last", START + timedelta(days=9), Action.LEAVE) for s in range(40)]
    few = [e for e in events if int(e.shopper[1:]) % 3]
    large, small = (dict(columns(mine(log(some)).split, "shopper", "half")) for some in (events, few))
    assert {s: large[s] for s in small} == small
    assert 10 < list(large.values()).count("a") < 30
    assert large != dict(columns(mine(log(events), MiningRules(seed=1)).split, "shopper", "half"))
