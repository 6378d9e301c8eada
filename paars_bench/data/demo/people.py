"""The demo population: who the shoppers are, and the tastes and habits that follow from it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.data.demo.shop import Shop, famous
from paars_bench.data.demo.vocabulary import categories

_AGES = (("18-24", 0.13), ("25-34", 0.24), ("35-44", 0.22), ("45-54", 0.17), ("55-64", 0.13), ("65+", 0.11))
_INCOMES = (("under 35K", 0.25), ("35-74K", 0.33), ("75-124K", 0.25), ("125K and over", 0.17))
_HOUSEHOLDS = ("lives alone", "couple", "family with children", "shared home")
_SESSIONS_MEAN = 33.0
_SESSIONS_SHAPE = 2.2  # gamma: most shoppers come 15 to 50 times in eight months, some over 100 times


class Person(NamedTuple):
    """One simulated shopper.

    Attributes:
        id: ``S00001`` and so on.
        truth: demographics and habits in words.
        taste: share of needs in each category, sums to 1.
        price: utility lost when the price doubles, in units of ln 2.
        loyalty: utility of a favourite brand.
        reviews: utility of a star, the more the better reviewed.
        patience: 0 to 1, how far down and how often the shopper looks.
        sessions: expected number in the whole period.
        typos: chance that a query has one.
        brief: 0 to 1, how short the queries are.
        hour: of the day at which the shopper mostly shops.
        favourite: brand in each category, "" where none.
        wish: feature or colour liked in each category.
        basket: chance of another need in the same session.
    """

    id: str
    truth: tuple[tuple[str, str], ...]
    taste: npt.NDArray[np.float64]
    price: float
    loyalty: float
    reviews: float
    patience: float
    sessions: float
    typos: float
    brief: float
    hour: float
    favourite: list[str]
    wish: list[str]
    basket: float


def make_person(number: int, seed: int, shop: Shop) -> Person:
    """Makes shopper ``number`` of a seed; the same one however many others there are."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, 2, number))))
    facts = _demographics(rng)
    income = [name for name, _ in _INCOMES].index(facts["income_range"])
    price = float(rng.lognormal(np.log(1.5) - 0.3 * (income - 1.2), 0.4))
    loyalty = float(rng.gamma(1.6, 0.7))
    reviews = float(rng.gamma(2.5, 0.45))
    patience = float(rng.beta(2, 3))
    facts["price_sensitivity"] = _level(price, 1.1, 2.0)
    facts["brand_loyalty"] = _level(loyalty, 0.6, 1.5)
    facts["reads_reviews"] = _level(reviews, 0.7, 1.4)
    return Person(
        id=f"S{number:05d}",
        truth=tuple(facts.items()),
        taste=_taste(rng, facts),
        price=price,
        loyalty=loyalty,
        reviews=reviews,
        patience=patience,
        sessions=_SESSIONS_MEAN * float(rng.gamma(_SESSIONS_SHAPE, 1 / _SESSIONS_SHAPE)),
        typos=float(rng.beta(1.2, 14)),
        brief=float(rng.beta(3, 1.6)),
        hour=float(rng.choice([8.0, 12.5, 17.0, 20.5, 22.5], p=[0.12, 0.2, 0.2, 0.33, 0.15])),
        favourite=[_favourite(rng, shop, c) for c in range(len(shop.brands))],
        wish=[_wish(rng, c) for c in range(len(shop.brands))],
        basket=float(rng.beta(1.5, 5)),
    )


def _demographics(rng: np.random.Generator) -> dict[str, str]:
    age = _draw(rng, _AGES)
    odds = {"18-24": (0.35, 0.2, 0.05, 0.4), "25-34": (0.28, 0.3, 0.27, 0.15), "35-44": (0.2, 0.2, 0.55, 0.05)}
    odds |= {"45-54": (0.2, 0.3, 0.47, 0.03), "55-64": (0.3, 0.6, 0.08, 0.02), "65+": (0.4, 0.57, 0.01, 0.02)}
    household = _HOUSEHOLDS[int(rng.choice(4, p=odds[age]))]
    home = "owns" if rng.random() < (0.25 if age in ("18-24", "25-34") else 0.68) else "rents"
    family = household == "family with children"
    child = "none"
    if family:
        child = str(rng.choice(["baby", "school age", "teenager"], p=[0.3, 0.45, 0.25]))
    pet = str(rng.choice(["none", "dog", "cat"], p=[0.5, 0.28, 0.22]))
    work = "retired" if age == "65+" and rng.random() < 0.8 else "works" if rng.random() < 0.82 else "not working"
    return {
        "age_range": age,
        "household": household,
        "children": child,
        "income_range": _draw(rng, _INCOMES),
        "home": home,
        "pet": pet,
        "work": work,
        "hobby": str(rng.choice(["sport", "gardening", "beauty", "none"], p=[0.28, 0.2, 0.2, 0.32])),
    }


def _tags(facts: dict[str, str]) -> set[str]:
    tags = {"dog": facts["pet"] == "dog", "cat": facts["pet"] == "cat", "works": facts["work"] == "works"}
    tags |= {"kids": facts["children"] in ("baby", "school age"), "baby": facts["children"] == "baby"}
    tags |= {"owner": facts["home"] == "owns", "rich": facts["income_range"] in ("75-124K", "125K and over")}
    tags |= {"older": facts["age_range"] in ("55-64", "65+"), "young": facts["age_range"] in ("18-24", "25-34")}
    hobby = {"sport": "sporty", "gardening": "garden", "beauty": "beauty"}.get(facts["hobby"])
    return {tag for tag, has in tags.items() if has} | ({hobby} if hobby else set())


def _taste(rng: np.random.Generator, facts: dict[str, str]) -> npt.NDArray[np.float64]:
    """Draws a sparse Dirichlet: a shopper comes back to few categories, chosen by who they are."""
    tags = _tags(facts)
    alpha = np.array([0.12 + 0.45 * len(tags & set(leaf.likes)) for leaf in categories()])
    for c, leaf in enumerate(categories()):
        if {"dog", "cat", "baby"} & set(leaf.likes) and not tags & set(leaf.likes):
            alpha[c] = 0.01
    draw = rng.gamma(alpha) + 1e-9
    return np.asarray(draw / draw.sum())


def _favourite(rng: np.random.Generator, shop: Shop, category: int) -> str:
    brands = shop.brands[category]
    if rng.random() < 0.45:
        return ""
    return famous(rng, brands).name


def _wish(rng: np.random.Generator, category: int) -> str:
    leaf = categories()[category]
    wishes = leaf.features + leaf.colors
    return wishes[int(rng.integers(len(wishes)))]


def _draw(rng: np.random.Generator, table: tuple[tuple[str, float], ...]) -> str:
    return table[int(rng.choice(len(table), p=[p for _, p in table]))][0]


def _level(value: float, low: float, high: float) -> str:
    return "low" if value < low else "high" if value > high else "medium"
