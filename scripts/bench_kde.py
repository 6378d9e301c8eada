"""Times the exact log density against scikit-learn's KernelDensity, says both errors, and measures the large case.

    python scripts/bench_kde.py                  # 3,058 points, 1,000 draws, 384 dimensions; then 100,000 x 10,000
    python scripts/bench_kde.py --skip-large

Both are timed in one run on the same unit vectors, ours as the median of several repeats. The truth is brute force
in float64, one draw at a time without a matrix product. The large case runs in a process of its own, so that the
peak is its own; that one counts the interpreter and both arrays.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.special import logsumexp
from sklearn.neighbors import KernelDensity

from paars_bench.metrics import kde_log_density

Array = npt.NDArray[np.float64]
DIMENSIONS = 384
BAR_RATIO, BAR_GB = 30, 2.0
CHECKED = 200  # draws that brute force is run for


def unit_vectors(rng: np.random.Generator, n: int) -> Array:
    x = rng.standard_normal((n, DIMENSIONS))
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def draws(rng: np.random.Generator, points: Array, m: int, bandwidth: float) -> Array:
    return np.asarray(points[rng.integers(0, len(points), m)] + bandwidth * rng.standard_normal((m, points.shape[1])))


def brute_force(points: Array, at: Array, bandwidth: float) -> Array:
    constant = np.log(len(points)) + points.shape[1] * np.log(bandwidth * np.sqrt(2 * np.pi))
    logs = [logsumexp(-np.sum((points - x) ** 2, axis=1) / (2 * bandwidth * bandwidth)) for x in at]
    return np.asarray(logs) - constant


def against_scikit_learn(points: int, m: int, repeats: int) -> None:
    rng = np.random.default_rng(0)
    x = unit_vectors(rng, points)
    table = Table(title=f"{points:,} points, {m:,} draws, d = {DIMENSIONS}")
    for column in ("bandwidth", "ours, s", "scikit-learn, s", "ratio", "our error", "relative", "scikit-learn's error"):
        table.add_column(column, justify="right")
    for bandwidth in (0.01, 0.1, 1.0):
        at = draws(rng, x, m, bandwidth)
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            ours = kde_log_density(x, at, bandwidth)
            seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        theirs = KernelDensity(kernel="gaussian", bandwidth=bandwidth).fit(x).score_samples(at)
        their_seconds = time.perf_counter() - start
        truth = brute_force(x, at[:CHECKED], bandwidth)
        error = np.abs(ours[:CHECKED] - truth)
        off = np.abs(theirs[:CHECKED] - truth)
        table.add_row(
            f"{bandwidth:g}",
            f"{np.median(seconds):.3f}",
            f"{their_seconds:.2f}",
            f"{their_seconds / np.median(seconds):.0f} x",
            f"{error.max():.1e} nats",
            f"{(error / np.abs(truth)).max():.1e}",
            f"mean {off.mean():.3g}, worst {off.max():.3g} nats",
        )
    console = Console(width=140)
    console.print(table)
    console.print(
        f"wanted: ratio of {BAR_RATIO} and over; errors of the first {CHECKED} draws against float64 brute force"
    )


def large(points: int, m: int) -> None:
    """Runs in a process of its own and prints JSON."""
    rng = np.random.default_rng(0)
    x = np.empty((points, DIMENSIONS), dtype=np.float32)  # as an embedding engine gives them
    for start in range(0, points, 10_000):
        x[start : start + 10_000] = unit_vectors(rng, min(10_000, points - start))
    at = x[rng.integers(0, points, m)] + np.float32(0.1) * rng.standard_normal((m, DIMENSIONS), dtype=np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    start_time = time.perf_counter()
    found = kde_log_density(x, at, 0.1)
    took = time.perf_counter() - start_time
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if not np.isfinite(found).all():
        raise SystemExit("the large case gave a density that is not finite")
    print(json.dumps({"seconds": took, "before_gb": before, "peak_gb": peak}))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--points", type=int, default=3058)
    arguments.add_argument("--draws", type=int, default=1000)
    arguments.add_argument("--repeats", type=int, default=7)
    arguments.add_argument("--skip-large", action="store_true")
    arguments.add_argument("--large", nargs=2, type=int, metavar=("POINTS", "DRAWS"), help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.large:
        large(*chosen.large)
        return
    against_scikit_learn(chosen.points, chosen.draws, chosen.repeats)
    if chosen.skip_large:
        return
    size = (100_000, 10_000)
    command = [sys.executable, __file__, "--large", *map(str, size)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    Console().print(
        f"{size[0]:,} points x {size[1]:,} draws: {found['seconds']:.0f} s, peak {found['peak_gb']:.2f} GB "
        f"({found['before_gb']:.2f} GB of it before the call); within {BAR_GB:g} GB: "
        f"{'yes' if found['peak_gb'] <= BAR_GB else 'NO'}"
    )


if __name__ == "__main__":
    main()
