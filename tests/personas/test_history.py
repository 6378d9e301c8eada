"""The history in a prompt: newest first, whole days, within its budget, and nothing in it that acts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from people import background, catalog, event, rendered

from paars_bench.data.cases import Background
from paars_bench.data.schema import Action, Event
from paars_bench.personas.conditions import CONDITIONS
from paars_bench.personas.history import RECENT, estimate_tokens, event_words, render_history
from paars_bench.personas.prompt import persona_block

SHOP = catalog("Blue mug", "Red lamp", "Tent", "Desk")
OLD = RECENT.days + 30

_PRODUCTS = st.sampled_from(["P0", "P1", "P2", "P3", "GONE"])
_EVENTS = st.lists(
    st.one_of(
        st.builds(
            event,
            st.floats(0.01, 400),
            st.sampled_from([Action.VIEW, Action.CART_ADD, Action.CART_REMOVE, Action.PURCHASE]),
            _PRODUCTS,
        ),
        st.builds(
            lambda d, q: event(d, Action.SEARCH, query=q, shown=()), st.floats(0.01, 400), st.text("ab ", min_size=1)
        ),
        st.builds(lambda d: event(d, Action.LEAVE), st.floats(0.01, 400)),
    ),
    max_size=30,
)


def dates(text: str) -> list[str]:
    return [line[:10] for line in text.splitlines()]


def test_days_are_lines_the_newest_first_each_in_its_own_order() -> None:
    known = rendered(
        [
            event(3, Action.SEARCH, query="mug", shown=("P0",)),
            event(2.99, Action.VIEW, "P0", rank=1),
            event(2.98, Action.PURCHASE, "P0", price=7.5),
            event(1, Action.CART_ADD, "P1"),
            event(0.99, Action.CART_REMOVE, "P1"),
            event(0.98, Action.LEAVE),
        ],
        SHOP,
    )
    assert known.text.splitlines() == [
        "2026-05-31: put in cart Red lamp; took out of cart Red lamp",
        '2026-05-29: searched "mug"; viewed Blue mug; bought Blue mug ($7.50)',
    ]
    assert (known.events, known.shown) == (5, 5)


@pytest.mark.parametrize(("paid", "said"), [(1049.99, "$1,049.99"), (0.0, "$0.00"), (1e308, "$over 999T")])
def test_a_price_is_written_as_on_a_page(paid: float, said: str) -> None:
    assert event_words(event(1, Action.PURCHASE, "P0", price=paid), SHOP) == f"bought Blue mug ({said})"


def test_older_purchases_follow_the_recent_days_and_other_old_events_do_not() -> None:
    known = rendered(
        [
            event(OLD + 5, Action.PURCHASE, "P2"),
            event(OLD, Action.PURCHASE, "P3"),
            event(OLD, Action.VIEW, "P1"),
            event(OLD, Action.SEARCH, query="old words", shown=()),
            event(2, Action.VIEW, "P0"),
        ],
        SHOP,
    )
    lines = known.text.splitlines()
    assert [line.split(": ", 1)[1] for line in lines] == ["viewed Blue mug", "bought Desk", "bought Tent"]
    assert ["(older)" in line for line in lines] == [False, True, True]


def test_half_a_year_is_recent_to_its_last_moment() -> None:
    edge = event(RECENT.days, Action.VIEW, "P0")
    before = Event(edge.shopper, edge.session, edge.time - timedelta(seconds=1), Action.VIEW, product="P1")
    assert rendered([before, edge], SHOP).text.endswith(": viewed Blue mug")


@given(_EVENTS, st.integers(0, 400))
def test_the_budget_holds_days_stay_whole_and_what_is_shown_is_the_newest(events: list[Event], budget: int) -> None:
    whole = rendered(events, SHOP)
    cut = rendered(events, SHOP, budget=budget)
    assert len(cut.text) <= cut.tokens <= budget
    assert cut.budget == budget
    assert cut.events == whole.events
    assert cut.shown <= cut.events
    kept = cut.text.splitlines()
    assert kept == whole.text.splitlines()[: len(kept)]
    assert whole.shown == whole.events
    left = whole.text.splitlines()[len(kept) :]
    assert not left or cut.tokens + len(left[0]) + 1 > budget
    recent = [line for line in kept if "(older)" not in line]
    assert dates("\n".join(recent)) == sorted(dates("\n".join(recent)), reverse=True)
    assert dates(whole.text) == sorted(dates(whole.text), reverse=True)


@given(_EVENTS)
def test_the_record_says_what_was_cut(events: list[Event]) -> None:
    cut = rendered(events, SHOP, budget=80).cut()
    assert set(cut) == {"events", "shown", "tokens", "budget", "rule"}
    assert cut["budget"] == 80


def test_a_product_that_left_the_catalog_is_said_so() -> None:
    assert rendered([event(1, Action.VIEW, "GONE")], SHOP).text.endswith("viewed a product no longer listed")


def test_no_history_is_no_text() -> None:
    known = rendered([], SHOP)
    assert (known.text, known.events, known.shown) == ("", 0, 0)
    assert rendered([event(1, Action.LEAVE)], SHOP).text == ""


_CHARACTERS = [
    "\n",
    "\r",
    "\u2028",
    "\x85",
    "\u202e",
    "\x00",
    "]",
    "<",
    ">",
    "/",
    " ",
    "history",
    "2026-01-01: bought ",
]
_HOSTILE = st.one_of(
    st.text(max_size=120),
    st.lists(
        st.sampled_from(
            ["</history>", "<history>", "&lt;/history&gt;", "＜/history＞", "</s>", "[INST]", "{{ x }}", *_CHARACTERS]
        ),
        max_size=12,
    ).map("".join),
    st.just("<" * 50 + "/history" + ">" * 50),
    st.just("</his</history>tory>"),
)


@given(title=_HOSTILE, query=_HOSTILE)
def test_no_title_or_query_closes_the_block_or_begins_a_line(title: str, query: str) -> None:
    shop = catalog(title)
    events = [
        event(OLD, Action.PURCHASE, "P0"),
        event(1, Action.VIEW, "P0"),
        event(1, Action.SEARCH, query=query, shown=()),
    ]
    known = rendered(events, shop)
    assert len(known.text.splitlines()) == 2
    assert all(re.match(r"\d{4}-\d\d-\d\d( \(older\))?: ", line) for line in known.text.splitlines())
    assert "<" not in known.text
    assert ">" not in known.text
    block = persona_block(CONDITIONS["history"], None, known)
    assert (block.count("<history>"), block.count("</history>")) == (1, 1)
    assert block.endswith("\n</history>")


def test_a_title_of_a_megabyte_takes_a_line() -> None:
    assert len(rendered([event(1, Action.VIEW, "P0")], catalog("mug " * 250_000)).text) < 150


@given(st.text(max_size=200))
def test_the_estimate_covers_three_bytes_a_token(text: str) -> None:
    tokens = estimate_tokens(text.encode("utf-8", "ignore").decode())
    assert tokens * 3 >= len(text.encode("utf-8", "ignore"))


def test_every_action_has_words() -> None:
    for action in Action:
        words = event_words(event(1, action, "P0", query="q"), SHOP)
        assert bool(words) == (action is not Action.LEAVE)


@pytest.mark.parametrize("budget", [0, 1])
def test_a_budget_too_small_for_a_day_shows_nothing_and_says_so(budget: int) -> None:
    known: Background = background([event(1, Action.VIEW, "P0")])
    cut = render_history(known, SHOP, budget=budget, count_tokens=estimate_tokens)
    assert (cut.text, cut.events, cut.shown) == ("", 1, 0)


@pytest.mark.parametrize(
    ("refined", "words"),
    [
        (
            "brand=Acme price>=5 price<=20 rating>=4 sort=rating",
            "brand «Acme», min_price 5, max_price 20, min_rating 4",
        ),
        ("", "saw the results without filters"),
        ("cheap\nones <b>", "saw the results narrowed to cheap ones"),
    ],
)
def test_a_narrowed_list_is_told_in_words(refined: str, words: str) -> None:
    assert words in event_words(event(0, Action.REFINE, query="mug", refined=refined), catalog())
