"""How often each default 95 % interval holds the truth: simulated shoppers, each with own rates and several cases.

    python scripts/simulate_coverage.py                        # the table of docs/metrics.md, on one core
    python scripts/simulate_coverage.py --only means --simulations 100

Each cell is the share of simulations, in per cent, whose interval holds the true value. The truth of a mean is a
parameter of the simulation. That of a divergence, score or type-token ratio depends on n, so it is the mean over other
simulations of the same size. Seeds are fixed: the table can be made again. The cases are in ``coverage_cases.py``
and ``coverage_points.py``.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from coverage_cases import (
    SIZES,
    Seen,
    Setting,
    histogram_difference,
    histograms,
    means,
    paired,
    ratios,
    share_difference,
    strata,
)
from coverage_points import CLEAR, EQUAL, SLIGHT, kde, panel, run_score, segments

FAMILIES = ("panel", "means", "ratios", "embeddings", "scores", "segments", "histograms")


def settings(family: str) -> Iterator[Setting]:
    if family == "means":
        for mean, likeness in ((0.02, 0.2), (0.25, 0.05), (0.25, 0.3), (0.5, 0.2), (0.98, 0.2)):
            yield means(mean, likeness, graded=False)
        for mean in (0.1, 0.6, 0.95):
            yield means(mean, 0.2, graded=True)
        yield strata()
        yield paired(0.0)
        yield paired(0.1)
        yield paired(0.1, graded=True)
        yield share_difference(0.0)
        yield share_difference(0.28)
    if family == "ratios":
        yield ratios(2000, 3, "word", "words")
        yield ratios(150, 4, "bigram", "bigrams")
        yield ratios(200_000, 1, "text", "whole texts, nearly all distinct")
        yield ratios(3000, 1, "text", "whole texts, most distinct")
        yield ratios(60, 1, "text", "whole texts, many alike")
    if family == "histograms":
        for stops, name in ((1.0, "equal populations"), (0.93, "stops x 0.93"), (0.85, "x 0.85"), (0.6, "x 0.6")):
            yield histograms(stops, name)
        yield histogram_difference(0.85, "A and B alike")
        yield histogram_difference(0.6, "B further")
    if family == "embeddings":
        yield kde(0.0, "equal populations")
        yield kde(0.5, "shifted by 0.5 in each")
    if family == "panel":
        for agents, name in ((EQUAL, "equal"), (SLIGHT, "slightly different"), (CLEAR, "clearly different")):
            yield panel(agents, name)
    if family == "scores":
        for stops, agents, name in (
            (1.0, EQUAL, "equal"),
            (0.9, SLIGHT, "slightly different"),
            (0.6, CLEAR, "clearly"),
        ):
            yield run_score(stops, agents, name)
    if family == "segments":
        yield segments((1.0, 1.0, 1.0), "all as their humans")
        yield segments((0.85, 0.85, 0.85), "all alike")
        yield segments((0.7, 1.0, 0.85), "all differ")


class Cell(NamedTuple):
    """Coverage of one row at one size, in per cent, with how many intervals carried a note or were missing."""

    share: float
    error: float
    noted: float
    missing: int

    @classmethod
    def of(cls, seen: list[Seen], targets: list[float], simulations: int) -> Cell | None:
        """None where fewer than 2 of the simulations had the figure."""
        if len(seen) < 2:
            return None
        cis = [s.ci for s in seen if s.ci is not None]
        share = float(np.mean([ci.low <= target <= ci.high for ci, target in zip(cis, targets, strict=True)]))
        error = math.sqrt(max(share * (1 - share), 0.5 / len(cis)) / len(cis))
        noted = float(np.mean([ci.note != "" for ci in cis]))
        return cls(100 * share, 100 * error, 100 * noted, simulations - len(cis))

    def __str__(self) -> str:
        noted = f" ({self.noted:.0f})" if self.noted >= 0.5 else ""
        return f"{self.share:.1f} ± {self.error:.1f}{noted}" + (f" [{self.missing}]" if self.missing else "")


def cells(setting: Setting, size: int, simulations: int) -> dict[str, Cell | None]:
    """Returns coverage by row."""
    runs = [
        setting.simulate(np.random.default_rng([2, size, i]), size, True)
        for i in range(min(simulations, setting.simulations))
    ]
    others = [setting.simulate(np.random.default_rng([1, size, i]), size, False) for i in range(setting.truths)]
    out = {}
    for row in runs[0]:
        seen = [r[row] for r in runs if r[row].value is not None and r[row].ci is not None]
        if setting.truth is not None:
            targets = [setting.truth] * len(seen)
        else:
            targets = _truths([s.value or 0.0 for s in seen], [v for r in others if (v := r[row].value) is not None])
        out[row] = Cell.of(seen, targets, len(runs))
    return out


def _truths(values: list[float], others: list[float]) -> list[float]:
    """Returns what each simulation's interval should hold: the mean over others, or over all the rest."""
    if others or len(values) < 2:
        return [float(np.mean(others)) if others else 0.0] * len(values)
    return [(sum(values) - v) / (len(values) - 1) for v in values]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of shoppers")
    parser.add_argument("--only", nargs="+", default=FAMILIES, choices=FAMILIES)
    chosen = parser.parse_args()
    began = time.process_time()
    heads = " | ".join(f"{size} shoppers" for size in chosen.sizes)
    print(f"| interval of | {heads} |\n|---|{'---|' * len(chosen.sizes)}")
    for setting in (s for family in chosen.only for s in settings(family)):
        columns = {size: cells(setting, size, chosen.simulations) for size in chosen.sizes if size in setting.sizes}
        star = "*" if setting.simulations < chosen.simulations else ""
        for row in next(iter(columns.values()), {}):
            name = f"{setting.name} {row}".rstrip() + star
            shown = [str(columns[size][row] or "–") if size in columns else "–" for size in chosen.sizes]
            print(f"| {name} | " + " | ".join(shown) + " |", flush=True)
    print(
        f"\n{chosen.simulations} simulations a cell, 200 where the row ends in *: coverage in % ± Monte-Carlo standard "
        f"error (% of the intervals that carried a note) [simulations without the figure, which are not counted]. "
        f"{time.process_time() - began:.0f} s of CPU"
    )


if __name__ == "__main__":
    main()
