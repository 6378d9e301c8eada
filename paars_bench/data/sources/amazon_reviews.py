"""One category of Amazon Reviews 2023 (McAuley Lab, Hub): its products, and verified reviews as purchases.

The source's loading script is not run (``datasets`` refuses it from version 4 on); its files are read line by line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from paars_bench.data.cases import CaseKind
from paars_bench.data.log import Log
from paars_bench.data.mined import MinedData
from paars_bench.data.mining import mine
from paars_bench.data.mining_rules import Funnel, MiningRules
from paars_bench.data.registry import Progress
from paars_bench.data.schema import Action, Catalog
from paars_bench.data.sources.amazon_reviews_products import PATH_RULE, products_table, read_products
from paars_bench.data.sources.amazon_reviews_scan import (
    Scan,
    Told,
    buyers,
    helpful_votes,
    lines_of,
    most_helpful,
    product_key,
    record_of,
    scan_reviews,
)
from paars_bench.data.sources.fetch import Hub, hub_file
from paars_bench.data.sources.rows import ITEM_CAP, day_sessions, events_of, keep_rows, published, too_few
from paars_bench.errors import DataError
from paars_bench.store.text import clean

HUB = Hub("McAuley-Lab/Amazon-Reviews-2023", "2b6d039ed471f2ba5fd2acb718bf33b0a7e5598e")
_LICENCE = "none assigned by its makers; the texts belong to Amazon and its reviewers: load it, never pass it on"
_CITATION = (
    "Hou, Li, He, Yan, Chen, McAuley: Bridging Language and Items for Retrieval and Recommendation (2024). "
    "arXiv:2403.03952; https://amazon-reviews-2023.github.io"
)
_LEAST = MiningRules().min_history + 1
_REVIEWS, _REVIEW = 3, 400  # reviews shown of a product, characters of each


def build(
    *,
    category: str,
    path: str | Path | None = None,
    shoppers: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> MinedData:
    """Reads a category and mines item choices.

    A verified review stands for a purchase: at the time of the review, since the source has no other, once per user
    and product, without a price paid. A session is a user's day. Products show the most helpful reviews of users who
    are not among the shoppers, so that no case holds its shopper's own words.

    Args:
        category: as the source spells it, such as ``Video_Games``.
        path: folder that holds the two files; None asks the Hub, or its cache on this machine.
        shoppers: users, chosen by seed among those with four products or more; None takes all of them.
        seed: of that choice, of products, of distractors and of the cases kept.
        progress: told what is being done.

    Raises:
        DataError: a file is missing (the text says how to get it), there are fewer shoppers, or no case can be made.
    """
    name = f"amazon_reviews:{category}"
    folder = None if path is None else Path(path)
    both = (f"raw/review_categories/{category}.jsonl", f"raw/meta_categories/meta_{category}.jsonl")
    reviews = hub_file(name, HUB, both[0], folder, others=both[1:])
    products = hub_file(name, HUB, both[1], folder, others=both[:1])
    steps = Funnel()
    scan = scan_reviews(reviews, seed, steps, _told(progress, "reading reviews", 0))
    bought = _bought(scan, name, shoppers, steps)
    catalog = read_products(
        products, set(np.unique(scan.products[bought]).tolist()), seed, steps, _told(progress, "reading products", 1)
    )
    texts = _texts(scan, bought, catalog)
    rows, said = _read(reviews, bought, texts, _told(progress, "reading purchases", 2))
    if progress:
        progress("mining cases", 3, 4)
    log = Log.of(_events(rows, catalog, steps), Catalog(products_table(catalog, said)))
    kinds = frozenset({CaseKind.ITEM_CHOICES})
    mined = mine(log, MiningRules(item_cap=ITEM_CAP, seed=seed), kinds=kinds)
    if not mined.cases[CaseKind.ITEM_CHOICES].num_rows:
        raise DataError(_no_case(name, steps))
    about = published(
        "amazon_reviews", f"{HUB.revision}, {category}", kinds, steps, licence=_LICENCE, citation=_CITATION
    )
    return MinedData(about, log, mined)


def _told(progress: Progress | None, what: str, done: int) -> Told | None:
    return None if progress is None else lambda lines: progress(f"{what}: {lines:,} lines", done, 4)


def _bought(scan: Scan, name: str, shoppers: int | None, steps: Funnel) -> NDArray[np.bool_]:
    """Returns which lines are purchases of the shoppers kept."""
    able = buyers(scan, _LEAST)
    known, verified = int((scan.users > 0).sum()), scan.verified
    steps.keep("verified purchase", known, verified.sum())
    bought = verified & np.isin(scan.users, able)
    steps.keep(f"by a user with {_LEAST} products or more", verified.sum(), bought.sum())
    if shoppers is not None:
        if shoppers > len(able):
            raise too_few(name, shoppers, len(able))
        before = bought.sum()
        bought = verified & np.isin(scan.users, able[:shoppers])  # ascending numbers are the order of the draw
        steps.keep(f"user among {shoppers} chosen by seed", before, bought.sum())
    return bought


def _texts(scan: Scan, bought: NDArray[np.bool_], catalog: dict[str, Any]) -> NDArray[np.bool_]:
    """Returns which lines hold a review to show."""
    keys = np.array([product_key(name) for name in catalog], np.uint64)
    lines = most_helpful(scan, keys, ~np.isin(scan.users, np.unique(scan.users[bought])), _REVIEWS)
    chosen = np.zeros(len(scan.users), bool)
    chosen[lines] = True
    return chosen


class _Said(NamedTuple):
    """A review to show."""

    votes: int
    review: dict[str, Any]


def _read(
    file: Path, bought: NDArray[np.bool_], texts: NDArray[np.bool_], told: Told | None
) -> tuple[pa.Table, dict[str, list[dict[str, Any]]]]:
    """Reads the lines that are needed: purchases in file order, a product's reviews with the most helpful first."""
    columns: dict[str, list[Any]] = {"shopper": [], "product": [], "time": []}
    said: dict[str, list[_Said]] = {}
    needed = bought | texts
    for number, line in lines_of(file, told):
        if not needed[number]:
            continue
        row = record_of(line)
        assert row is not None, "it was an object when the file was scanned"
        if bought[number]:
            for name, key in zip(columns, ("user_id", "parent_asin", "timestamp"), strict=True):
                columns[name].append(row[key])
        else:
            review = {"rating": float(row["rating"]), "text": clean(row["text"], _REVIEW)}
            said.setdefault(row["parent_asin"], []).append(_Said(helpful_votes(row), review))
    rows = pa.table(columns, schema=_READ)
    return rows, {p: [s.review for s in sorted(found, key=lambda s: -s.votes)] for p, found in said.items()}


_READ = pa.schema([("shopper", pa.string()), ("product", pa.string()), ("time", pa.int64())])


def _events(rows: pa.Table, catalog: dict[str, Any], steps: Funnel) -> pa.Table:
    """Returns the first review of each user and product as a purchase."""
    steps.start("purchases of these users", rows.num_rows)
    rows = keep_rows(rows, pc.is_in(rows.column("product"), pa.array(list(catalog), pa.string())), steps, _LISTED)
    rows = rows.append_column("place", pa.array(np.arange(rows.num_rows))).sort_by(
        [("time", "ascending"), ("place", "ascending")]
    )
    rows = rows.set_column(3, "place", pa.array(np.arange(rows.num_rows)))
    first = rows.group_by(["shopper", "product"]).aggregate([("place", "min")]).column("place_min").combine_chunks()
    rows = keep_rows(rows, pc.is_in(rows.column("place"), first), steps, "first review of the product by the user")
    time = rows.column("time").cast(pa.timestamp("ms", tz="UTC")).cast(pa.timestamp("us", tz="UTC"))
    shopper = rows.column("shopper")
    known = {
        "shopper": shopper,
        "session": day_sessions(shopper, time),
        "time": time,
        "product": rows.column("product"),
    }
    return events_of(Action.PURCHASE, known)


_LISTED = "product is in the catalog"


def _no_case(name: str, steps: Funnel) -> str:
    listed = next(s for s in steps.steps if s.rule == PATH_RULE)
    return (
        f"--dataset {name}: no item choice can be made: {listed.kept:,} of its products have a category path "
        f"({listed.dropped:,} have none), and its users need purchases of {_LEAST} or more of them on different days; "
        f"take another category, such as amazon_reviews:Video_Games, or more shoppers."
    )
