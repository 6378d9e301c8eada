"""The demo population: shoppers simulated from a seed, so that every task runs with no download and no key.

It says ``human_reference: simulated`` wherever it appears. Only numpy generators seeded by the options decide, and
each shopper has an own one, so more shoppers do not change the others.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
import pyarrow as pa

from paars_bench.data.cases import CaseKind
from paars_bench.data.demo.behaviour import PAGE, Visit, World
from paars_bench.data.demo.intentions import Past
from paars_bench.data.demo.people import Person, make_person
from paars_bench.data.demo.recorder import SECOND, Recorder
from paars_bench.data.demo.shop import make_shop
from paars_bench.data.log import Log
from paars_bench.data.mined import About, MinedData
from paars_bench.data.mining import mine
from paars_bench.data.mining_rules import MiningRules
from paars_bench.data.registry import Progress
from paars_bench.data.schema import SHOPPERS
from paars_bench.store.search import SearchIndex

REVISION = "1"
"""Raised with every change that gives other data for the same options."""

_START = datetime(2025, 3, 1, tzinfo=UTC)
_DAYS = 245
_LEAST_SESSIONS = 5
_GAP = 3 * 3600 * SECOND  # a shopper who is back within three hours is still in the same session


def build(*, shoppers: int = 600, seed: int = 0, products: int = 3_000, progress: Progress | None = None) -> MinedData:
    """Simulates a population and mines its cases.

    Args:
        shoppers: how many.
        seed: of shop and population.
        products: in the shop.
        progress: told how many shoppers are done.
    """
    log = simulate(shoppers=shoppers, seed=seed, products=products, progress=progress)
    about = About(
        name="demo",
        revision=REVISION,
        human_reference="simulated",
        licence="Apache-2.0",
        citation="PAARS-Bench demo population (simulated)",
        kinds=frozenset(CaseKind),
    )
    return MinedData(about, log, mine(log, MiningRules(seed=seed), progress=progress))


def simulate(*, shoppers: int, seed: int, products: int, progress: Progress | None = None) -> Log:
    """Simulates the log of a population; the first shoppers of a seed are the same however many follow."""
    shop = make_shop(products, seed)
    index = SearchIndex.build(shop.catalog)

    @lru_cache(maxsize=100_000)
    def search(query: str, skip: int) -> tuple[str, ...]:
        return index.search(query, limit=PAGE, offset=skip).ids

    world = World(shop, search, seed)
    recorder = Recorder()
    truth = []
    for number in range(shoppers):
        if progress and number % 20 == 0:
            progress("simulating shoppers", number, shoppers)
        person = make_person(number, seed, shop)
        truth.append({"id": person.id, "truth": [{"key": k, "value": v} for k, v in person.truth]})
        _live(world, person, number, recorder)
    if progress:
        progress("simulating shoppers", shoppers, shoppers)
    events, sessions = recorder.tables()
    return Log.of(events, shop.catalog, shoppers=pa.Table.from_pylist(truth, schema=SHOPPERS), sessions=sessions)


def _live(world: World, person: Person, number: int, recorder: Recorder) -> None:
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((world.seed, 3, number))))
    past: list[Past] = []
    free = 0
    for count, start in enumerate(_starts(rng, person)):
        if start >= free:
            name = f"{person.id}-{count:04d}"
            free = Visit(world, person, rng, past, recorder, name, start).run() + _GAP


def _starts(rng: np.random.Generator, person: Person) -> list[int]:
    """Draws when sessions start, ascending; weekends are busier, and each shopper has a usual hour."""
    count = max(_LEAST_SESSIONS, int(rng.poisson(person.sessions)))
    days = np.arange(_DAYS)
    busy = np.where((days + _START.weekday()) % 7 >= 5, 1.4, 1.0)
    day = rng.choice(_DAYS, count, p=busy / busy.sum())
    hour = rng.normal(person.hour, 2.5, count) % 24
    seconds = np.sort(day * 86_400 + (hour * 3_600).astype(np.int64))
    return [int(_START.timestamp()) * SECOND + int(s) * SECOND for s in seconds]
