"""A backbone that lives in processes of its own, where one core is the limit.

LiteLLM takes 2 ms of CPU a call and 2 s to import. In a process of its own the import goes on beside the loading of the
data, and the calls beside the run's own work; several processes make as many times the calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from paars_bench.backbones.door import Completion, Request
from paars_bench.backbones.patience import PATIENCE, Patience
from paars_bench.backbones.redact import Redactor, secrets_of
from paars_bench.backbones.throttle import Throttle
from paars_bench.backbones.worker_link import WorkerLink
from paars_bench.backbones.workers import Workers
from paars_bench.personas.history import estimate_tokens


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
        args, per_minute = dict(model_args), None
        with suppress(KeyError, ValueError):  # a worker refuses what is no number
            per_minute = float(args["calls_per_minute"])
        self._throttle = Throttle(per_minute)
        clean = Redactor(secrets_of(model_args))
        self._processes = [WorkerLink(n, workers, self._throttle, model, args, clean) for n in range(len(workers))]
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
        return RemoteBackbone(self._processes, self._workers, self._throttle)

    def _hear(self, *, wait: bool) -> None:
        for number, process in enumerate(self._processes):
            process.hear(self._note if number == 0 else lambda text: None, wait=wait)


class RemoteBackbone:
    """A language model that other processes call.

    Args:
        processes: that have it open.
        workers: the same, to be ended.
        throttle: of the provider, whose calls come from all of them.
    """

    def __init__(self, processes: Sequence[WorkerLink], workers: Workers, throttle: Throttle) -> None:
        self._processes, self._workers, self._throttle = processes, workers, throttle
        first = processes[0].traits
        assert first is not None, "opened"
        many = f"{len(processes)} processes" if len(processes) > 1 else "a process"
        self.traits = replace(first, details={**first.details, "executor": f"{many} of its own"})
        self.not_sent: dict[str, str] = {}
        self._connecting: asyncio.Task[None] | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the calls so far taught about the provider, in words."""
        return self._throttle.remarks

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
        began = await self._throttle.enter(patience)
        return await min(self._processes, key=lambda p: p.under_way).ask(request, began)

    async def _connect(self, patience: Patience) -> None:
        for process in self._processes:
            await process.connect(patience)

    async def aclose(self) -> None:
        """Ends the processes, and takes which parameters they did not send."""
        for process in self._processes:
            self.not_sent |= await process.close()
        self._workers.end()
