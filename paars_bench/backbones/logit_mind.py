"""Who the ``logit`` baseline is: the shopper it stands for, and the shop as that shopper sees it.

On ``demo`` it is the shopper with the true weights. On other data sets nobody knows them: it has the demo
population's mean weights, and its taste for categories is what the background tells of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import median
from typing import NamedTuple

from paars_bench.backbones.door import Situation
from paars_bench.backbones.scripted_habits import number
from paars_bench.data.cases import Background
from paars_bench.data.demo.choice import acclaim, product_bits
from paars_bench.data.demo.intentions import Past
from paars_bench.data.demo.people import Person, make_person, mean_person
from paars_bench.data.demo.shop import Shop, make_shop
from paars_bench.data.registry import parse_spec
from paars_bench.data.schema import Action, Catalog

_UNSEEN = 0.5  # what a category without an event counts, shared by all of them


class Mind(NamedTuple):
    """A shopper in a shop.

    Attributes:
        shop: as it is shown.
        person: who shops.
        seed: of the population; with the person it fixes the lasting taste.
        past: what the agent may know was bought before, in order.
        of_demo: the shop is the demo's and the person one of its own.
    """

    shop: Shop
    person: Person
    seed: int
    past: tuple[Past, ...]
    of_demo: bool


def mind_of(situation: Situation, shop: Shop) -> Mind:
    """Returns the shopper of a situation in a shop that ``shop_of`` made."""
    demo = _demo_options(situation.dataset)
    known = situation.background(situation.case.shopper) if situation.background else None
    past = tuple(_purchases(known, shop)) if known else ()
    name = situation.case.shopper
    if demo is not None:
        return Mind(shop, make_person(int(name[1:]), demo["seed"], shop), demo["seed"], past, True)
    taste = _taste(known, shop)
    return Mind(shop, mean_person(name, number(name) >> 33, taste), 0, past, False)


def shop_of(dataset: str, catalog: Catalog) -> Shop:
    """Returns a catalog as shoppers of the choice model see it, with the prices and reviews that it shows."""
    demo = _demo_options(dataset)
    if demo is None:
        return _any_shop(catalog)
    made = _demo_shop(demo["products"], demo["seed"])
    usual = [p / 2**x for p, x in zip(made.price, made.log2_price, strict=True)]
    return _priced(made._replace(row={pid: i for i, pid in enumerate(catalog.ids)}), catalog, usual)


_demo_shop: Callable[[int, int], Shop] = lru_cache(maxsize=2)(make_shop)


def _demo_options(dataset: str) -> dict[str, int] | None:
    if not dataset:
        return None
    spec = parse_spec(dataset)
    if spec.info.name != "demo" or spec.folder is not None:
        return None
    return {key: int(value) for key, value in spec.options.items() if value is not None}


def _priced(shop: Shop, catalog: Catalog, usual: Sequence[float]) -> Shop:
    """Returns the shop with what its catalog says of prices and reviews; unknown ones count as usual."""
    columns = catalog.table.select(["price", "rating", "review_count", "brand"]).to_pydict()
    price = [p or 0.0 for p in columns["price"]]
    rated = zip(columns["rating"], columns["review_count"], strict=True)
    return shop._replace(
        catalog=catalog,
        price=price,
        log2_price=[math.log2(p / u) if p > 0 and u > 0 else 0.0 for p, u in zip(price, usual, strict=True)],
        acclaim=[acclaim(4.0 if stars is None else stars, count or 0) for stars, count in rated],
        brand=[brand or "" for brand in columns["brand"]],
    )


def _any_shop(catalog: Catalog) -> Shop:
    paths = [tuple(path or ()) for path in catalog.table.column("category").to_pylist()]
    codes = {path: code for code, path in enumerate(sorted(set(paths)))}
    category = [codes[path] for path in paths]
    rows: list[list[int]] = [[] for _ in codes]
    for row, code in enumerate(category):
        rows[code].append(row)
    price = catalog.table.column("price").to_pylist()
    usual = [median([p for row in own if (p := price[row])] or [0.0]) for own in rows]
    count = len(paths)
    shop = Shop(
        catalog=catalog,
        category=category,
        log2_price=[],
        acclaim=[],
        bits=[product_bits(row) for row in range(count)],
        price=[],
        brand=[],
        type=[next((part for part in reversed(path) if part.strip()), "") for path in paths],
        features=[frozenset()] * count,
        brands=[[] for _ in codes],
        row={pid: row for row, pid in enumerate(catalog.ids)},
        rows=rows,
    )
    return _priced(shop, catalog, [usual[code] for code in category])


def _purchases(known: Background, shop: Shop) -> list[Past]:
    bought = (e.product for e in known.events if e.action is Action.PURCHASE)
    rows = (shop.row[product] for product in bought if product is not None and product in shop.row)
    return [Past(shop.category[row], row) for row in rows]


def _taste(known: Background | None, shop: Shop) -> list[float]:
    """Returns the share of each category among the products that the background holds, none of them zero."""
    events = known.events if known else ()
    touched = (shop.row[e.product] for e in events if e.product is not None and e.product in shop.row)
    counts = Counter(shop.category[row] for row in touched)
    floor = _UNSEEN / max(len(shop.rows), 1)
    total = counts.total() + _UNSEEN
    return [(counts[code] + floor) / total for code in range(len(shop.rows))]
