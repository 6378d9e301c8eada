"""How long a call may be tried again: until a run's time is up, or until the run is told to stop.

A provider may ask to wait for minutes (Retry-After). The run knows its deadline, the gateway knows the wait; tasks and
personas between them know neither, so it travels with the context of the calls.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from paars_bench.outcomes import Outcome


class Patience:
    """Waits between the attempts of calls, of one run; made inside the event loop of the run.

    Args:
        deadline: in monotonic seconds; None for none.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self._deadline = deadline
        self._stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stop(self) -> None:
        """Ends every wait at once."""
        if not self._stopped.done():
            self._stopped.set_result(None)

    @property
    def over(self) -> Outcome | None:
        """How a call ends that may not be tried again; None while it may."""
        if self._stopped.done():
            return Outcome.CANCELLED
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return Outcome.TIME_LIMIT
        return None

    @property
    def left(self) -> float | None:
        """Seconds to the deadline, at least 0; None where there is none."""
        return None if self._deadline is None else max(self._deadline - time.monotonic(), 0.0)

    def at_stop(self, tell: Callable[[], None]) -> None:
        """Has the stop told to ``tell``, at once where it came before."""
        self._stopped.add_done_callback(lambda _: tell())

    async def sleep(self, seconds: float) -> None:
        """Waits, at most until the deadline or the stop."""
        await self._wait({self._stopped}, seconds)

    async def until(self, turn: asyncio.Future[Any]) -> bool:
        """Waits for a turn and says whether it came before the deadline and the stop."""
        await self._wait({self._stopped, turn}, None)
        return turn.done()

    async def _wait(self, futures: set[asyncio.Future[Any]], seconds: float | None) -> None:
        left = self.left
        if left is not None:
            seconds = left if seconds is None else min(seconds, left)
        await asyncio.wait(futures, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


PATIENCE: ContextVar[Patience | None] = ContextVar("PATIENCE", default=None)
"""Of the run that makes the call; None where a call is made outside of one."""
