"""Processes that call a model, as the system sees them: started, spoken to over sockets, ended.

This file imports next to nothing: they begin while the run still imports the rest.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import paars_bench

_PATIENT = 5.0  # seconds in which they must be gone once they were told to go


class Workers:
    """Processes of ``paars_bench.backbones.worker``; each waits for the line that says what to open.

    One process imports LiteLLM and forks into the others: that takes the time and the memory of one import.

    Args:
        count: how many, at least 1.

    Attributes:
        sockets: the way to each; where this end is closed, however this process ended, the worker goes.
    """

    def __init__(self, count: int) -> None:
        pairs = [socket.socketpair() for _ in range(count)]
        self.sockets = [ours for ours, _ in pairs]
        theirs = [end for _, end in pairs]
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the processes
        root = str(Path(paars_bench.__file__).parents[1])
        path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH", "")) if p)
        numbers = [end.fileno() for end in theirs]
        self._root = subprocess.Popen(
            [sys.executable, "-m", "paars_bench.backbones.worker", *map(str, numbers)],
            pass_fds=numbers,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            start_new_session=True,  # Ctrl-C is the run's to answer, and one signal ends all
        )
        for end in theirs:
            end.close()
        self._end = weakref.finalize(self, _end, self.sockets, self._root, self._stderr)

    def __len__(self) -> int:
        return len(self.sockets)

    def end(self) -> None:
        """Ends all of them; those that were told to go have time to."""
        with suppress(subprocess.TimeoutExpired):
            self._root.wait(_PATIENT)
        self._end()

    def how_it_ended(self) -> str:
        """Returns the last words of a worker whose socket was closed; "" where it said none."""
        with suppress(subprocess.TimeoutExpired):
            self._root.wait(_PATIENT if len(self) == 1 else 0.2)
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - 2_000))
        return self._stderr.read().decode(errors="replace").strip()


def _end(sockets: Sequence[socket.socket], root: subprocess.Popen[bytes], stderr: IO[Any]) -> None:
    for end in sockets:
        end.close()
    with suppress(ProcessLookupError):
        os.killpg(root.pid, signal.SIGKILL)  # they keep nothing, and may be importing LiteLLM still
    root.wait()
    stderr.close()
