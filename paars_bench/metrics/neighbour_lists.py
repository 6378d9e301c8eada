"""Distance to the k-th neighbour under many weightings of the shoppers, from lists made once.

A list holds the nearest few points. A weighting walks along it until the weight reaches k; where it ends before
(a resample without those shoppers), the distances to all points are sorted for that entry, so that the answer
is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.resampling import Bools, Floats, Ints

_AT_BLOCK = 512  # distances: 40 MB to 10,000 points
_WALK_BLOCK = 128  # lists walked at a time: what is added up stays in the cache at 256 weightings
_LONG = 8  # entries of a list for each of the k neighbours


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourLists:
    """The nearest points of other shoppers for each of A places.

    Attributes:
        at: (A, c) places.
        at_rows: (A,) the unit of each.
        points: (N, c) among which neighbours are sought.
        rows: (N,) the unit of each.
        size: units.
        shoppers: S; unit u belongs to shopper u modulo S.
        distances: (A, K), ascending.
        units: (A, K) whose point that is; ``size`` for a point of the same shopper, which has no weight.
    """

    at: Floats
    at_rows: Ints
    points: Floats
    rows: Ints
    size: int
    shoppers: int
    distances: Floats
    units: Ints

    @classmethod
    def make(
        cls, at: Floats, at_rows: Ints, points: Floats, rows: Ints, *, size: int, shoppers: int, k: int
    ) -> NeighbourLists:
        """Finds the nearest 8 k points of each place, by exact distances."""
        from scipy.spatial.distance import cdist

        kept = min(len(points), _LONG * k)
        distances = np.empty((len(at), kept))
        nearest = np.empty((len(at), kept), dtype=np.int64)
        for start in range(0, len(at), _AT_BLOCK):
            block = slice(start, start + _AT_BLOCK)
            away = cdist(at[block], points)
            some = np.argpartition(away, kept - 1, axis=1)[:, :kept]
            order = np.argsort(np.take_along_axis(away, some, axis=1), axis=1, kind="stable")
            nearest[block] = np.take_along_axis(some, order, axis=1)
            distances[block] = np.take_along_axis(away, nearest[block], axis=1)
        units = rows[nearest]
        units[units % shoppers == (at_rows % shoppers)[:, None]] = size
        return cls(at, at_rows, points, rows, size, shoppers, distances, units)

    def radii(self, weights: npt.NDArray[np.generic], k: int, used: Bools) -> Floats:
        """Returns (A, R): the least distance within which the points of other shoppers weigh at least k.

        Args:
            weights: (R, size), not negative.
            k: above 0.
            used: (A, R); entries where it is False may be wrong.

        Returns:
            inf where all points together weigh less than k.
        """
        columns = np.zeros((self.size + 1, len(weights)), dtype=np.float32)
        columns[:-1] = weights.T
        out = np.empty((len(self.at), len(weights)))
        for start in range(0, len(self.at), _WALK_BLOCK):
            block = slice(start, start + _WALK_BLOCK)
            place, short = self._walk(self.units[block], columns, k)
            out[block] = np.take_along_axis(self.distances[block], place, axis=1)
            short &= used[block]
            for i in np.flatnonzero(short.any(axis=1)).tolist():
                out[start + i, short[i]] = self._walk_all(start + i, columns[:, short[i]], k)
        return out

    def reachable(self, weights: npt.NDArray[np.generic]) -> Floats:
        """Returns (A, R): what the points of other shoppers weigh together."""
        counts = np.bincount(self.rows, minlength=self.size)
        by_unit = (weights.astype(np.float64) * counts).T
        by_shopper = by_unit.reshape(-1, self.shoppers, len(weights)).sum(axis=0)
        return np.asarray(by_unit.sum(axis=0) - by_shopper[self.at_rows % self.shoppers])

    def _walk(self, units: Ints, columns: npt.NDArray[np.float32], k: int) -> tuple[Ints, Bools]:
        """Returns where in each list each weighting reaches k, and which end before."""
        place = np.zeros((len(units), columns.shape[1]), dtype=np.int64)
        weight = np.zeros(place.shape, dtype=np.float32)
        for step in range(units.shape[1]):
            weight += columns[units[:, step]]
            short = weight < k
            if not short.any():
                break
            place += short
        return np.minimum(place, units.shape[1] - 1), short

    def _walk_all(self, i: int, columns: npt.NDArray[np.float32], k: int) -> Floats:
        from scipy.spatial.distance import cdist

        away = cdist(self.at[i : i + 1], self.points)[0]
        order = np.argsort(away, kind="stable")
        units: Ints = self.rows[order]
        units[units % self.shoppers == self.at_rows[i] % self.shoppers] = self.size
        reached = np.cumsum(columns[units], axis=0) >= k
        return np.where(reached[-1], away[order][np.argmax(reached, axis=0)], np.inf)
