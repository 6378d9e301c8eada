"""What the two bounds of a catalog of more than 10,000 products change, and what they leave."""

from __future__ import annotations

import pytest

from paars_bench.data.schema import Catalog, Product, products_table
from paars_bench.store import SearchIndex
from paars_bench.store.search_words import COMMON, LARGE

MANY = LARGE + 500
SPECIAL = [
    Product("TITLE", "pack of walnuts", description="plain"),
    Product("SAID", "walnuts", description="comes in a pack"),
    Product("BOTH", "ivory walnuts pack teak", description="pack"),
]


@pytest.fixture(scope="module")
def index() -> SearchIndex:
    fillers = [Product(f"F{n:05d}", f"pack item{n % 700}", description=f"pack of thing{n % 30}") for n in range(MANY)]
    return SearchIndex.build(Catalog(products_table([*fillers, *SPECIAL])))


def test_a_common_word_is_looked_for_in_titles_only(index: SearchIndex) -> None:
    assert index.words.frequency("description", "pack") > COMMON and index.words.frequency("title", "pack") > COMMON
    assert index.search("pack").total == MANY + 2


def test_what_is_missed_in_a_long_field_still_follows_the_full_matches(index: SearchIndex) -> None:
    found = index.search("walnuts pack")
    assert set(found.ids[:2]) == {"TITLE", "BOTH"} and found.ids[2:] == ("SAID",)


def test_half_of_the_rare_words_are_needed_and_common_ones_only_score(index: SearchIndex) -> None:
    found = index.search("pack walnuts teak ebony9999", limit=50)
    assert found.ids[0] == "BOTH" and set(found.ids) == {"TITLE", "SAID", "BOTH"}


def test_pages_join_here_too(index: SearchIndex) -> None:
    for query in ("pack item7 thing3", "walnuts pack", "item3 item4 item5 pack"):
        whole = index.search(query, limit=20_000)
        pages = [index.search(query, limit=700, offset=o).ids for o in range(0, whole.total + 700, 700)]
        assert tuple(i for p in pages for i in p) == whole.ids and len(set(whole.ids)) == whole.total
