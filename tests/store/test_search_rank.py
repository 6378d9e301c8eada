from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_goods import WORDS, made

from paars_bench.config.store_settings import StoreSettings
from paars_bench.store import SearchIndex

GOODS = made(300, seed=4)
INDEX = SearchIndex.build(GOODS)
QUERY = "red mug"


def ranked(**features: Any) -> SearchIndex:
    return INDEX.with_settings(StoreSettings.model_validate({"features": features}))


def test_without_features_the_text_ranks_alone_whatever_the_window() -> None:
    for query in WORDS:
        assert ranked(window=1).search(query, limit=300) == INDEX.search(query, limit=300)
        assert ranked(chance=1e-12, window=300).search(query, limit=300).total == INDEX.search(query).total


def test_a_heavy_feature_orders_the_window_by_itself_and_ties_by_the_text() -> None:
    by_text = INDEX.search(QUERY, limit=300).ids
    found = ranked(sponsored=1000, window=300).search(QUERY, limit=300).ids
    assert found == tuple(sorted(by_text, key=lambda pid: not GOODS[pid].sponsored)) != by_text


def test_the_features_are_what_the_settings_say() -> None:
    """Popularity: ln(1 + n) over the largest. Unknown: popularity 0, the mean rating, the price in the middle."""
    shelf = INDEX.shelf.features
    most = math.log1p(900)
    ratings = [p.rating for p in GOODS if p.rating is not None]
    prices = [p.price for p in GOODS if p.price is not None]
    for row, product in enumerate(GOODS):
        popularity, rating, price, sponsored = shelf[row].tolist()
        assert popularity == pytest.approx(math.log1p(product.review_count or 0) / most, abs=1e-6)
        known = sum(ratings) / len(ratings) if product.rating is None else product.rating
        assert rating == pytest.approx((known - 1) / 4, abs=1e-6)
        lower = 0.5 if product.price is None else sum(p < product.price for p in prices) / len(prices)
        assert price == pytest.approx(lower, abs=1e-6)
        assert sponsored == product.sponsored


def test_a_negative_weight_of_the_price_favours_cheap_products() -> None:
    def mean_price(index: SearchIndex) -> float:
        prices = [p for pid in index.search(QUERY, limit=20).ids if (p := GOODS[pid].price) is not None]
        return sum(prices) / len(prices)

    assert mean_price(ranked(price=-20)) < mean_price(INDEX) < mean_price(ranked(price=20))


def test_only_the_window_is_ranked_anew() -> None:
    by_text = INDEX.search(QUERY, limit=300).ids
    found = ranked(popularity=1000, window=30).search(QUERY, limit=300).ids
    assert set(found[:30]) == set(by_text[:30]) and found[30:] == by_text[30:] and found != by_text


@given(st.sampled_from(WORDS), st.integers(1, 50), st.integers(1, 60))
def test_pages_of_a_ranked_list_join(query: str, size: int, window: int) -> None:
    index = ranked(popularity=3, rating=2, price=-1, sponsored=5, chance=1, window=window)
    whole = index.search(query, limit=300)
    pages = [index.search(query, limit=size, offset=o).ids for o in range(0, whole.total + size, size)]
    assert tuple(i for p in pages for i in p) == whole.ids and len(set(whole.ids)) == whole.total


def test_chance_is_drawn_from_the_seed() -> None:
    def order(seed: int) -> tuple[str, ...]:
        settings = StoreSettings.model_validate({"features": {"chance": 50, "window": 300}, "seed": seed})
        return INDEX.with_settings(settings).search(QUERY, limit=300).ids

    assert order(1) == order(1) != order(2)


def test_a_field_of_weight_0_is_not_searched() -> None:
    titles_only = StoreSettings.model_validate({"fields": {"brand": 0, "category": 0, "bullets": 0, "description": 0}})
    found = INDEX.with_settings(titles_only).search("mug", limit=300).ids
    assert found and all("mug" in GOODS[pid].title.split() for pid in found)
    assert len(found) < INDEX.search("mug").total
