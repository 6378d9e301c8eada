"""What the population was made with, exported so that an estimator can be tested against a known answer.

None of it is in the log or in the data set: no prompt can hold it. It is made again from the options, and is the
same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from paars_bench.data.demo import choice
from paars_bench.data.demo.behaviour import LOOKS_SPREAD, Look
from paars_bench.data.demo.choice import Offer
from paars_bench.data.demo.intentions import KINDS, Kind
from paars_bench.data.demo.people import make_person
from paars_bench.data.demo.shop import make_shop
from paars_bench.data.demo.simulation import made_here
from paars_bench.data.demo.vocabulary import categories

_WEIGHTS = choice.Weights._fields
_HABITS = ("patience", "sessions", "typos", "brief", "hour", "basket")
SHOPPER_PARAMETERS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        *(pa.field(name, pa.float64(), nullable=False) for name in (*_WEIGHTS, *_HABITS)),
        pa.field("taste", pa.list_(pa.float64()), nullable=False),
        pa.field("favourite", pa.list_(pa.string()), nullable=False),
        pa.field("liked", pa.list_(pa.string()), nullable=False),
    ]
)
"""One shopper: the weights of ``choice.Weights``, the habits of ``people.Person``, and by category the share of needs
(``taste``, sums to 1), the favourite brand ("" for none) and the feature or colour liked."""

LOOKS = pa.schema(
    [
        pa.field("session", pa.string(), nullable=False),
        pa.field("shopper", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("category", pa.int32(), nullable=False),
        pa.field("outside", pa.float64(), nullable=False),
        pa.field("skip", pa.int32(), nullable=False),
        pa.field("products", pa.list_(pa.string()), nullable=False),
        *(pa.field(name, pa.list_(pa.float64()), nullable=False) for name in Offer._fields),
        pa.field("opened", pa.list_(pa.int32()), nullable=False),
        pa.field("taken", pa.int32(), nullable=False),
    ]
)
"""One look at a page of results: why the shopper came, the products in the order shown with what ``choice.Offer``
says of each, the places opened (from 0, in order) and the place taken (-1: none). ``outside`` is the utility of
taking none."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The truth behind a demo population.

    Attributes:
        shoppers: schema ``SHOPPER_PARAMETERS``, one row per shopper, by id.
        categories: category paths, in the order of the lists by category.
        usual_price: of each category, in US dollars.
        kinds: of intentions, with share, outside utility, products opened and chance to go on.
        taste_weight: of the lasting taste in the utility.
        notice_weight: of the utility in what is opened first.
        examination: ``(a, b)``; place *r* of a page is read with chance ``r ** -(a - b * patience)``.
        looks_spread: sigma of the logarithm of how many products are opened.
    """

    shoppers: pa.Table
    categories: tuple[tuple[str, str], ...]
    usual_price: tuple[float, ...]
    kinds: Mapping[str, Kind]
    taste_weight: float = choice.TASTE
    notice_weight: float = choice.NOTICE
    examination: tuple[float, float] = (choice.STEEP, choice.FLATTER)
    looks_spread: float = LOOKS_SPREAD


def true_parameters(*, shoppers: int = 600, seed: int = 0, products: int = 3_000) -> Parameters:
    """Returns what the shoppers of ``demo:shoppers=…,seed=…,products=…`` were made with."""
    shop = make_shop(products, seed)
    rows = []
    for number in range(shoppers):
        person = make_person(number, seed, shop)
        row = {"id": person.id, "taste": person.taste, "favourite": person.favourite, "liked": person.wish}
        row |= person.weights._asdict() | {name: getattr(person, name) for name in _HABITS}
        rows.append(row)
    leaves = categories()
    return Parameters(
        pa.Table.from_pylist(rows, schema=SHOPPER_PARAMETERS),
        tuple(leaf.path for leaf in leaves),
        tuple(leaf.price for leaf in leaves),
        dict(KINDS),
    )


def true_looks(*, shoppers: int = 600, seed: int = 0, products: int = 3_000) -> pa.Table:
    """Returns every look at a page of results of the same shoppers, in order: schema ``LOOKS``.

    The views and cart events of the log are those of ``opened`` and ``taken``; the log does not hold what else each
    shopper weighed.
    """
    shop = make_shop(products, seed)
    looks: list[Look] = []
    made_here(range(shoppers), shop, seed, witness=looks.append)
    return pa.Table.from_pylist([_row(look, shop.catalog.ids) for look in looks], schema=LOOKS)


def _row(look: Look, ids: list[str]) -> dict[str, object]:
    columns = zip(*look.offers, strict=True)
    return {
        "session": look.session,
        "shopper": look.session.rpartition("-")[0],
        "kind": look.need.kind,
        "category": look.need.category,
        "outside": KINDS[look.need.kind].outside,
        "skip": look.skip,
        "products": [ids[row] for row in look.products],
        **dict(zip(Offer._fields, columns, strict=True)),
        "opened": look.opened,
        "taken": look.taken,
    }
