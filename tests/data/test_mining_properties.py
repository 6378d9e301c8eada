"""What must hold for every log: nothing of a case reaches the background, and cases are stable."""

from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_logs import catalog, log, populations, shopper_events

from paars_bench.data import iter_cases
from paars_bench.data.cases import CaseKind
from paars_bench.data.mined import About, MinedData
from paars_bench.data.mining import mine
from paars_bench.data.mining_rules import MiningRules
from paars_bench.data.schema import Action, event_of
from paars_bench.data.sessions import session_rows

RELAXED = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
RULES = MiningRules(min_history=1)


def data_of(events, rules=RULES):
    made = log(events)
    about = About("test", "1", "simulated", "", "", frozenset(CaseKind))
    return MinedData(about, made, mine(made, rules))


def all_cases(data):
    return [case for kind in CaseKind for case in iter_cases(data, kind)]


@RELAXED
@given(populations())
def test_background_holds_nothing_of_a_case_session_or_later(events):
    data = data_of(events)
    for case in all_cases(data):
        background = data.background(case.shopper)
        assert all(e.time < case.time and e.session != case.session for e in background.events)
        assert background.cutoff <= case.time
        assert all(e.shopper == case.shopper for e in background.events)


@RELAXED
@given(populations())
def test_no_offered_product_is_left_in_the_background(events):
    data = data_of(events)
    for case in iter_cases(data, CaseKind.ITEM_CHOICES):
        background = data.background(case.shopper)
        left = {e.product for e in background.events} | {p for e in background.events for p in e.shown or ()}
        assert not left & set(case.values["options"])


@RELAXED
@given(populations())
def test_background_loses_only_what_was_offered(events):
    data = data_of(events)
    for shopper in data.shoppers:
        background = data.background(shopper)
        before = [e for e in events if e.shopper == shopper and e.time < background.cutoff]
        assert len(background.events) + background.removed == len(before)


@RELAXED
@given(populations(most=2), shopper_events("zoe"), shopper_events("abe"))
def test_added_shoppers_change_no_case_and_no_background(events, later, earlier):
    small, large = data_of(events), data_of(events + later + earlier)
    larger = {case.case_id: case for case in all_cases(large)}
    for case in all_cases(small):
        assert larger[case.case_id] == case
    added = {case.shopper for case_id, case in larger.items()} - set(small.shoppers)
    assert added <= {"zoe", "abe"}
    for shopper in small.shoppers:
        assert small.background(shopper) == large.background(shopper)


@RELAXED
@given(populations(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_where_times_differ(events, random):
    distinct = list({(e.session, e.time): e for e in events}.values())
    shuffled = list(distinct)
    random.shuffle(shuffled)
    assert data_of(distinct).sha256 == data_of(shuffled).sha256


@RELAXED
@given(populations())
def test_funnels_add_up(events):
    data = data_of(events)
    for kind in CaseKind:
        steps = data.funnel(kind)
        chain = [s for s in steps if s.role != "share"]
        for before, after in pairwise(chain):
            assert after.kept >= 0 and after.dropped >= 0
            assert after.role == "start" or after.kept + after.dropped == before.kept
        assert chain[-1].kept == data.case_table(kind).num_rows
        shares = [s for s in steps if s.role == "share"]
        assert sum(s.kept for s in shares) == (chain[-1].kept if shares else 0)
        ids = data.case_table(kind).column("case_id").to_pylist()
        assert len(ids) == len(set(ids))


@RELAXED
@given(populations())
def test_item_choices_offer_one_product_bought_and_three_from_foreign_categories(events):
    data = data_of(events)
    shop = catalog()
    for case in iter_cases(data, CaseKind.ITEM_CHOICES):
        options, answer = case.values["options"], case.values["answer"]
        assert len(set(options)) == 4
        bought = {e.product for e in events if e.session == case.session and e.action is Action.PURCHASE}
        assert options[answer] in bought
        touched = [e.product for e in events if e.shopper == case.shopper and e.product in shop]
        acted = {e.product for e in events if e.shopper == case.shopper and e.action in (Action.VIEW, Action.PURCHASE)}
        known = {shop[p].category for p in touched if p in acted}
        for place, option in enumerate(options):
            if place != answer:
                assert shop[option].category and shop[option].category not in known


@RELAXED
@given(populations())
def test_rank_choices_name_the_product_viewed(events):
    data = data_of(events)
    for case in iter_cases(data, CaseKind.RANK_CHOICES):
        shown, rank = case.values["shown"], case.values["rank"]
        assert 2 <= len(shown) <= 10 and 1 <= rank <= len(shown) and case.values["query"].strip()
        viewed = {e.product for e in events if e.session == case.session and e.action is Action.VIEW}
        assert shown[rank - 1] in viewed


@RELAXED
@given(populations())
def test_sessions_hold_every_event_of_the_session(events):
    data = data_of(events)
    for case in iter_cases(data, CaseKind.SESSIONS):
        told = [event_of(row) for row in session_rows(case.values["events"])]
        own = [e for e in events if e.session == case.session]
        assert sorted(told, key=repr) == sorted(own, key=repr)
        assert [e.time for e in told] == sorted(e.time for e in own)
