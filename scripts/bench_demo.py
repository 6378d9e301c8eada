"""Measures how long the demo population takes: simulating 500 and 5,000 shoppers, and mining their cases.

    python scripts/bench_demo.py [--peer CHECKOUT] [--shoppers 500,5000]

The peer is another checkout of this repository (an earlier commit), run in the same session on the same machine:
absolute times do not travel, the ratio does. Seconds are of the clock; CPU seconds count every process, so that a
machine that is busy with other work can be told from a slow program.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent

# Runs in a process of its own, on either checkout: only names that both have.
MEASURE = """
import json, resource, sys, time
from paars_bench.data.demo import simulate
from paars_bench.data.mining import mine
from paars_bench.data.mining_rules import MiningRules

def cpu():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)

start, busy = time.perf_counter(), cpu()
log = simulate(shoppers=int(sys.argv[1]), seed=0, products=3000)
simulated, busy = time.perf_counter() - start, cpu() - busy
start = time.perf_counter()
if sys.argv[2] == "mine":
    mine(log, MiningRules())
mined = time.perf_counter() - start
peak = max(resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps([simulated, busy, mined, log.events.num_rows, peak / 2**20]))
"""


def measure(checkout: Path, shoppers: int, *, mine: bool = True) -> dict[str, float]:
    """Runs one size in one checkout."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(shoppers), "mine" if mine else "-"],
        env={**os.environ, "PYTHONPATH": str(checkout)},
        cwd=checkout,
        check=True,
        capture_output=True,
        text=True,
    )
    names = ("simulated_s", "cpu_s", "mined_s", "events", "peak_gb")
    return dict(zip(names, json.loads(done.stdout), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, help="an earlier checkout to compare with, at the first size")
    parser.add_argument("--shoppers", default="500,5000", help="sizes, separated by commas")
    args = parser.parse_args()
    sizes = [int(size) for size in args.shoppers.split(",")]
    first: dict[str, float] = {}
    for size in sizes:
        found = measure(HERE, size)
        first = first or found
        print(
            f"{size:>7,} shoppers, {found['events']:>10,.0f} events: simulated in {found['simulated_s']:6.1f} s "
            f"({found['cpu_s']:.1f} s of CPU), mined in {found['mined_s']:.1f} s, "
            f"peak {found['peak_gb']:.2f} GB a process"
        )
    if args.peer:
        peer = measure(args.peer.resolve(), sizes[0], mine=False)
        ratio = (peer["cpu_s"] / peer["events"]) / (first["cpu_s"] / first["events"])
        print(
            f"{sizes[0]:>7,} shoppers at {args.peer.name}: {peer['events']:,.0f} events in {peer['simulated_s']:.1f} s "
            f"({peer['cpu_s']:.1f} s of CPU): {ratio:.1f} times the CPU an event"
        )


if __name__ == "__main__":
    main()
