from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_goods import BRANDS, DEPARTMENTS, LEAVES, WORDS, made

from paars_bench.data.schema import Catalog, Product
from paars_bench.store import SearchIndex
from paars_bench.store.refine import Refinement, Sort

GOODS = made(150)
INDEX = SearchIndex.build(GOODS)
ROW = {pid: row for row, pid in enumerate(GOODS.ids)}

queries = st.lists(st.sampled_from((*WORDS, "the", "kettel", "zzz")), min_size=1, max_size=5).map(" ".join)
amounts = st.none() | st.sampled_from((0.0, 5.0, 9.99, 12.0, 25.0))
refinements = st.builds(
    Refinement,
    category=st.none() | st.sampled_from((*DEPARTMENTS, *LEAVES, "desk  LAMPS", "Lamps")),
    brand=st.none() | st.sampled_from((*BRANDS, "bistro", "STRASSE", "nobody")),
    min_price=amounts,
    max_price=amounts,
    min_rating=st.none() | st.sampled_from((1.0, 3.5, 4.5)),
    sort=st.sampled_from(Sort),
)


def passes(product: Product, refine: Refinement) -> bool:
    """What a filter promises, said again in plain Python."""

    def same(name: str, wanted: str) -> bool:
        return " ".join(name.split()).casefold() == " ".join(wanted.split()).casefold()

    if refine.category is not None and not any(same(name, refine.category) for name in product.category):
        return False
    if refine.brand is not None and not (product.brand and same(product.brand, refine.brand)):
        return False
    if refine.min_price is not None and not (product.price is not None and product.price >= refine.min_price):
        return False
    if refine.max_price is not None and not (product.price is not None and product.price <= refine.max_price):
        return False
    return refine.min_rating is None or (product.rating is not None and product.rating >= refine.min_rating)


@given(queries, refinements, st.integers(1, 40))
def test_pages_join_to_one_list_for_every_sort_and_filter(query: str, refine: Refinement, size: int) -> None:
    whole = INDEX.search(query, limit=1000, refine=refine)
    pages = [INDEX.search(query, limit=size, offset=o, refine=refine) for o in range(0, whole.total + size, size)]
    assert tuple(i for p in pages for i in p.ids) == whole.ids
    assert len(set(whole.ids)) == len(whole.ids) == whole.total and {p.total for p in pages} == {whole.total}


@given(queries, refinements)
def test_filters_let_through_what_they_promise_and_nothing_else(query: str, refine: Refinement) -> None:
    everything = INDEX.search(query, limit=1000, refine=Refinement(sort=refine.sort)).ids
    found = INDEX.search(query, limit=1000, refine=refine).ids
    assert found == tuple(pid for pid in everything if passes(GOODS[pid], refine))


@given(queries, st.sampled_from(Sort))
def test_a_sort_orders_the_same_products_missing_last_and_ties_by_the_catalog(query: str, sort: Sort) -> None:
    by_text = INDEX.search(query, limit=1000).ids
    found = INDEX.search(query, limit=1000, refine=Refinement(sort=sort)).ids
    if sort is Sort.RELEVANCE:
        assert found == by_text
        return

    def key(pid: str) -> tuple[bool, float, int]:
        product = GOODS[pid]
        value = {
            Sort.PRICE_LOW: product.price,
            Sort.PRICE_HIGH: None if product.price is None else -product.price,
            Sort.RATING: None if product.rating is None else -product.rating,
            Sort.NEWEST: None if product.added is None else -product.added.timestamp(),
        }[sort]
        return value is None, value or 0.0, ROW[pid]

    assert found == tuple(sorted(by_text, key=key))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), queries, refinements)
def test_a_rebuilt_index_lists_the_same_on_any_catalog(seed: int, query: str, refine: Refinement) -> None:
    catalog = made(40, seed)
    first, second = SearchIndex.build(catalog), SearchIndex.build(catalog)
    assert first.search(query, limit=100, refine=refine) == second.search(query, limit=100, refine=refine)


@pytest.mark.parametrize("value", ["x" * 70_000, "", "«»", 'a" OR brand_is:acme', "\ud800"])
def test_any_text_is_a_name_to_filter_by(value: str) -> None:
    assert INDEX.search("mug", refine=Refinement(brand=value)).total == 0
    assert INDEX.search("mug", refine=Refinement(category=value)).total == 0


def test_names_too_long_for_the_index_are_still_told_apart() -> None:
    long = [Product(f"L{n}", "mug", ("Kitchen " * 20_000 + str(n),), brand="b" * 300 + str(n)) for n in range(2)]
    from paars_bench.data.schema import products_table

    index = SearchIndex.build(Catalog(products_table(long)))
    assert index.search("mug", refine=Refinement(brand=long[1].brand)).ids == ("L1",)
    assert index.search("mug", refine=Refinement(category=long[0].category[0])).ids == ("L0",)
