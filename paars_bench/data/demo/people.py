"""The demo population: who the shoppers are, and the tastes and habits that follow from it."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, TypeVar

from paars_bench.data.demo.chance import Chance
from paars_bench.data.demo.choice import Weights
from paars_bench.data.demo.shop import Shop, famous
from paars_bench.data.demo.vocabulary import categories

T = TypeVar("T")

_AGES = {"18-24": 0.13, "25-34": 0.24, "35-44": 0.22, "45-54": 0.17, "55-64": 0.13, "65+": 0.11}
_INCOMES = {"under 35K": 0.25, "35-74K": 0.33, "75-124K": 0.25, "125K and over": 0.17}
_HOUSEHOLDS = ("lives alone", "couple", "family with children", "shared home")
_LIVES = {
    "18-24": (0.35, 0.2, 0.05, 0.4),
    "25-34": (0.28, 0.3, 0.27, 0.15),
    "35-44": (0.2, 0.2, 0.55, 0.05),
    "45-54": (0.2, 0.3, 0.47, 0.03),
    "55-64": (0.3, 0.6, 0.08, 0.02),
    "65+": (0.4, 0.57, 0.01, 0.02),
}
_HOURS = {8.0: 0.12, 12.5: 0.2, 17.0: 0.2, 20.5: 0.33, 22.5: 0.15}
_SESSIONS_MEAN = 26.0
_SESSIONS_SHAPE = 2.2  # gamma: most shoppers come 10 to 45 times in ten months, some over 100 times

# Price weight: log-normal, its logarithm lower by _PER_INCOME for each step of income.
_PRICE, _PER_INCOME, _MIDDLE_INCOME, _PRICE_SPREAD = 1.5, 0.3, 1.2, 0.4
_LOYALTY, _REVIEWS = (1.6, 0.7), (2.5, 0.45)  # gamma: shape and scale
_PATIENCE, _TYPOS, _BRIEF, _BASKET = (2, 3), (1.2, 14), (3, 1.6), (1.5, 5)  # beta


class Person(NamedTuple):
    """One simulated shopper.

    Attributes:
        id: ``S00001`` and so on.
        number: from 0; with the seed it fixes the lasting taste.
        truth: demographics and habits in words.
        taste: share of needs in each category, sums to 1.
        weights: of the choice model.
        patience: 0 to 1, how far down and how often the shopper looks.
        sessions: expected number in the ten months that are known in full.
        typos: chance that a query has one.
        brief: 0 to 1, how short the queries are.
        hour: of the day at which the shopper mostly shops.
        favourite: brand in each category, "" where none.
        wish: feature or colour liked in each category.
        basket: chance of another need in the same session.
        ends: running sum of ``taste``.
        gift_ends: running sum of the chances of each category when a gift is looked for.
    """

    id: str
    number: int
    truth: tuple[tuple[str, str], ...]
    taste: list[float]
    weights: Weights
    patience: float
    sessions: float
    typos: float
    brief: float
    hour: float
    favourite: list[str]
    wish: list[str]
    basket: float
    ends: list[float]
    gift_ends: list[float]


def make_person(number: int, seed: int, shop: Shop) -> Person:
    """Makes shopper ``number`` of a seed; the same one however many others there are."""
    chance = Chance(seed, 2, number)
    facts = _demographics(chance)
    income = list(_INCOMES).index(facts["income_range"])
    price = _PRICE * math.exp(chance.normal(-_PER_INCOME * (income - _MIDDLE_INCOME), _PRICE_SPREAD))
    loyalty = chance.gamma(_LOYALTY[0]) * _LOYALTY[1]
    reviews = chance.gamma(_REVIEWS[0]) * _REVIEWS[1]
    facts["price_sensitivity"] = _level(price, 1.1, 2.0)
    facts["brand_loyalty"] = _level(loyalty, 0.6, 1.5)
    facts["reads_reviews"] = _level(reviews, 0.7, 1.4)
    taste = _taste(chance, facts)
    return Person(
        id=f"S{number:05d}",
        number=number,
        truth=tuple(facts.items()),
        taste=taste,
        weights=Weights(price, loyalty, reviews),
        patience=chance.beta(*_PATIENCE),
        sessions=_SESSIONS_MEAN * chance.gamma(_SESSIONS_SHAPE) / _SESSIONS_SHAPE,
        typos=chance.beta(*_TYPOS),
        brief=chance.beta(*_BRIEF),
        hour=drawn(chance, tuple(_HOURS), tuple(_HOURS.values())),
        favourite=[_favourite(chance, shop, c) for c in range(len(shop.brands))],
        wish=[chance.one_of(leaf.features + leaf.colors) for leaf in categories()],
        basket=chance.beta(*_BASKET),
        ends=list(accumulate(taste)),
        gift_ends=list(accumulate(gift_shares(taste))),
    )


def mean_weights() -> Weights:
    """Returns the population's mean weights, from the formulas that shoppers are made by."""
    steps = (_PER_INCOME * (_MIDDLE_INCOME - income) for income in range(len(_INCOMES)))
    grown = math.fsum(share * math.exp(step) for share, step in zip(_INCOMES.values(), steps, strict=True))
    price = _PRICE * grown * math.exp(_PRICE_SPREAD**2 / 2)
    return Weights(price, math.prod(_LOYALTY), math.prod(_REVIEWS))


def mean_person(name: str, number: int, taste: list[float]) -> Person:
    """Returns a shopper with the population's mean weights and habits in a shop of any categories.

    Args:
        name: id.
        number: fixes the lasting taste.
        taste: share of needs in each category.
    """
    patience, typos, brief, basket = (a / (a + b) for a, b in (_PATIENCE, _TYPOS, _BRIEF, _BASKET))
    nothing = [""] * len(taste)
    ends = list(accumulate(taste))
    return Person(
        id=name,
        number=number,
        truth=(),
        taste=taste,
        weights=mean_weights(),
        patience=patience,
        sessions=_SESSIONS_MEAN,
        typos=typos,
        brief=brief,
        hour=12.0,
        favourite=nothing,
        wish=nothing,
        basket=basket,
        ends=ends,
        gift_ends=ends,
    )


def gift_shares(taste: Sequence[float]) -> list[float]:
    """Returns the chances of each category, up to a factor, when a gift is looked for: nothing that is used up."""
    return [(0.02 + share) * (leaf.reorder <= 0.1) for share, leaf in zip(taste, categories(), strict=True)]


def drawn(chance: Chance, choices: Sequence[T], shares: Sequence[float]) -> T:
    """Returns one of the choices with the chances given, which sum to 1."""
    return choices[bisect(list(accumulate(shares[:-1])), chance.random())]


def _demographics(chance: Chance) -> dict[str, str]:
    age = drawn(chance, tuple(_AGES), tuple(_AGES.values()))
    household = drawn(chance, _HOUSEHOLDS, _LIVES[age])
    home = "owns" if chance.random() < (0.25 if age in ("18-24", "25-34") else 0.68) else "rents"
    child = "none"
    if household == "family with children":
        child = drawn(chance, ("baby", "school age", "teenager"), (0.3, 0.45, 0.25))
    pet = drawn(chance, ("none", "dog", "cat"), (0.5, 0.28, 0.22))
    retired = age == "65+" and chance.random() < 0.8
    return {
        "age_range": age,
        "household": household,
        "children": child,
        "income_range": drawn(chance, tuple(_INCOMES), tuple(_INCOMES.values())),
        "home": home,
        "pet": pet,
        "work": "retired" if retired else "works" if chance.random() < 0.82 else "not working",
        "hobby": drawn(chance, ("sport", "gardening", "beauty", "none"), (0.28, 0.2, 0.2, 0.32)),
    }


def _tags(facts: dict[str, str]) -> set[str]:
    tags = {"dog": facts["pet"] == "dog", "cat": facts["pet"] == "cat", "works": facts["work"] == "works"}
    tags |= {"kids": facts["children"] in ("baby", "school age"), "baby": facts["children"] == "baby"}
    tags |= {"owner": facts["home"] == "owns", "rich": facts["income_range"] in ("75-124K", "125K and over")}
    tags |= {"older": facts["age_range"] in ("55-64", "65+"), "young": facts["age_range"] in ("18-24", "25-34")}
    hobby = {"sport": "sporty", "gardening": "garden", "beauty": "beauty"}.get(facts["hobby"])
    return {tag for tag, has in tags.items() if has} | ({hobby} if hobby else set())


def _taste(chance: Chance, facts: dict[str, str]) -> list[float]:
    """Draws a sparse Dirichlet: a shopper comes back to few categories, chosen by who they are."""
    tags = _tags(facts)
    draws = []
    for leaf in categories():
        liked = len(tags & set(leaf.likes))
        never = not liked and {"dog", "cat", "baby"} & set(leaf.likes)
        draws.append(chance.gamma(0.01 if never else 0.12 + 0.45 * liked) + 1e-9)
    total = math.fsum(draws)
    return [d / total for d in draws]


def _favourite(chance: Chance, shop: Shop, category: int) -> str:
    return "" if chance.random() < 0.45 else famous(chance, shop.brands[category]).name


def _level(value: float, low: float, high: float) -> str:
    return "low" if value < low else "high" if value > high else "medium"
