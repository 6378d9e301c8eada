"""A population's log: each shopper's older orders, then ten months of visits in full.

Each shopper has a source of chance of their own, so more shoppers do not change the others, and the order in which they
are made does not matter.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate

import pyarrow as pa

from paars_bench.data.demo.behaviour import PAGE, Look, Visit, World
from paars_bench.data.demo.chance import Chance
from paars_bench.data.demo.intentions import Past, draw_need
from paars_bench.data.demo.people import Person, make_person
from paars_bench.data.demo.queries import make_query
from paars_bench.data.demo.recorder import SECOND, Recorder, Row
from paars_bench.data.demo.shop import Shop, make_shop
from paars_bench.data.demo.wanted import Wanted
from paars_bench.data.demo.workers import STEP, People, made_apart, processes_for
from paars_bench.data.log import Log
from paars_bench.data.registry import Progress
from paars_bench.data.schema import SHOPPERS, Action
from paars_bench.store.search import SearchIndex

START = datetime(2025, 1, 1, tzinfo=UTC)
"""From here on every visit is known in full; before, only orders are."""
DAYS = 300
"""Days known in full: six months before most cutoffs, and the test period."""
OLDER_DAYS = 365
"""Days before ``START`` of which the orders are known."""
OLDER_SHARE = 0.3
"""Expected older orders for one expected visit."""

_LEAST_SESSIONS = 5
_GAP = 3 * 3600 * SECOND  # a shopper who is back within three hours is still in the same session
_DAY = 86_400
_WEEK_BUSY = list(accumulate(1.4 if (day + START.weekday()) % 7 >= 5 else 1.0 for day in range(DAYS)))
_SEEN = 8  # products of a category that an older order was chosen among
_KEPT_PAGES = 100_000


def simulate(
    *, shoppers: int, seed: int, products: int, progress: Progress | None = None, processes: int | None = None
) -> Log:
    """Simulates the log of a population; the first shoppers of a seed are the same however many follow.

    Args:
        shoppers: how many.
        seed: of shop and population.
        products: in the shop.
        progress: told how many shoppers are done.
        processes: that share the work; None uses several for more than 1,000 shoppers. The log is the same.
    """
    processes = processes or processes_for(shoppers)
    shop = make_shop(products, seed)

    def tell(done: int) -> None:
        if progress:
            progress("simulating shoppers", done, shoppers)

    if processes > 1:
        people = made_apart(shoppers, seed, products, processes, tell)
    else:
        people = made_here(range(shoppers), shop, seed, tell)
    tell(shoppers)
    return Log.of(people.events, shop.catalog, shoppers=people.shoppers, sessions=people.sessions)


def made_here(
    numbers: Collection[int],
    shop: Shop,
    seed: int,
    tell: Callable[[int], None] = lambda done: None,
    witness: Callable[[Look], None] | None = None,
) -> People:
    """Makes some of the shoppers of a seed, in this process; ``witness`` is told every look at a page of results."""
    world = make_world(shop, seed, witness)
    recorder = Recorder()
    truth = []
    for done, number in enumerate(numbers):
        if done % STEP == 0:
            tell(done)
        person = make_person(number, seed, shop)
        truth.append({"id": person.id, "truth": [{"key": k, "value": v} for k, v in person.truth]})
        live(world, person, recorder)
    return People(*recorder.tables(), pa.Table.from_pylist(truth, schema=SHOPPERS))


def make_world(shop: Shop, seed: int, witness: Callable[[Look], None] | None = None) -> World:
    """Opens a shop: its search keeps the pages it found last."""
    index = SearchIndex.build(shop.catalog)

    @lru_cache(maxsize=_KEPT_PAGES)
    def search(query: str, skip: int) -> tuple[str, ...]:
        return index.search(query, limit=PAGE, offset=skip).ids

    return World(shop, search, seed, draw_need, make_query, witness=witness)


def live(world: World, person: Person, recorder: Recorder) -> None:
    """Records everything that a shopper did."""
    chance = Chance(world.seed, 3, person.number)
    starts = _starts(chance, person)
    past: list[Past] = []
    older = _older_orders(world, person, chance, past, recorder, at_most=len(starts))
    free = 0
    for count, start in enumerate(starts, older):
        if start >= free:
            name = f"{person.id}-{count:04d}"
            free = Visit(world, person, chance, past, recorder, name, start).run() + _GAP
    recorder.settle()


def _starts(chance: Chance, person: Person) -> list[int]:
    """Draws when sessions start, ascending; weekends are busier, and each shopper has a usual hour."""
    starts = []
    for _ in range(max(_LEAST_SESSIONS, chance.poisson(person.sessions))):
        day = bisect(_WEEK_BUSY, chance.random() * _WEEK_BUSY[-1], hi=DAYS - 1)
        hour = chance.normal(person.hour, 2.5) % 24
        starts.append(int(START.timestamp() + day * _DAY + int(hour * 3_600)) * SECOND)
    return sorted(starts)


def _older_orders(
    world: World, person: Person, chance: Chance, past: list[Past], recorder: Recorder, *, at_most: int
) -> int:
    """Records what was ordered before ``START`` and returns how many orders there were."""
    count = min(at_most, chance.poisson(OLDER_SHARE * person.sessions))
    first = int(START.timestamp()) - OLDER_DAYS * _DAY
    times = sorted(first + chance.below(OLDER_DAYS * _DAY - 1) for _ in range(count))
    for number, seconds in enumerate(times):
        row = _ordered(world, person, chance, past)
        name, time = f"{person.id}-{number:04d}", seconds * SECOND
        recorder.session(name, person.id, time, None)
        shop = world.shop
        recorder.rows.append(
            Row(person.id, name, time, Action.PURCHASE, product=shop.catalog.ids[row], price=shop.price[row])
        )
        past.append(Past(shop.category[row], row))
    return count


def _ordered(world: World, person: Person, chance: Chance, past: list[Past]) -> int:
    """Draws a product by the choice model among a few of the category, of which one is taken."""
    shop = world.shop
    need = draw_need(chance, person, shop, past)
    if need.product >= 0:
        return need.product
    wanted = Wanted(shop, person, world.seed, need, {p.product for p in past})
    rows = chance.some_of(shop.rows[need.category], _SEEN)
    return max((wanted.utility(row) + chance.gumbel(), row) for row in rows)[1]
