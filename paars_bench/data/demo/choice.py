"""The choice model of the demo population: a multinomial logit over what a shopper has looked at, or nothing.

Pure functions of numbers, so that an estimator can be tested against them and a scripted shopper can use them.

The utility of product *j* for shopper *i* who needs something of category *c* is::

    u = match [category is c] + reviews * stars * confidence - price * log2(price / usual price)
        + loyalty [brand is the favourite] + wish * (wanted features it has) + familiar [bought before] + taste

``stars`` is the rating minus 4, ``confidence`` grows with the number of reviews from 0 to 1, and ``taste`` is a
standard Gumbel draw that stays with the pair of shopper and product. The outside option has utility ``outside``:
to take nothing from this list. Someone who is not set on buying has a high one, so leaving empty-handed is common.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_TASTE = 0.8  # scale of the lasting taste, beside the logit's own noise of scale 1


class Weights(NamedTuple):
    """What a shopper weighs; see the module's formula."""

    price: float
    loyalty: float
    reviews: float
    match: float = 3.0
    wish: float = 0.7
    familiar: float = 0.8


class Offers(NamedTuple):
    """Products as a shopper sees them, one entry per product.

    ``log_price`` is the natural logarithm of price over usual price, ``fame`` the log10 of the number of reviews.
    """

    match: Floats
    stars: Floats
    fame: Floats
    log_price: Floats
    favourite: Floats
    wishes: Floats
    familiar: Floats
    taste: Floats


def utilities(weights: Weights, offers: Offers) -> Floats:
    """Returns the utility of each product, shape ``(products,)``."""
    confidence = np.minimum(offers.fame / 3.0, 1.0)
    return np.asarray(
        weights.match * offers.match
        + 2.0 * weights.reviews * offers.stars * confidence
        - weights.price * offers.log_price / np.log(2.0)
        + weights.loyalty * offers.favourite
        + weights.wish * offers.wishes
        + weights.familiar * offers.familiar
        + _TASTE * offers.taste
    )


def choice_probabilities(utility: Floats, outside: float) -> Floats:
    """Returns the chance of taking each product, and last the chance of taking none; sums to 1."""
    all_of = np.append(utility, outside)
    weight = np.exp(all_of - all_of.max())
    return np.asarray(weight / weight.sum())


def examination(places: int, patience: float) -> Floats:
    """Returns the chance that a shopper reads each place of a list: a power law, flatter with patience.

    Args:
        places: length of the list.
        patience: from 0 to 1.
    """
    return np.asarray(np.arange(1, places + 1, dtype=float) ** -(1.3 - 0.9 * patience))


def taste(shopper: int, products: npt.NDArray[np.int64], seed: int) -> Floats:
    """Returns the lasting taste of a shopper for products: Gumbel draws, mean 0, fixed by the three numbers."""
    with np.errstate(over="ignore"):
        start = np.uint64((shopper * 0x9E3779B97F4A7C15 + seed * 0xD1B54A32D192ED03) % 2**64)
        bits = _mix(start ^ _mix(products.astype(np.uint64) + np.uint64(1)))
    uniform = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54
    return np.asarray(-np.log(-np.log(uniform)) - np.euler_gamma)


def _mix(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scrambles 64-bit numbers (the finaliser of SplitMix64, Steele et al. 2014)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))
