from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paars_bench.data.schema import (
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
from paars_bench.store import BadAction, PageKind, SessionEnd, Shop, StoreAction, Verb, Visit

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


_ids = st.sampled_from(["M01", "M07", "M24", "T0", "T1", "K1", "nothing"])
_steps = st.one_of(
    st.builds(search, st.sampled_from(["mouse", "mug", "coffee maker", "zzzzz", " "])),
    st.builds(StoreAction, st.sampled_from([Verb.VIEW, Verb.CART_ADD, Verb.CART_REMOVE]), product=_ids),
    st.sampled_from([NEXT, BACK, BUY]),
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
        if event.action is Action.SEARCH:
            lists.append(event.shown or ())
        if event.action is Action.VIEW:
            assert event.rank is not None
            assert any(len(s) >= event.rank and s[event.rank - 1] == event.product for s in lists)
    assert [e.time for e in events] == sorted(e.time for e in events)
