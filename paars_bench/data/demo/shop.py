"""The demo shop's catalog: invented brands of different quality, titles as shops write them, prices and reviews."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.data.demo import vocabulary as words
from paars_bench.data.demo.vocabulary import Category, categories
from paars_bench.data.schema import Catalog, Product, Review, products_table

Floats = npt.NDArray[np.float64]

_BRANDS_PER_CATEGORY = 12
_SPONSORED = 0.06


class Brand(NamedTuple):
    """An invented brand; ``tier`` is about -1 (cheap) to 1 (premium), ``fame`` how much it sells."""

    name: str
    tier: float
    fame: float


class Shop(NamedTuple):
    """A catalog with what a simulated shopper reacts to, one entry per product.

    Attributes:
        catalog: as agents see it.
        category: row in ``categories()``.
        log_price: logarithm of the price over the category's median.
        stars: rating minus 4, so that it is about 0 for an ordinary product.
        fame: log10 of the number of reviews, 0 to about 5.
        price: in US dollars.
        brand: of each product.
        type: what it is, as titles say it.
        features: features and colour of each product, lower case.
        brands: per category.
        row: of each product id.
    """

    catalog: Catalog
    category: npt.NDArray[np.int64]
    log_price: Floats
    stars: Floats
    fame: Floats
    price: list[float]
    brand: list[str]
    type: list[str]
    features: list[frozenset[str]]
    brands: list[list[Brand]]
    row: dict[str, int]


class _Made(NamedTuple):
    product: Product
    log_price: float
    type: str
    features: frozenset[str]


def make_shop(products: int, seed: int) -> Shop:
    """Makes a shop of ``products`` products; the categories take turns, so each has its share."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, 1))))
    leaves = categories()
    brands = _make_brands(rng, len(leaves))
    category = np.arange(products) % len(leaves)
    made = [_make_product(rng, i, leaves[c], brands[c]) for i, c in enumerate(category.tolist())]
    stars = np.array([(m.product.rating or 4.0) - 4.0 for m in made])
    fame = np.log10(np.array([m.product.review_count or 1 for m in made], float))
    items = [m.product for m in made]
    return Shop(
        catalog=Catalog(products_table(items)),
        category=category,
        log_price=np.array([m.log_price for m in made]),
        stars=stars,
        fame=fame,
        price=[p.price or 0.0 for p in items],
        brand=[p.brand or "" for p in items],
        type=[m.type for m in made],
        features=[m.features for m in made],
        brands=brands,
        row={p.id: i for i, p in enumerate(items)},
    )


def _make_brands(rng: np.random.Generator, count: int) -> list[list[Brand]]:
    names = [s + e for s in words.BRAND_STARTS for e in words.BRAND_ENDS]
    order = rng.permutation(len(names))[: count * _BRANDS_PER_CATEGORY]
    made = [Brand(names[i], float(np.tanh(rng.normal(0, 0.8))), float(rng.lognormal(0, 0.8))) for i in order]
    return [made[i * _BRANDS_PER_CATEGORY : (i + 1) * _BRANDS_PER_CATEGORY] for i in range(count)]


def _make_product(rng: np.random.Generator, number: int, leaf: Category, brands: list[Brand]) -> _Made:
    brand = famous(rng, brands)
    kind = _pick(rng, leaf.types)
    # A feature that the type already says ("Wireless Mouse") would make a title repeat itself.
    open_features = [f for f in leaf.features if not set(f.split()) & set(kind.lower().split())]
    some = rng.choice(len(open_features), min(len(open_features), int(rng.integers(1, 4))), replace=False)
    features = [open_features[i] for i in some]
    size = _pick(rng, leaf.sizes) if leaf.sizes else ""
    color = _pick(rng, leaf.colors) if leaf.colors else ""
    log_price = float(rng.normal(0.35 * brand.tier, leaf.spread))
    quality = float(rng.normal(0.5 * brand.tier + 0.15 * log_price, 0.7))
    price = max(1.99, round(leaf.price * float(np.exp(log_price))) - 0.01)
    rating = round(min(5.0, max(1.8, 4.15 + 0.35 * quality + rng.normal(0, 0.12))), 1)
    reviews = int(rng.lognormal(4.2 + 0.5 * quality + 0.5 * np.log(brand.fame), 1.7)) + 1
    product = Product(
        id=f"P{number:05d}",
        title=_title(rng, brand.name, kind, features, size, color),
        category=leaf.path,
        brand=brand.name,
        price=price,
        rating=rating,
        review_count=reviews,
        description=_description(brand.name, kind, features, leaf),
        bullets=_bullets(rng, brand.name, features, size, color),
        reviews=tuple(_review(rng, quality, brand.name, kind, features) for _ in range(int(rng.integers(2, 4)))),
        sponsored=bool(rng.random() < _SPONSORED),
    )
    return _Made(product, log_price, kind, frozenset(f.lower() for f in [*features, color] if f))


def famous(rng: np.random.Generator, brands: list[Brand]) -> Brand:
    """Draws a brand in proportion to its fame."""
    ends = np.cumsum([b.fame for b in brands])
    return brands[int(np.searchsorted(ends, rng.random() * ends[-1], side="right"))]


def _title(rng: np.random.Generator, brand: str, kind: str, features: list[str], size: str, color: str) -> str:
    front = f"{features[0].title()} " if rng.random() < 0.5 and " " not in features[0] else ""
    said = [f.title() for f in features if not front or f != features[0]]
    tail = [part for part in (*said, size.title() if not size[:1].isdigit() else size, color.title()) if part]
    return f"{brand} {front}{kind}" + (", " + ", ".join(tail) if tail else "")


def _description(brand: str, kind: str, features: list[str], leaf: Category) -> str:
    return f"The {brand} {kind} is {' and '.join(features)}. From our {leaf.leaf} range in {leaf.department}."


def _bullets(rng: np.random.Generator, brand: str, features: list[str], size: str, color: str) -> tuple[str, ...]:
    own = [f"{f[:1].upper()}{f[1:]}" for f in features]
    facts = [f"Size: {size}"] if size else []
    facts += [f"Color: {color}"] if color else []
    return (*own, *facts, _pick(rng, words.CLOSING_BULLETS).format(brand=brand))


def _review(rng: np.random.Generator, quality: float, brand: str, kind: str, features: list[str]) -> Review:
    stars = min(5, max(1, round(4.1 + 0.5 * quality + rng.normal(0, 0.9))))
    texts = words.GOOD_REVIEWS if stars >= 4 else words.MIXED_REVIEWS if stars == 3 else words.BAD_REVIEWS
    text = _pick(rng, texts).format(feature=_pick(rng, features), brand=brand, type=kind.lower())
    return Review(float(stars), text[:1].upper() + text[1:])


def _pick(rng: np.random.Generator, choices: tuple[str, ...] | list[str]) -> str:
    return choices[int(rng.integers(len(choices)))]
