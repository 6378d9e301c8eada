"""What the scripted baselines have in common: their chance, their queries and their taste."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from paars_bench.backbones.door import Situation
from paars_bench.data.schema import Catalog, Product
from paars_bench.errors import PaarsError

_WORD = re.compile(r"\w+")


class CannotAnswer(PaarsError):
    """The situation holds nothing to answer from; the text says what is missing."""


def generator(name: str, situation: Situation) -> np.random.Generator:
    """Returns the chance of one reply: fixed by baseline, seed, case and turn, the same on every machine."""
    return np.random.default_rng(number(name, situation.seed, situation.case.case_id, situation.turn))


def number(*names: str | int) -> int:
    """Returns 64 bits that names stand for, the same on every machine."""
    key = "\n".join(map(str, names))
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])


def product(catalog: Catalog, product_id: str) -> Product:
    """Returns a product.

    Raises:
        CannotAnswer: the catalog does not have it.
    """
    if product_id not in catalog:
        raise CannotAnswer(f"the catalog has no product {product_id!r}")
    return catalog[product_id]


def words(text: str) -> list[str]:
    """Returns the words of a text as typed in a search box: no punctuation."""
    return _WORD.findall(text)


def random_query(catalog: Catalog, rng: np.random.Generator) -> str:
    """Returns one to three words, drawn without order, of the title of a product drawn from the catalog.

    Raises:
        CannotAnswer: the title drawn has no words.
    """
    title = words(_any_product(catalog, int(rng.integers(max(len(catalog), 1)))).title)
    if not title:
        raise CannotAnswer("the product drawn has a title without words")
    count = min(int(rng.integers(1, 4)), len(title))
    return " ".join(title[i] for i in rng.choice(len(title), size=count, replace=False))


def category_query(item: Product) -> str:
    """Returns the narrowest category of a product; the first two words of its title where it has none."""
    leaf = next((c.strip() for c in reversed(item.category) if c.strip()), None)
    return leaf if leaf else " ".join(item.title.split()[:2])


def most_reviewed(items: Sequence[Product]) -> int:
    """Returns the place of the product with the most reviews; the first of equals, unknown counts as none."""
    counts = [item.review_count or 0 for item in items]
    return counts.index(max(counts)) if counts else 0


def bestseller(catalog: Catalog) -> Product:
    """Returns the product with the most reviews, the first of equals; the first of all if no count is known.

    Raises:
        CannotAnswer: the catalog is empty.
    """
    import pyarrow.compute as pc

    counts = catalog.table.column("review_count")
    most = pc.max(counts)
    return _any_product(catalog, pc.index(counts, most).as_py() if most.is_valid else 0)


def _any_product(catalog: Catalog, row: int) -> Product:
    if not len(catalog):
        raise CannotAnswer("the catalog is empty")
    return catalog[catalog.ids[row]]
