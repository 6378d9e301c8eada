from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_refine import REFINEMENTS

from paars_bench.data.schema import (
    LISTING,
    Action,
    Catalog,
    Event,
    Product,
    event_json,
    event_of,
    events_table,
    products_table,
)
from paars_bench.errors import DataError
from paars_bench.store import BadAction, PageKind, Refinement, SessionEnd, Shop, Sort, StoreAction, Verb, Visit

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def search(query: str) -> StoreAction:
    return StoreAction(Verb.SEARCH, query=query)


def view(pid: str) -> StoreAction:
    return StoreAction(Verb.VIEW, product=pid)


def add(pid: str) -> StoreAction:
    return StoreAction(Verb.CART_ADD, product=pid)


NEXT, BACK, BUY, LEAVE = (StoreAction(v) for v in (Verb.NEXT_PAGE, Verb.BACK, Verb.BUY, Verb.LEAVE))


def test_a_visit_is_written_in_the_log_schema(visit: Visit) -> None:
    shown = [x.product.id for x in visit.act(search(" mouse ")).listed]
    for action in (view(shown[2]), add(shown[2]), BUY, LEAVE):
        visit.act(action)
    price = 10.0 + int(shown[2][1:])
    at = [START + timedelta(seconds=20 * n) for n in range(5)]
    assert visit.events == [
        Event("s1", "s1/1", at[0], Action.SEARCH, query="mouse", shown=tuple(shown)),
        Event("s1", "s1/1", at[1], Action.VIEW, product=shown[2], rank=3),
        Event("s1", "s1/1", at[2], Action.CART_ADD, product=shown[2]),
        Event("s1", "s1/1", at[3], Action.PURCHASE, product=shown[2], price=price),
        Event("s1", "s1/1", at[4], Action.LEAVE),
    ]
    assert visit.end is SessionEnd.BOUGHT
    assert events_table(visit.events).num_rows == 5
    assert [event_of(event_json(e)) for e in visit.events] == visit.events


def test_ranks_and_shown_lists_run_over_pages(visit: Visit) -> None:
    first = visit.act(search("mouse"))
    second = visit.act(NEXT)
    assert [x.rank for x in second.listed] == list(range(11, 21))
    visit.act(view(second.listed[4].product.id))
    assert visit.act(BACK).listed == second.listed
    third = visit.act(NEXT)
    assert Verb.NEXT_PAGE not in third.possible
    searched, viewed = visit.events
    assert viewed.rank == 15
    assert searched.shown == tuple(x.product.id for p in (first, second, third) for x in p.listed)
    assert searched.shown[viewed.rank - 1] == viewed.product
    assert len(searched.shown) == 24


def test_a_product_seen_before_can_be_opened_from_anywhere(visit: Visit) -> None:
    mouse = visit.act(search("mouse")).listed[3].product.id
    visit.act(search("mug"))
    visit.act(view("T0"))
    assert visit.act(view(mouse)).problem is None
    assert visit.events[-1].rank == 4


def test_a_rank_is_the_place_in_the_list_that_last_showed_the_product(visit: Visit) -> None:
    """Which is an earlier list than the one last shown, where that has not got it."""
    first = {x.product.id: x.rank for x in visit.act(search("mouse")).listed}
    again = {x.product.id: x.rank for x in visit.act(refine(min_price=15)).listed}
    moved = next(pid for pid in first if pid in again and again[pid] != first[pid])
    gone = next(pid for pid in list(first)[1:] if pid not in again)
    visit.act(view(moved))
    assert visit.events[-1].rank == again[moved]
    visit.act(view(gone))
    assert visit.events[-1].rank == first[gone] > 1


def test_buying_does_not_end_the_visit(visit: Visit) -> None:
    visit.act(search("mug"))
    visit.act(add("T0"))
    visit.act(add("C1"))
    page = visit.act(BUY)
    assert (page.kind, page.cart, visit.end) == (PageKind.HOME, (), None)
    assert page.notice == "Bought: 2 products, total $7.50 and 1 without a price."
    paid = [(e.product, e.price) for e in visit.events if e.action is Action.PURCHASE]
    assert paid == [("T0", 7.5), ("C1", None)]
    assert visit.act(search("mouse")).listed


def test_leaving_with_a_full_cart_is_no_purchase(visit: Visit) -> None:
    visit.act(search("mug"))
    visit.act(add("T0"))
    assert visit.act(LEAVE).kind is PageKind.CLOSED
    assert visit.end is SessionEnd.LEFT
    assert visit.page.possible == ()


@pytest.mark.parametrize(
    ("action", "hint"),
    [
        (view("M99"), "the nearest are M"),
        (view("N1"), "has shown no product «N1»"),  # in the shop, but not shown yet
        (add("T0"), "in the cart already"),
        (StoreAction(Verb.CART_REMOVE, product="T1"), "the cart holds no product «T1»; the nearest are T0."),
        (NEXT, "next_page is not possible now; possible are search"),
        (search("   "), "empty"),
        (StoreAction(Verb.VIEW), "say which product"),
        (BadAction("no JSON object in the reply"), "no JSON object"),
    ],
)
def test_a_bad_action_changes_nothing_but_the_clock(visit: Visit, action: StoreAction | BadAction, hint: str) -> None:
    visit.act(search("mouse"))
    visit.act(search("mug"))
    visit.act(add("T0"))
    before, events = visit.page, list(visit.events)
    page = visit.act(action)
    assert page.problem is not None
    assert hint in page.problem
    assert page.text.startswith("Not done: ")
    assert (page.kind, page.listed, page.cart) == (before.kind, before.listed, before.cart)
    assert (visit.events, visit.errors) == (events, 1)
    assert visit.act(BACK).problem is None
    visit.act(view("T1"))
    assert visit.events[-1].time == START + timedelta(seconds=20 * 5)


def test_nothing_happens_after_leaving(visit: Visit) -> None:
    visit.act(LEAVE)
    assert visit.act(search("mug")).problem == "the visit is over."
    assert len(visit.events) == 1


def test_a_search_without_results_is_a_search(visit: Visit) -> None:
    page = visit.act(search("qqqqxxxx"))
    assert "No product matches «qqqqxxxx»" in page.text
    assert page.possible == (Verb.SEARCH, Verb.LEAVE)
    assert visit.events[0].shown == ()


def test_the_home_page_names_departments(visit: Visit) -> None:
    assert visit.page.departments == ("Electronics", "Kitchen", "Outdoor")
    assert "«Electronics»" in visit.page.text


@pytest.mark.parametrize("pid", ["", "a b", "x\ny", "[7]", "«", "z" * 65])
def test_an_id_that_cannot_be_shown_is_refused(pid: str) -> None:
    with pytest.raises(DataError, match="product id"):
        Shop(Catalog(products_table([Product(pid, "Mug")])))


def refine(**said: Any) -> StoreAction:
    return StoreAction(Verb.REFINE, refinement=Refinement(**said))


def test_a_refined_list_is_an_event_of_its_own(visit: Visit) -> None:
    whole = visit.act(search("mouse"))
    page = visit.act(refine(brand="ACME", max_price=30, sort=Sort.PRICE_HIGH))
    more = visit.act(NEXT)
    assert (whole.total, page.total) == (24, 20)
    shown = tuple(f"M{n:02d}" for n in range(20, 0, -1))
    searched, refined = visit.events
    assert (searched.action, len(searched.shown or ())) == (Action.SEARCH, 10)
    assert refined == Event(
        "s1",
        "s1/1",
        START + timedelta(seconds=20),
        Action.REFINE,
        query="mouse",
        shown=shown,
        refined="brand=Acme price<=30 sort=price_high",
    )
    visit.act(view("M05"))
    assert visit.events[-1].rank == 16 == shown.index("M05") + 1
    back = visit.act(BACK)
    assert (back.listed, back.refinement) == (more.listed, page.refinement)


def test_filters_not_given_are_taken_off(visit: Visit) -> None:
    visit.act(search("mouse"))
    visit.act(refine(max_price=12))
    assert visit.act(refine(min_price=30)).total == 5
    page = visit.act(refine())
    assert (page.total, page.refinement, visit.events[-1].refined) == (24, Refinement(), "")
    visit.act(refine(max_price=12))
    assert visit.act(search("mouse")).refinement == Refinement(), "a search begins anew"


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ({"category": "Computer Mise"}, "the shop has no category «Computer Mise»; the nearest are «Computer Mice»"),
        ({"brand": "zzz"}, "the shop has no brand «zzz»; the nearest are «Acme»."),
        ({"min_rating": 9}, "ratings go from 1 to 5"),
        ({"min_price": 9, "max_price": 2}, "min_price 9 is above max_price 2"),
        ({}, "these results are not narrowed or sorted"),
    ],
)
def test_a_list_that_cannot_be_narrowed_so_is_answered_with_what_can(
    visit: Visit, said: dict[str, Any], hint: str
) -> None:
    visit.act(search("mouse"))
    page = visit.act(refine(**said))
    assert hint in str(page.problem)
    assert (len(visit.events), visit.errors, page.refinement) == (1, 1, Refinement())


def test_the_same_filters_again_are_no_step(visit: Visit) -> None:
    visit.act(search("mouse"))
    visit.act(refine(max_price=20))
    assert "narrowed to max_price 20 already" in str(visit.act(refine(max_price=20.0)).problem)
    assert "refine is not possible now" in str(visit.act(search("qqqqxxxx")) and visit.act(refine()).problem)


def test_a_related_product_has_no_rank_unless_a_list_had_it(visit: Visit) -> None:
    visit.act(search("blue ceramic mug"))
    page = visit.act(view("T0"))
    related = [x.product.id for x in page.related]
    assert set(related) == {"T1", "T2", "C1"}
    assert set(page.targets(Verb.VIEW)) == set(related)
    assert [x.rank for x in page.related if x.product.id in ("T1", "T2")] == [2, 3]
    visit.act(search("camping tent"))
    visit.act(view("N1"))
    other = visit.act(search("coffee maker")) and visit.act(view("K1"))
    assert other.related == ()
    alone = visit._shop.open("s", "s/2", START)
    alone.act(search("cafe creme"))
    first = alone.act(view("C1")).related[0].product.id
    alone.act(view(first))
    assert (alone.events[-1].product, alone.events[-1].rank) == (first, None)


_ids = st.sampled_from(["M01", "M07", "M24", "T0", "T1", "K1", "nothing"])
_steps = st.one_of(
    st.builds(search, st.sampled_from(["mouse", "mug", "coffee maker", "zzzzz", " "])),
    st.builds(StoreAction, st.sampled_from([Verb.VIEW, Verb.CART_ADD, Verb.CART_REMOVE]), product=_ids),
    st.sampled_from([NEXT, BACK, BUY]),
    st.builds(StoreAction, st.just(Verb.REFINE), refinement=REFINEMENTS),
    st.sampled_from([refine(), refine(max_price=20), refine(brand="acme"), refine(category="Mugs", sort=Sort.RATING)]),
    st.builds(BadAction, st.text(max_size=30)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_steps, max_size=25), st.booleans())
def test_whatever_is_tried_the_log_stays_sound(shop: Shop, steps: list[StoreAction | BadAction], leave: bool) -> None:
    visit = shop.open("s", "s/1", START)
    done: Counter[Verb] = Counter()
    bad = 0
    for step in [*steps, *([LEAVE] if leave else [])]:
        cart = len(visit.page.cart)
        page = visit.act(step)
        assert page.text
        bad += page.problem is not None
        if page.problem is None:
            assert isinstance(step, StoreAction)
            done[step.verb] += cart if step.verb is Verb.BUY else 1
    logged = Counter(e.action for e in visit.events)
    assert logged[Action.SEARCH] == done[Verb.SEARCH]
    assert logged[Action.REFINE] == done[Verb.REFINE]
    assert logged[Action.VIEW] == done[Verb.VIEW]
    assert logged[Action.PURCHASE] == done[Verb.BUY]
    assert logged[Action.CART_ADD] == done[Verb.CART_ADD]
    assert logged[Action.CART_REMOVE] == done[Verb.CART_REMOVE]
    assert logged[Action.LEAVE] == (visit.end is not None) == leave
    assert visit.errors == bad
    _every_view_is_of_a_product_shown(visit.events)


def _every_view_is_of_a_product_shown(events: list[Event]) -> None:
    lists: list[tuple[str, ...]] = []
    for event in events:
        if event.action in LISTING:
            lists.append(event.shown or ())
        if event.action is Action.VIEW and event.rank is not None:
            assert any(len(s) >= event.rank and s[event.rank - 1] == event.product for s in lists)
    assert [e.time for e in events] == sorted(e.time for e in events)
