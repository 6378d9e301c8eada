"""How a query follows another in a session, by the words that they share.

The kinds are those of the literature on search logs, seen from the words alone: Lau and Horvitz (1999) and Jansen,
Booth and Spink (2009) call adding words specialisation and dropping them generalisation; Boldi et al. (2009) call a
change that keeps some words a parallel move, and one that keeps none a change of mission.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Literal

from paars_bench.metrics.tokens import tokenise

Reformulation = Literal["repeated", "narrowed", "widened", "changed", "new"]
REFORMULATIONS: tuple[Reformulation, ...] = ("repeated", "narrowed", "widened", "changed", "new")


def reformulation(before: str, after: str) -> Reformulation:
    """Returns how a query follows the one before it in its session.

    Compared are the sets of words (``tokenise``): order, case and how often a word stands there do not matter, and
    there is no stemming, so "shoe" and "shoes" are different words.

    Returns:
        ``repeated``: the same words; ``narrowed``: some more (specialisation); ``widened``: some fewer
        (generalisation); ``changed``: some shared and some exchanged (parallel move); ``new``: none shared.
    """
    return _kind(frozenset(tokenise(before)), frozenset(tokenise(after)))


def reformulations(queries: Iterable[str]) -> list[Reformulation]:
    """Returns the kind of every query after the first, in order: one fewer than there are queries."""
    words = [frozenset(tokenise(query)) for query in queries]
    return [_kind(before, after) for before, after in pairwise(words)]


def _kind(before: frozenset[str], after: frozenset[str]) -> Reformulation:
    if before == after:
        return "repeated"
    if not before & after:  # also where one of the two has no word at all
        return "new"
    if before < after:
        return "narrowed"
    return "widened" if after < before else "changed"
