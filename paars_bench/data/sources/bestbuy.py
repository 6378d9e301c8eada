"""Searches and clicks on Best Buy's mobile site (Kaggle, ACM SF chapter hackathon): which query led to which product.

There is no list shown, no rank and no purchase in it, so query pairs are all that it supports. Most shoppers have one
session, so no history is asked of them: what needs a persona needs shoppers who have one, and mining says who does.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.cases import CaseKind
from paars_bench.data.log import Log
from paars_bench.data.mined import MinedData
from paars_bench.data.mining import mine
from paars_bench.data.mining_rules import Funnel, MiningRules
from paars_bench.data.registry import Progress
from paars_bench.data.schema import CATALOG, EVENTS, Action, Catalog
from paars_bench.data.session_ids import cut_sessions
from paars_bench.data.sources.fetch import file_revision, local_file
from paars_bench.data.sources.rows import (
    choose_shoppers,
    drop_missing,
    events_of,
    keep_rows,
    published,
    read_dates,
    read_text,
)
from paars_bench.errors import DataError
from paars_bench.files import read_json

_NAME = "bestbuy"
_LICENCE = "(c) Best Buy; Kaggle competition rules, no open licence: load it for yourself, never pass it on"
_CITATION = (
    "ACM SF Bay Area chapter, Data Mining Hackathon on BIG DATA (7 GB), Best Buy mobile web site, 2012; "
    "https://www.kaggle.com/c/acm-sf-chapter-hackathon-big"
)
_STEP = (
    "accept the rules at https://www.kaggle.com/c/acm-sf-chapter-hackathon-big, run `kaggle competitions download -c "
    "acm-sf-chapter-hackathon-big` and unpack train.csv into a folder bestbuy; run `hf download "
    "dtunkelang/bag-of-documents-bestbuy titles.json product_ids.json --repo-type dataset --local-dir bestbuy`; "
    "then give --dataset bestbuy:path=bestbuy"
)
_COLUMNS = ("user", "sku", "query", "click_time", "query_time")
_GAP_S = 30 * 60  # the usual cut of web analytics: the source names no sessions


def build(
    *, path: str | Path | None = None, shoppers: int | None = None, seed: int = 0, progress: Progress | None = None
) -> MinedData:
    """Reads the clicks and the titles and mines query pairs.

    Several clicks on the results of one search are one search and several views. The source names no time zone; as
    all its times share one, order and gaps are right. Its category codes have no names, so products have no category.

    Args:
        path: folder with ``train.csv``, and ``sku_title.json`` or ``titles.json`` and ``product_ids.json``.
        shoppers: chosen by seed; None takes all.
        seed: of that choice.
        progress: told what is being done.

    Raises:
        DataError: a file is missing (the text says how to get it) or not what it should be.
    """
    if path is None:
        raise DataError(f"data set {_NAME!r} must be downloaded by hand: {_STEP}")
    folder, steps = Path(path), Funnel()
    if progress:
        progress("reading clicks", 0, 3)
    file = local_file(_NAME, folder, "train.csv", step=_STEP)
    titles, digest = _titles(folder if folder.is_dir() else folder.parent)
    clicks = _clicks(file, shoppers, seed, steps)
    if progress:
        progress("sorting sessions", 1, 3)
    catalog = _catalog(titles, clicks, steps)
    _count_pairs(clicks, catalog, steps)
    log = Log.of(_events(clicks, steps), Catalog(catalog))
    if progress:
        progress("mining cases", 2, 3)
    kinds = frozenset({CaseKind.QUERY_PAIRS})
    mined = mine(log, MiningRules(min_history=0, seed=seed), kinds=kinds)
    about = published(
        _NAME, f"train.csv {file_revision(file)}, titles {digest}", kinds, steps, licence=_LICENCE, citation=_CITATION
    )
    return MinedData(about, log, mined)


def _clicks(file: Path, shoppers: int | None, seed: int, steps: Funnel) -> pa.Table:
    """Returns the clicks that can be read, with both times in microseconds."""
    rows = read_text(_NAME, file, _COLUMNS, steps, "clicks in the source")
    rows = drop_missing(rows, _COLUMNS, steps, "user, sku, query and both times are written")
    times = {name: read_dates(rows, name) for name in ("query_time", "click_time")}
    for name, read in times.items():
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(read.micros))
    good = pa.array(times["query_time"].good & times["click_time"].good)
    rows = keep_rows(rows, good, steps, "both times can be read and lie between 1990 and now")
    rows = keep_rows(rows, pc.greater_equal(_gap(rows), 0), steps, "clicked after the search")
    place = pa.array(np.arange(rows.num_rows))
    first = rows.append_column("place", place).group_by(list(_COLUMNS)).aggregate([("place", "min")])
    rows = keep_rows(rows, pc.is_in(place, first.column("place_min").combine_chunks()), steps, "not the same row again")
    if shoppers is not None:
        chosen = choose_shoppers(_NAME, pc.unique(rows.column("user")).to_pylist(), shoppers, seed)
        own = pc.is_in(rows.column("user"), pa.array(chosen, pa.string()))
        rows = keep_rows(rows, own, steps, f"shopper among {shoppers} chosen by seed")
    if not rows.num_rows:
        raise DataError(f"data set {_NAME!r}: no row of {file} is a click; docs/data.md says what it must hold")
    return rows


def _gap(rows: pa.Table) -> pa.ChunkedArray:
    return pc.subtract(rows.column("click_time"), rows.column("query_time"))


def _count_pairs(clicks: pa.Table, catalog: pa.Table, steps: Funnel) -> None:
    """Counts what a query pair asks of a click; nothing is dropped here."""
    window = MiningRules().view_window_s
    soon = pc.less_equal(_gap(clicks), int(window * 1e6))
    titled = pc.is_in(clicks.column("sku"), catalog.column("id").combine_chunks())
    steps.start("clicks loaded, of which a query pair can use those …", clicks.num_rows)
    within = keep_rows(clicks, soon, steps, f"… within {window:g} s of the search")
    keep_rows(within, titled.filter(soon), steps, "… and on a product with a title")


def _events(clicks: pa.Table, steps: Funnel) -> pa.Table:
    """Returns a search for each user, time and query, and a view for each click."""
    search = clicks.group_by(["user", "query_time", "query"], use_threads=False).aggregate([])
    steps.start("searches that the clicks tell of", search.num_rows)
    utc = pa.timestamp("us", tz="UTC")
    # Searches stand first: of events of equal time, the log keeps this order.
    searches = {"shopper": search["user"], "time": search["query_time"].cast(utc), "query": search["query"]}
    views = {"shopper": clicks["user"], "time": clicks["click_time"].cast(utc), "product": clicks["sku"]}
    events = pa.concat_tables([events_of(Action.SEARCH, searches), events_of(Action.VIEW, views)]).combine_chunks()
    when = events.column("time").cast(pa.int64()).to_numpy()
    session = cut_sessions(events.column("shopper").combine_chunks(), when, _GAP_S * 1_000_000)
    return events.set_column(EVENTS.get_field_index("session"), EVENTS.field("session"), session)


def _titles(folder: Path) -> tuple[dict[str, str], str]:
    """Returns SKU to title, the first where a SKU stands twice, and a digest of where that was read."""
    known = folder / "sku_title.json"
    if known.is_file():
        read = _json(known, dict)
        return {str(k): str(v) for k, v in read.items() if v}, f"sku_title.json {file_revision(known)}"
    skus = local_file(_NAME, folder, "product_ids.json", step=_STEP)
    names = local_file(_NAME, folder, "titles.json", step=_STEP)
    pairs = (_json(skus, list), _json(names, list))
    if len(pairs[0]) != len(pairs[1]):
        raise DataError(
            f"data set {_NAME!r}: {names} has {len(pairs[1])} titles but {skus} {len(pairs[0])} SKUs; {_STEP}"
        )
    titles = {str(sku): str(title) for sku, title in zip(*(reversed(p) for p in pairs), strict=True) if title}
    return titles, f"titles.json {file_revision(names)}"


def _json(file: Path, kind: type) -> Any:
    try:
        read = read_json(file)
    except (OSError, ValueError) as error:
        raise DataError(f"data set {_NAME!r}: {file} cannot be read ({error}); {_STEP}") from error
    if not isinstance(read, kind):
        raise DataError(f"data set {_NAME!r}: {file} holds no JSON {kind.__name__}; {_STEP}")
    return read


def _catalog(titles: dict[str, str], clicks: pa.Table, steps: Funnel) -> pa.Table:
    clicked = sorted(pc.unique(clicks.column("sku")).to_pylist())
    known = [{"id": sku, "title": html.unescape(titles[sku]).strip()} for sku in clicked if sku in titles]
    steps.start("products clicked", len(clicked))
    steps.keep("title known", len(clicked), len(known))
    return pa.Table.from_pylist(known, schema=CATALOG)
