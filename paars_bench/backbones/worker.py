"""Processes that call a model for a run: ``python -m paars_bench.backbones.worker FD …``, started by ``workers``.

Each opens the backbone as the run would and answers each request with its completion. It ends when the run says so or
is gone, however that ended.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

from paars_bench.backbones.attempts import ATTEMPTS
from paars_bench.backbones.door import Backbone, Request
from paars_bench.backbones.litellm import import_litellm
from paars_bench.backbones.open import open_backbone
from paars_bench.backbones.patience import PATIENCE, Patience
from paars_bench.backbones.wire import Message, Wire, answered, described, line_of, told
from paars_bench.boundary import unforeseen
from paars_bench.errors import PaarsError


def main(numbers: Sequence[int]) -> int:
    """Imports LiteLLM and forks into one worker for each socket; says how each ended that did not end well."""
    gc.disable()
    import_litellm()
    gc.freeze()  # what it made stays, and its pages are shared
    gc.set_threshold(5_000, 10, 10)
    gc.enable()
    workers = [_forked(number, numbers) for number in numbers]
    for number in numbers:
        os.close(number)
    for _ in workers:
        _, status = os.wait()
        if (code := os.waitstatus_to_exitcode(status)) < 0:
            sys.stderr.write(f"it was killed by signal {-code}\n")
            sys.stderr.flush()
    return 0


def _forked(number: int, numbers: Sequence[int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    for other in numbers:
        if other != number:
            os.close(other)
    try:
        with unforeseen() as caught:
            _work(number)
        if caught.error is not None:  # its last words are all that is left of it
            sys.stderr.write("".join(traceback.format_exception(caught.error)))
            sys.stderr.flush()
    finally:
        os._exit(0)  # what the parent has to clean up is not this process's


def _work(number: int) -> None:
    """Opens what the first line asks for, says how that went, and answers until the other end is gone."""
    with socket.socket(fileno=number) as sock:
        with sock.makefile("rb") as lines:
            first = lines.readline()
        if not first:
            return
        asked = json.loads(first)
        try:
            gate = _FarGate()
            backbone = open_backbone(asked["model"], asked["model_args"], partial(_note, sock), gate=gate)
        except PaarsError as error:
            sock.sendall(line_of(["failed", told(error)]))
            return
        sock.sendall(line_of(["opened", described(backbone.traits)]))
        asyncio.run(_serve(sock, backbone, gate))


def _note(sock: socket.socket, text: str) -> None:
    sock.sendall(line_of(["note", text]))


class _Turn:
    """A call that the run let begin together with its question: when that was, None where the run was over first."""

    def __init__(self, number: int, began: float | None) -> None:
        self.number, self.began, self.taken = number, began, False


_TURN: ContextVar[_Turn] = ContextVar("_TURN")


class _FarGate:
    """The run's throttle, seen from here: it counts the calls of all workers, and is asked for each second attempt."""

    remarks: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.limit = 0
        self.send: Callable[..., None] = lambda *_: None
        self.waiting: dict[int, asyncio.Future[float | None]] = {}

    async def enter(self, patience: Patience) -> float | None:
        """Returns when the call began, None where the run is over first."""
        turn = _TURN.get()
        if not turn.taken:
            turn.taken = True
            return turn.began
        let: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()
        self.waiting[turn.number] = let
        self.send("enter", turn.number)
        return await let

    def leave(self, began: float, *, refused: bool = False, wait: float | None = None) -> None:
        """Tells the run of the end of a call."""
        self.send("leave", began, refused, wait)


async def _serve(sock: socket.socket, backbone: Backbone, gate: _FarGate) -> None:
    await _Server(backbone, gate).serve(sock)


class _Server:
    """Answers what the run asks, inside an event loop."""

    def __init__(self, backbone: Backbone, gate: _FarGate) -> None:
        self._backbone, self._gate = backbone, gate
        self._loop = asyncio.get_running_loop()
        self._patience = Patience()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._wire = Wire(self._take, self._end)
        gate.send = self._wire.send

    async def serve(self, sock: socket.socket) -> None:
        """Answers until the run says that it is over, or is gone."""
        await self._loop.create_connection(lambda: self._wire, sock=sock)
        await self._ended
        for task in self._tasks:
            task.cancel()
        await self._backbone.aclose()
        self._wire.send("closed", dict(self._backbone.not_sent))

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _take(self, message: Message) -> None:
        kind, *said = message
        if kind == "ask":
            *asked, self._gate.limit = said
            task = self._loop.create_task(self._answer(*asked))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif kind == "entered":
            number, began, self._gate.limit = said
            let = self._gate.waiting.pop(number)
            if not let.done():
                let.set_result(began)
        elif kind == "begin":
            (left,) = said
            self._patience = Patience(None if left is None else time.monotonic() + left)
        elif kind == "stop":
            self._patience.stop()
        else:
            self._end()

    async def _answer(self, number: int, request: Mapping[str, Any], began: float | None) -> None:
        turn = _Turn(number, began)
        _TURN.set(turn)
        PATIENCE.set(self._patience)
        ATTEMPTS.set(lambda attempt: self._wire.send("attempt", number, list(attempt)))
        with unforeseen(PaarsError) as caught:
            try:
                self._wire.send("done", number, answered(await self._backbone.complete(Request(**request))))
            except PaarsError as error:
                caught.error = error
        if began is not None and not turn.taken:
            self._gate.leave(began)
        if caught.error is not None:
            self._wire.send("raised", number, told(caught.error))


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1:]]))
