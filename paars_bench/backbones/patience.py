"""How long a call may be tried again: until a run's time is up, or until the run is told to stop.

A provider may ask to wait for minutes (Retry-After). The run knows its deadline, the gateway knows the wait; tasks and
personas between them know neither, so it travels with the context of the calls.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from contextvars import ContextVar

from paars_bench.outcomes import Outcome


class Patience:
    """Waits between the attempts of calls, of one run.

    Args:
        deadline: in monotonic seconds; None for none.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self._deadline = deadline
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Ends every wait at once."""
        self._stopped.set()

    @property
    def over(self) -> Outcome | None:
        """How a call ends that may not be tried again; None while it may."""
        if self._stopped.is_set():
            return Outcome.CANCELLED
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return Outcome.TIME_LIMIT
        return None

    async def sleep(self, seconds: float) -> None:
        """Waits, at most until the deadline or the stop."""
        if self._deadline is not None:
            seconds = min(seconds, max(self._deadline - time.monotonic(), 0.0))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)


PATIENCE: ContextVar[Patience | None] = ContextVar("PATIENCE", default=None)
"""Of the run that makes the call; None where a call is made outside of one."""
