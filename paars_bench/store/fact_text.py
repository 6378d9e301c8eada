"""How a page writes the facts of a product: short, and of bounded length whatever the catalog holds."""

from __future__ import annotations

from paars_bench.data.schema import Product


def total_price(products: tuple[Product, ...]) -> str:
    """Returns the sum of prices in words; says so where a price is unknown."""
    known = [p.price for p in products if p.price is not None]
    unpriced = len(products) - len(known)
    return f"total {_money(sum(known))}" + (f" and {unpriced} without a price" if unpriced else "")


def price(amount: float | None) -> str:
    """Returns a price in words."""
    return "no price" if amount is None else _money(amount)


def _money(amount: float) -> str:
    """Returns an amount in dollars, cents left out of large ones; a catalog may hold one of 300 digits."""
    return f"${amount:,.2f}" if amount < 1e5 else f"${amount:,.0f}" if amount < 1e6 else f"${amount:.3g}"


def stars(product: Product, *, counted: bool) -> str:
    """Returns the rating of a product, with the number of reviews if ``counted``."""
    count = product.review_count if counted else None
    said = "not rated" if product.rating is None else f"{product.rating:.1f}/5"
    return said if count is None else f"{said} ({_count(count)} reviews)"


def _count(count: int) -> str:
    """Returns a number of reviews, a large one rounded, as shops write it: 1234, 56k, 7.9M."""
    if count < 10_000:
        return str(count)
    return f"{count // 1000}k" if count < 1_000_000 else f"{count / 1e6:.3g}M"
