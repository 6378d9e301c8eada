from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_goods import made

from paars_bench.data.schema import Catalog, Product, products_table
from paars_bench.store import SearchIndex, Shop
from paars_bench.store.refine import Refinement

GOODS = made(200, seed=6)
INDEX = SearchIndex.build(GOODS)


@given(st.text(max_size=80))
def test_an_empty_page_always_has_a_suggestion_that_finds_something(query: str) -> None:
    if INDEX.search(query).total:
        return
    suggestion = INDEX.suggest(query)
    assert suggestion and suggestion == INDEX.suggest(query)
    for text, total in suggestion.queries:
        assert INDEX.search(text).total == total > 0


def test_the_spelling_is_corrected_as_titles_spell(shop: Shop) -> None:
    assert not shop.index.search("hedfonz").total
    assert shop.index.suggest("hedfonz").queries[0].query == "headphones"


def test_words_that_never_stand_together_are_offered_apart(shop: Shop) -> None:
    query = "headphones tent crème thermal"
    assert shop.index.search(query).total == 0
    assert {a.query for a in shop.index.suggest(query).queries} <= {"headphones", "tent", "crème", "thermal"}


def test_gibberish_is_answered_with_the_largest_categories(shop: Shop) -> None:
    assert [a.query for a in shop.index.suggest("qqqqxxxx").queries][:1] == ["Computer Mice"]


def test_a_filter_that_emptied_the_list_is_named_with_what_dropping_it_gives(shop: Shop) -> None:
    refine = Refinement(brand="acme", max_price=1.0)
    assert shop.index.search("mouse", refine=refine).total == 0
    suggestion = shop.index.suggest("mouse", refine)
    assert suggestion.loosened == ((("max_price",), 24),) and not suggestion.queries
    both = shop.index.suggest("mouse", Refinement(brand="nobody", max_price=1.0))
    assert both.loosened == ((("brand", "max_price"), 24),)


def test_a_shop_without_categories_offers_its_titles() -> None:
    index = SearchIndex.build(Catalog(products_table([Product("A", "!!!"), Product("B", "Blue mug")])))
    assert [a.query for a in index.suggest("zzzz").queries] == ["Blue mug"]


def test_a_shop_without_words_has_nothing_to_offer() -> None:
    assert not SearchIndex.build(Catalog(products_table([]))).suggest("mug")
    assert not SearchIndex.build(Catalog(products_table([Product("A", "!!!")]))).suggest("mug")


def test_related_products_share_the_narrow_category_and_come_by_likeness() -> None:
    for product in GOODS:
        found = INDEX.related(product.id, 6)
        assert found == INDEX.related(product.id, 6) and product.id not in found and len(set(found)) == len(found)
        if product.category:
            leaf = product.category[-1]
            assert all(leaf in GOODS[pid].category for pid in found)
            assert len(found) == 6
    assert INDEX.related(GOODS.ids[0]) == INDEX.related(GOODS.ids[0], 4)
    assert INDEX.related(GOODS.ids[0], 0) == ()


def test_the_most_similar_title_is_related_first(shop: Shop) -> None:
    assert shop.index.related("T1", 2) == ("T0", "T2")
    assert set(shop.index.related("T1", 10)) == {"T0", "T2", "C1"}


def test_a_product_the_shop_does_not_have_has_no_relations() -> None:
    with pytest.raises(KeyError):
        INDEX.related("nobody")
    assert [INDEX.shelf.row(pid) for pid in GOODS.ids] == list(range(len(GOODS)))
