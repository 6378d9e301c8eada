"""How a query follows another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.metrics import REFORMULATIONS, Reformulation, reformulation, reformulations

OPPOSITE = {"repeated": "repeated", "narrowed": "widened", "widened": "narrowed", "changed": "changed", "new": "new"}


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("red mug", "Mug, RED!", "repeated"),
        ("mug", "red mug", "narrowed"),
        ("red mug large", "mug", "widened"),
        ("red mug", "blue mug", "changed"),
        ("red mug", "desk lamp", "new"),
        ("shoe", "shoes", "new"),  # no stemming
        ("mug mug", "mug", "repeated"),
        ("?", "mug", "new"),
        ("mug", "", "new"),
    ],
)
def test_kinds(before: str, after: str, kind: Reformulation) -> None:
    assert reformulation(before, after) == kind


WORDS = st.lists(st.sampled_from(["red", "blue", "mug", "lamp"]), max_size=4).map(" ".join)


@given(WORDS, WORDS)
def test_backwards_adding_is_dropping_and_all_else_is_itself(before: str, after: str) -> None:
    assert reformulation(after, before) == OPPOSITE[reformulation(before, after)]


@given(st.lists(WORDS, max_size=6))
def test_each_query_is_compared_with_the_one_before_it(queries: list[str]) -> None:
    kinds = reformulations(queries)
    assert len(kinds) == max(0, len(queries) - 1)
    assert kinds == [reformulation(queries[n], queries[n + 1]) for n in range(len(kinds))]
    assert set(kinds) <= set(REFORMULATIONS)
