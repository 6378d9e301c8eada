"""How a page writes the facts of a product: short, and of bounded length whatever the catalog holds."""

from __future__ import annotations

from paars_bench.data.schema import Product

_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"))
_NEXT = 0.9995  # of a unit: three digits of less round up to it
_MOST = 999.5e12


def total_price(products: tuple[Product, ...]) -> str:
    """Returns the sum of prices in words; says so where a price is unknown."""
    known = [p.price for p in products if p.price is not None]
    unpriced = len(products) - len(known)
    return f"total {price(sum(known))}" + (f" and {unpriced} without a price" if unpriced else "")


def price(amount: float | None, *, cents: bool = True) -> str:
    """Returns a price in dollars: in full, from 100,000 on without cents, from a million on in three digits.

    Args:
        amount: None where it is unknown.
        cents: those of prices from 100 on; below, they are always said.
    """
    if amount is None:
        return "no price"
    if amount < (1e5 if cents else 100):
        return f"${amount:,.2f}"
    return f"${amount:,.0f}" if amount < 999_999.5 else f"${_short(amount)}"


def stars(product: Product, *, counted: bool) -> str:
    """Returns the rating of a product, with the number of reviews if ``counted``."""
    count = product.review_count if counted else None
    said = "not rated" if product.rating is None else f"{product.rating:.1f}/5"
    return said if count is None else f"{said} ({_count(count)} reviews)"


def _count(count: int) -> str:
    """Returns a number of reviews, a large one rounded, as shops write it: 1234, 56k, 7.9M, 1.2B."""
    if count < 10_000:
        return str(count)
    return f"{count // 1000}k" if count < 1_000_000 else _short(count)


def _short(amount: float) -> str:
    """Returns a number from about a million on in three digits and a letter."""
    if amount >= _MOST:
        return "over 999T"
    unit, letter = next((size, letter) for size, letter in _UNITS if amount >= size * _NEXT)
    return f"{amount / unit:.3g}{letter}"
