"""The panel of two-sample statistics on embeddings: each sees what the others miss.

Which stand in the default panel was measured: ``scripts/simulate_power.py`` prints how often each catches repeats,
narrowing and a shift of topic, and docs/metrics.md has the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from paars_bench.metrics.neighbours import NeighbourStatistic
from paars_bench.metrics.pair_statistics import EnergyStatistic, MmdStatistic, SpreadStatistic
from paars_bench.metrics.points import PointSides, PointStatistic
from paars_bench.metrics.repeats import RepeatStatistic
from paars_bench.metrics.sliced import SlicedStatistic

_MAKERS: dict[str, Callable[..., PointStatistic]] = {
    "mmd": MmdStatistic.make,
    "energy": EnergyStatistic.make,
    "sliced_wasserstein": SlicedStatistic.make,
    "knn_kl": NeighbourStatistic.make,
    "knn_kl_reverse": partial(NeighbourStatistic.make, reverse=True),
    "spread_gap": SpreadStatistic.make,
    "repeat_gap": RepeatStatistic.make,
}
MEMBERS = tuple(_MAKERS)
DEFAULT_PANEL = ("energy", "knn_kl", "knn_kl_reverse", "spread_gap", "repeat_gap")


def point_statistic(name: str, sides: PointSides, **options: Any) -> PointStatistic:
    """Makes one statistic.

    Args:
        name: any of ``MEMBERS``.
        sides: the points.
        **options: of its ``make``: ``bandwidth`` of ``mmd``, ``directions`` of ``sliced_wasserstein``, ``k`` and
            ``components`` of the two k-NN KL.

    Raises:
        ValueError: an unknown name, or what the statistic raises, too few points for it above all.
    """
    if name not in _MAKERS:
        raise ValueError(f"unknown statistic {name}: valid are {', '.join(MEMBERS)}")
    return _MAKERS[name](sides, **options)


def panel_statistics(sides: PointSides, members: Sequence[str] = DEFAULT_PANEL) -> dict[str, PointStatistic]:
    """Makes the statistics of a panel, with their defaults, for ``evaluate_group`` or ``permutation_test``.

    Args:
        sides: the points.
        members: any of ``MEMBERS``.

    Raises:
        ValueError: an unknown member, or what the statistics raise.
    """
    return {name: point_statistic(name, sides) for name in members}
