"""A permutation test of many statistics together: are these agents told apart from these humans at all?

A panel of eight tests at 5 % each would cry wolf in up to a third of all comparisons of like with like. Here every
statistic sees the same swaps, so how they hang together is known, and the adjusted p-values hold for the panel
as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.group import GroupStatistic, Weights
from paars_bench.metrics.resampling import Floats

METHOD = "labels swapped within shoppers; step-down min-p (Westfall & Young 1993, algorithm 2.8)"
_ROUNDING = 1e-12  # of the size of a statistic
_TIE = 1e-9  # of the spread of a statistic: what rounding can move a value that is the same in exact arithmetic


class PoolableStatistic(GroupStatistic, Protocol):
    """A group statistic whose sides can be pooled."""

    def pooled(self, rng: np.random.Generator) -> GroupStatistic:
        """Returns the statistic over 2 S units, all points on both sides; units S to 2 S - 1 are the agents'."""
        ...


class PermutedStatistic(NamedTuple):
    """One statistic of a tested panel.

    Attributes:
        name: as given.
        value: of the labels as they are, all shoppers on both sides.
        expected: its mean over the swaps: what it reads when nothing differs.
        p: permutation p-value, at least 1 / (1 + permutations); None where the value is undefined.
        p_adjusted: the same, adjusted for the whole panel.
        two_sided: whether values that are too small count as well.
        shoppers: those with points on both sides, whose labels are swapped; the others are left out.
        undefined: swaps without a value; each counts as extreme, against a finding.
    """

    name: str
    value: float | None
    expected: float | None
    p: float | None
    p_adjusted: float | None
    two_sided: bool
    shoppers: int
    undefined: int


@dataclass(frozen=True, slots=True)
class PanelTest:
    """A tested panel.

    Attributes:
        p: of the panel as one test, the least adjusted p; None where every statistic is undefined.
        statistics: each in the order given.
        permutations: swaps behind it.
        method: how.
    """

    p: float | None
    statistics: tuple[PermutedStatistic, ...]
    permutations: int
    method: str = METHOD


def permutation_test(
    statistics: Mapping[str, PoolableStatistic],
    *,
    size: int,
    permutations: int = 999,
    rng: np.random.Generator,
    two_sided: Collection[str] = (),
) -> PanelTest:
    """Tests whether humans and agents differ, by each statistic and by all together.

    The null hypothesis: for every shopper, the human's points and the agent's points could be exchanged without
    changing how likely the data is, and shoppers are independent. So an agent may depend on its shopper, and the
    number of points may differ from shopper to shopper. Where agents' points hang together within a shopper
    more or less than the human's do (five copies of one query, say), the labels are not exchangeable even if a
    single point of each has the same distribution: the test may then reject, and what it rejects is that agents
    behave like people, not that the populations of points are the same. Agents that depend on each other
    across shoppers (one model, one reply for many) are a difference too, and are found as one. A ruler set
    by the humans alone (the bins of a histogram) is not exchangeable either; the statistics on points make their
    rulers from all points (``pooled``).

    Args:
        statistics: name to statistic, all over the same ``size`` shoppers.
        size: S.
        permutations: B; p-values are (1 + those as extreme) / (1 + B).
        rng: draws the swaps, then what the statistics draw, in their order.
        two_sided: names of statistics that can be too small as well; their p is twice the smaller tail's.

    Raises:
        ValueError: no statistic, an unknown name in ``two_sided``, a statistic over another number of shoppers,
            or no permutation.
    """
    if not statistics or permutations < 1:
        raise ValueError("a permutation test needs at least one statistic and one permutation")
    if unknown := sorted(set(two_sided) - set(statistics)):
        raise ValueError(f"two_sided names {', '.join(unknown)}; the panel has {', '.join(statistics)}")
    swapped = np.concatenate([np.zeros((1, size), dtype=np.bool_), rng.random((permutations, size)) < 0.5])
    columns, shoppers = [], []
    for name, statistic in statistics.items():
        pooled = statistic.pooled(rng)
        if pooled.present.shape != (2 * size,):
            raise ValueError(f"{name} is over {len(pooled.present) // 2} shoppers, the test over {size}")
        both = pooled.present[:size] & pooled.present[size:]
        columns.append(pooled.divergence(*_labels(swapped, both)))
        shoppers.append(int(both.sum()))
    values = np.stack(columns, axis=1)
    sides = np.array([name in two_sided for name in statistics])
    p = permutation_p(values, sides)
    p[:, ~np.isfinite(values[0])] = 1.0  # an undefined observation is no evidence
    adjusted = step_down(p)
    return PanelTest(_least(adjusted, values[0]), _rows(statistics, values, p, adjusted, sides, shoppers), permutations)


def _labels(swapped: npt.NDArray[np.bool_], both: npt.NDArray[np.bool_]) -> tuple[Weights, Weights]:
    """Returns the (1 + B, 2 S) weights of the units called human and of those called agent."""
    kept = np.concatenate([~swapped, swapped], axis=1) & np.tile(both, 2)
    return kept.astype(np.float32), (np.tile(both, 2) & ~kept).astype(np.float32)


def permutation_p(values: Floats, two_sided: npt.ArrayLike = False) -> Floats:
    """Returns the p-value of every row among all rows, (1 + B, m) for (1 + B, m) values.

    Row 0 is the observation. NaN counts as at least as extreme as anything. Values that differ by a billionth of
    their column's spread are ties.
    """
    with np.errstate(invalid="ignore"):
        spread = np.nanmax(values, axis=0, initial=-np.inf) - np.nanmin(values, axis=0, initial=np.inf)
        size = np.nanmax(np.abs(values), axis=0, initial=0.0)
    # where nothing differs the values themselves are rounding
    step = np.where(np.isfinite(spread) & (spread > 0), np.maximum(spread * _TIE, size * _ROUNDING), 1.0)
    steps = np.round((values - np.where(np.isfinite(values[0]), values[0], 0.0)) / step)
    from scipy.stats import rankdata

    upper = rankdata(np.where(np.isnan(steps), -np.inf, -steps), method="max", axis=0) / len(values)
    lower = rankdata(np.where(np.isnan(steps), -np.inf, steps), method="max", axis=0) / len(values)
    return np.asarray(np.where(two_sided, np.minimum(1, 2 * np.minimum(upper, lower)), upper))


def step_down(p: Floats) -> Floats:
    """Returns (m,) p-values of row 0 adjusted for all m columns: the share of rows whose least p is as small.

    Step-down: a statistic competes only with those that are no more significant than itself, so it
    controls the chance of any false finding and is never weaker than a single step.
    """
    order = np.argsort(p[0], kind="stable")
    least = np.minimum.accumulate(p[:, order[::-1]], axis=1)[:, ::-1]
    in_order = np.maximum.accumulate(np.mean(least <= p[0, order] + 1e-12, axis=0))
    out = np.empty(p.shape[1])
    out[order] = in_order
    return out


def _least(adjusted: Floats, observed: Floats) -> float | None:
    defined = adjusted[np.isfinite(observed)]
    return float(defined.min()) if len(defined) else None


def _rows(
    names: Collection[str],
    values: Floats,
    p: Floats,
    adjusted: Floats,
    two_sided: npt.NDArray[np.bool_],
    shoppers: list[int],
) -> tuple[PermutedStatistic, ...]:
    rows = []
    for j, name in enumerate(names):
        known, swaps = bool(np.isfinite(values[0, j])), values[1:, j]
        seen = swaps[np.isfinite(swaps)]
        rows.append(
            PermutedStatistic(
                name,
                float(values[0, j]) if known else None,
                float(seen.mean()) if len(seen) else None,
                float(p[0, j]) if known else None,
                float(adjusted[j]) if known else None,
                bool(two_sided[j]),
                shoppers[j],
                len(swaps) - len(seen),
            )
        )
    return tuple(rows)
