"""Intentions inferred from how a visit opens: by rule, blind to carts and purchases, silent about what was bought."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_logs import START, at, catalog, history, log, populations

from paars_bench.data.cases import CaseKind
from paars_bench.data.demo import simulate
from paars_bench.data.demo.intentions import KINDS
from paars_bench.data.hiding import words_of
from paars_bench.data.intentions import RULES, IntentionKind, infer_intentions
from paars_bench.data.mining import mine
from paars_bench.data.mining_index import LogIndex
from paars_bench.data.mining_rules import MiningRules
from paars_bench.data.mining_split import split_by_cutoff
from paars_bench.data.schema import Action, Catalog, Event, Product, SessionInfo, products_table

RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
RULES_OF_MINING = MiningRules(min_history=1)
CARTS = (Action.CART_ADD, Action.CART_REMOVE, Action.PURCHASE)


def intentions(events, products=None):
    """Intention and source of each session of the test period, by id."""
    cases = mine(log(events, products=products), RULES_OF_MINING, kinds=[CaseKind.SESSIONS]).cases[CaseKind.SESSIONS]
    return {r["session"]: (r["intention"], r["intention_source"]) for r in cases.to_pylist()}


def visit(*events):
    """The kind and the sentence of a visit after three days, in which Title 5 was bought."""
    bought = at("ann", 0, 5, Action.PURCHASE, product="p5")
    made = log([*history(), bought, *events])
    index = LogIndex(made)
    period = split_by_cutoff(index, RULES_OF_MINING)
    found = infer_intentions(index, np.flatnonzero(period.sessions), period.cutoff, seed=0)
    return found.kinds[-1], found.sentences[-1]


def search(query, seconds=0):
    return at("ann", 9, seconds, Action.SEARCH, query=query, shown=("p1",))


def view(product, seconds):
    return at("ann", 9, seconds, Action.VIEW, product=product)


@pytest.mark.parametrize(
    ("events", "kind", "topic"),
    [
        ([search("birthday present for mum")], "gift", "birthday present for mum"),
        ([search("生日礼物")], "gift", "生日礼物"),
        ([search("title 5")], "reorder", "title 5"),
        ([search("any words at all"), view("p5", 9)], "reorder", "c5"),
        ([search("red hat"), view("p1", 1), view("p13", 2), view("p25", 3)], "compare", "c1"),
        ([search("red hat"), view("p1", 1), view("p1", 2), view("p1", 3)], "browse", "c1"),
        ([search("red hat"), view("p1", 1), view("p2", 2), view("p3", 3)], "browse", "c1"),
        ([search("red hat"), view("p1", 1), search("x", 2), view("p13", 3), view("p25", 4)], "browse", "c1"),
        ([view("p1", 1)], "browse", "c1"),
        ([search("red wool hat")], "buy", "red wool hat"),
        ([search("红色的羊毛帽子")], "buy", "红色的羊毛帽子"),
        ([search("帽子")], "browse", "帽子"),
        ([search("red wool hat"), view("p59", 1)], "buy", "red wool hat"),
    ],
)
def test_a_visit_is_of_the_first_kind_whose_rule_it_meets(events, kind, topic):
    found, sentence = visit(*events)
    assert found == kind and sentence.endswith(f": {topic}.")


def test_a_visit_that_neither_searches_nor_views_has_no_intention():
    assert visit(at("ann", 9, 0, Action.PURCHASE, product="p1")) == (None, None)
    assert intentions(history(sessions=4))["ann-3"] == (None, None)


def test_the_demo_draws_the_same_five_kinds():
    assert set(KINDS) == set(IntentionKind) == set(RULES)


@RELAXED
@given(populations(), st.randoms(use_true_random=False))
def test_no_cart_or_purchase_of_the_test_period_moves_an_intention(events, random):
    made = log(events)
    index = LogIndex(made)
    cutoff = dict(zip(index.shopper_names, split_by_cutoff(index, RULES_OF_MINING).cutoff.tolist(), strict=True))
    first = {e.session: min(o.time for o in events if o.session == e.session) for e in events}
    tested = {s for s, t in first.items() if t.timestamp() * 1e6 >= cutoff[s.split("-")[0]] >= 0}
    products = [e.product for e in events if e.session in tested and e.action in CARTS]
    random.shuffle(products)
    # The session stays even where nothing else was done in it.
    removed = [_silent(e) if e.session in tested and e.action in CARTS else e for e in events]
    swapped = [_of(e, products.pop()) if e.session in tested and e.action in CARTS else e for e in events]
    assert intentions(events) == intentions(removed) == intentions(swapped)


def _silent(event):
    return Event(event.shopper, event.session, event.time, Action.LEAVE)


def _of(event, product):
    return Event(event.shopper, event.session, event.time, event.action, product=product)


NAMES = st.sampled_from(["Red Hat", "Hats", "hat", "Mug", "Blue Mug", "Mugs & Cups", "Tea", "Red", "Kitchen"])


@RELAXED
@given(populations(), st.lists(NAMES, min_size=60, max_size=60), st.lists(NAMES, min_size=12, max_size=12))
def test_no_sentence_holds_the_title_of_what_was_bought_unless_it_was_typed(events, titles, leaves):
    shop = Catalog(products_table([Product(f"p{i}", titles[i], ("shop", leaves[i % 12])) for i in range(60)]))
    for session, (sentence, _) in intentions(events, shop).items():
        own = [e for e in events if e.session == session]
        typed = " ".join(words_of(e.query or "") for e in own)
        for event in own:
            if event.action is Action.PURCHASE and event.product in shop and sentence is not None:
                title = words_of(shop[event.product].title)
                assert f" {title} " not in f" {words_of(sentence)} " or f" {title} " in f" {typed} "


@RELAXED
@given(populations())
def test_other_shoppers_move_no_intention(events):
    alone = [e for e in events if e.shopper == "s0"]
    whole = intentions(events)
    assert all(whole[session] == found for session, found in intentions(alone).items())


def test_what_the_log_says_stays_and_each_session_says_where_its_intention_is_from():
    events = [
        *history(sessions=6),
        at("ann", 4, 1, Action.VIEW, product="p1"),
        at("ann", 5, 1, Action.VIEW, product="p2"),
    ]
    rows = [SessionInfo(f"ann-{n}", "ann", START + timedelta(days=n), "said so" if n == 4 else None) for n in range(6)]
    result = mine(log(events, sessions=rows), MiningRules(test_share=0.5), kinds=[CaseKind.SESSIONS])
    cases = result.cases[CaseKind.SESSIONS]
    assert cases.column("intention_source").to_pylist() == [None, "log", "inferred"]
    assert cases.column("intention").to_pylist()[:2] == [None, "said so"]
    shares = {s.rule: s.kept for s in result.funnels[CaseKind.SESSIONS] if s.role == "share" and s.kept}
    assert shares == {
        "intention given by the log": 1,
        "intention inferred: browse": 1,
        "no search and no view to infer an intention from": 1,
    }


@pytest.fixture(scope="module")
def demo():
    return simulate(shoppers=60, seed=0, products=1_000)


def test_kinds_tell_less_of_a_purchase_than_the_counts_of_searches_and_views_do(demo):
    index = LogIndex(demo)
    period = split_by_cutoff(index, MiningRules())
    chosen = np.flatnonzero(period.sessions)
    kinds = [str(k) for k in infer_intentions(index, chosen, period.cutoff, seed=0).kinds]

    def per_session(action):
        return np.bincount(index.session[index.is_action(action)], minlength=len(index.start))[chosen]

    bought = per_session(Action.PURCHASE) > 0
    counts = list(zip(per_session(Action.SEARCH), np.minimum(per_session(Action.VIEW), 8), strict=True))
    assert information(kinds, bought) < information(counts, bought)
    assert information(kinds, bought) < 0.1


def information(labels, bought):
    """Bits that labels tell of a purchase."""
    names, codes = np.unique(np.array([repr(x) for x in labels]), return_inverse=True)
    table = np.array([[((codes == c) & (bought == b)).mean() for b in (False, True)] for c in range(len(names))])
    outer = table.sum(1, keepdims=True) * table.sum(0, keepdims=True)
    some = table > 0
    return float((table[some] * np.log2(table[some] / outer[some])).sum())


def test_the_demo_keeps_its_own_words(demo):
    cases = mine(demo, kinds=[CaseKind.SESSIONS]).cases[CaseKind.SESSIONS]
    assert set(cases.column("intention_source").to_pylist()) == {"log"}
    own = dict(
        zip(demo.sessions.column("session").to_pylist(), demo.sessions.column("intention").to_pylist(), strict=True)
    )
    found = zip(cases.column("session").to_pylist(), cases.column("intention").to_pylist(), strict=True)
    assert all(own[session] == words for session, words in found)
    assert len(catalog()) == 60
