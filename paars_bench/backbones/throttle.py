"""How many calls of a provider may be under way: more while it takes them, fewer when it refuses some.

What a provider takes is known to it alone, and differs by account and hour. The number doubles from a small one until
a call is refused, falls by a quarter then, and grows again by one after so many taken calls as it is large, as
congestion control does (RFC 5681); where refusals come at the same number again and again, more slowly each time. A
provider that refuses most of a round and says for how long (Retry-After) is asked nothing until then.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from paars_bench.backbones.patience import Patience

LONGEST_WAIT = 120.0  # seconds; a daily limit asks for hours, and a resumed run is the answer to that
UNLIMITED = 1e6  # calls under way: more than a run has
_FIRST, _MOST = 8.0, 4096
_KEPT, _SAME = 0.75, 0.8
_SLOWEST = 64
_MINUTE = 60.0


class Gate(Protocol):
    """Lets calls begin, here or in another process."""

    @property
    def limit(self) -> int:
        """How many calls may be under way now."""
        ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was learned of the provider's limits, in words."""
        ...

    async def enter(self, patience: Patience) -> float | None:
        """Waits until a call may begin; returns when it began, None where the run is over first."""
        ...

    def leave(self, began: float, *, refused: bool = False, wait: float | None = None) -> None:
        """Counts the end of a call."""
        ...


class Throttle:
    """Lets calls begin.

    Args:
        per_minute: calls begun in a minute at most; None for no such limit.
        first: calls that may be under way at first.
        clock: seconds from any start.

    Attributes:
        refused: calls that the provider refused because there were too many.
        fewest: to how many calls under way that brought it down.
    """

    def __init__(
        self,
        per_minute: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        first: float = _FIRST,
    ) -> None:
        self.refused, self.fewest = 0, _MOST
        self._clock = clock
        self._limit = first
        self._doubling_until = float(_MOST)
        self._slowness = 1
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._spacing = _MINUTE / per_minute if per_minute else 0.0
        self._not_before = 0.0
        self._cut_at, self._cut_from = float("-inf"), float("inf")
        self._ended = self._ended_refused = 0
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def limit(self) -> int:
        """How many calls may be under way now."""
        return int(self._limit)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was learned of the provider's limits, in words."""
        if not self.refused:
            return ()
        few = f"{self.fewest} calls under way" if self.fewest > 1 else "one call under way"
        return (f"{self.refused:,} calls came too many for the provider (429); slowed down to {few}",)

    async def enter(self, patience: Patience) -> float | None:
        """Waits until a call may begin.

        Args:
            patience: of the run.

        Returns:
            When it began, by the clock, for ``leave``; None where the run is over first, and no call may begin.
        """
        if self._waiting or not self._free():
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            self._wake()
            try:
                entered = await patience.until(turn)
            except asyncio.CancelledError:
                if turn.done():  # given to one who is gone
                    self._under_way -= 1
                    self._wake()
                raise
            finally:
                if turn in self._waiting:
                    self._waiting.remove(turn)
            if not entered:
                return None
        else:
            self._begin()
        return self._clock()

    def leave(self, began: float, *, refused: bool = False, wait: float | None = None) -> None:
        """Counts the end of a call.

        Args:
            began: what ``enter`` returned.
            refused: the provider takes no more calls now.
            wait: seconds that it asks to wait.
        """
        used = self._under_way >= self.limit
        self._under_way -= 1
        self._ended += 1
        if refused:
            self._shrink(began, wait)
        elif used:
            self._grow()
        self._wake()

    def _free(self) -> bool:
        return self._under_way < self.limit and self._clock() >= self._not_before

    def _begin(self) -> None:
        self._under_way += 1
        if self._spacing:
            self._not_before = max(self._not_before, self._clock() - self._spacing) + self._spacing

    def _grow(self) -> None:
        step = 1.0 if self._limit < self._doubling_until else 1.0 / (self._limit * self._slowness)
        self._limit = min(self._limit + step, float(_MOST))

    def _shrink(self, began: float, wait: float | None) -> None:
        now = self._clock()
        self.refused += 1
        self._ended_refused += 1
        if began > self._cut_at:  # calls that began before the last cut say again what was heard
            again = self._limit > _SAME * self._cut_from
            self._slowness = min(self._slowness * 2, _SLOWEST) if again else 1
            self._cut_at, self._cut_from = now, self._limit
            self._limit = self._doubling_until = max(self._limit * _KEPT, 1.0)
            self._ended = self._ended_refused = 1
            self.fewest = min(self.fewest, self.limit)
        if wait is not None and self._ended_refused > max(1, self._ended // 2):
            self._not_before = max(self._not_before, now + min(wait, LONGEST_WAIT))

    def _wake(self) -> None:
        while self._waiting and self._free():
            turn = self._waiting.popleft()
            if not turn.done():
                self._begin()
                turn.set_result(None)
        pause = self._not_before - self._clock()
        if self._waiting and pause > 0 and self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(pause, self._rung)

    def _rung(self) -> None:
        self._alarm = None
        self._wake()
