"""How fast and in how much memory a generated log becomes the four test sets, beside the same rules row by row.

    python scripts/bench_mining.py                 # 1, 3 and 10 million events, and the peer at 1 million
    python scripts/bench_mining.py 200000 400000   # other sizes; the peer is measured at the smallest

Each measurement is a process of its own that reads the log from Parquet, so its peak memory is its own. The log looks
like a shop's: 8 events and 2.6 searches a session, lists of 10, 10 sessions a shopper (so 125,000 shoppers at 10
million events, some far more active than others), a view from seven in ten lists, a purchase in four of ten sessions,
100,000 products in 1,200 leaf categories, no intentions, so that they are inferred. Events come in order of time, as a
server writes them, so sorting them by shopper (``Log.of``) is part of the work. CPU is of both, over all threads: on a
machine that others use too, it says more than the time.

The peer applies the rules of query pairs and of rank choices, the two that a row loop can do, in one loop over pandas
rows that are sorted already; it makes no sessions, no distractors and no intentions.
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SIZES = (1_000_000, 3_000_000, 10_000_000)
PRODUCTS, LEAVES = 100_000, 1_200
EVENTS_PER_SESSION, SESSIONS_PER_SHOPPER = 8, 10
"""Of the generated log, on average."""
MOST_SECONDS, MOST_GB = 120, 4
"""What ten million events may take on two cores."""


def main(sizes: list[int]) -> int:
    rows = []
    heads = [f"{head:>7}" for head in ("read", "Log.of", "mine", "both", "CPU")]
    print(f"{'events':>12} {' '.join(heads)} {'events/s':>10} {'peak RSS':>9}  cases")
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            _child("generate", str(size), folder)
            row = _child("measure", folder)
            rows.append(row)
            both = row["sort"] + row["mine"]
            print(
                f"{row['events']:>12,} {row['read']:>6.1f}s {row['sort']:>6.1f}s {row['mine']:>6.1f}s {both:>6.1f}s "
                f"{row['cpu']:>6.1f}s {row['events'] / both:>10,.0f} {row['gb']:>6.2f} GB  {row['cases']}"
            )
            if size == sizes[0]:
                peer = _child("peer", folder)
    small, large = rows[0], rows[-1]
    if large["events"] > small["events"]:
        more = math.log(large["events"] / small["events"])
        wall = math.log((large["sort"] + large["mine"]) / (small["sort"] + small["mine"])) / more
        cpu = math.log(large["cpu"] / small["cpu"]) / more
        print(f"growth exponent {wall:.2f} of the time, {cpu:.2f} of the CPU time (1 is linear)")
    same = (peer["pairs"], peer["ranks"]) == (small["cases"]["query_pairs"], small["cases"]["rank_choices"])
    print(
        f"peer, pandas and a row loop, {peer['events']:,} events: {peer['loop']:.1f} s for query pairs and ranks "
        f"({'the same' if same else 'ANOTHER'} number of cases), {peer['gb']:.2f} GB; "
        f"here {small['two']:.1f} s: ratio {peer['loop'] / small['two']:.1f}"
    )
    worst = rows[-1]
    slow = worst["sort"] + worst["mine"] > MOST_SECONDS or worst["gb"] > MOST_GB
    if slow:
        print(f"over the limit of {MOST_SECONDS} s and {MOST_GB} GB")
    return int(slow or not same)


def _child(*arguments: str) -> dict[str, Any]:
    out = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True).stdout
    return dict(json.loads(out))


def _peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def write(events: int, folder: Path) -> dict[str, Any]:
    import pyarrow.parquet as pq

    table, catalog = generate(events)
    pq.write_table(table, folder / "events.parquet", compression="zstd", row_group_size=1_000_000)
    pq.write_table(catalog.table, folder / "catalog.parquet")
    return {}


def measure(folder: Path) -> dict[str, Any]:
    import pyarrow.parquet as pq

    from paars_bench.data.cases import CaseKind
    from paars_bench.data.log import Log
    from paars_bench.data.mining import mine
    from paars_bench.data.schema import CATALOG, EVENTS, Catalog

    start = time.perf_counter()
    events = pq.read_table(folder / "events.parquet").cast(EVENTS)
    catalog = Catalog(pq.read_table(folder / "catalog.parquet").cast(CATALOG))
    read, cpu = time.perf_counter(), time.process_time()
    log = Log.of(events, catalog)
    count = events.num_rows
    del events
    sort = time.perf_counter()
    mined = mine(log)
    end, cpu = time.perf_counter(), time.process_time() - cpu
    cases = {str(kind): table.num_rows for kind, table in mined.cases.items()}
    row = {"events": count, "read": read - start, "sort": sort - read, "mine": end - sort, "cpu": cpu, "gb": _peak_gb()}
    del mined
    again = time.perf_counter()
    mine(log, kinds=[CaseKind.QUERY_PAIRS, CaseKind.RANK_CHOICES])
    return row | {"cases": cases, "two": time.perf_counter() - again}


def peer(folder: Path) -> dict[str, Any]:
    import pandas as pd

    frame = pd.read_parquet(folder / "events.parquet")
    sold = set(pd.read_parquet(folder / "catalog.parquet", columns=["id"])["id"])
    begin = frame.groupby("session")["time"].transform("min")
    frame = frame.assign(begin=begin).sort_values(["shopper", "begin", "session", "time"], kind="stable")
    frame["time"] = frame["time"].astype("int64") / 1e6
    frame = frame[["shopper", "session", "time", "begin", "action", "query", "shown", "product", "rank"]]
    start = time.perf_counter()
    cutoff = _cutoffs(frame)
    pairs: list[tuple[Any, ...]] = []
    ranks: list[tuple[Any, ...]] = []
    seen, first, last, before = "", None, None, None
    for row in frame.itertuples(index=False):
        if row.session != seen:
            seen, first, last, before = row.session, None, None, None
        if row.shopper in cutoff and row.begin >= cutoff[row.shopper]:
            if row.action == "search":
                last = row
                first = first or row
            elif row.action == "view":
                soon = before is first is not None and row.time - first.time <= 60
                if soon and first.query.strip() and row.product in sold:
                    pairs.append((row.session, first.query, row.product))
                if last is not None and last.query.strip():
                    shown = list(last.shown[:10])
                    fits = len(shown) >= 2 and 1 <= row.rank <= len(shown) and shown[int(row.rank) - 1] == row.product
                    if fits and sold.issuperset(shown):
                        ranks.append((row.session, last.query, shown, int(row.rank)))
                last = None
        before = row
    took = time.perf_counter() - start
    return {"events": len(frame), "loop": took, "pairs": len(pairs), "ranks": len(ranks), "gb": _peak_gb()}


def _cutoffs(frame: Any) -> dict[str, Any]:
    starts = frame.drop_duplicates("session").groupby("shopper")["begin"].apply(list)
    cutoffs = {}
    for shopper, times in starts.items():
        cutoff = times[len(times) - max(1, int(len(times) * 0.3))]
        if sum(t < cutoff for t in times) >= 3:
            cutoffs[shopper] = cutoff
    return cutoffs


def generate(events: int, seed: int = 0) -> tuple[Any, Any]:
    """Returns the events table, by time, and the catalog of a made-up shop."""
    import numpy as np
    import pyarrow as pa

    from paars_bench.data.schema import EVENTS

    rng = np.random.Generator(np.random.PCG64(seed))
    catalog = _catalog(rng)
    draw = _plan(rng, events)
    n = len(draw["action"])
    order = np.argsort(draw["time"], kind="stable")
    ids = catalog.table.column("id").combine_chunks()
    action = draw["action"][order]
    search = action == 0
    shown = np.zeros(n + 1, np.int32)
    np.cumsum(np.where(search, 10, 0), out=shown[1:])
    lists = draw["shown"][order[search]].reshape(-1)
    words = pa.array([f"{a} {b} {c}" for a in _WORDS for b in _WORDS for c in _WORDS])
    session = draw["session"][order]
    columns = [
        _named("S", draw["owner"][session], 7),
        _named("V", session, 8),
        pa.array(draw["time"][order]).cast(pa.timestamp("us", tz="UTC")),
        pa.array(["search", "view", "cart_add", "purchase", "leave"]).take(pa.array(action)),
        words.take(pa.array(draw["query"][order], mask=~search)),
        pa.ListArray.from_arrays(pa.array(shown), ids.take(pa.array(lists)), mask=pa.array(~search)),
        ids.take(pa.array(draw["product"][order], mask=(action == 0) | (action == 4))),
        pa.array(draw["rank"][order].astype(np.int32), mask=action != 1),
        pa.array((draw["product"][order] % 9_973 + 99) / 100, mask=action != 3),
        pa.nulls(n, pa.string()),
    ]
    return pa.table(columns, schema=EVENTS), catalog


_WORDS = (
    "red", "blue", "small", "large", "kids", "garden", "steel", "cotton", "shoes", "lamp", "coffee", "gift", "bag",
    "usb", "chair", "pen", "phone", "case", "tea", "mug", "desk", "hat", "rug", "bike", "cable", "soap", "knife",
    "pan", "box", "tent",
)  # fmt: skip


def _named(letter: str, numbers: Any, digits: int) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), digits, "0")
    return pc.binary_join_element_wise(letter, text, "")


def _catalog(rng: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    from paars_bench.data.schema import CATALOG, Catalog

    leaf = rng.integers(LEAVES, size=PRODUCTS)
    word = rng.integers(len(_WORDS), size=(PRODUCTS, 3))
    blank = {f.name: pa.nulls(PRODUCTS, f.type) for f in CATALOG}
    blank["id"] = _named("P", np.arange(PRODUCTS), 6)
    blank["title"] = pa.array([f"{' '.join(_WORDS[w] for w in row)} no. {i}" for i, row in enumerate(word.tolist())])
    paths = [[f"Department {c // 100}", f"Section {c // 10}", f"Category {c}"] for c in leaf.tolist()]
    blank["category"] = pa.array(paths, pa.list_(pa.string()))
    blank["price"] = pa.array(rng.integers(99, 9_999, PRODUCTS) / 100)
    return Catalog(pa.table(list(blank.values()), schema=CATALOG))


def _plan(rng: Any, events: int) -> dict[str, Any]:
    """Draws events as numbers, session after session: searches with their lists, what is viewed of them, the end."""
    import numpy as np

    sessions = max(20, events // EVENTS_PER_SESSION)
    shoppers = max(2, sessions // SESSIONS_PER_SHOPPER)
    owner = np.minimum((rng.beta(0.9, 1.6, sessions) * shoppers).astype(np.int64), shoppers - 1)
    start = rng.integers(0, 300 * 86_400, sessions) * 1_000_000 + 1_735_689_600_000_000
    taste = rng.integers(PRODUCTS, size=shoppers)
    searches = rng.geometric(0.385, sessions)
    owner_of_search = np.repeat(np.arange(sessions), searches)
    views = np.where(rng.random(len(owner_of_search)) < 0.7, rng.geometric(0.5, len(owner_of_search)), 0)
    # A list is a neighbourhood of the shop near the shopper's taste or, as often, anywhere.
    anywhere = rng.integers(PRODUCTS, size=len(owner_of_search))
    near = np.where(rng.random(len(anywhere)) < 0.5, taste[owner[owner_of_search]], anywhere)
    lists = (near[:, None] + 37 * np.arange(10) + rng.integers(5, size=(len(near), 1))) % PRODUCTS
    per_search = 1 + views
    head = np.cumsum(per_search) - per_search
    n = int(per_search.sum())
    search_of = np.repeat(np.arange(len(per_search)), per_search)
    place = np.arange(n) - head[search_of]
    rank = np.minimum(rng.geometric(0.3, n), 10)
    action = np.where(place == 0, 0, 1)
    product = lists[search_of, rank - 1]
    session = owner_of_search[search_of]
    last = np.flatnonzero(np.append(np.diff(session) != 0, True))
    # Four in ten sessions put what they viewed last in the cart and buy it; every session ends with leaving.
    buys = last[(action[last] == 1) & (rng.random(len(last)) < 0.55)]
    where = np.concatenate([np.arange(n), buys, buys, last])
    kind = np.concatenate([action, np.full(len(buys), 2), np.full(len(buys), 3), np.full(len(last), 4)])
    order = np.lexsort((kind, where))
    where, kind = where[order], kind[order]
    session = session[where]
    first = np.searchsorted(session, np.arange(sessions + 1))
    gap = rng.integers(1_000_000, 40_000_000, len(where))
    gap[first[:-1][np.diff(first) > 0]] = 0
    passed = np.cumsum(gap)
    time_of = start[session] + passed - passed[first[session]]
    return {
        "owner": owner,
        "session": session,
        "time": time_of,
        "action": kind,
        "query": rng.integers(len(_WORDS) ** 3, size=len(where)),
        "product": product[where],
        "rank": rank[where],
        "shown": lists[np.minimum(search_of[where], len(lists) - 1)],
    }


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["generate", size, folder]:
            print(json.dumps(write(int(size), Path(folder))))
        case ["measure", folder]:
            print(json.dumps(measure(Path(folder))))
        case ["peer", folder]:
            print(json.dumps(peer(Path(folder))))
        case sizes:
            sys.exit(main([int(s) for s in sizes] or list(SIZES)))
