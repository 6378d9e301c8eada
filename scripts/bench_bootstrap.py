"""How fast 10,000 resamples of a mean over 3,000 shoppers are, beside lm-eval's ``bootstrap_stderr``.

    python scripts/bench_bootstrap.py

Ours is the whole way: drawing the plan (which a run does once) and the studentised interval. The peer is lm-eval's own
function where it can be imported; where not, a loop that draws each resample with Python's ``random``, as lm-eval
does, on one core. The output says which. Three repeats each of ours, the best is taken; one of the peer.
"""

from __future__ import annotations

import importlib.util
import random
import statistics
import time

import numpy as np

from paars_bench.metrics import ResamplingPlan, clustered_mean

SIZE, RESAMPLES = 3_000, 10_000
LIMIT_S = 0.5


def ours(values: np.ndarray) -> tuple[float, float]:
    """Returns seconds for the plan and for the interval."""
    began = time.perf_counter()
    shoppers = [f"{i:05d}" for i in range(SIZE)]
    plan = ResamplingPlan.make(shoppers, resamples=RESAMPLES, rng=np.random.default_rng(0))
    drawn = time.perf_counter()
    clustered_mean(values, np.arange(SIZE), plan, bounds=(0, 1))
    return drawn - began, time.perf_counter() - drawn


def loop(values: list[float]) -> float:
    """Returns the standard error over resamples drawn with Python's ``random``."""
    rng = random.Random(0)
    return statistics.stdev(statistics.fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))


def peer(values: list[float]) -> tuple[str, float]:
    """Returns the peer's name and seconds."""
    if importlib.util.find_spec("lm_eval") is None:
        began = time.perf_counter()
        loop(values)
        return "a loop over random.choices (lm-eval is not installed)", time.perf_counter() - began
    from lm_eval.api.metrics import bootstrap_stderr

    began = time.perf_counter()
    bootstrap_stderr(statistics.fmean, values, iters=RESAMPLES)
    return "lm_eval.api.metrics.bootstrap_stderr", time.perf_counter() - began


def main() -> int:
    values = np.random.default_rng(0).beta(2, 3, SIZE)
    drawing, interval = min((ours(values) for _ in range(3)), key=sum)
    name, seconds = peer(values.tolist())
    both = drawing + interval
    print(f"{RESAMPLES:,} resamples of {SIZE:,} shoppers, a graded mean with its interval")
    print(f"here: {both:.2f} s (plan {drawing:.2f}, interval {interval:.2f})")
    print(f"{name}: {seconds:.2f} s")
    print(f"ratio {seconds / both:.1f}")
    if both > LIMIT_S:
        print(f"over the limit of {LIMIT_S} s")
    return int(both > LIMIT_S)


if __name__ == "__main__":
    raise SystemExit(main())
