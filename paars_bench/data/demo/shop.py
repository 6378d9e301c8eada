"""The demo shop's catalog: invented brands of different quality, titles as shops write them, prices and reviews."""

from __future__ import annotations

import math
from bisect import bisect
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from paars_bench.data.demo import vocabulary as words
from paars_bench.data.demo.chance import Chance
from paars_bench.data.demo.choice import acclaim, product_bits
from paars_bench.data.demo.vocabulary import Category, categories
from paars_bench.data.schema import Catalog, Product, Review, products_table

_BRANDS_PER_CATEGORY = 12
_SPONSORED = 0.06
_OPENED = datetime(2025, 1, 1, tzinfo=UTC)  # when the log begins; everything is sold since before
_OLDEST_DAYS = 1_000


class Brand(NamedTuple):
    """An invented brand; ``tier`` is about -1 (cheap) to 1 (premium), ``fame`` how much it sells."""

    name: str
    tier: float
    fame: float


class Shop(NamedTuple):
    """A catalog with what a simulated shopper reacts to: one entry per product, all of it to be seen on its page.

    Attributes:
        catalog: as agents see it.
        category: row in ``categories()``.
        log2_price: logarithm to base 2 of the price over the category's usual price.
        acclaim: as ``choice.acclaim`` returns it.
        bits: the product's part of the lasting taste.
        price: in US dollars.
        brand: of each product.
        type: what it is, as titles say it.
        features: features and colour of each product, lower case.
        brands: per category.
        row: of each product id.
        rows: of the products of each category.
    """

    catalog: Catalog
    category: list[int]
    log2_price: list[float]
    acclaim: list[float]
    bits: list[int]
    price: list[float]
    brand: list[str]
    type: list[str]
    features: list[frozenset[str]]
    brands: list[list[Brand]]
    row: dict[str, int]
    rows: list[list[int]]


class _Made(NamedTuple):
    product: Product
    type: str
    features: frozenset[str]


def make_shop(products: int, seed: int) -> Shop:
    """Makes a shop of ``products`` products; the categories take turns, so each has its share."""
    chance = Chance(seed, 1)
    leaves = categories()
    brands = _make_brands(chance, len(leaves))
    category = [number % len(leaves) for number in range(products)]
    made = [_make_product(chance, i, leaves[c], brands[c]) for i, c in enumerate(category)]
    since = Chance(seed, 5)
    items = [replace(m.product, added=_OPENED - timedelta(days=1 + since.below(_OLDEST_DAYS))) for m in made]
    price = [p.price or 0.0 for p in items]
    return Shop(
        catalog=Catalog(products_table(items)),
        category=category,
        log2_price=[math.log2(p / leaves[c].price) for p, c in zip(price, category, strict=True)],
        acclaim=[acclaim(p.rating or 4.0, p.review_count or 0) for p in items],
        bits=[product_bits(row) for row in range(products)],
        price=price,
        brand=[p.brand or "" for p in items],
        type=[m.type for m in made],
        features=[m.features for m in made],
        brands=brands,
        row={p.id: i for i, p in enumerate(items)},
        rows=[list(range(c, products, len(leaves))) for c in range(len(leaves))],
    )


def _make_brands(chance: Chance, count: int) -> list[list[Brand]]:
    names = [s + e for s in words.BRAND_STARTS for e in words.BRAND_ENDS]
    chosen = chance.some_of(names, count * _BRANDS_PER_CATEGORY)
    made = [Brand(name, math.tanh(chance.normal(0, 0.8)), math.exp(chance.normal(0, 0.8))) for name in chosen]
    return [made[i * _BRANDS_PER_CATEGORY : (i + 1) * _BRANDS_PER_CATEGORY] for i in range(count)]


def _make_product(chance: Chance, number: int, leaf: Category, brands: list[Brand]) -> _Made:
    brand = famous(chance, brands)
    kind = chance.one_of(leaf.types)
    # A feature that the type already says ("Wireless Mouse") would make a title repeat itself.
    open_features = [f for f in leaf.features if not set(f.split()) & set(kind.lower().split())]
    features = chance.some_of(open_features, 1 + chance.below(3))
    size = chance.one_of(leaf.sizes) if leaf.sizes else ""
    color = chance.one_of(leaf.colors) if leaf.colors else ""
    log_price = chance.normal(0.35 * brand.tier, leaf.spread)
    quality = chance.normal(0.5 * brand.tier + 0.15 * log_price, 0.7)
    product = Product(
        id=f"P{number:05d}",
        title=_title(chance, brand.name, kind, features, size, color),
        category=leaf.path,
        brand=brand.name,
        price=max(1.99, round(leaf.price * math.exp(log_price)) - 0.01),
        rating=round(min(5.0, max(1.8, 4.15 + 0.35 * quality + chance.normal(0, 0.12))), 1),
        review_count=int(math.exp(chance.normal(4.2 + 0.5 * quality + 0.5 * math.log(brand.fame), 1.7))) + 1,
        description=_description(brand.name, kind, features, leaf),
        bullets=_bullets(chance, brand.name, features, size, color),
        reviews=tuple(_review(chance, quality, brand.name, kind, features) for _ in range(2 + chance.below(2))),
        sponsored=chance.random() < _SPONSORED,
    )
    return _Made(product, kind, frozenset(f.lower() for f in [*features, color] if f))


def famous(chance: Chance, brands: list[Brand]) -> Brand:
    """Draws a brand in proportion to its fame."""
    ends = list(accumulate(b.fame for b in brands))
    return brands[bisect(ends, chance.random() * ends[-1], hi=len(ends) - 1)]


def _title(chance: Chance, brand: str, kind: str, features: list[str], size: str, color: str) -> str:
    front = f"{features[0].title()} " if chance.random() < 0.5 and " " not in features[0] else ""
    said = [f.title() for f in features if not front or f != features[0]]
    tail = [part for part in (*said, size.title() if not size[:1].isdigit() else size, color.title()) if part]
    return f"{brand} {front}{kind}" + (", " + ", ".join(tail) if tail else "")


def _description(brand: str, kind: str, features: list[str], leaf: Category) -> str:
    return f"The {brand} {kind} is {' and '.join(features)}. From our {leaf.leaf} range in {leaf.department}."


def _bullets(chance: Chance, brand: str, features: list[str], size: str, color: str) -> tuple[str, ...]:
    own = [f"{f[:1].upper()}{f[1:]}" for f in features]
    facts = [f"Size: {size}"] if size else []
    facts += [f"Color: {color}"] if color else []
    return (*own, *facts, chance.one_of(words.CLOSING_BULLETS).format(brand=brand))


def _review(chance: Chance, quality: float, brand: str, kind: str, features: list[str]) -> Review:
    stars = min(5, max(1, round(4.1 + 0.5 * quality + chance.normal(0, 0.9))))
    texts = words.GOOD_REVIEWS if stars >= 4 else words.MIXED_REVIEWS if stars == 3 else words.BAD_REVIEWS
    text = chance.one_of(texts).format(feature=chance.one_of(features), brand=brand, type=kind.lower())
    return Review(float(stars), text[:1].upper() + text[1:])
