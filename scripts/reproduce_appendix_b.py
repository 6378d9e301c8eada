"""The paper's Appendix B, its die, beside ours over many seeds: what MSE, accuracy and KL say of two systems.

    python scripts/reproduce_appendix_b.py                 # 2,000 runs of 1,000 tosses
    python scripts/reproduce_appendix_b.py --runs 200

A die of 5 sides is tossed 1,000 times. System A always says 3; system B says a side at random. The paper prints one
run. Here each number has the interval that 95 % of our runs lie in, and "agrees" says whether the paper's lies in it.
A's KL has no such number: four of five bins are empty, so it is whatever epsilon makes of them. The second table
shows that, with the epsilon that the paper's 10.04 takes.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.optimize import brentq

from paars_bench.metrics import EPSILONS, Smoothing, divergence_of_counts, epsilon_row, nats_a_decade

Array = npt.NDArray[np.float64]
SIDES, TOSSES = 5, 1000
PAPER_KL_A = 10.04
ALWAYS_THREE = np.array([0.0, 0.0, TOSSES, 0.0, 0.0])
# Table 5
PAPER: Mapping[tuple[str, str], float] = {
    ("A", "MSE"): 1.97,
    ("A", "accuracy"): 0.206,
    ("B", "MSE"): 3.96,
    ("B", "accuracy"): 0.203,
    ("B", "KL"): 0.0095,
}


class Runs(NamedTuple):
    """Simulated runs: the counts of each side, (runs, 5), and what was measured, (runs,) each."""

    human: Array
    measured: dict[tuple[str, str], Array]


def simulate(runs: int, seed: int) -> Runs:
    rng = np.random.default_rng(seed)
    tossed = rng.integers(1, SIDES + 1, (runs, TOSSES))
    said = {"A": np.full_like(tossed, 3), "B": rng.integers(1, SIDES + 1, tossed.shape)}
    human = counts(tossed)
    measured: dict[tuple[str, str], Array] = {}
    for system, answers in said.items():
        measured[system, "MSE"] = np.mean((tossed - answers) ** 2.0, axis=1)
        measured[system, "accuracy"] = np.mean(tossed == answers, axis=1)
    measured["B", "KL"] = divergence_of_counts(human, counts(said["B"]), "kl")
    return Runs(human, measured)


def counts(tossed: npt.NDArray[np.int64]) -> Array:
    return np.stack([(tossed == side).sum(axis=1) for side in range(1, SIDES + 1)], axis=1).astype(np.float64)


def table_5(runs: Runs) -> Table:
    table = Table(title=f"Table 5: {TOSSES:,} tosses, {len(runs.human):,} runs")
    for column in ("system", "number", "paper", "our mean", "95 % of runs", "runs as far out", "agrees"):
        table.add_column(column, justify="left" if column in ("system", "number") else "right")
    for (system, number), paper in PAPER.items():
        ours = runs.measured[system, number]
        low, high = np.quantile(ours, [0.025, 0.975])
        # two-sided rank of the paper's number among ours
        tail = min(1.0, 2 * min(np.mean(ours <= paper), np.mean(ours >= paper)))
        agrees = "yes" if low <= paper <= high else "NO"
        shown = [f"{x:.4f}" for x in (paper, ours.mean(), low, high)]
        table.add_row(system, number, shown[0], shown[1], f"{shown[2]} to {shown[3]}", f"{tail:.1%}", agrees)
    return table


def kl_of_a(human: Array, epsilon: float) -> float:
    return float(divergence_of_counts(human, ALWAYS_THREE, "kl", smoothing=Smoothing("epsilon", epsilon)))


def epsilon_for(human: Array, kl: float) -> float:
    return float(10 ** brentq(lambda power: kl_of_a(human, 10**power) - kl, -14, -1))


def epsilon_table(runs: Runs) -> tuple[Table, str]:
    """Returns A's KL at each epsilon of the mean run and the one that the paper's takes, and that in words."""
    mean = runs.human.mean(axis=0)
    found = np.array([epsilon_for(human, PAPER_KL_A) for human in runs.human[:500]])
    low, high = np.quantile(found, [0.025, 0.975])
    marked = epsilon_for(mean, PAPER_KL_A)
    table = Table(title="KL(human‖A), nats, by epsilon")
    table.add_column("epsilon", justify="right")
    table.add_column("KL", justify="right")
    table.add_column("")
    for epsilon in sorted([*EPSILONS, marked], reverse=True):
        table.add_row(
            f"{epsilon:.2g}",
            f"{kl_of_a(mean, epsilon):.2f}",
            "◀ the paper's" if epsilon == marked else "",
        )
    row = epsilon_row(mean, ALWAYS_THREE)
    words = (
        f"{PAPER_KL_A} takes epsilon = {marked:.1e} ({low:.1e} to {high:.1e} in 95 % of runs); the KL grows by "
        f"{nats_a_decade(row):.2f} nats a decade. Add-half, the default here, reads "
        f"{divergence_of_counts(mean, ALWAYS_THREE, 'kl'):.2f}."
    )
    return table, words


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--runs", type=int, default=2000)
    arguments.add_argument("--seed", type=int, default=0)
    chosen = arguments.parse_args()
    runs = simulate(chosen.runs, chosen.seed)
    console = Console(width=110)
    console.print(table_5(runs))
    table, words = epsilon_table(runs)
    console.print(table)
    console.print(words)


if __name__ == "__main__":
    main()
