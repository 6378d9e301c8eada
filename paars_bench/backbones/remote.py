"""A backbone that lives in processes of its own, where one core is the limit.

LiteLLM takes 2 ms of CPU a call and 2 s to import. In a process of its own the import goes on beside the loading of the
data, and the calls beside the run's own work; several processes make as many times the calls.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import selectors
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from paars_bench.backbones.attempts import ATTEMPTS, Attempt
from paars_bench.backbones.door import Completion, Request, Traits
from paars_bench.backbones.patience import PATIENCE, Patience
from paars_bench.backbones.redact import Redactor, secrets_of
from paars_bench.backbones.wire import Message, Wire, asked, attempt_of, completion_of, error_of, line_of, traits_of
from paars_bench.backbones.workers import Workers
from paars_bench.errors import BackboneUnusable, printable
from paars_bench.personas.history import estimate_tokens

_PATIENT = 10.0  # seconds in which a process must end after it was told to
_WORDS = 300


class Starting:
    """Processes that open a backbone, while the run goes on.

    Args:
        model: as the user typed it.
        model_args: as in ``--model_args``.
        note: is told what takes time.
        workers: that were started and have nothing open yet.
    """

    def __init__(
        self, model: str, model_args: Mapping[str, str], note: Callable[[str], None], workers: Workers
    ) -> None:
        args = dict(model_args)
        if "calls_per_minute" in args and args["calls_per_minute"].replace(".", "", 1).isdigit():
            args["calls_per_minute"] = str(float(args["calls_per_minute"]) / len(workers))
        clean = Redactor(secrets_of(model_args))
        self._processes = [_Process(n, workers, model, args, clean) for n in range(len(workers))]
        self._note, self._workers = note, workers

    def look(self) -> None:
        """Hears what the processes said so far.

        Raises:
            PaarsError: the backbone cannot be opened.
        """
        self._hear(wait=False)

    def wait(self) -> RemoteBackbone:
        """Returns the backbone, once every process has it open.

        Raises:
            PaarsError: it cannot be opened.
        """
        self._hear(wait=True)
        return RemoteBackbone(self._processes, self._workers)

    def _hear(self, *, wait: bool) -> None:
        for number, process in enumerate(self._processes):
            process.hear(self._note if number == 0 else lambda text: None, wait=wait)


class RemoteBackbone:
    """A language model that other processes call.

    Args:
        processes: that have it open.
        workers: the same, to be ended.
    """

    def __init__(self, processes: Sequence[_Process], workers: Workers) -> None:
        self._processes, self._workers = processes, workers
        first = processes[0].traits
        assert first is not None, "opened"
        many = f"{len(processes)} processes" if len(processes) > 1 else "a process"
        self.traits = replace(first, details={**first.details, "executor": f"{many} of its own"})
        self.not_sent: dict[str, str] = {}
        self.remarks: tuple[str, ...] = ()
        self._connecting: asyncio.Task[None] | None = None

    def count_tokens(self, text: str) -> int:
        """Returns an upper estimate of the tokens of ``text``, as the gateway does."""
        return estimate_tokens(text)

    async def complete(self, request: Request) -> Completion:
        """Has one request answered by the process that has the fewest.

        Raises:
            BackboneUnusable: no request can succeed, or a process is gone.
            PaarsError: as the gateway says.
        """
        patience = PATIENCE.get() or Patience()
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect(patience))
        await asyncio.shield(self._connecting)
        return await min(self._processes, key=lambda p: p.under_way).ask(request)

    async def _connect(self, patience: Patience) -> None:
        for process in self._processes:
            await process.connect(patience)

    async def aclose(self) -> None:
        """Ends the processes, and takes what they learned of the provider."""
        ended = [await process.close() for process in self._processes]
        self._workers.end()
        many = len(ended) > 1
        for number, (not_sent, remarks) in enumerate(ended, 1):
            self.not_sent |= not_sent
            self.remarks += tuple(f"process {number}: {r}" if many else r for r in remarks)


class _Process:
    """One process, at first without an event loop and then inside the run's.

    Args:
        number: its place among the workers.
        workers: that were started.
        model: as the user typed it.
        args: as in ``--model_args``.
        clean: takes keys out of a text.
    """

    def __init__(
        self, number: int, workers: Workers, model: str, args: Mapping[str, str], clean: Callable[[str], str]
    ) -> None:
        self.traits: Traits | None = None
        self._clean = clean
        self._workers, self._sock, self._lost_it = workers, workers.sockets[number], False
        self._sock.sendall(line_of({"model": model, "model_args": dict(args)}))
        self._heard = b""
        self._wire: Wire | None = None
        self._numbers = itertools.count()
        self._open: dict[int, tuple[asyncio.Future[Completion], Callable[[Attempt], None] | None]] = {}
        self._closed: asyncio.Future[tuple[dict[str, str], list[str]]] | None = None

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
        self._wire = wire = Wire(self._take, self._lost)
        await loop.create_connection(lambda: wire, sock=self._sock)
        wire.send("begin", patience.left)
        patience.at_stop(lambda: wire.send("stop"))

    async def ask(self, request: Request) -> Completion:
        """Returns what it answers."""
        assert self._wire is not None, "connected"
        if self._lost_it:
            raise self._gone()
        number = next(self._numbers)
        answer: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._open[number] = answer, ATTEMPTS.get()
        try:
            self._wire.send("ask", number, asked(request))
            return await answer
        finally:
            del self._open[number]

    def _take(self, message: Message) -> None:
        kind, *said = message
        if kind == "closed":
            assert self._closed is not None, "connected"
            if not self._closed.done():
                self._closed.set_result((said[0], said[1]))
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
            try:
                told(attempt_of(row))
            except Exception as error:  # noqa: BLE001 - the question's, as it is where no process is between
                answer.set_exception(error)

    def _lost(self) -> None:
        self._lost_it = True
        for answer, _ in self._open.values():
            if not answer.done():
                answer.set_exception(self._gone())
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(({}, []))

    def _gone(self) -> BackboneUnusable:
        last = printable(self._clean(self._workers.how_it_ended()))[-_WORDS:]
        how = f" ({last})" if last else ""
        return BackboneUnusable(
            f"a process that calls the model is gone{how}; what is done is kept, the same command goes on, and "
            "--executor inline calls from the run itself"
        )

    async def close(self) -> tuple[dict[str, str], list[str]]:
        """Ends it and returns the parameters that were not sent, and what it learned of the provider."""
        if self._wire is None or self._closed is None:
            return {}, []
        self._wire.send("close")
        done, _ = await asyncio.wait({self._closed}, timeout=_PATIENT)
        self._wire.close()
        return self._closed.result() if done else ({}, [])


def _readable(sock: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))
