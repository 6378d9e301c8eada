"""The paper's Appendix D, its bandwidth table, and what the same estimator reads where nothing differs.

    PAARS_BENCH_REAL_DATA=FOLDER python scripts/reproduce_appendix_d.py
    python scripts/reproduce_appendix_d.py               # without real data: the demo's simulated queries

The paper's agents and humans are private. On queries of real people the pattern can be seen all the same: two
halves of WebShop's queries (nothing differs) and WebShop's against Best Buy's (other people, another shop), all at one
n, embedded by all-MiniLM-L6-v2. ``paper`` is the estimator of equation 7, ``leave_one_out`` the default here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from real_queries import bestbuy_queries, real_folder, webshop_queries
from rich.console import Console
from rich.table import Table

from paars_bench.backbones.engines import embedding_engine
from paars_bench.metrics import kde_kl
from paars_bench.metrics.kde import Estimator

Array = npt.NDArray[np.float32]
# bandwidth, base, base + persona: Appendix D, n = 3,058
PAPER = ((0.001, 410026.0, 334170.0), (0.01, 2236.0, 1871.0), (0.1, 18.81, 17.51))
BEYOND = (0.2, 0.5, 1.0)


class Populations(NamedTuple):
    """Two populations of queries: who they are, and their texts."""

    names: tuple[str, str]
    texts: tuple[list[str], list[str]]


def populations(say: Callable[[str], None]) -> Populations:
    folder = real_folder()
    if folder is not None:
        return Populations(("WebShop", "Best Buy"), (webshop_queries(folder), bestbuy_queries(folder)))
    say("PAARS_BENCH_REAL_DATA names no folder of real queries: these are SIMULATED ones, of the demo's shoppers.")
    from paars_bench.data import iter_cases
    from paars_bench.data.cases import CaseKind
    from paars_bench.data.demo import build

    data = build(shoppers=600, seed=0, products=3000)
    asked = [(c.values["query"], data.catalog[c.values["product"]]) for c in iter_cases(data, CaseKind.QUERY_PAIRS)]
    # other people, another shop: the queries for one half of the departments against the other half's
    departments = sorted({product.category[0] for _, product in asked})
    one, two = (
        sorted({query for query, product in asked if (departments.index(product.category[0]) % 2) == side})
        for side in (0, 1)
    )
    return Populations(("simulated", "simulated, other departments"), (one, two))


def spread(values: list[float]) -> str:
    digits = 0 if abs(np.mean(values)) >= 1000 else 2
    return f"{np.mean(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def measure(human: Array, other: Array, size: int, bandwidth: float, splits: int) -> dict[tuple[str, str], list[float]]:
    """Returns KL values by estimator and pair, one a split, all with ``size`` points a side."""
    found: dict[tuple[str, str], list[float]] = {}
    for split in range(splits):
        rng = np.random.default_rng(split)  # the same halves at every bandwidth
        order = rng.permutation(len(human))
        one, two = human[order[:size]], human[order[size : 2 * size]]
        others = other[rng.permutation(len(other))[:size]]
        for estimator in get_args(Estimator):
            for pair, agents in (("halves", two), ("others", others)):
                value = kde_kl(
                    one, agents, bandwidth=bandwidth, estimator=estimator, mc_repeats=1, floor_splits=1, rng=rng
                ).value
                found.setdefault((estimator, pair), []).append(value)
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--splits", type=int, default=10)
    arguments.add_argument("--size", type=int, help="points a side; default: as many as both pairs allow")
    chosen = arguments.parse_args()
    console = Console(width=150)
    found = populations(console.print)
    most = min(len(found.texts[0]) // 2, len(found.texts[1]))
    size = min(chosen.size or most, most)
    engine = embedding_engine()
    console.print(f"embedding {sum(map(len, found.texts)):,} queries with {engine.name} ({engine.source}) …")
    human, other = (engine.encode(texts) for texts in found.texts)
    table = Table(
        title=f"KL by bandwidth, nats: mean (least to most) of {chosen.splits} random splits, n = {size:,} a side"
    )
    table.add_column("bandwidth", justify="right")
    table.add_column("paper's base", justify="right")
    table.add_column("paper's persona", justify="right")
    for estimator in ("paper", "leave_one_out"):
        table.add_column(f"{estimator}: halves of {found.names[0]}", justify="right")
        table.add_column(f"{estimator}: against {found.names[1]}", justify="right")
    printed = {h: (f"{base:,.10g}", f"{persona:,.10g}") for h, base, persona in PAPER}
    for bandwidth in (*printed, *BEYOND):
        values = measure(human, other, size, bandwidth, chosen.splits)
        cells = [spread(values[e, pair]) for e in ("paper", "leave_one_out") for pair in ("halves", "others")]
        table.add_row(f"{bandwidth:g}", *printed.get(bandwidth, ("", "")), *cells)
    console.print(table)


if __name__ == "__main__":
    main()
