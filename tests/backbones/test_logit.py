"""The logit baseline: the demo's choice model as an agent, which never looks at what the human did."""

from __future__ import annotations

import asyncio
import random
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from paars_bench.backbones.baselines import SCRIPTED, scripted_backbone
from paars_bench.backbones.door import Backbone, Request, Situation
from paars_bench.data import iter_cases, load_dataset
from paars_bench.data.cases import Background, Case, CaseKind
from paars_bench.data.demo import true_parameters
from paars_bench.data.demo.chance import Chance
from paars_bench.data.demo.intentions import KINDS, draw_kind, draw_need, sentence
from paars_bench.data.demo.people import make_person, mean_weights
from paars_bench.data.demo.reading import read_intention
from paars_bench.data.demo.shop import make_shop
from paars_bench.data.schema import Action, Catalog, Event, Product, event_row, products_table
from paars_bench.data.sessions import session_facts, session_rows
from paars_bench.metrics import CountBins, divergence_of_counts
from paars_bench.outcomes import Outcome
from paars_bench.store import Session, SessionResult, Shop, Stop, parse_action

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
DATA = "demo:shoppers=40,products=600"
TRUTH = {"answer", "events", "rank"}
"""What the human did, by name in a case's values; of a query pair the query as well."""


@pytest.fixture(scope="module")
def data() -> Any:
    return load_dataset(DATA)


@pytest.fixture(scope="module")
def shop(data: Any) -> Shop:
    return Shop(data.catalog)


class Blinkered(Mapping[str, Any]):
    """A case's values, but for what the human did."""

    def __init__(self, case: Case) -> None:
        hidden = TRUTH | ({"query"} if case.kind is CaseKind.QUERY_PAIRS else set())
        self._seen = {k: v for k, v in case.values.items() if k not in hidden}

    def __getitem__(self, key: str) -> Any:
        return self._seen[key]

    def __iter__(self) -> Any:
        return iter(self._seen)

    def __len__(self) -> int:
        return len(self._seen)


def blinkered(data: Any, kind: CaseKind) -> list[Case]:
    return [replace(case, values=Blinkered(case)) for case in iter_cases(data, kind)]


def situation(data: Any, case: Case, seed: int = 0, **more: Any) -> Situation:
    return Situation(case, data.catalog, seed, dataset=DATA, background=data.background, **more)


def say(backbone: Backbone, asked: Situation) -> str:
    reply = asyncio.run(backbone.complete(Request([], situation=asked)))
    assert reply.outcome is Outcome.OK, reply.error
    return reply.text


def play(backbone: Backbone, shop: Shop, asked: Situation) -> SessionResult:
    visit = shop.open(asked.case.shopper, "agent/1", asked.case.time)
    session = Session(visit, max_turns=100, max_errors=1)
    while session.result is None:
        now = replace(asked, page=session.page, turn=session.turns, shop=shop)
        reply = asyncio.run(backbone.complete(Request([], situation=now)))
        session.take(parse_action(reply.text) if reply.outcome is Outcome.OK else Stop(reply.outcome))
    return session.result


def test_it_is_listed() -> None:
    assert "logit" in SCRIPTED and scripted_backbone("logit").traits.litellm_model == "scripted/logit"


@pytest.mark.parametrize("kind", [CaseKind.QUERY_PAIRS, CaseKind.ITEM_CHOICES, CaseKind.RANK_CHOICES])
def test_replies_need_nothing_that_the_human_did_and_no_order_of_asking(data: Any, kind: CaseKind) -> None:
    cases = blinkered(data, kind)[:60]
    backbone = scripted_backbone("logit")
    replies = {case.case_id: say(backbone, situation(data, case)) for case in cases}
    random.Random(1).shuffle(cases)
    assert {case.case_id: say(scripted_backbone("logit"), situation(data, case)) for case in cases[:20]}.items() <= (
        replies.items()
    )
    others = {case.case_id: say(backbone, situation(data, case, seed=1)) for case in cases}
    assert others != replies


def test_visits_are_the_same_whoever_plays_them_and_however_they_are_interleaved(data: Any, shop: Shop) -> None:
    cases = blinkered(data, CaseKind.SESSIONS)[:12]
    one = scripted_backbone("logit")
    alone = [play(one, shop, situation(data, case)).events for case in cases]
    turns: dict[str, Any] = {
        c.case_id: Session(shop.open(c.shopper, "agent/1", c.time), max_turns=100, max_errors=1) for c in cases
    }
    while any(session.result is None for session in turns.values()):
        for case in cases:
            session = turns[case.case_id]
            if session.result is None:
                fresh = scripted_backbone("logit")  # as after a restart: it has nothing in memory
                asked = situation(data, case, page=session.page, turn=session.turns, shop=shop)
                session.take(parse_action(say(fresh, asked)))
    assert [turns[case.case_id].result.events for case in cases] == alone


def test_visits_end_by_leaving_without_an_error_and_often_empty_handed(data: Any, shop: Shop) -> None:
    backbone = scripted_backbone("logit")
    ends = [play(backbone, shop, situation(data, case)) for case in blinkered(data, CaseKind.SESSIONS)[:150]]
    assert {(end.outcome, end.errors) for end in ends} == {(Outcome.OK, 0)}
    empty = [not any(e.action is Action.PURCHASE for e in end.events) for end in ends]
    assert 0.45 < sum(empty) / len(empty) < 0.75
    assert Counter(e.rank for end in ends for e in end.events if e.action is Action.VIEW).most_common(1)[0][0] == 1


def test_on_demo_its_sessions_are_as_close_to_the_humans_as_humans_are(data: Any, shop: Shop) -> None:
    """The humans' other half, many times over, gives the band that the agents' divergence lies in."""
    cases = list(iter_cases(data, CaseKind.SESSIONS))
    human = {c.case_id: session_facts(session_rows(c.values["events"])).counts for c in cases}
    agents = {name: [] for name in ("logit", "first", "random")}
    for name, counted in agents.items():
        backbone = scripted_backbone(name)
        played = (play(backbone, shop, situation(data, case)).events for case in cases)
        counted += [session_facts(map(event_row, events)).counts for events in played]
    half = len(cases) // 2
    rng = random.Random(0)
    for of in ("searches", "views", "purchases"):
        band = []
        for _ in range(100):
            mixed = rng.sample(list(human), len(human))
            band.append(_kl([human[c][of] for c in mixed[:half]], [human[c][of] for c in mixed[half:]]))
        band.sort()
        picked = rng.sample(range(len(cases)), len(cases))
        found = {
            name: _kl([human[cases[i].case_id][of] for i in picked[:half]], [counted[i][of] for i in picked[half:]])
            for name, counted in agents.items()
        }
        assert found["logit"] <= band[98], (of, found, band[98])
        assert found["random"] > 2 * band[98] and found["first"] > 2 * band[98], (of, found, band[98])


def test_1_of_4_choices_are_far_above_chance_and_below_the_human(data: Any) -> None:
    backbone = scripted_backbone("logit")
    cases = list(iter_cases(data, CaseKind.ITEM_CHOICES))
    right = [int(say(backbone, situation(data, case))) - 1 == case.values["answer"] for case in cases]
    assert 0.5 < sum(right) / len(right) < 1


def test_queries_of_demo_name_what_was_viewed(data: Any, shop: Shop) -> None:
    backbone = scripted_backbone("logit")
    cases = blinkered(data, CaseKind.QUERY_PAIRS)[:80]
    typed = [(case, say(backbone, situation(data, case))) for case in cases]
    assert len({query for _, query in typed}) > 60
    same_category = [
        data.catalog[shop.index.search(query, limit=1).ids[0]].category == data.catalog[case.values["product"]].category
        for case, query in typed
        if shop.index.search(query, limit=1).ids
    ]
    assert len(same_category) > 70 and sum(same_category) / len(same_category) > 0.8


def test_intentions_are_read_back_from_their_words() -> None:
    shop = make_shop(400, 5)
    right = 0
    for number in range(400):
        person, chance = make_person(number, 5, shop), Chance(number)
        need = draw_need(chance, person, shop, [])
        if number % 5 == 0:  # reorders need something bought
            need = need._replace(kind="reorder", brand="Corton")
        told = read_intention(sentence(chance, need), chance, person, shop, [])
        assert told is not None and told.kind == need.kind
        right += told.category == need.category
    assert right == 400
    assert read_intention("I came to look for a wireless mouse.", Chance(1), person, shop, []) is None


def test_the_weights_are_each_shoppers_own_and_prices_those_of_the_catalog(data: Any) -> None:
    """Who minds prices most never takes what costs a hundred times more than usual; who minds them least may."""
    rows = true_parameters(shoppers=40, products=600).shoppers.to_pylist()
    careless, careful = min(rows, key=lambda r: r["price"]), max(rows, key=lambda r: r["price"])
    assert careful["price"] > 4 * careless["price"]
    cheap, dear = [p for p in data.catalog if p.category == data.catalog["P00000"].category][:2]
    priced = {cheap.id: replace(cheap, price=10.0), dear.id: replace(dear, price=40.0)}
    changed = Catalog(products_table([priced.get(p.id, p) for p in data.catalog]))
    backbone, taken = scripted_backbone("logit"), Counter[str]()
    for shopper in (careless["id"], careful["id"]):
        for number in range(400):
            values = {"options": [cheap.id, dear.id]}
            case = Case(f"item/{number}", CaseKind.ITEM_CHOICES, shopper, "s", WHEN, values)
            taken[shopper] += say(backbone, replace(situation(data, case), catalog=changed)) == "2"
    assert taken[careful["id"]] + 20 < taken[careless["id"]]


def test_the_mean_weights_are_those_of_the_population() -> None:
    rows = true_parameters(shoppers=3_000, products=100).shoppers.to_pylist()
    for name in ("price", "loyalty", "reviews"):
        values = [row[name] for row in rows]
        error = statistics.stdev(values) / len(values) ** 0.5
        assert abs(statistics.mean(values) - getattr(mean_weights(), name)) < 4 * error


def mugs() -> Catalog:
    some = [
        Product(f"M{n}", f"Acme stoneware mug {n}", ("Kitchen", "Mugs"), "Acme", 8.0 + n, 4.5, 100) for n in range(30)
    ]
    mice = [Product(f"Q{n}", f"Wireless mouse {n}", ("Office", "Mice"), price=20.0) for n in range(30)]
    bare = [Product("B0", "无线鼠标"), Product("B1", "?")]
    return Catalog(products_table([*some, *mice, *bare]))


def mug_lover(shopper: str) -> Background:
    events = [Event(shopper, "s", WHEN, Action.PURCHASE, product=f"M{n}", price=8.0 + n) for n in range(6)]
    return Background(shopper, WHEN, tuple(events), 0)


@pytest.mark.parametrize("intention", ["I want a wireless mouse", None, "", "?!", "xyzzyplugh"])
def test_elsewhere_it_shops_with_mean_weights_and_what_the_background_tells(intention: str | None) -> None:
    catalog, backbone = mugs(), scripted_backbone("logit")
    shop = Shop(catalog)
    searched: Counter[bool] = Counter()
    for number in range(40):
        case = Case(f"s/{number}", CaseKind.SESSIONS, "ann", "s", WHEN, {"intention": intention})
        end = play(backbone, shop, Situation(case, catalog, 0, dataset="completejourney", background=mug_lover))
        assert (end.outcome, end.errors) == (Outcome.OK, 0)
        searched["mouse" in str(end.events[0].query)] += 1
    assert (searched[True] == 40) if intention == "I want a wireless mouse" else (searched[False] > 25)


def test_elsewhere_it_answers_every_other_question() -> None:
    catalog, backbone = mugs(), scripted_backbone("logit")

    def answer(kind: CaseKind, number: int, **values: Any) -> str:
        case = Case(f"{kind}/{number}", kind, "ann", "s", WHEN, values)
        return say(backbone, Situation(case, catalog, 0, dataset="completejourney", background=mug_lover))

    chosen = Counter(answer(CaseKind.ITEM_CHOICES, n, options=["Q1", "M20", "Q2", "B0"]) for n in range(100))
    assert chosen["2"] > 70  # its category is what the shopper buys
    ranks = Counter(
        answer(CaseKind.RANK_CHOICES, n, query="mug", shown=[f"M{i}" for i in range(10)]) for n in range(300)
    )
    assert ranks["1"] > ranks["4"] > 0 and sum(ranks.values()) == 300
    assert "mouse" in answer(CaseKind.QUERY_PAIRS, 0, product="Q3")
    assert answer(CaseKind.QUERY_PAIRS, 1, product="B0") == "无线鼠标"


def test_what_cannot_be_answered_says_so() -> None:
    case = Case("q", CaseKind.QUERY_PAIRS, "ann", "s", WHEN, {"product": "gone"})
    reply = asyncio.run(scripted_backbone("logit").complete(Request([], situation=Situation(case, mugs(), 0))))
    assert reply.outcome is Outcome.ENV_ERROR and "no product 'gone'" in str(reply.error)


def test_the_kinds_of_visit_are_in_the_shares_that_are_said() -> None:
    chance = Chance(11)
    drawn = Counter(draw_kind(chance) for _ in range(20_000))
    for kind, parameters in KINDS.items():
        assert drawn[kind] / 20_000 == pytest.approx(parameters.share, abs=0.012)


def _kl(human: list[int], agents: list[int]) -> float:
    bins = CountBins.from_humans(human, tail_share=0.01)
    sides = [bins.counts(side, [0] * len(side), 1)[0] for side in (human, agents)]
    return float(divergence_of_counts(*sides, "kl"))
