"""How many calls may be under way, told by a provider of which a test knows what it takes."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from paars_bench.backbones.patience import Patience
from paars_bench.backbones.throttle import Throttle

WORKERS = 64


class Shop:
    """A provider that refuses a call when as many as it takes are under way, or by chance."""

    def __init__(self, takes: int, seconds: float = 0.004, chance: float = 0.0, wait: float | None = None) -> None:
        self.takes, self.seconds, self.chance, self.wait = takes, seconds, chance, wait
        self.under_way = self.most = self.calls = self.refused = 0
        self.under_way_in_all = 0.0  # seconds of all calls together
        self._random = random.Random(0)

    async def call(self) -> bool:
        """Makes a call and says whether it was taken."""
        self.calls += 1
        if self.under_way >= self.takes or self._random.random() < self.chance:
            self.refused += 1
            return False
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        began = time.perf_counter()
        await asyncio.sleep(self.seconds)
        self.under_way_in_all += time.perf_counter() - began
        self.under_way -= 1
        return True


def served(shop: Shop, throttle: Throttle, questions: int, workers: int = WORKERS) -> float:
    """Has workers ask until every question was taken, and returns the seconds it took."""

    async def worker(patience: Patience, left: list[int]) -> None:
        while left[0] > 0:
            left[0] -= 1
            taken = False
            while not taken:
                began = await throttle.enter(patience)
                assert began is not None
                taken = await shop.call()
                throttle.leave(began, refused=not taken, wait=None if taken else shop.wait)
                if not taken:
                    await asyncio.sleep(0.002)

    async def all_of_them() -> None:
        patience, left = Patience(), [questions]
        await asyncio.gather(*(worker(patience, left) for _ in range(workers)))

    start = time.perf_counter()
    asyncio.run(all_of_them())
    return time.perf_counter() - start


def test_a_provider_that_takes_all_soon_gets_all() -> None:
    shop = Shop(takes=1000)
    served(shop, Throttle(), 1500)
    assert shop.most == WORKERS
    assert shop.refused == 0


@pytest.mark.parametrize("takes", [1, 2, 5, 16, 40])
def test_a_provider_that_takes_fewer_is_seldom_asked_too_much_and_kept_busy(takes: int) -> None:
    shop, throttle = Shop(takes), Throttle()
    served(shop, throttle, 1500)
    assert shop.calls <= 1.15 * 1500
    assert throttle.refused == shop.refused
    assert shop.most == takes
    assert throttle.limit <= takes + 1


def test_a_provider_that_takes_more_after_a_while_gets_more() -> None:
    shop, throttle = Shop(4), Throttle()
    served(shop, throttle, 200)
    before = throttle.limit
    shop.takes = 1000
    served(shop, throttle, 3000)
    assert throttle.limit > before + 2


def test_refusals_by_chance_slow_it_down_and_do_not_stop_it() -> None:
    shop, throttle = Shop(takes=1000, chance=0.05, wait=5.0), Throttle()
    took = served(shop, throttle, 2000)
    assert took < 30  # one wait for everybody each time would take minutes
    assert shop.under_way_in_all / took > 3


def test_a_provider_that_refuses_a_whole_round_is_left_alone_for_as_long_as_it_asks() -> None:
    throttle, patience_seconds = Throttle(), 0.3

    async def asked() -> float:
        patience = Patience()
        began = [await throttle.enter(patience) for _ in range(4)]
        for start in began:
            assert start is not None
            throttle.leave(start, refused=True, wait=patience_seconds)
        before = time.perf_counter()
        assert await throttle.enter(patience) is not None
        return time.perf_counter() - before

    assert asyncio.run(asked()) >= patience_seconds


def test_no_more_calls_begin_in_a_minute_than_allowed() -> None:
    shop = Shop(takes=1000, seconds=0.0)
    assert served(shop, Throttle(per_minute=60 * 50), 26) >= 0.45  # 50 a second


@pytest.mark.parametrize("end", ["stop", "deadline"])
def test_a_wait_for_a_turn_ends_with_the_run(end: str) -> None:
    async def asked() -> list[float | None]:
        patience = Patience(time.monotonic() + 0.2 if end == "deadline" else None)
        throttle = Throttle()
        held = [await throttle.enter(patience) for _ in range(throttle.limit)]
        if end == "stop":
            asyncio.get_running_loop().call_later(0.1, patience.stop)
        turns = await asyncio.wait_for(asyncio.gather(*(throttle.enter(patience) for _ in range(5))), 5)
        for began in held:
            assert began is not None
            throttle.leave(began)
        return list(turns)

    assert asyncio.run(asked()) == [None] * 5


def test_a_turn_that_nobody_waits_for_any_more_is_given_to_the_next() -> None:
    async def asked() -> None:
        patience, throttle = Patience(), Throttle()
        held = [await throttle.enter(patience) for _ in range(throttle.limit)]
        gone = asyncio.create_task(throttle.enter(patience))
        waits = asyncio.create_task(throttle.enter(patience))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        assert held[0] is not None
        throttle.leave(held[0])
        assert await asyncio.wait_for(waits, 5) is not None

    asyncio.run(asked())
