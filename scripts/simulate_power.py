"""Measures how often the default panel sees repeats, narrowing and a shift of topic, and how often it cries wolf.

    python scripts/simulate_power.py [--runs 100] [--shoppers 500] [--permutations 199] [--queries N] [--also kl_kde]

Every run draws two samples of one human population, one query a shopper, and changes the second as the scenario
says. Queries are WebShop's, typed by people, with all-MiniLM-L6-v2 embeddings, and the other topic is Best Buy's
queries, where PAARS_BENCH_REAL_DATA names the folder of real data; else a simulated mixture of 60 topics in
384 dimensions, which the first line says. Rates are of p <= 0.05: each statistic alone, and the panel by its
adjusted p; brackets are Wilson 95 % intervals.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.cluster.vq import kmeans2
from scipy.stats import binomtest

from paars_bench.metrics import (
    DEFAULT_PANEL,
    MEMBERS,
    KdeStatistic,
    PointSides,
    PoolableStatistic,
    panel_statistics,
    permutation_test,
)

Array = npt.NDArray[np.float64]
KDE = "kl_kde"
LEVEL = 0.05


class Pool(NamedTuple):
    """Where both samples come from, its 40 topics' centres (unit vectors), and where a shifted topic comes from."""

    name: str
    people: Array
    centres: Array
    elsewhere: Array

    @classmethod
    def make(cls, name: str, people: Array, elsewhere: Array) -> Pool:
        """Finds the topics by k-means."""
        centres, _ = kmeans2(people, 40, minit="++", rng=0)
        return cls(name, people, unit(centres), elsewhere)


def real_pool(folder: Path, most: int | None, rng: np.random.Generator) -> Pool:
    """Embeds the real queries, or as many of WebShop's as are wanted."""
    from paars_bench.backbones.engines import embedding_engine

    webshop = json.loads((folder / "webshop_queries/goal_query_map.json").read_text())
    lines = (folder / "bestbuy_titles/query_clicked_titles.jsonl").read_text().splitlines()
    engine = embedding_engine()
    typed = [query for queries in webshop.values() for query in queries]
    people = engine.encode(typed if most is None else rng.permutation(typed)[:most].tolist())
    elsewhere = engine.encode([json.loads(line)["query"] for line in lines])
    name = f"real: {len(people):,} WebShop queries; other topic {len(elsewhere)} Best Buy queries; all-MiniLM-L6-v2"
    return Pool.make(name, people.astype(np.float64), elsewhere.astype(np.float64))


def simulated_pool(rng: np.random.Generator) -> Pool:
    """Unit vectors around 60 topics, 3 % of them exact repeats; the other topic is 6 further ones."""
    topics = rng.standard_normal((66, 384)) + rng.standard_normal(384)

    def around(which: npt.NDArray[np.int64]) -> Array:
        return unit(topics[which] + 0.8 * rng.standard_normal((len(which), 384)))

    people = around(rng.integers(0, 60, 2200))
    people[:66] = people[66:132]
    name = "simulated (PAARS_BENCH_REAL_DATA is not set): 2,200 points around 60 topics; other topic 6 more"
    return Pool.make(name, people, around(rng.integers(60, 66, 200)))


def unit(x: Array) -> Array:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def spread(x: Array) -> float:
    """Mean distance of two points."""
    squared = 2 * np.maximum(0, 1 - x @ x.T)
    return float(np.sqrt(squared)[np.triu_indices(len(x), 1)].mean())


def unchanged(agents: Array, pool: Pool, rng: np.random.Generator) -> Array:
    return agents


def repeats(agents: Array, pool: Pool, rng: np.random.Generator) -> Array:
    """30 % of the replies are copies of other replies."""
    order = rng.permutation(len(agents))
    copies = order[: round(0.3 * len(agents))]
    agents[copies] = agents[rng.choice(order[len(copies) :], len(copies))]
    return agents


def narrowing(agents: Array, pool: Pool, rng: np.random.Generator) -> Array:
    """Drawn towards their mean, still unit vectors, until two are half as far apart as before."""
    centre, wanted = agents.mean(axis=0), spread(agents) / 2
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if spread(unit(centre + middle * (agents - centre))) < wanted else (low, middle)
    return unit(centre + low * (agents - centre))


def narrow_topics(agents: Array, pool: Pool, rng: np.random.Generator) -> Array:
    """The right mix of 40 topics, and in each of them half the variety: harder than narrowing."""
    nearest = np.argmax(agents @ pool.centres.T, axis=1)
    return unit((agents + pool.centres[nearest]) / 2)


def topic_shift(agents: Array, pool: Pool, rng: np.random.Generator) -> Array:
    """20 % of the replies come from elsewhere."""
    moved = rng.permutation(len(agents))[: len(agents) // 5]
    agents[moved] = pool.elsewhere[rng.permutation(len(pool.elsewhere))[: len(moved)]]
    return agents


SCENARIOS: dict[str, Callable[[Array, Pool, np.random.Generator], Array]] = {
    "nothing differs": unchanged,
    "repeats (30 %)": repeats,
    "narrowing (half)": narrowing,
    "topic shift (20 %)": topic_shift,
    "narrow topics": narrow_topics,
}


def one_run(
    pool: Pool, scenario: str, args: argparse.Namespace, rng: np.random.Generator
) -> tuple[dict[str, float], float]:
    """Returns the p of each statistic and of the default panel."""
    n = args.shoppers
    order = rng.permutation(len(pool.people))
    human, agent = pool.people[order[:n]], pool.people[order[n : 2 * n]].copy()
    agent = SCENARIOS[scenario](agent, pool, rng)
    rows = np.arange(n)
    sides = PointSides.make(human, rows, agent, rows, size=n)
    panel = permutation_test(panel_statistics(sides), size=n, permutations=args.permutations, rng=rng)
    tested = list(panel.statistics)
    also: dict[str, PoolableStatistic] = {**panel_statistics(sides, [m for m in args.also if m != KDE])}
    if KDE in args.also:
        also[KDE] = KdeStatistic.make(human, rows, agent, rows, size=n, mc_repeats=1, rng=rng)
    if also:
        two_sided = [KDE] if KDE in also else []
        tested += permutation_test(
            also, size=n, permutations=args.permutations, rng=rng, two_sided=two_sided
        ).statistics
    return {t.name: 1.0 if t.p is None else t.p for t in tested}, 1.0 if panel.p is None else panel.p


def rate(found: list[bool]) -> str:
    interval = binomtest(sum(found), len(found)).proportion_ci(method="wilson")
    return f"{np.mean(found):4.0%} [{interval.low:.0%}, {interval.high:.0%}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--shoppers", type=int, default=500, help="a side")
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--queries", type=int, help="of WebShop's people, drawn at random; all if not given")
    others = [name for name in (*MEMBERS, KDE) if name not in DEFAULT_PANEL]
    parser.add_argument("--also", default="", help=f"statistics outside the panel, beside it: {','.join(others)}")
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help="some of the default, separated by commas")
    args = parser.parse_args()
    args.also = [name for name in args.also.split(",") if name]
    if unknown := set(args.scenarios.split(",")) - set(SCENARIOS):
        parser.error(f"unknown scenarios {unknown}: valid are {', '.join(SCENARIOS)}")
    folder = os.environ.get("PAARS_BENCH_REAL_DATA")
    rng = np.random.default_rng(args.seed)
    pool = real_pool(Path(folder), args.queries, rng) if folder else simulated_pool(rng)
    print(pool.name)
    print(f"n = {args.shoppers} a side, {args.runs} runs, {args.permutations} permutations, p <= {LEVEL}\n", flush=True)
    for scenario in args.scenarios.split(","):
        seeds = np.random.SeedSequence([args.seed, list(SCENARIOS).index(scenario)]).spawn(args.runs)
        runs = [one_run(pool, scenario, args, np.random.default_rng(seed)) for seed in seeds]
        print(f"{scenario:<20} {'THE PANEL':<20} {rate([panel <= LEVEL for _, panel in runs])}")
        for name in runs[0][0]:
            outside = "" if name in DEFAULT_PANEL else "  (not in the panel)"
            print(f"{'':<20} {name:<20} {rate([each[name] <= LEVEL for each, _ in runs])}{outside}")
        print(flush=True)


if __name__ == "__main__":
    main()
