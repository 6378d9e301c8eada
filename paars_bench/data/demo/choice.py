"""The choice model of the demo population: a multinomial logit over what a shopper has looked at, or nothing.

Pure functions of numbers, so that an estimator can be tested against them and a scripted shopper can use them.

The utility of product *j* for shopper *i* who needs something of category *c* is::

    u = match [category is c] + reviews * acclaim - price * log2(price / usual price)
        + loyalty [brand is the favourite] + wish * (wanted features it has) + familiar [bought before] + 0.8 taste

``acclaim`` is twice the rating above 4 stars, times a confidence that grows with the number of reviews from 0 to 1.
``taste`` is a standard Gumbel draw that stays with the pair of shopper and product. The outside option has utility
``outside``: to take nothing from this list. Someone who is not set on buying has a high one, so leaving empty-handed is
common.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Number = TypeVar("Number", float, Floats)

TASTE = 0.8
"""Weight of the lasting taste, beside the logit's own noise of scale 1."""
NOTICE = 0.8
"""Weight of the utility in what is opened first, beside Gumbel noise of scale 1."""
STEEP, FLATTER = 1.3, 0.9
"""The chance to read place *r* of a list is ``r ** -(STEEP - FLATTER * patience)``."""

_MASK = 2**64 - 1
_EULER_GAMMA = 0.5772156649015329


class Weights(NamedTuple):
    """What a shopper weighs; see the module's formula. ``match``, ``wish`` and ``familiar`` are the same for all."""

    price: float
    loyalty: float
    reviews: float
    match: float = 3.0
    wish: float = 0.7
    familiar: float = 0.8


class Offer(NamedTuple, Generic[Number]):
    """A product as a shopper sees it; each field is one number, or an array with one entry per product.

    Attributes:
        match: 1 if it is of the category that is needed, else 0.
        acclaim: as ``acclaim`` returns it.
        log2_price: logarithm to base 2 of price over usual price.
        favourite: 1 if it is of the favourite brand, else 0.
        wishes: how many of the wanted features it has.
        familiar: 1 if it was bought before, else 0.
        taste: as ``taste`` returns it.
    """

    match: Number
    acclaim: Number
    log2_price: Number
    favourite: Number
    wishes: Number
    familiar: Number
    taste: Number


def utility(weights: Weights, offer: Offer[Number]) -> Number:
    """Returns the utility of a product, or of each product of arrays."""
    return (
        weights.match * offer.match
        + weights.reviews * offer.acclaim
        - weights.price * offer.log2_price
        + weights.loyalty * offer.favourite
        + weights.wish * offer.wishes
        + weights.familiar * offer.familiar
        + TASTE * offer.taste
    )


def acclaim(rating: float, review_count: int) -> float:
    """Returns how well reviewed a product is: 0 at 4 stars or without reviews, 2 at 5 stars and 1,000 reviews."""
    confidence = min(math.log10(max(review_count, 1)) / 3.0, 1.0)
    return 2.0 * (rating - 4.0) * confidence


def choice_probabilities(utilities: Sequence[float], outside: float) -> list[float]:
    """Returns the chance of taking each product, and last the chance of taking none; sums to 1."""
    best = max(max(utilities, default=outside), outside)
    weight = [math.exp(u - best) for u in (*utilities, outside)]
    total = sum(weight)
    return [w / total for w in weight]


def examination(places: int, patience: float) -> list[float]:
    """Returns the chance that a shopper reads each place of a list: a power law, flatter with patience.

    Args:
        places: length of the list.
        patience: from 0 to 1.
    """
    return [float(place ** -(STEEP - FLATTER * patience)) for place in range(1, places + 1)]


def taste(shopper: int, product: int, seed: int) -> float:
    """Returns the lasting taste of a shopper for a product: a Gumbel draw of mean 0, fixed by the three numbers."""
    return lasting(shopper_bits(shopper, seed), product_bits(product))


def shopper_bits(shopper: int, seed: int) -> int:
    """Returns the shopper's part of ``taste``, which need not be made again for every product."""
    return (shopper * 0x9E3779B97F4A7C15 + seed * 0xD1B54A32D192ED03) & _MASK


def product_bits(product: int) -> int:
    """Returns the product's part of ``taste``."""
    return _mix(product + 1)


def lasting(shopper: int, product: int) -> float:
    """Returns ``taste`` from its two parts."""
    uniform = ((_mix(shopper ^ product) >> 12) + 0.5) * 2.0**-52
    return -math.log(-math.log(uniform)) - _EULER_GAMMA


def _mix(bits: int) -> int:
    """Scrambles 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 31)
