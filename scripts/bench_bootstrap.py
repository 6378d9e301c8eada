"""How fast 10,000 resamples of a mean over 3,000 shoppers are, beside lm-eval's ``bootstrap_stderr``.

    python scripts/bench_bootstrap.py

Ours is the whole way: drawing the plan (which a run does once) and the studentised interval. The peer is lm-eval's own
function where it can be imported; where not, a loop that draws each resample with Python's ``random``, as lm-eval
does, on one core. The output says which. Three repeats each of ours, the best is taken; one of the peer.
"""

from __future__ import annotations

import random
import statistics
import time
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.metrics import ResamplingPlan, clustered_mean

SIZE, RESAMPLES = 3_000, 10_000
LIMIT_S = 0.5


class Took(NamedTuple):
    """Seconds for the plan and for the interval, and the CPU seconds of both: all that counts on a busy machine."""

    plan: float
    interval: float
    cpu: float


def ours(values: npt.NDArray[np.float64]) -> Took:
    began, cpu = time.perf_counter(), time.process_time()
    shoppers = [f"{i:05d}" for i in range(SIZE)]
    plan = ResamplingPlan.make(shoppers, resamples=RESAMPLES, rng=np.random.default_rng(0))
    drawn = time.perf_counter()
    clustered_mean(values, np.arange(SIZE), plan, bounds=(0, 1))
    return Took(drawn - began, time.perf_counter() - drawn, time.process_time() - cpu)


def loop(values: list[float]) -> float:
    """Returns the standard error over resamples drawn with Python's ``random``."""
    rng = random.Random(0)
    return statistics.stdev(statistics.fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))


def peer(values: list[float]) -> tuple[str, float]:
    """Returns the peer's name and seconds."""
    try:
        from lm_eval.api.metrics import bootstrap_stderr
    except ImportError as missing:
        began = time.perf_counter()
        loop(values)
        return f"a loop over random.choices (lm-eval: {missing})", time.perf_counter() - began
    began = time.perf_counter()
    bootstrap_stderr(statistics.fmean, values, iters=RESAMPLES)
    return "lm_eval.api.metrics.bootstrap_stderr", time.perf_counter() - began


def main() -> int:
    values = np.random.default_rng(0).beta(2, 3, SIZE)
    took = min((ours(values) for _ in range(3)), key=lambda t: t.plan + t.interval)
    name, seconds = peer(values.tolist())
    both = took.plan + took.interval
    print(f"{RESAMPLES:,} resamples of {SIZE:,} shoppers, a graded mean with its interval")
    print(f"here: {both:.2f} s (plan {took.plan:.2f}, interval {took.interval:.2f}; CPU {took.cpu:.2f})")
    print(f"{name}: {seconds:.2f} s")
    print(f"ratio {seconds / both:.1f}")
    if both > LIMIT_S:
        print(f"over the limit of {LIMIT_S} s")
    return int(both > LIMIT_S)


if __name__ == "__main__":
    raise SystemExit(main())
