"""Five years of Amazon purchases of 5,027 people in the USA, with their survey (Open e-commerce 1.0, Dataverse)."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.cases import CaseKind
from paars_bench.data.importing.convert import read_numbers
from paars_bench.data.log import Log
from paars_bench.data.mined import MinedData
from paars_bench.data.mining import mine
from paars_bench.data.mining_index import bools
from paars_bench.data.mining_rules import Funnel, MiningRules
from paars_bench.data.registry import Progress
from paars_bench.data.schema import CATALOG, MOST_PRICE, Action, Catalog
from paars_bench.data.sources.fetch import file_revision, local_file
from paars_bench.data.sources.open_ecommerce_survey import SHOPPER, read_survey
from paars_bench.data.sources.rows import (
    ITEM_CAP,
    choose_shoppers,
    day_sessions,
    drop_missing,
    events_of,
    keep_rows,
    published,
    read_dates,
    read_text,
    truth_table,
)
from paars_bench.errors import DataError

_NAME = "open_ecommerce"
_LICENCE = (
    "as its page on Harvard Dataverse states it (doi:10.7910/DVN/YGLYDY); the authors ask to be cited; not shipped"
)
_CITATION = (
    "Berke, Calacci, Mahari, Yabe, Larson, Pentland: Open e-commerce 1.0, five years of crowdsourced U.S. Amazon "
    "purchase histories with user demographics. Scientific Data 11, 491 (2024). https://doi.org/10.1038/s41597-024-03329-6"
)
_STEP = (
    "open https://doi.org/10.7910/DVN/YGLYDY, download amazon-purchases.csv and survey.csv in their original format "
    "into a folder open_ecommerce, and give --dataset open_ecommerce:path=open_ecommerce"
)
_DATE, _PRICE, _COUNT = "Order Date", "Purchase Price Per Unit", "Quantity"
_TITLE, _CODE, _CATEGORY = "Title", "ASIN/ISBN (Product Code)", "Category"
_COLUMNS = (_DATE, _PRICE, _COUNT, _TITLE, _CODE, _CATEGORY, SHOPPER)
_GIFT_CARD = r"GIFT_?(CARD|CERTIFICATE)|^GIFTCARD"
_MEDIA = re.compile(r"^ABIS[_ ]")  # ABIS_BOOK is a book


def build(
    *, path: str | Path | None = None, shoppers: int | None = None, seed: int = 0, progress: Progress | None = None
) -> MinedData:
    """Reads purchases and survey and mines item choices.

    The source has dates without a time, so a session is a shopper's day and its purchases share one time.

    Args:
        path: folder with ``amazon-purchases.csv`` and ``survey.csv``.
        shoppers: chosen by seed; None takes all.
        seed: of that choice, of distractors and of the cases kept.
        progress: told what is being done.

    Raises:
        DataError: a file is missing (the text says how to get it) or not what it should be.
    """
    if path is None:
        raise DataError(f"data set {_NAME!r} must be downloaded by hand: {_STEP}")
    files = [local_file(_NAME, Path(path), name, step=_STEP) for name in ("amazon-purchases.csv", "survey.csv")]
    steps = Funnel()
    if progress:
        progress("reading purchases", 0, 3)
    bought = _purchases(files[0], steps)
    catalog = _catalog(bought, steps)
    bought = _of_shoppers(bought, shoppers, seed, steps)
    people = pc.unique(bought.column(SHOPPER)).to_pylist()
    facts = read_survey(_NAME, files[1], set(people), steps)
    if progress:
        progress("sorting days", 1, 3)
    log = Log.of(_events(bought), Catalog(catalog), shoppers=truth_table(people, facts))
    del bought
    if progress:
        progress("mining cases", 2, 3)
    kinds = frozenset({CaseKind.ITEM_CHOICES})
    mined = mine(log, MiningRules(item_cap=ITEM_CAP, seed=seed), kinds=kinds)
    about = published(
        _NAME,
        f"amazon-purchases.csv {file_revision(files[0])}, survey.csv {file_revision(files[1])}",
        kinds,
        steps,
        licence=_LICENCE,
        citation=_CITATION,
    )
    return MinedData(about, log, mined)


def _purchases(file: Path, steps: Funnel) -> pa.Table:
    """Returns purchases of products with a name: shopper, time, price, id, title, category."""
    rows = read_text(_NAME, file, _COLUMNS, steps, "purchases in the source")
    rows = drop_missing(rows, (SHOPPER,), steps, "names who bought")
    times = read_dates(rows, _DATE)
    rows = rows.set_column(0, "time", pa.array(times.micros).cast(pa.timestamp("us", tz="UTC")))
    rows = keep_rows(rows, pa.array(times.good), steps, "date can be read and lies between 1990 and now")
    count, price = read_numbers(rows.column(_COUNT)).values, read_numbers(rows.column(_PRICE)).values
    rows = rows.set_column(1, "price", pa.array(price)).drop_columns([_COUNT])
    with np.errstate(invalid="ignore"):
        good = count > 0
        rows = keep_rows(rows, pa.array(good), steps, "quantity above 0")
        sound = (price[good] >= 0) & (price[good] <= MOST_PRICE)
        rows = keep_rows(rows, pa.array(sound), steps, "price is a number from 0 to 1e12")
    rows = drop_missing(rows, (_TITLE,), steps, "product has a title")
    rows = drop_missing(rows, (_CATEGORY,), steps, "product has a category")
    gift = pc.match_substring_regex(rows.column(_CATEGORY), _GIFT_CARD, ignore_case=True)
    rows = keep_rows(rows, pc.invert(gift), steps, "no gift card")
    if not rows.num_rows:
        raise DataError(f"data set {_NAME!r}: no row of {file} is a purchase; docs/data.md says what it must hold")
    return _with_ids(rows, steps)


def _with_ids(rows: pa.Table, steps: Funnel) -> pa.Table:
    """A product is its code; one without a code is its title."""
    codes = rows.column(_CODE)
    without = bools(pc.is_null(codes))
    made = pa.nulls(rows.num_rows, pa.string())
    if without.any():
        titles = rows.column(_TITLE).filter(pa.array(without)).to_pylist()
        names = pa.array([f"title-{sha256(title.encode()).hexdigest()[:16]}" for title in titles])
        made = pc.replace_with_mask(made, pa.array(without), names)
    steps.start("… without a code, told apart by title", int(without.sum()))
    return rows.set_column(rows.column_names.index(_CODE), "id", pc.coalesce(codes, made))


def _catalog(rows: pa.Table, steps: Funnel) -> pa.Table:
    """Returns the products of everyone, as the first row of each in the file tells of it."""
    codes = rows.column("id").combine_chunks().dictionary_encode()
    code = codes.indices.to_numpy()
    order = np.lexsort((np.arange(len(code)), code))
    first = order[np.r_[True, code[order][1:] != code[order][:-1]]]
    products = rows.select(["id", _TITLE, _CATEGORY]).take(pa.array(first))
    same = pc.equal(rows.column(_TITLE), products.column(_TITLE).take(pa.array(code)))
    other = np.unique(code[~bools(same)])
    steps.start("products", products.num_rows)
    steps.start("… with more than one title, known by their first", len(other))
    words = products.column(_CATEGORY).combine_chunks().dictionary_encode()
    named = pa.array([[_words(name)] for name in words.dictionary.to_pylist()], pa.list_(pa.string()))
    known = {"id": products["id"], "title": products[_TITLE], "category": named.take(words.indices)}
    blank = {f.name: pa.nulls(products.num_rows, f.type) for f in CATALOG}
    return pa.table({**blank, **known}).select(CATALOG.names).cast(CATALOG)


def _words(category: str) -> str:
    """Spells out a category of Amazon's: ``TOILET_PAPER`` to ``Toilet paper``."""
    return _MEDIA.sub("", category).replace("_", " ").capitalize()


def _of_shoppers(rows: pa.Table, shoppers: int | None, seed: int, steps: Funnel) -> pa.Table:
    if shoppers is not None:
        chosen = choose_shoppers(_NAME, pc.unique(rows.column(SHOPPER)).to_pylist(), shoppers, seed)
        own = pc.is_in(rows.column(SHOPPER), pa.array(chosen, pa.string()))
        steps.start("purchases of a product with a name", rows.num_rows)
        rows = keep_rows(rows, own, steps, f"shopper among {shoppers} chosen by seed")
    return rows


def _events(rows: pa.Table) -> pa.Table:
    shopper, time = rows.column(SHOPPER), rows.column("time")
    known = {"shopper": shopper, "time": time, "product": rows.column("id"), "price": rows.column("price")}
    return events_of(Action.PURCHASE, {**known, "session": day_sessions(shopper, time)})
