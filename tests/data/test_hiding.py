"""What is hidden of a product: its events, its place in lists, its title under other ids and in what was typed."""

import pytest
from small_logs import at, history, log

from paars_bench.data.cases import CaseKind
from paars_bench.data.hiding import Titles
from paars_bench.data.mined import About, MinedData
from paars_bench.data.mining import mine
from paars_bench.data.schema import Action, Catalog, Product, products_table

SHOP = Catalog(
    products_table(
        [
            Product("mug", "Blue  Mug", ("Kitchen",)),
            Product("twin", "blue mug", ("Kitchen",)),
            Product("big", "Blue Mug Large", ("Kitchen",)),
            Product("tea", "乌龙茶", ("Tea",)),
            *(Product(f"far{i}", f"Tent {i}", (f"Camping {i}",)) for i in range(5)),
        ]
    )
)


def past(*events):
    buy = at("ann", 9, 0, Action.PURCHASE, product="mug")
    made = log([*history(), *events, buy], products=SHOP)
    data = MinedData(About("t", "1", "simulated", "", "", frozenset(CaseKind)), made, mine(made))
    known = data.background("ann")
    return [e for e in known.events if e.action is not Action.LEAVE], known.removed


@pytest.mark.parametrize("action", [Action.VIEW, Action.PURCHASE, Action.CART_ADD, Action.CART_REMOVE])
@pytest.mark.parametrize("product", ["mug", "twin"])
def test_no_event_on_the_product_or_its_title_is_left(action, product):
    assert past(at("ann", 0, 5, action, product=product)) == ([], 1)


def test_a_longer_title_is_another_product():
    kept, removed = past(at("ann", 0, 5, Action.VIEW, product="big"))
    assert [e.product for e in kept] == ["big"] and not removed


@pytest.mark.parametrize(
    ("query", "hidden"), [("blue mug", 1), ("big BLUE mug, cheap", 1), ("blue mugs", 0), ("mug", 0), ("", 0), (None, 0)]
)
def test_a_search_that_types_the_title_goes_and_others_stay_without_its_place_in_the_list(query, hidden):
    kept, removed = past(at("ann", 0, 5, Action.SEARCH, query=query, shown=("big", "mug", "twin")))
    assert removed == hidden
    assert [e.shown for e in kept] == [("big",)] * (1 - hidden)


def test_a_title_without_blanks_is_found_inside_what_was_typed():
    tea = Titles(SHOP).hidden(["tea"])
    typed = [at("ann", 0, 0, Action.SEARCH, query=q, shown=()) for q in ("好乌龙茶叶", "绿茶")]
    assert [e.query for e in tea.without(typed)] == ["绿茶"]


LONG = "Red Blue Mug with a handle that is long enough to be held by two hands or by three hands at once"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Red & Blue Mug", "Red &amp; Blue Mug"),
        ("Red & Blue Mug", "Red\u00a0&\u2003Blue Mug"),
        ("Red & Blue Mug", "Red &\u200b Bl\u00adue \u202eMug"),
        ("Red & Blue Mug", "<b>Red</b> & Blue Mug"),
        ("Hope Floats [Score]", "Hope Floats (Score)"),
        ("Café Lamp", "Cafe\u0301 LAMP"),
        ("Blue Mug", "Ｂｌｕｅ Ｍｕｇ"),
        (LONG + ", 1 piece", LONG + ", 6 pieces"),  # a history cuts both to the same text
    ],
)
def test_titles_that_read_the_same_are_one_product(one, other):
    far = [Product(f"far{i}", f"Tent {i}", (f"Camping {i}",)) for i in range(5)]
    shop = Catalog(products_table([Product("one", one, ("Kitchen",)), Product("other", other, ("Gifts",)), *far]))
    known = Titles(shop).hidden(["one"])
    assert known.ids == {"one", "other"}
    typed = [at("ann", 0, 0, Action.SEARCH, query=f"buy {q} now", shown=()) for q in (one, other)]
    assert known.without(typed) == ()
    made = log([*history(), at("ann", 9, 0, Action.PURCHASE, product="one")], products=shop)
    options = mine(made).cases[CaseKind.ITEM_CHOICES].column("options")[0].as_py()
    assert "one" in options and "other" not in options


@pytest.mark.parametrize(
    ("one", "other"), [("Blue Mug", "Blue Mugs"), ("Blue Mug", "Mug Blue"), ("杯子 红", "杯子 蓝"), ("!!!", "???")]
)
def test_other_words_are_another_product(one, other):
    shop = Catalog(products_table([Product("one", one), Product("other", other)]))
    assert Titles(shop).hidden(["one"]).ids == {"one"}


def test_products_that_left_the_catalog_are_hidden_by_id():
    gone = Titles(SHOP).hidden(["gone"])
    assert gone.ids == {"gone"} and gone.titles == ()


def test_a_twin_of_the_product_bought_is_no_distractor():
    made = log(
        [*history(), at("ann", 9, 0, Action.PURCHASE, product="mug")],
        products=Catalog(
            products_table(
                [
                    Product("mug", "Blue Mug", ("Kitchen",)),
                    Product("twin", "blue mug", ("Gifts",)),
                    *(Product(f"far{i}", f"Tent {i}", (f"Camping {i}",)) for i in range(3)),
                ]
            )
        ),
    )
    assert sorted(mine(made).cases[CaseKind.ITEM_CHOICES].column("options")[0].as_py()) == [
        "far0",
        "far1",
        "far2",
        "mug",
    ]
