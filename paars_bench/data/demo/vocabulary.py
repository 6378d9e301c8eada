"""The words of the demo shop: its categories, read from ``categories.yaml``, and what reviews and bullets say."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import yaml


class Category(NamedTuple):
    """One leaf category; the fields are explained at the top of ``categories.yaml``."""

    department: str
    leaf: str
    thing: str
    heads: tuple[str, ...]
    types: tuple[str, ...]
    features: tuple[str, ...]
    sizes: tuple[str, ...]
    colors: tuple[str, ...]
    price: float
    spread: float
    reorder: float
    likes: tuple[str, ...]

    @property
    def path(self) -> tuple[str, str]:
        """Department and leaf."""
        return self.department, self.leaf


@cache
def categories() -> tuple[Category, ...]:
    """Returns the leaf categories in their fixed order."""
    text = resources.files(__package__).joinpath("categories.yaml").read_text(encoding="utf-8")
    rows = yaml.safe_load(text)
    return tuple(_category(row) for row in rows)


def _category(row: dict[str, Any]) -> Category:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return Category(**values)


BRAND_STARTS = (
    "Al", "Ar", "Bel", "Bram", "Cal", "Cor", "Dal", "Dor", "El", "Fen", "Fjor", "Gal", "Hal", "Hol", "Il", "Jor",
    "Kal", "Kes", "Lan", "Lor", "Mar", "Mil", "Nor", "Ol", "Or", "Pel", "Quil", "Ran", "Ros", "Sel", "Sol", "Tam",
    "Tor", "Ul", "Val", "Ver", "Wen", "Wil", "Yar", "Zel",
)  # fmt: skip
BRAND_ENDS = (
    "aro", "bury", "by", "dale", "dane", "den", "do", "field", "fort", "gate", "ia", "ico", "ina", "ith", "ley",
    "lin", "mont", "mere", "nex", "nova", "on", "ora", "rix", "sen", "ston", "tek", "ton", "va", "vale", "way",
    "wick", "worth",
)  # fmt: skip

GOOD_REVIEWS = (
    "Exactly what I hoped for, {feature} as described.",
    "Have bought this twice now and would again.",
    "Works great and feels well made for the price.",
    "My second {type} from {brand}, still happy with it.",
    "Arrived quickly, {feature}, does the job.",
    "Better than the one I had before.",
    "The whole family likes it.",
)
MIXED_REVIEWS = (
    "It is fine, nothing special for the price.",
    "Good, but not as {feature} as I expected.",
    "Does what it should. Packaging could be better.",
    "Okay so far, we will see how long it lasts.",
)
BAD_REVIEWS = (
    "Stopped being useful after a few weeks.",
    "Not {feature} at all, I sent it back.",
    "Looks different from the picture.",
    "Cheaper ones are just as good.",
)
CLOSING_BULLETS = (
    "Made to last, with a 1 year warranty",
    "Easy to use from the first day",
    "A thoughtful gift for family and friends",
    "Tested for quality by {brand}",
    "Ships in simple recyclable packaging",
    "30 day returns if it does not suit you",
)
