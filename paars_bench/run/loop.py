"""Runs a coroutine to its end from anywhere: a notebook's cells already run inside an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def run_to_end(work: Coroutine[Any, Any, None], interrupt: Callable[[], None]) -> None:
    """Runs ``work`` to its end; inside a running loop, on a loop of its own in another thread.

    Args:
        work: what to run.
        interrupt: called on Ctrl-C where signals do not reach the loop of ``work``; it should make ``work`` end soon.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    with ThreadPoolExecutor(max_workers=1) as pool:
        ended = pool.submit(asyncio.run, work)
        try:
            ended.result()
        except KeyboardInterrupt:
            interrupt()
            ended.result()
