"""How the calls around a batch are repeated: what changes nothing until it succeeds, what costs money only once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from paars_bench.backbones.batch_provider import BatchProvider
from paars_bench.backbones.faults import fault_of, shortened
from paars_bench.errors import BackboneUnusable

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 5.0, 60.0, 1.3  # seconds between looks at a batch
BEGINNINGS = 4  # tries to begin a batch, each after a look whether the one before did
SAID_EVERY = 60.0  # seconds between lines on the screen
T = TypeVar("T")


def pauses() -> Iterator[float]:
    """Yields how long to wait after each look, in seconds."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * GROWTH, LONGEST_PAUSE)


class BatchCalls:
    """Makes the calls of one run.

    Args:
        provider: takes the batches.
        say: says one line.
        exceptions: the module ``litellm.exceptions``.
        clean: takes keys out of a text.
    """

    def __init__(
        self, provider: BatchProvider, say: Callable[[str], None], exceptions: Any, clean: Callable[[str], str]
    ) -> None:
        self._provider, self._say, self._exceptions, self.clean = provider, say, exceptions, clean
        self._said = float("-inf")

    async def persistently(self, call: Callable[[], Awaitable[T]], what: str) -> T:
        """Makes a call that changes nothing until it succeeds.

        Raises:
            BackboneUnusable: it never will.
        """
        import openai

        for pause in pauses():
            try:
                return await call()
            except openai.OpenAIError as error:
                if not self._passing(error):
                    raise self.unusable(error) from None
                self.now_and_then(f"{what} cannot be looked at ({self._words(error)}); trying on")
            await asyncio.sleep(pause)
        raise AssertionError("there is always another pause")

    async def begun(self, file: str) -> str:
        """Begins one batch of a file, also where the answer to a try is lost, and returns its name.

        Raises:
            openai.OpenAIError: it could not be begun.
        """
        import openai

        for number in range(1, BEGINNINGS + 1):
            try:
                return await self._provider.begin(file)
            except openai.OpenAIError as error:
                if number == BEGINNINGS or not self._passing(error):
                    raise
            await asyncio.sleep(FIRST_PAUSE * number)
            batch = await self.persistently(partial(self._provider.begun_of, file), f"file {file}")
            if batch is not None:
                return batch
        raise AssertionError("the last try returns or raises")

    def unusable(self, error: Exception) -> BackboneUnusable:
        """Returns what is said where no batch can be sent or found."""
        why = fault_of(error, self._exceptions).hopeless or "the provider takes no such batch"
        return BackboneUnusable(f"--batch: {why} ({self._words(error).rstrip('.')}); stopped, what is done is kept")

    def now_and_then(self, line: str) -> None:
        """Says a line, if none was said lately."""
        if time.monotonic() - self._said >= SAID_EVERY:
            self._said = time.monotonic()
            self._say(line)

    def _passing(self, error: Exception) -> bool:
        """Says whether the same call may succeed later."""
        status = getattr(error, "status_code", None)
        refused = isinstance(status, int) and 400 <= status < 500 and status not in (408, 409, 429)
        return not refused and not fault_of(error, self._exceptions).hopeless

    def _words(self, error: Exception) -> str:
        body = getattr(error, "body", None)
        said = body.get("message") if isinstance(body, Mapping) else None
        return shortened(self.clean(str(said or fault_of(error, self._exceptions).words)))
