"""How much memory 100,000 cases take, and how soon a million planned ones begin.

    python scripts/bench_large.py

`random` answers item choices of the demo, 2,899 of them asked again and again (`--repeats`), each run in a process of
its own. Targets: at most 500 MB at 100,000 cases, scored; at a million the first case within 10 s of the command. The
script ends with 1 where one is missed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

CASES = 2_899
MOST_MB, MOST_SECONDS = 500, 10


class Seen(NamedTuple):
    """Of one run: seconds until its first case and in all, and its peak memory in MB."""

    first: float
    seconds: float
    peak_mb: float


def watched(repeats: int, path: Path, *, to_the_end: bool) -> Seen:
    """Runs so many repeats; one that is not watched to its end is killed after its first case."""
    words = ["--model", "random", "--tasks", "item_selection_individual", "--conditions", "base"]
    words += ["--limit", str(CASES), "--repeats", str(repeats), "--output_path", str(path)]
    start, first = time.perf_counter(), 0.0
    command = [sys.executable, "-m", "paars_bench.cli", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("first case"):
                first = time.perf_counter() - start
                if not to_the_end:
                    process.kill()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if to_the_end and process.returncode:
        sys.exit(f"the run ended with {process.returncode}")
    return Seen(first, time.perf_counter() - start, used.ru_maxrss / 1024)


def main() -> int:
    """Runs both and prints what was seen; returns 1 where a target is missed."""
    with tempfile.TemporaryDirectory() as name:
        watched(1, Path(name, "warm"), to_the_end=True)  # builds the demo on a new machine
        whole = watched(35, Path(name, "whole"), to_the_end=True)
        begun = watched(345, Path(name, "begun"), to_the_end=False)
    print(f"{35 * CASES:,} cases, scored: {whole.seconds:.0f} s, peak {whole.peak_mb:.0f} MB")
    print(f"{345 * CASES:,} cases planned: the first after {begun.first:.1f} s, peak by then {begun.peak_mb:.0f} MB")
    missed = whole.peak_mb > MOST_MB or begun.first > MOST_SECONDS
    print("a target is missed" if missed else "both targets are met")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
