"""Reads a demo intention back from its words: what a scripted shopper may know is what everyone is told.

The words give the kind of visit and the category for certain, and the type, wish and brand where they name them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from paars_bench.data.demo.chance import Chance
from paars_bench.data.demo.intentions import SENTENCES, Need, Past, need_again, need_in
from paars_bench.data.demo.people import Person
from paars_bench.data.demo.shop import Shop
from paars_bench.data.demo.vocabulary import categories

_FIELD = re.compile(r"\\{(\w+)\\}")  # of a template that went through re.escape


def read_intention(text: str, chance: Chance, person: Person, shop: Shop, past: Sequence[Past]) -> Need | None:
    """Returns the need that a sentence tells, what it leaves open drawn as shoppers do; None for other sentences.

    Args:
        text: the intention.
        chance: of the session.
        person: whose habits fill in what is not said.
        shop: of the demo.
        past: what the shopper is known to have bought; one of these is bought again where the sentence says so.
    """
    for kind, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found is None:
            continue
        said = found.groupdict()
        category = _category(said, person)
        if category is None:
            continue
        if kind == "reorder":
            return _again(said, category, chance, person, shop, past)
        need = need_in(chance, person, kind, category)
        wishes = (said["wish"],) if said.get("wish") else need.wishes
        types = {t.lower(): t for t in categories()[category].types}
        return need._replace(type=types.get(said.get("type") or "", need.type), wishes=wishes)
    return None


def kind_told(text: str) -> str | None:
    """Returns the kind of visit (a key of ``KINDS``) that a demo intention tells, None for other sentences."""
    return next((kind for kind, pattern in _patterns() if pattern.fullmatch(text)), None)


def _again(
    said: dict[str, str], category: int, chance: Chance, person: Person, shop: Shop, past: Sequence[Past]
) -> Need:
    known = [p.product for p in past if p.category == category and said.get("brand") in (None, shop.brand[p.product])]
    if known:
        return need_again(chance.one_of(known), shop)
    need = need_in(chance, person, "reorder", category)
    return need._replace(wishes=(), brand=said.get("brand") or need.brand)


def _category(said: dict[str, str], person: Person) -> int | None:
    """Returns the category that the words name; of several the one that the shopper cares for most."""
    named = [
        row
        for row, leaf in enumerate(categories())
        if said.get("leaf") in (None, leaf.leaf.lower())
        and said.get("thing") in (None, leaf.thing)
        and said.get("type") in (None, *(t.lower() for t in leaf.types))
    ]
    return max(named, key=lambda row: person.taste[row], default=None)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (kind, re.compile(_FIELD.sub(r"(?P<\1>.+)", re.escape(sentence))))
        for kind, sentences in SENTENCES.items()
        for sentence in sentences
    )
