"""Queries as people type them: short, with a brand or a wish, in lower case, sometimes with a typo, then refined."""

from __future__ import annotations

from paars_bench.data.demo.chance import Chance
from paars_bench.data.demo.intentions import Need
from paars_bench.data.demo.people import Person
from paars_bench.data.demo.vocabulary import categories

_ASIDES = ("best", "cheap", "good", "top rated", "new")
_ENDS = ("on sale", "under 20", "under 50", "deals")
_ENDS_LASTING = (*_ENDS, "for home", "for travel", "for women", "for men", "for kids", "for beginners")


def make_query(chance: Chance, person: Person, need: Need, attempt: int) -> str:
    """Returns what a shopper types for a need.

    Args:
        chance: of the session.
        person: whose habits count (how brief, how many typos).
        need: what is looked for.
        attempt: how many queries were typed for it before; later ones say more or say it in other words.
    """
    leaf = categories()[need.category]
    words = _head(chance, need, leaf.heads, attempt)
    talk = (1.0 - person.brief) * (1.0 + 0.5 * attempt)
    if need.brand and chance.random() < (0.75 if need.product >= 0 else 0.3):
        words = f"{need.brand} {words}"
    wishes = list(need.wishes) or ([chance.one_of(leaf.features)] if attempt else [])
    for wish in wishes:
        if chance.random() < 0.25 + 0.6 * talk and wish not in words:
            words = f"{wish} {words}" if chance.random() < 0.55 else f"{words} {wish}"
    if leaf.sizes and chance.random() < 0.3 * talk:
        words = f"{words} {chance.one_of(leaf.sizes)}"
    if leaf.colors and chance.random() < 0.2 * talk and not set(leaf.colors) & set(words.split()):
        words = f"{chance.one_of(leaf.colors)} {words}"
    if chance.random() < 0.15 * talk:
        words = f"{chance.one_of(_ASIDES)} {words}"
    if chance.random() < 0.2 * talk:
        ends = _ENDS if leaf.reorder > 0.2 else _ENDS_LASTING
        words = f"{words} {chance.one_of(ends)}"
    text = words.capitalize() if chance.random() < 0.06 else words.lower()
    return _typo(chance, text) if chance.random() < person.typos else text


def _head(chance: Chance, need: Need, heads: tuple[str, ...], attempt: int) -> str:
    if need.kind == "browse" and not attempt:
        return chance.one_of(heads)
    if chance.random() < 0.65:
        return need.type
    shared = [h for h in heads if set(h.split()) & set(need.type.lower().split())]
    choices = shared or list(heads)
    return chance.one_of(choices)


def _typo(chance: Chance, text: str) -> str:
    """Drops, doubles or swaps a letter in the middle of a word of four letters or more."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) >= 4]
    if not long:
        return text
    at = chance.one_of(long)
    word = words[at]
    i = 1 + chance.below(len(word) - 2)
    slips = (word[:i] + word[i + 1 :], word[:i] + word[i] + word[i:], word[:i] + word[i + 1] + word[i] + word[i + 2 :])
    words[at] = chance.one_of(slips)
    return " ".join(words)
