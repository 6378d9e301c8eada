"""Means of a function of two points over all pairs of two weighted populations, for many weightings at once.

MMD, energy distance and spread are made of three such means: among humans, among agents and between them. The
function is summed over the points of each pair of shoppers once, in blocks; a weighting is then one matrix
product.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.density import _blocks, log_kernels
from paars_bench.metrics.points import PointSides
from paars_bench.metrics.resampling import Floats, Ints

PairFunction = Callable[[Floats], Floats]  # of squared distances; may work in place
_WEIGHT_BLOCK = 256  # rows: 6 MB a matrix of weights at 3,000 shoppers
_NOISE = 1e-13  # of the largest squared norm: what the cancellation of a squared distance can leave
_FINE = 2**20  # steps of a median's scale


def squared_distances(points: Floats, at: Floats) -> Floats:
    """Returns (m, n) squared distances of (m, d) ``at`` and (n, d) ``points``; equal points are exactly 0 apart."""
    out = log_kernels(points, at, math.sqrt(0.5))
    np.negative(out, out=out)
    largest = max(float(np.einsum("ij,ij->i", side, side).max()) for side in (points, at))
    out[out < _NOISE * largest] = 0
    return out


def median_distance(points: Floats) -> float:
    """Returns the median distance of all pairs of points that differ, to a millionth of the largest.

    Raises:
        ValueError: all points are equal, so there is no distance.
    """
    x = points - points.mean(axis=0)
    reach = 2 * math.sqrt(float(np.einsum("ij,ij->i", x, x).max()))
    if reach == 0:
        raise ValueError("all human points are equal: they set no scale, so a bandwidth must be given")
    counts = np.zeros(_FINE + 1, dtype=np.int64)
    for block in _blocks(len(x), len(x)):
        distance = np.sqrt(squared_distances(x[block.columns], x[block.rows]))
        steps = np.ceil(distance[distance > 0] * (_FINE / reach)).astype(np.int64)
        counts += np.bincount(np.minimum(steps, _FINE), minlength=_FINE + 1)
    half = (counts.sum() + 1) // 2
    return reach * (int(np.searchsorted(np.cumsum(counts), half)) - 0.5) / _FINE


@dataclass(frozen=True, slots=True, eq=False)
class PairSums:
    """Sums of a pair function between units.

    Attributes:
        table: (U, V) sums; 0 where both units belong to one shopper.
        left: (U,) units of the first side that have points.
        right: (V,) of the second.
        left_counts: (U,) their points.
        right_counts: (V,) their points.
        shoppers: S; unit u belongs to shopper u modulo S.
    """

    table: Floats
    left: Ints
    right: Ints
    left_counts: Floats
    right_counts: Floats
    shoppers: int

    def mean(self, w_left: npt.NDArray[np.generic], w_right: npt.NDArray[np.generic]) -> Floats:
        """Returns (R,) means over pairs of points of different shoppers; NaN where there is no such pair."""
        out = np.empty(len(w_left))
        for start in range(0, len(w_left), _WEIGHT_BLOCK):
            rows = slice(start, start + _WEIGHT_BLOCK)
            a, b = w_left[rows][:, self.left].astype(np.float64), w_right[rows][:, self.right].astype(np.float64)
            total = np.einsum("ru,ru->r", a @ self.table, b)
            pairs = self._pairs(a * self.left_counts, b * self.right_counts)
            with np.errstate(invalid="ignore", divide="ignore"):
                out[rows] = np.where(pairs > 0, total / pairs, np.nan)
        return out

    def _pairs(self, left: Floats, right: Floats) -> Floats:
        within = np.einsum("rs,rs->r", self._by_shopper(left, self.left), self._by_shopper(right, self.right))
        return np.asarray(left.sum(axis=1) * right.sum(axis=1) - within)

    def _by_shopper(self, values: Floats, units: Ints) -> Floats:
        out = np.zeros((2, len(values), self.shoppers))
        for copy in range(2):
            here = units // self.shoppers == copy
            out[copy][:, units[here] % self.shoppers] = values[:, here]
        return np.asarray(out.sum(axis=0))


def pair_sums(x: Floats, x_rows: Ints, y: Floats, y_rows: Ints, function: PairFunction, shoppers: int) -> PairSums:
    """Sums a function of the squared distance over the points of each pair of units.

    Time is one matrix product of (n, d) by (d, m); memory the (U, V) table and about 100 MB.
    """
    (x, left, at_left), (y, right, at_right) = _sorted(x, x_rows), _sorted(y, y_rows)
    centre = x.mean(axis=0)  # distances do not change, but cancel less
    x, y = x - centre, y - centre
    table = np.zeros((len(left), len(right)))
    for block in _blocks(len(x), len(y)):
        values = function(squared_distances(y[block.columns], x[block.rows]))
        u, v = at_left[block.rows], at_right[block.columns]
        if v[-1] - v[0] + 1 < len(v):
            values = np.add.reduceat(values, _starts(v), axis=1)
        if u[-1] - u[0] + 1 < len(u):
            values = np.add.reduceat(values, _starts(u), axis=0)
        table[u[0] : u[-1] + 1, v[0] : v[-1] + 1] += values
    table[(left % shoppers)[:, None] == (right % shoppers)[None, :]] = 0
    return PairSums(table, left, right, _counts(at_left), _counts(at_right), shoppers)


def _sorted(points: Floats, rows: Ints) -> tuple[Floats, Ints, Ints]:
    """Returns the points by unit, the units that have any, and each point's place among those."""
    order = np.argsort(rows, kind="stable")
    units, place = np.unique(rows[order], return_inverse=True)
    return points[order], units, place


def _starts(places: Ints) -> Ints:
    return np.flatnonzero(np.diff(places, prepend=-1))


def _counts(places: Ints) -> Floats:
    return np.bincount(places).astype(np.float64)


class PairMeans(NamedTuple):
    """(R,) means of a pair function among the humans, among the agents and between the two."""

    human: Floats
    agent: Floats
    between: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The three tables of a comparison; one table serves all three where both sides hold the same points."""

    human: PairSums
    agent: PairSums
    between: PairSums

    @classmethod
    def make(cls, sides: PointSides, function: PairFunction, *, human: PairSums | None = None) -> Pairs:
        """Sums the function; ``human`` is the humans' own table where it is known already."""
        x, y = (sides.human, sides.human_rows), (sides.agent, sides.agent_rows)
        among = pair_sums(*x, *x, function, sides.shoppers) if human is None else human
        if sides.same:
            return cls(among, among, among)
        return cls(
            among,
            pair_sums(*y, *y, function, sides.shoppers),
            pair_sums(*x, *y, function, sides.shoppers),
        )

    def means(self, w_human: npt.NDArray[np.generic], w_agent: npt.NDArray[np.generic]) -> PairMeans:
        """Returns the means under (R, size) weights a side."""
        return PairMeans(
            self.human.mean(w_human, w_human),
            self.agent.mean(w_agent, w_agent),
            self.between.mean(w_human, w_agent),
        )
