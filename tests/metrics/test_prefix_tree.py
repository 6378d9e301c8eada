"""Trees of prefixes: every sequence is there, once, and sees its own tokens alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.metrics.prefix_tree import prefix_trees

SEQUENCES = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=7), max_size=20)


@given(SEQUENCES, st.integers(1, 30))
def test_each_sequence_is_read_back_from_what_its_last_token_sees(sequences: list[list[int]], most: int) -> None:
    members: list[int] = []
    for tree in prefix_trees(sequences, most):
        tokens, positions, sees = np.array(tree.tokens), np.array(tree.positions), tree.visible()
        for member, path in zip(tree.members, tree.paths, strict=True):
            seen = np.flatnonzero(sees[path[-1]])
            assert seen.tolist() == path
            assert tokens[seen].tolist() == sequences[member]
            assert positions[seen].tolist() == list(range(len(path)))
        members += tree.members
    assert sorted(members) == list(range(len(sequences)))


@given(SEQUENCES)
def test_one_tree_holds_each_distinct_prefix_once(sequences: list[list[int]]) -> None:
    trees = list(prefix_trees(sequences, 1000))
    prefixes = {tuple(s[:k]) for s in sequences for k in range(1, len(s) + 1)}
    assert sum(len(tree.tokens) for tree in trees) == len(prefixes)


@given(SEQUENCES, st.integers(1, 30))
def test_a_tree_is_no_larger_than_asked_unless_one_sequence_is(sequences: list[list[int]], most: int) -> None:
    for tree in prefix_trees(sequences, most):
        assert len(tree.tokens) <= most or len({tuple(sequences[m]) for m in tree.members[1:]}) <= 1


def test_an_empty_sequence_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match="without any token"):
        list(prefix_trees([[1], []], 10))
