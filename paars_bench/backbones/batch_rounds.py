"""Requests gather into rounds; each is sent as one batch and waited for, also by a later process of the same run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from paars_bench.backbones.batch_calls import BatchCalls, pauses
from paars_bench.backbones.batch_log import BatchLog, Sent
from paars_bench.backbones.batch_provider import BatchProvider, Look, Reply, failed
from paars_bench.backbones.patience import Patience
from paars_bench.boundary import unforeseen
from paars_bench.errors import BackboneUnusable

ROUND = 10_000  # requests; OpenAI takes 50,000 and Azure 100,000
ROUND_BYTES = 50_000_000  # of 200 MB at OpenAI and at Azure; while it is sent, memory holds several copies
QUIET = 2.0  # seconds without a new request, after which a round is sent although it is not full
CLOSING = 120.0  # seconds that a file on its way is waited for when the run stops

Waiting = asyncio.Future[Reply | Exception]


@dataclass(slots=True, eq=False)
class _Round:
    """Requests that are sent together.

    Attributes:
        sent: what is known of it on disk.
        waiting: who waits for which reply.
        replies: that came and nobody asked for yet; None before they came.
        words: how it ended.
        followed: it is waited for.
    """

    sent: Sent
    waiting: dict[str, Waiting] = field(default_factory=dict)
    replies: dict[str, Reply] | None = None
    words: str = ""
    followed: bool = False

    def taken(self, key: str) -> Reply:
        reply = None if self.replies is None else self.replies.pop(key, None)
        return reply or failed(f"batch {self.sent.batch} ended without a reply to this request ({self.words})")

    def answer(self, reply_of: Callable[[str], Reply | Exception]) -> None:
        for key, future in self.waiting.items():
            if not future.done():
                future.set_result(reply_of(key))
        self.waiting.clear()


class Rounds:
    """Gathers requests, sends them and hands out their replies.

    Args:
        provider: takes the batches.
        calls: to it.
        log: of the run.
        say: says one line.
    """

    def __init__(self, provider: BatchProvider, calls: BatchCalls, log: BatchLog, say: Callable[[str], None]) -> None:
        self._provider, self._calls, self._log, self._say = provider, calls, log, say
        self._of: dict[str, _Round] = {}
        self._lines: dict[str, bytes] = {}
        self._gathering: dict[str, Waiting] = {}
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._loading: asyncio.Future[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self._following: set[asyncio.Task[None]] = set()
        self._patience: Patience | None = None
        self._broken = ""

    async def reply(self, key: str, body: bytes, patience: Patience) -> Reply:
        """Returns the reply to a request, from a batch that holds it already or from the next one.

        Args:
            key: tells requests apart.
            body: of the request, JSON.
            patience: of the run.

        Raises:
            asyncio.CancelledError: the run is over first. The question has not ended then: the batch goes on.
            Exception: what kept the batch from being sent or read.
        """
        self._patience = patience
        if self._loading is None:
            self._loading = asyncio.ensure_future(self._load())
        if patience.over is not None or not await patience.until(self._loading):
            raise asyncio.CancelledError
        self._loading.result()
        found = self._of.get(key)
        future = self._gather(key, body) if found is None else self._from(found, key)
        del body  # ten thousand of them would be held for hours
        if not await patience.until(future):
            raise asyncio.CancelledError
        reply = future.result()
        if isinstance(reply, Exception):
            raise reply.with_traceback(None)
        return reply

    def open_batches(self) -> list[str]:
        """Returns the batches that go on at the provider, each with its requests, in words."""
        rounds = {r.sent.file: r for r in self._of.values() if not r.sent.ended and r.sent.batch}
        return [f"{r.sent.batch} ({len(r.sent.keys):,} requests)" for r in rounds.values()]

    async def aclose(self) -> None:
        """Lets a batch that is on its way be begun, and follows none any longer."""
        if self._timer is not None:
            self._timer.cancel()
        if self._sending:
            await asyncio.wait(self._sending, timeout=CLOSING)
        for task in (*self._sending, *self._following):
            task.cancel()
        await asyncio.gather(*self._sending, *self._following, return_exceptions=True)

    async def _load(self) -> None:
        for sent in self._log.load():
            if sent.batch is None:
                sent.batch = await self._calls.persistently(
                    partial(self._provider.begun_of, sent.file), f"file {sent.file}"
                )
                if sent.batch is None:  # sent, and never begun: its requests are asked anew
                    continue
                self._log.begun(sent.file, sent.batch)
            self._of.update(dict.fromkeys(sent.keys, _Round(sent)))
        rounds = {r.sent.file: r for r in self._of.values() if not r.sent.ended}
        for each in rounds.values():
            self._say(f"batch {each.sent.batch}: {len(each.sent.keys):,} requests were sent before")

    def _gather(self, key: str, body: bytes) -> Waiting:
        future = self._gathering.get(key)
        if future is None:
            future = self._gathering[key] = asyncio.get_running_loop().create_future()
            self._lines[key] = self._provider.line(key, body)
            self._bytes += len(self._lines[key])
        if self._timer is not None:
            self._timer.cancel()
        if len(self._gathering) >= ROUND or self._bytes >= ROUND_BYTES:
            self._send()
        else:
            self._timer = asyncio.get_running_loop().call_later(QUIET, self._send)
        return future

    def _from(self, found: _Round, key: str) -> Waiting:
        future = found.waiting.get(key) or asyncio.get_running_loop().create_future()
        if found.replies is None:
            found.waiting[key] = future
            if not found.followed:
                found.followed = True
                self._start(self._following, self._answered(found, self._follow(found)))
        else:
            future.set_result(found.taken(key))
        return future

    def _send(self) -> None:
        content, waiting = b"".join(self._lines.values()), self._gathering
        self._lines, self._gathering, self._bytes = {}, {}, 0
        if self._patience is None or self._patience.over is not None:  # nobody waits for it any longer
            return
        new = _Round(Sent("", set(waiting)), waiting)
        if self._broken:
            error = BackboneUnusable(f"{self._broken}; no further batch is sent, what is done is kept")
            new.answer(lambda _: error)
            return
        self._of.update(dict.fromkeys(waiting, new))
        self._start(self._sending, self._answered(new, self._begin(new, content)))

    def _start(self, among: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        among.add(task)
        task.add_done_callback(among.discard)

    async def _answered(self, one: _Round, work: Coroutine[Any, Any, None]) -> None:
        """Does a part of the work at a round; an error in it is the reply to all its requests."""
        with unforeseen() as caught:
            await work
        if caught.error is not None:
            error = caught.error
            for key in one.waiting.keys() & self._of.keys():
                del self._of[key]
            one.answer(lambda _: error)

    async def _begin(self, new: _Round, content: bytes) -> None:
        import openai

        sent = new.sent
        try:
            file = await self._provider.upload(content)
            del content
            sent.file = file.name
            self._log.uploaded(sent.file, sent.keys)
            for pause in () if file.ready else pauses():
                await asyncio.sleep(pause)
                if await self._calls.persistently(partial(self._provider.is_ready, sent.file), f"file {sent.file}"):
                    break
            sent.batch = await self._calls.begun(sent.file)
        except openai.OpenAIError as error:
            raise self._calls.unusable(error) from None
        self._log.begun(sent.file, sent.batch)
        self._say(f"batch {sent.batch}: {len(sent.keys):,} requests sent")
        new.followed = True
        self._start(self._following, self._answered(new, self._follow(new)))

    async def _follow(self, one: _Round) -> None:
        """Waits for the end of a batch and hands its replies out."""
        batch, began = str(one.sent.batch), time.monotonic()
        for pause in pauses():
            look = await self._calls.persistently(partial(self._provider.look, batch), f"batch {batch}")
            if look.ended:
                break
            self._tell(one, look, began)
            await asyncio.sleep(pause)
        fetched = await self._calls.persistently(partial(self._provider.fetch, look.files), f"batch {batch}")
        good = sum(reply.good for reply in fetched.replies.values())
        self._say(_ended(one, look, good, fetched.damaged, self._calls.clean))
        if look.status != "completed" and not good:
            self._broken = (
                f"batch {batch} {look.status} without one reply ({self._calls.clean(look.words) or 'no words'})"
            )
        one.words = f"{look.status}: {self._calls.clean(look.words)}" if look.words else look.status
        if not one.sent.ended:
            replied = {key for key, reply in fetched.replies.items() if reply.good}
            self._log.ended(one.sent.file, look.status, one.sent.keys - replied)
        one.sent.ended, one.replies = True, fetched.replies
        one.answer(one.taken)

    def _tell(self, one: _Round, look: Look, began: float) -> None:
        minutes = (time.monotonic() - began) / 60
        self._calls.now_and_then(
            f"batch {one.sent.batch}: {look.done:,} of {len(one.sent.keys):,} done ({look.status}, {minutes:.0f} min)"
        )


def _ended(one: _Round, look: Look, good: int, damaged: int, clean: Callable[[str], str]) -> str:
    said = f"batch {one.sent.batch}: {look.status}, {good:,} of {len(one.sent.keys):,} requests have a reply"
    if damaged:
        said += f", {damaged:,} lines could not be read"
    return f"{said} ({clean(look.words)})" if look.words else said
