"""One resampling plan for a run: shoppers are columns, every half-split, resample and swap a row.

The shopper is the unit of independence, so shoppers are drawn and never events. Because all metrics and
conditions of a run read the same plan, a difference between two of them is paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_BLOCK = 1_000_000  # draws made at a time: 8 MB of indices


class Interval(NamedTuple):
    """An interval, as ``results.json`` holds it.

    Attributes:
        low: lower end, in the metric's unit.
        high: upper end.
        level: nominal coverage, 0 to 1.
        method: how it was made.
        n: observations behind the value.
        clusters: shoppers behind the value.
        note: why its coverage may differ from ``level``, "" where nothing is known against it. The rules and
            the simulations behind them: docs/metrics.md.
    """

    low: float
    high: float
    level: float
    method: str
    n: int
    clusters: int
    note: str = ""

    def of_rest(self) -> Interval:
        """Returns the interval of 1 less the value: of a duplicate rate, from that of the ratio of different texts."""
        return self._replace(low=1 - self.high, high=1 - self.low)


@dataclass(frozen=True, slots=True, eq=False)
class ResamplingPlan:
    """Weights of shoppers, drawn once and shared.

    Attributes:
        shoppers: sorted unique ids; place in here is the row.
        boot: (resamples, S) multinomial counts, each row summing to S, float32 (exact: they are small
            integers).
        halves: (splits, S) bool; True is half A. A and B differ by at most one shopper.
        swaps: (resamples, S) bool, each True with probability 1/2: whose two conditions change places in a
            permutation test.
    """

    shoppers: tuple[str, ...]
    boot: npt.NDArray[np.float32]
    halves: Bools
    swaps: Bools
    _row: dict[str, int] = field(repr=False)

    @classmethod
    def make(
        cls,
        shoppers: Sequence[str],
        *,
        resamples: int = 1000,
        splits: int = 200,
        rng: np.random.Generator,
    ) -> ResamplingPlan:
        """Draws a plan.

        Args:
            shoppers: ids, in any order; repeats are one shopper.
            resamples: bootstrap resamples and permutations, at least 1.
            splits: half-splits, at least 1. Values, floors, null bands and the spread of group statistics come
                from them; below 100 that spread is rough, and intervals say so.
            rng: the only source of chance.

        Raises:
            ValueError: with fewer than two shoppers no half-split exists.
        """
        ids = tuple(sorted(set(shoppers)))
        if len(ids) < 2:
            raise ValueError(f"a resampling plan needs at least 2 shoppers, got {len(ids)}")
        if resamples < 1 or splits < 1:
            raise ValueError(f"resamples and splits must be at least 1, got {resamples} and {splits}")
        boot = _multinomial(len(ids), resamples, rng)
        halves = _halves(len(ids), splits, rng)
        return cls(ids, boot, halves, _coins(len(ids), resamples, rng), {s: i for i, s in enumerate(ids)})

    def rows(self, shoppers: Sequence[str]) -> Ints:
        """Returns the row of each id, shape (n,).

        Raises:
            KeyError: an id is not in the plan.
        """
        return np.array([self._row[s] for s in shoppers], dtype=np.int64)

    @property
    def size(self) -> int:
        """S, the number of shoppers."""
        return len(self.shoppers)


def _multinomial(size: int, resamples: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    # Counting drawn indices row by row stays in the processor's cache: 0.3 s for 10,000 rows of 3,000, where
    # one count over a block of rows takes 0.9 s.
    out = np.empty((resamples, size), dtype=np.float32)
    step = max(1, _BLOCK // size)
    for start in range(0, resamples, step):
        drawn = rng.integers(0, size, size=(min(step, resamples - start), size), dtype=np.int32)
        for offset, indices in enumerate(drawn):
            out[start + offset] = np.bincount(indices, minlength=size)
    return out


def _halves(size: int, splits: int, rng: np.random.Generator) -> Bools:
    half = np.arange(size) < (size + 1) // 2
    return np.stack([rng.permutation(half) for _ in range(splits)])


def _coins(size: int, resamples: int, rng: np.random.Generator) -> Bools:
    packed = rng.integers(0, 256, size=(resamples, -(-size // 8)), dtype=np.uint8)
    return np.unpackbits(packed, axis=1, count=size).view(np.bool_)


def sums_by_row(values: npt.ArrayLike, rows: npt.ArrayLike, size: int) -> Floats:
    """Returns the sum of ``values`` over each of ``size`` rows: (n,) gives (S,), and (n, k) gives (S, k).

    Raises:
        ValueError: as ``checked_rows``.
    """
    array = np.asarray(values, dtype=np.float64)
    out = np.zeros((size, *array.shape[1:]))
    np.add.at(out, checked_rows(rows, len(array), size), array)
    return out


def checked_rows(rows: npt.ArrayLike, count: int, size: int | None, name: str = "rows") -> Ints:
    """Returns the shopper's row of each of ``count`` values, (count,), as int64.

    Args:
        rows: (count,) whole numbers, 0 to ``size`` - 1.
        count: how many values there are.
        size: S, the shoppers; None where no row is too large.
        name: what the caller calls them.

    Raises:
        ValueError: another shape, a row that is no whole number, or one out of range.
    """
    index = whole_numbers(rows, name)
    if index.shape != (count,):
        raise ValueError(f"{name} must name one shopper for each of {count} values, got shape {index.shape}")
    if count and index.min() < 0:
        raise ValueError(f"{name} must be 0 or above, got {index.min()}")
    if count and size is not None and index.max() >= size:
        raise ValueError(f"{name} must lie between 0 and {size - 1}, got {index.max()}")
    return index


def whole_numbers(values: npt.ArrayLike, name: str) -> Ints:
    """Returns an array of whole numbers as int64; floats such as 2.0 are whole, True and False are not numbers.

    Raises:
        ValueError: a value is no whole number.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be whole numbers, got an array of {array.dtype}")
    if array.dtype.kind == "f":
        fits = (np.trunc(array) == array) & (np.abs(array) < 2.0**63)
        if not fits.all():
            raise ValueError(f"{name} must be whole numbers, got {array[~fits].flat[0]}")
    return array.astype(np.int64, copy=False)


def whole_number(value: int, name: str, *, least: int) -> int:
    """Returns one whole number as a plain int.

    Raises:
        ValueError: it is no integer or below ``least``.
    """
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)


def weighted_sums(weights: npt.NDArray[np.generic], per_row: Floats) -> Floats:
    """Returns ``weights @ per_row`` in float64, block by block: (R, S) by (S, k) gives (R, k)."""
    out = np.empty((len(weights), *per_row.shape[1:]))
    step = max(1, _BLOCK // max(1, weights.shape[1]))
    for start in range(0, len(weights), step):
        out[start : start + step] = weights[start : start + step].astype(np.float64) @ per_row
    return out
