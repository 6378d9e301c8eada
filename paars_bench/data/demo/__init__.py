"""The demo population: shoppers simulated from a seed, so that every task runs with no download and no key.

It says ``human_reference: simulated`` wherever it appears. Its formulas and parameters stand in ``docs/demo.md``;
what each shopper was made with is given by ``true_parameters``.
"""

from __future__ import annotations

from paars_bench.data.cases import CaseKind
from paars_bench.data.demo.parameters import Parameters, true_looks, true_parameters
from paars_bench.data.demo.simulation import simulate
from paars_bench.data.mined import About, MinedData
from paars_bench.data.mining import mine
from paars_bench.data.mining_rules import MiningRules
from paars_bench.data.registry import Progress

__all__ = ["REVISION", "Parameters", "build", "simulate", "true_looks", "true_parameters"]

REVISION = "3"
"""Raised with every change that gives other data for the same options."""


def build(*, shoppers: int = 600, seed: int = 0, products: int = 3_000, progress: Progress | None = None) -> MinedData:
    """Simulates a population and mines its cases.

    Args:
        shoppers: how many.
        seed: of shop and population.
        products: in the shop.
        progress: told how many shoppers are done.
    """
    log = simulate(shoppers=shoppers, seed=seed, products=products, progress=progress)
    about = About(
        name="demo",
        revision=REVISION,
        human_reference="simulated",
        licence="Apache-2.0",
        citation="PAARS-Bench demo population (simulated)",
        kinds=frozenset(CaseKind),
    )
    return MinedData(about, log, mine(log, MiningRules(seed=seed), progress=progress))
