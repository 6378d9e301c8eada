"""Token sequences as trees of their prefixes, so that a causal model reads each distinct prefix once.

Under causal attention a token's state hangs on the tokens before it and on nothing else. Sequences that begin alike
(one title with several queries, titles of one brand) therefore share those states. A tree is laid out in one row; a
token sees its ancestors and itself, and its position is its depth. So there is no padding either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from paars_bench.metrics.resampling import Bools


class PrefixTree(NamedTuple):
    """Some of the sequences, laid out in one row of n distinct prefixes.

    Attributes:
        members: which sequences, as places in what was given.
        tokens: (n,) the last token of each prefix; a prefix stands before those it begins.
        positions: (n,) its place in its sequences, 0 for the first token.
        parents: (n,) the prefix without its last token; -1 for a first token.
        paths: of each member the places of its prefixes, shortest first.
    """

    members: list[int]
    tokens: list[int]
    positions: list[int]
    parents: list[int]
    paths: list[list[int]]

    def visible(self) -> Bools:
        """Returns (n, n): whether the token of the row sees the token of the column."""
        sees: Bools = np.eye(len(self.tokens), dtype=np.bool_)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                sees[node] |= sees[parent]
        return sees

    def _add(self, member: int, sequence: Sequence[int], shared: int) -> None:
        path = self.paths[-1][:shared] if self.paths else []
        for position in range(shared, len(sequence)):
            self.parents.append(path[-1] if path else -1)
            path.append(len(self.tokens))
            self.tokens.append(sequence[position])
            self.positions.append(position)
        self.members.append(member)
        self.paths.append(path)


def prefix_trees(sequences: Sequence[Sequence[int]], most: int) -> Iterator[PrefixTree]:
    """Yields trees that hold every sequence once, each of ``most`` tokens at most or of one longer sequence.

    Args:
        sequences: token ids, none of them empty.
        most: tokens a tree.

    Raises:
        ValueError: a sequence is empty.
    """
    if not all(sequences):
        raise ValueError("a sequence without any token has no place in a tree")
    tree, previous = _empty(), list[int]()
    # in this order all that a sequence shares with any before it, it shares with the last
    for member in sorted(range(len(sequences)), key=lambda i: list(sequences[i])):
        sequence = list(sequences[member])
        shared = _shared(previous, sequence)
        if tree.members and len(tree.tokens) + len(sequence) - shared > most:
            yield tree
            tree, shared = _empty(), 0
        tree._add(member, sequence, shared)
        previous = sequence
    if tree.members:
        yield tree


def _empty() -> PrefixTree:
    return PrefixTree([], [], [], [], [])


def _shared(a: Sequence[int], b: Sequence[int]) -> int:
    pairs = enumerate(zip(a, b, strict=False))
    return next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))
