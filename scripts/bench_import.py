"""How fast and in how much memory a log is imported, beside a bare ``pyarrow.csv.read_csv`` of the same file.

    python scripts/bench_import.py            # 100,000 and 1,000,000 events
    python scripts/bench_import.py 3000000    # any other numbers

Each measurement is a process of its own, so that its peak memory is its own; it is read as Linux gives it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

SHOWN, PRODUCTS = 20, 20_000
COLUMNS = ("shopper", "session", "time", "action", "query", "shown", "product", "rank", "price")


def generate(folder: Path, events: int) -> dict[str, Path]:
    """Writes a log (a search with twenty places, two views, a purchase) as CSV, JSON lines and Parquet."""
    rng = np.random.default_rng(0)
    sessions = events // 4
    kinds = np.tile(["search", "view", "view", "purchase"], sessions)
    session = np.repeat(np.arange(sessions), 4)
    time_us = 1_700_000_000 + session * 100 + np.tile([0, 20, 40, 60], sessions)
    lists = rng.integers(0, PRODUCTS, (sessions, SHOWN))
    rank = np.tile([0, 2, 5, 0], sessions)
    product = np.where(
        rank > 0, np.repeat(lists, 4, axis=0)[np.arange(len(rank)), np.maximum(rank - 1, 0)], lists[session, 0]
    )
    search = kinds == "search"
    texts = ["[" + ", ".join(f'"p{p}"' for p in row) + "]" for row in lists.tolist()]
    table = pa.table(
        {
            "shopper": pa.array([f"u{s % (sessions // 10 + 1)}" for s in session.tolist()]),
            "session": pa.array([f"s{s}" for s in session.tolist()]),
            "time": pa.array(time_us * 1_000_000).cast(pa.timestamp("us", tz="UTC")),
            "action": pa.array(kinds.tolist()),
            "query": pa.array(
                [f"red shoes {s % 997}" if q else None for s, q in zip(session.tolist(), search, strict=True)]
            ),
            "shown": pa.array([texts[s] if q else None for s, q in zip(session.tolist(), search, strict=True)]),
            "product": pa.array([None if q else f"p{p}" for p, q in zip(product.tolist(), search, strict=True)]),
            "rank": pa.array(rank, mask=rank == 0),
            "price": pa.array(np.full(len(rank), 9.99), mask=kinds != "purchase"),
        }
    )
    files = {
        "csv": folder / f"{events}.csv",
        "jsonl": folder / f"{events}.jsonl",
        "parquet": folder / f"{events}.parquet",
    }
    pacsv.write_csv(table, files["csv"])
    pq.write_table(table, files["parquet"])
    with files["jsonl"].open("w") as out:
        for batch in table.to_batches(100_000):
            out.writelines(json.dumps(row, default=str) + "\n" for row in batch.to_pylist())
    products = {"id": [f"p{i}" for i in range(PRODUCTS)], "title": [f"Product {i}" for i in range(PRODUCTS)]}
    pacsv.write_csv(pa.table(products), folder / "products.csv")
    return files


def measure(what: str, file: str, folder: str) -> None:
    """Does one thing and prints its ``Cost``; memory is that of the process, libraries included."""
    from paars_bench.data.importing.columns import ColumnMap
    from paars_bench.data.importing.importer import Sources, import_log
    from paars_bench.data.importing.written import Described

    start, worked = time.perf_counter(), time.process_time()
    if what == "pyarrow":
        pacsv.read_csv(file)
    else:
        sources = Sources((file,), str(Path(folder) / "products.csv"))
        import_log(sources, ColumnMap(), Path(tempfile.mkdtemp(dir=folder)) / "out", Described("bench", "simulated"))
    seconds, cpu = time.perf_counter() - start, time.process_time() - worked
    status = Path("/proc/self/status").read_text()  # ru_maxrss would count the parent's memory
    print(json.dumps([seconds, cpu, int(status.split("VmHWM:")[1].split()[0]) / 1024]))


class Cost(NamedTuple):
    """Seconds by the clock, seconds of CPU, and peak memory in MB."""

    seconds: float
    cpu: float
    memory: float


def run(what: str, file: Path, folder: str) -> Cost:
    """Measures in a process of its own."""
    words = [sys.executable, __file__, "--measure", what, str(file), folder]
    return Cost(*json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout))


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
        return
    sizes = [int(a.replace("_", "")) for a in sys.argv[1:]] or [100_000, 1_000_000]
    with tempfile.TemporaryDirectory() as folder:
        for events in sizes:
            files = generate(Path(folder), events)
            peer = run("pyarrow", files["csv"], folder)
            size = files["csv"].stat().st_size / 1e6
            print(f"{events:,} events, {size:.0f} MB of CSV; pyarrow.csv.read_csv: {words(peer)}")
            for kind, file in files.items():
                cost = run("import", file, folder)
                print(
                    f"  import of {kind}: {words(cost)}, {events / cost.seconds:,.0f} events/s; "
                    f"{cost.cpu / peer.cpu:.0f} times the CPU, "
                    f"{cost.memory / peer.memory:.1f} times the memory of read_csv"
                )


def words(cost: Cost) -> str:
    return f"{cost.seconds:.1f} s ({cost.cpu:.1f} s of CPU), {cost.memory:.0f} MB"


if __name__ == "__main__":
    main()
