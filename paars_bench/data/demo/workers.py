"""Shoppers made side by side in processes: they do not depend on each other, so the log is the same.

A worker is ``main`` of this module, run by the same Python. ``multiprocessing`` would import the caller's main
module again, or fork a process that may have threads; neither is safe in a library that is called from notebooks and
scripts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from paars_bench.data.schema import EVENTS, SESSIONS, SHOPPERS
from paars_bench.errors import DataError

STEP = 20
"""Shoppers after which progress is told."""
FEW = 1_000
"""Up to so many shoppers, starting processes costs more than it saves."""
_MOST = 8
_RUN = f"import sys; from {__name__} import main; main(sys.argv[1:])"
_SCHEMAS = {"events": EVENTS, "sessions": SESSIONS, "shoppers": SHOPPERS}


class People(NamedTuple):
    """What some shoppers left behind, by table of the log schema, in any order."""

    events: pa.Table
    sessions: pa.Table
    shoppers: pa.Table


def processes_for(shoppers: int) -> int:
    """Returns how many processes make so many shoppers fastest here."""
    if shoppers <= FEW or not sys.executable:
        return 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _MOST)


def made_apart(shoppers: int, seed: int, products: int, processes: int, tell: Callable[[int], None]) -> People:
    """Makes shoppers in ``processes`` processes; ``tell`` gets how many are done.

    Raises:
        DataError: a process did not end well; it wrote why to the standard error.
    """
    ends = [shoppers * part // processes for part in range(processes + 1)]
    with tempfile.TemporaryDirectory(prefix="paars-demo-") as folder:
        parts = [Path(folder) / str(part) for part in range(processes)]
        running = [
            _start(seed, products, low, high, part) for low, high, part in zip(ends[:-1], ends[1:], parts, strict=True)
        ]
        try:
            _wait(running, shoppers, tell)
        finally:
            for process in running:
                process.kill()
                process.wait()
                assert process.stdout is not None
                process.stdout.close()
        return People(*(pa.concat_tables([_read(part, name) for part in parts]) for name in _SCHEMAS))


def _start(seed: int, products: int, low: int, high: int, folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir()
    command = [sys.executable, "-c", _RUN, *map(str, (seed, products, low, high, folder))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)


def _wait(running: list[subprocess.Popen[bytes]], shoppers: int, tell: Callable[[int], None]) -> None:
    """Reads the byte that each process writes for every ``STEP`` shoppers, in turn, until all have ended."""
    done, left = 0, list(running)
    while left:
        for process in list(left):
            assert process.stdout is not None
            if process.stdout.read(1):
                done = min(done + STEP, shoppers)
                tell(done)
            else:
                left.remove(process)
    for process in running:
        if process.wait():
            raise DataError(f"demo: a process that makes shoppers ended with code {process.returncode}; see above.")


def _read(folder: Path, name: str) -> pa.Table:
    with pa.OSFile(str(folder / name)) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()


def _write(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def main(arguments: list[str]) -> None:
    """Makes shoppers ``low`` to ``high - 1`` and writes their tables to a folder."""
    from paars_bench.data.demo.shop import make_shop
    from paars_bench.data.demo.simulation import made_here

    seed, products, low, high = map(int, arguments[:4])

    def tell(done: int) -> None:
        sys.stdout.buffer.write(b".")
        sys.stdout.buffer.flush()

    people = made_here(range(low, high), make_shop(products, seed), seed, tell)
    for name, table in people._asdict().items():
        _write(table, Path(arguments[4]) / name)
