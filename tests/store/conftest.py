"""A small shop made by hand: mice, mugs and a tent, with ties, accents and missing fields."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from paars_bench.data.schema import Catalog, Product, Review, products_table
from paars_bench.store import Shop, Visit

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def goods() -> list[Product]:
    mice = [
        Product(
            f"M{n:02d}",
            f"Wireless Mouse model {n}",
            ("Electronics", "Computer Mice"),
            brand="Acme",
            price=10.0 + n,
            rating=4.0,
            review_count=n * 10,
            bullets=("Quiet clicks", "2.4 GHz receiver"),
        )
        for n in range(1, 25)
    ]
    twins = [Product(f"T{n}", "Blue ceramic mug", ("Kitchen", "Mugs"), price=7.5) for n in range(3)]
    others = [
        Product("C1", "Café crème cups", ("Kitchen", "Mugs"), brand="Bistro", price=None),
        Product("H1", "Noise cancelling headphones", ("Electronics",), brand="Sonora", price=99.0),
        Product("N1", "Camping tent for two", ("Outdoor", "Tents"), description="Goes with a wireless lamp"),
        Product(
            "K1",
            "Coffee maker with thermal carafe",
            ("Kitchen", "Coffee Makers"),
            price=1049.99,
            rating=4.46,
            review_count=1234,
            description="Brews ten cups. " * 60,
            bullets=tuple(f"Feature {n} of this machine explained at length" for n in range(9)),
            reviews=tuple(Review(float(n), f"Review {n}: does what it says. " * 12) for n in range(1, 6)),
            sponsored=True,
        ),
    ]
    return [*mice, *twins, *others]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog(products_table(goods()))


@pytest.fixture(scope="session")
def shop(catalog: Catalog) -> Shop:
    return Shop(catalog)


@pytest.fixture
def visit(shop: Shop) -> Visit:
    return shop.open("s1", "s1/1", START)
