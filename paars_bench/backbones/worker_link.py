"""The run's end of the way to one worker: what it is asked, and what it says."""

from __future__ import annotations

import asyncio
import itertools
import json
import selectors
import socket
from collections.abc import Callable, Mapping

from paars_bench.backbones.attempts import ATTEMPTS, Attempt
from paars_bench.backbones.door import Completion, Request, Traits
from paars_bench.backbones.patience import Patience
from paars_bench.backbones.throttle import Throttle
from paars_bench.backbones.wire import Message, Wire, asked, attempt_of, completion_of, error_of, line_of, traits_of
from paars_bench.backbones.workers import Workers
from paars_bench.boundary import unforeseen
from paars_bench.errors import BackboneUnusable, printable

_PATIENT = 10.0  # seconds in which it must say its last after it was told to go
_WORDS = 300


class WorkerLink:
    """One process, at first without an event loop and then inside the run's.

    Args:
        number: its place among the workers.
        workers: that were started.
        throttle: that lets its calls begin.
        model: as the user typed it.
        args: as in ``--model_args``.
        clean: takes keys out of a text.
    """

    def __init__(
        self,
        number: int,
        workers: Workers,
        throttle: Throttle,
        model: str,
        args: Mapping[str, str],
        clean: Callable[[str], str],
    ) -> None:
        self.traits: Traits | None = None
        self._clean, self._throttle = clean, throttle
        self._patience: Patience | None = None
        self._entering: set[asyncio.Task[None]] = set()
        self._workers, self._sock, self._lost_it = workers, workers.sockets[number], False
        self._sock.sendall(line_of({"model": model, "model_args": dict(args)}))
        self._heard = b""
        self._wire: Wire | None = None
        self._numbers = itertools.count()
        self._open: dict[int, tuple[asyncio.Future[Completion], Callable[[Attempt], None] | None]] = {}
        self._closed: asyncio.Future[dict[str, str]] | None = None

    @property
    def under_way(self) -> int:
        """Requests that it answers now."""
        return len(self._open)

    def hear(self, note: Callable[[str], None], *, wait: bool) -> None:
        """Reads what it says until it has opened the backbone, or until it says nothing more now.

        Raises:
            PaarsError: it cannot open it, or it is gone.
        """
        while self.traits is None:
            line = self._line(wait=wait)
            if line is None:
                return
            kind, said = json.loads(line)
            if kind == "failed":
                raise error_of(said)
            if kind == "opened":
                self.traits = traits_of(said)
            else:
                note(said)

    def _line(self, *, wait: bool) -> bytes | None:
        while b"\n" not in self._heard:
            if not wait and not _readable(self._sock):
                return None
            data = self._sock.recv(2**16)
            if not data:
                raise self._gone()
            self._heard += data
        line, _, self._heard = self._heard.partition(b"\n")
        return line

    async def connect(self, patience: Patience) -> None:
        """Goes on inside the running event loop."""
        loop = asyncio.get_running_loop()
        self._closed = loop.create_future()
        self._patience = patience
        self._wire = wire = Wire(self._take, self._lost)
        await loop.create_connection(lambda: wire, sock=self._sock)
        wire.send("begin", patience.left)
        patience.at_stop(lambda: wire.send("stop"))

    async def ask(self, request: Request, began: float | None) -> Completion:
        """Returns what it answers to a request whose first call has its turn; None: the run was over before."""
        assert self._wire is not None, "connected"
        if self._lost_it:
            raise self._gone()
        number = next(self._numbers)
        answer: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._open[number] = answer, ATTEMPTS.get()
        try:
            self._wire.send("ask", number, asked(request), began, self._throttle.limit)
            return await answer
        finally:
            del self._open[number]

    def _take(self, message: Message) -> None:
        kind, *said = message
        if kind == "closed":
            assert self._closed is not None, "connected"
            if not self._closed.done():
                self._closed.set_result(said[0])
            return
        if kind == "leave":
            began, refused, wait = said
            self._throttle.leave(began, refused=refused, wait=wait)
            return
        if kind == "enter":
            entering = asyncio.get_running_loop().create_task(self._enter(said[0]))
            self._entering.add(entering)
            entering.add_done_callback(self._entering.discard)
            return
        number, row = said
        if number not in self._open:  # nobody waits for it any more
            return
        answer, told = self._open[number]
        if answer.done():
            return
        if kind == "done":
            answer.set_result(completion_of(row))
        elif kind == "raised":
            answer.set_exception(error_of(row))
        elif told is not None:
            with unforeseen() as caught:
                told(attempt_of(row))
            if caught.error is not None:  # the question's, as it is where no process is between
                answer.set_exception(caught.error)

    async def _enter(self, number: int) -> None:
        assert self._patience is not None and self._wire is not None, "connected"
        began = await self._throttle.enter(self._patience)
        self._wire.send("entered", number, began, self._throttle.limit)

    def _lost(self) -> None:
        self._lost_it = True
        for answer, _ in self._open.values():
            if not answer.done():
                answer.set_exception(self._gone())
        if self._closed is not None and not self._closed.done():
            self._closed.set_result({})

    def _gone(self) -> BackboneUnusable:
        last = printable(self._clean(self._workers.how_it_ended()))[-_WORDS:]
        how = f" ({last})" if last else ""
        return BackboneUnusable(
            f"a process that calls the model is gone{how}; what is done is kept, the same command goes on, and "
            "--executor inline calls from the run itself"
        )

    async def close(self) -> dict[str, str]:
        """Tells it to go and returns the parameters that were not sent."""
        if self._wire is None or self._closed is None:
            return {}
        self._wire.send("close")
        done, _ = await asyncio.wait({self._closed}, timeout=_PATIENT)
        self._wire.close()
        return self._closed.result() if done else {}


def _readable(sock: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))
