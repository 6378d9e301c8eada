"""Products made from a seed, for tests of the search: few words, many ties, and values missing."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from paars_bench.data.schema import Catalog, Product, products_table

WORDS = ("red", "blue", "mug", "lamp", "desk", "steel", "travel", "kettle", "large", "lid", "glass", "café")
BRANDS = ("Acme", "BISTRO", "Née Wood", "Straße")
DEPARTMENTS = ("Kitchen", "Office")
LEAVES = ("Mugs", "Desk Lamps", "Kettles")
START = datetime(2024, 1, 1, tzinfo=UTC)


def made(count: int, seed: int = 0) -> Catalog:
    draw = random.Random(seed)

    def some(values: tuple[float, ...]) -> float | None:
        return draw.choice((None, *values))

    return Catalog(
        products_table(
            [
                Product(
                    f"P{n:05d}",
                    " ".join(draw.choices(WORDS, k=draw.randint(1, 4))),
                    (draw.choice(DEPARTMENTS), draw.choice(LEAVES)) if draw.random() < 0.9 else (),
                    brand=draw.choice((None, *BRANDS)),
                    price=some((0.0, 5.0, 9.99, 9.99, 20.0)),
                    rating=some((1.0, 3.5, 4.0, 5.0)),
                    review_count=draw.choice((None, 0, 3, 900)),
                    bullets=tuple(draw.choices(WORDS, k=draw.randint(0, 2))),
                    description=draw.choice((None, " ".join(draw.choices(WORDS, k=6)))),
                    sponsored=draw.random() < 0.1,
                    added=draw.choice((None, START, START + timedelta(days=draw.randint(0, 3)))),
                )
                for n in range(count)
            ]
        )
    )
