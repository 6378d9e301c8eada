"""How fast a baseline shops through a whole run, and whether memory stays flat however many sessions there are.

    python scripts/bench_sessions.py              # 2,400, 10,000 and 100,000 sessions of `logit`: a quarter of an hour
    python scripts/bench_sessions.py --quick    # 2,400 and 10,000

Every size is `paars-bench run` in a process of its own, with journal, agent log and all metrics; the larger ones ask
the same cases again (`--repeats`). The peer is a bare loop over the same 2,400 sessions through the same store, tools
and parser, without a run around them: the ratio is what the harness adds. CPU counts the whole process.

Targets: 2,400 sessions in 60 s, and a peak at 100,000 of at most 1.2 times the peak at 10,000. The script ends with 1
where one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

CASES = 5_000  # of demo's 5,630 session cases
BARE = """
import asyncio, json, resource, sys, time
from paars_bench.backbones.baselines import scripted_backbone
from paars_bench.backbones.door import Request, Situation
from paars_bench.data import iter_cases, load_dataset
from paars_bench.data.cases import CaseKind
from paars_bench.seeds import derive
from paars_bench.store import Session, Shop, parse_action

data = load_dataset("demo")
cases = list(iter_cases(data.cases(CaseKind.SESSIONS), CaseKind.SESSIONS))[: int(sys.argv[2])]
shop, backbone = Shop(data.catalog), scripted_backbone(sys.argv[1])

async def shopped(case):
    visit = shop.open(case.shopper, case.session, case.time)
    session = Session(visit, max_turns=100, max_errors=3)
    seed = derive(0, case.case_id)
    while session.result is None:
        situation = Situation(
            case, data.catalog, seed, session.page, session.turns, shop, "demo:products=3000,seed=0,shoppers=600",
            data.background,
        )
        reply = await backbone.complete(Request([], situation=situation))
        session.take(parse_action(reply.text))
    return len(session.result.events)

async def main():
    return sum([await shopped(case) for case in cases])

start, busy = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
events = asyncio.run(main())
used = resource.getrusage(resource.RUSAGE_SELF)
cpu = used.ru_utime + used.ru_stime - busy.ru_utime - busy.ru_stime
print(json.dumps({"seconds": time.perf_counter() - start, "cpu": cpu, "events": events}))
"""


class Run(NamedTuple):
    """One run: its sessions, seconds and CPU seconds of the whole process, peak RSS in MB until scoring and in all."""

    sessions: int
    seconds: float
    asking: float
    cpu: float
    asking_mb: float
    peak_mb: float


def run(model: str, sessions: int, folder: Path) -> Run:
    """Runs so many sessions; a run that is not complete ends the script."""
    cases = min(sessions, CASES)
    words = ["--model", model, "--tasks", "session_generation", "--conditions", "base", "--limit", str(cases)]
    words += ["--repeats", str(sessions // cases), "--output_path", str(folder)]
    start = time.perf_counter()
    command = [sys.executable, "-m", "paars_bench.cli", *words]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    said: list[str] = []
    asking_mb = 0.0
    for line in child.stderr:
        said.append(line)
        if line.startswith("scoring"):
            asking_mb = _peak_mb(Path(f"/proc/{child.pid}/status").read_text())
    _, status, used = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit("".join(said[-20:]))
    seconds = time.perf_counter() - start
    results = json.loads((folder / "results.json").read_text())
    done = results["tasks"][0]["counts"]["scored"]
    if done != sessions:
        raise SystemExit(f"{done} of {sessions} sessions were scored")
    cpu = used.ru_utime + used.ru_stime
    return Run(sessions, seconds, results["run"]["seconds"], cpu, asking_mb, used.ru_maxrss / 1024)


def _peak_mb(status: str) -> float:
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="logit", help="a baseline: logit, first, popular, random, human")
    parser.add_argument("--quick", action="store_true", help="leave the 100,000 out")
    given = parser.parse_args()
    sizes = (2_400, 10_000) if given.quick else (2_400, 10_000, 100_000)
    # Simulates the data set where it is not in the cache yet, so that no size pays for it.
    subprocess.run([sys.executable, "-c", BARE, given.model, "1"], check=True, stdout=subprocess.DEVNULL)
    bare = json.loads(subprocess.check_output([sys.executable, "-c", BARE, given.model, str(sizes[0])]))
    print(f"{given.model} on demo\n{'sessions':>9} {'run':>8} {'asking':>8} {'CPU':>8} {'peak asking':>12} {'peak':>8}")
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            runs.append(found := run(given.model, size, Path(folder) / str(size)))
            print(
                f"{size:>9,} {found.seconds:>6.1f} s {found.asking:>6.1f} s {found.cpu:>6.1f} s "
                f"{found.asking_mb:>9.0f} MB {found.peak_mb:>5.0f} MB"
            )
    print(
        f"bare loop over the first {sizes[0]:,}: {bare['seconds']:.1f} s, {bare['cpu']:.1f} s of CPU, "
        f"{bare['events']:,} events; a run's asking takes {runs[0].asking / bare['seconds']:.2f} times that"
    )
    last, before = runs[-1], runs[-2]
    ratio, asking = last.peak_mb / before.peak_mb, last.asking_mb / before.asking_mb
    print(f"peak at {last.sessions:,} over peak at {before.sessions:,}: {ratio:.2f}; while asking {asking:.2f}")
    missed = [f"{sizes[0]:,} sessions took {runs[0].seconds:.0f} s"] if runs[0].seconds > 60 else []
    missed += [f"memory grew {ratio:.2f} times"] if not given.quick and ratio > 1.2 else []
    print("missed: " + "; ".join(missed) if missed else "every target is met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
