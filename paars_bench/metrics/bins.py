"""Bins for counts and ranks: one for each integer and one open tail, fixed by the humans alone.

Were the agents to move the bins, two backbones would be compared on different rulers; were they drawn anew in
each half-split, a floor would be on another ruler than its value. So they are made once, before any split.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.resampling import Floats, checked_rows


class CountBins(NamedTuple):
    """Bins ``start``, ``start + 1``, …, ``tail - 1`` and the open tail ``tail`` and over.

    Attributes:
        start: the smallest value there can be (0 for counts, 1 for ranks).
        tail: where the open tail begins.
    """

    start: int
    tail: int

    @classmethod
    def from_humans(cls, values: npt.ArrayLike, *, start: int = 0, tail_share: float = 0.0) -> CountBins:
        """Makes bins for all values that humans have.

        Args:
            values: (n,) integers of every human, at least ``start``.
            start: the smallest value there can be.
            tail_share: the tail begins at the smallest value that at most this share of the humans reach; 0
                begins it just above the largest human value, so that only agents can be in it.

        Raises:
            ValueError: no values, values that are no integers, or values below ``start``.
        """
        array = _integers(values, start)
        if len(array) == 0:
            raise ValueError("bins come from the humans, and there is no human value")
        if not 0 <= tail_share < 1:
            raise ValueError(f"tail_share must be at least 0 and below 1, got {tail_share}")
        allowed = int(np.floor(tail_share * len(array)))
        # the (allowed + 1)-th largest value is the largest that more than `allowed` humans reach
        return cls(start, max(start, int(np.sort(array)[len(array) - 1 - allowed])) + 1)

    @property
    def size(self) -> int:
        """K, the number of bins, the tail included."""
        return self.tail - self.start + 1

    @property
    def edges(self) -> tuple[int, ...]:
        """Lower edge of each bin; the last is the open tail's."""
        return tuple(range(self.start, self.tail + 1))

    def counts(self, values: npt.ArrayLike, rows: npt.ArrayLike, size: int) -> Floats:
        """Returns (S, K) counts: how many values of each of ``size`` shoppers fall in each bin.

        Args:
            values: (n,) integers of ``start`` and over.
            rows: (n,) the shopper's row of each value.
            size: S.

        Raises:
            ValueError: values as ``from_humans``, or a row is no whole number from 0 to ``size`` - 1.
        """
        array = _integers(values, self.start)
        place = np.minimum(array, self.tail) - self.start
        flat = checked_rows(rows, len(array), size) * self.size + place
        return np.bincount(flat, minlength=size * self.size).reshape(size, self.size).astype(np.float64)


def _integers(values: npt.ArrayLike, start: int) -> npt.NDArray[np.int64]:
    array = np.asarray(values)
    whole = array.astype(np.int64)
    if array.ndim != 1 or np.any(whole != array):
        raise ValueError("binned values must be a list of integers")
    if np.any(whole < start):
        raise ValueError(f"value {int(whole.min())} is below {start}, the smallest there can be")
    return whole
