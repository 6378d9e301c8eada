"""Why a demo shopper comes to the shop, in kind and in words; whether they buy is not decided here."""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate
from typing import NamedTuple

from paars_bench.data.demo.chance import Chance
from paars_bench.data.demo.people import Person
from paars_bench.data.demo.shop import Shop
from paars_bench.data.demo.vocabulary import categories


class Kind(NamedTuple):
    """A kind of visit.

    Attributes:
        share: how often shoppers come for it.
        outside: utility of taking nothing from a list; the higher, the rarer a purchase.
        looks: typical number of products opened on a list.
        goes_on: chance to search again when nothing was taken.
    """

    share: float
    outside: float
    looks: float
    goes_on: float


KINDS: dict[str, Kind] = {
    "browse": Kind(0.27, 7.4, 1.5, 0.45),
    "compare": Kind(0.22, 6.6, 2.0, 0.5),
    "reorder": Kind(0.19, 3.8, 0.8, 0.4),
    "gift": Kind(0.08, 5.8, 1.6, 0.5),
    "buy": Kind(0.24, 5.6, 1.2, 0.5),
}
"""Kinds with shares that sum to 1. Someone with nothing to re-order comes to buy instead."""

_KIND_NAMES = list(KINDS)
_KIND_ENDS = list(accumulate(k.share for k in KINDS.values()))[:-1]

SENTENCES: dict[str, tuple[str, ...]] = {
    "browse": (
        "Just looking around for ideas in {leaf}, not set on buying anything.",
        "Curious what is new in {leaf}.",
        "Killing some time with {leaf}, no plan to buy today.",
        "Browsing {leaf} to see what things cost.",
        "Thinking about {thing} some day, only having a look.",
    ),
    "compare": (
        "Wants to compare a few options for {thing} before deciding.",
        "Weighing up price and reviews for {thing}, may decide later.",
        "Not sure which {type} to get; {wish} would be nice.",
        "Checking if there is something better than the last {type}.",
        "Compares {thing} with a budget in mind, in no hurry.",
    ),
    "reorder": (
        "Running low on {thing} and needs more.",
        "Time to get {thing} again, usually takes {brand}.",
        "Out of {thing}, wants the same as last time if the price is fine.",
        "Needs a refill of {thing} for the house.",
    ),
    "gift": (
        "Looking for a birthday present for a friend, maybe {thing}.",
        "Needs a small gift for a relative who would like {thing}.",
        "Wants ideas for a present, perhaps something from {leaf}.",
        "Searching for a thank-you gift, {thing} could work.",
    ),
    "buy": (
        "Wants to replace the worn-out {type} at home.",
        "Needs {thing}, ideally {wish}.",
        "Has been meaning to get {thing} for a while.",
        "Looking for {thing}, nothing too expensive.",
        "Needs {thing} by the weekend.",
        "In need of {type}, {wish} if possible.",
    ),
}


class Past(NamedTuple):
    """Something bought before."""

    category: int
    product: int


class Need(NamedTuple):
    """What a shopper looks for.

    Attributes:
        kind: key of ``KINDS``.
        category: row in ``categories()``.
        type: product type in mind.
        wishes: features in mind.
        brand: brand in mind, "" where none.
        product: row of the product to buy again, -1 where none.
    """

    kind: str
    category: int
    type: str
    wishes: tuple[str, ...]
    brand: str
    product: int


def draw_kind(chance: Chance) -> str:
    """Draws a kind of visit in the shares of ``KINDS``."""
    return _KIND_NAMES[bisect(_KIND_ENDS, chance.random())]


def draw_need(chance: Chance, person: Person, shop: Shop, past: list[Past]) -> Need:
    """Draws why a shopper comes now."""
    kind = draw_kind(chance)
    if kind == "reorder":
        worn = [p for p in past if chance.random() < categories()[p.category].reorder]
        if worn:
            return need_again(chance.one_of(worn).product, shop)
        kind = "buy"
    ends = person.gift_ends if kind == "gift" else person.ends
    category = bisect(ends, chance.random() * ends[-1], hi=len(ends) - 1)
    return need_in(chance, person, kind, category)


def need_again(product: int, shop: Shop) -> Need:
    """Returns the need of something bought before."""
    return Need("reorder", shop.category[product], shop.type[product], (), shop.brand[product], product)


def need_in(chance: Chance, person: Person, kind: str, category: int) -> Need:
    """Draws what a shopper has in mind who comes for something of a category."""
    leaf = categories()[category]
    wishes = [person.wish[category]] if chance.random() < 0.6 and kind != "gift" else []
    if chance.random() < 0.5:
        wishes.append(chance.one_of(leaf.features))
    favourite = person.favourite[category] if chance.random() < 0.6 else ""
    return Need(kind, category, chance.one_of(leaf.types), tuple(dict.fromkeys(wishes)), favourite, -1)


def sentence(chance: Chance, need: Need) -> str:
    """Returns the intention of a session that starts with ``need``."""
    leaf = categories()[need.category]
    choices = [s for s in SENTENCES[need.kind] if need.brand or "{brand}" not in s]
    if not need.wishes:
        choices = [s for s in choices if "{wish}" not in s]
    if leaf.reorder > 0.2:
        choices = [s for s in choices if "worn-out" not in s]
    return chance.one_of(choices).format(
        leaf=leaf.leaf.lower(),
        thing=leaf.thing,
        type=need.type.lower(),
        wish=need.wishes[0] if need.wishes else "",
        brand=need.brand,
    )
