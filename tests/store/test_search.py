from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.data.schema import Catalog, Product, products_table
from paars_bench.store import SearchIndex, Shop

QUERIES = ["wireless mouse", "mug", "wireles mose", "cups with lamp", "mouse 7", "coffee", "acme", "zzz"]


def test_a_rebuilt_index_lists_the_same(catalog: Catalog) -> None:
    first, second = SearchIndex.build(catalog), SearchIndex.build(catalog)
    for query in QUERIES:
        assert first.search(query, limit=50) == second.search(query, limit=50)


def test_equals_keep_the_order_of_the_catalog(shop: Shop) -> None:
    assert shop.index.search("blue ceramic mug").ids == ("T0", "T1", "T2")


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("size", [1, 3, 10])
def test_pages_join_to_one_list(shop: Shop, query: str, size: int) -> None:
    whole = shop.index.search(query, limit=100)
    pages = [shop.index.search(query, limit=size, offset=o) for o in range(0, whole.total + size, size)]
    assert tuple(i for p in pages for i in p.ids) == whole.ids
    assert {p.total for p in pages} == {whole.total}
    assert len(set(whole.ids)) == len(whole.ids) == whole.total


@pytest.mark.parametrize(
    ("query", "product"),
    [
        ("MUGS", "T0"),  # case, stem
        ("cafe creme", "C1"),  # accents
        ("headphnes", "H1"),  # one letter lost
        ("headfohnes", "H1"),  # two wrong
        ("sonora", "H1"),  # brand
        ("tents", "N1"),  # category and title
        ("thermal coffee pot", "K1"),  # most of the words
        ("a coffee maker for the office", "K1"),  # stop words
    ],
)
def test_finds_what_was_meant(shop: Shop, query: str, product: str) -> None:
    assert shop.index.search(query).ids[0] == product


def test_products_with_every_word_come_first(shop: Shop) -> None:
    ids = shop.index.search("wireless tent", limit=30).ids
    assert ids[0] == "N1"
    assert "M01" in ids


def test_a_word_of_the_title_outweighs_one_of_the_description() -> None:
    goods = [Product("D", "Lamp", description="a fine kettle"), Product("T", "Kettle", description="x")]
    assert SearchIndex.build(Catalog(products_table(goods))).search("kettle").ids == ("T", "D")


SYNTAX = ['title:mouse AND (mug* OR "blue', "mouse~2 [a TO b]", "/.*/ mouse", "-mouse +mug^9"]


@pytest.mark.parametrize("query", SYNTAX)
def test_query_syntax_is_only_words(shop: Shop, query: str) -> None:
    plain = "".join(c if c.isalnum() else " " for c in query)
    assert shop.index.search(query) == shop.index.search(plain)
    assert shop.index.search(query).ids


@given(st.text(max_size=200))
def test_any_text_is_a_query(shop: Shop, query: str) -> None:
    found = shop.index.search(query)
    assert len(found.ids) == min(found.total, 10)


def test_words_that_match_nothing_give_an_empty_page(shop: Shop) -> None:
    assert shop.index.search("qqqqxxxx") == ((), 0)
    assert shop.index.search(" \t") == ((), 0)


def test_an_empty_catalog_has_no_results() -> None:
    assert SearchIndex.build(Catalog(products_table([]))).search("mouse") == ((), 0)


def test_a_bad_page_is_a_programming_error(shop: Shop) -> None:
    with pytest.raises(ValueError, match="limit"):
        shop.index.search("mug", limit=0)


def test_real_human_queries_seldom_meet_an_empty_page() -> None:
    folder = os.environ.get("PAARS_BENCH_REAL_DATA")
    if not folder:
        pytest.skip("PAARS_BENCH_REAL_DATA names no folder with the WebShop queries")
    said = json.loads((Path(folder) / "webshop_queries" / "goal_query_map.json").read_text("utf-8"))
    goals = list(said)
    products = [Product(f"G{i}", goal) for i, goal in enumerate(goals)]
    index = SearchIndex.build(Catalog(products_table(products)))
    asked = [(f"G{i}", q) for i, goal in enumerate(goals) for q in said[goal]][:1000]
    found = [(goal, index.search(q).ids) for goal, q in asked]
    assert sum(not ids for _, ids in found) < 0.01 * len(found)
    # The instruction that a person had in mind is on the first page of what they typed.
    assert sum(goal in ids for goal, ids in found) > 0.8 * len(found)
