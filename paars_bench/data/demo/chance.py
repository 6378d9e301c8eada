"""Chance that is the same on every machine: the demo's only source of random numbers.

NumPy promises that the raw bits of ``PCG64`` and what ``SeedSequence`` makes of a key never change; of its
distributions it promises no such thing (NEP 19). So the bits come from NumPy and every distribution is made here
from uniform numbers, in plain Python floats, which are also several times faster than arrays of one. ``exp`` and
``log`` of two platforms may differ in the last bit; what is written to the log is rounded far coarser than that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_BLOCK = 256
_inverse_normal = NormalDist().inv_cdf


class Chance:
    """Random numbers of one thing, such as a shopper.

    Args:
        key: whole numbers from 0 that name it; equal keys give equal numbers.
    """

    __slots__ = ("_bits", "_next")

    def __init__(self, *key: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(key))
        self._next: list[float] = []

    def random(self) -> float:
        """Returns a number between 0 and 1, never one of the two."""
        if not self._next:
            raw = self._bits.random_raw(_BLOCK) >> np.uint64(12)
            # 52 bits and a half: exact as a float, so the same everywhere.
            self._next = ((raw.astype(np.float64) + 0.5) * 2.0**-52).tolist()[::-1]
        return self._next.pop()

    def below(self, count: int) -> int:
        """Returns a whole number from 0 to ``count - 1``."""
        return int(self.random() * count)

    def one_of(self, choices: Sequence[T]) -> T:
        """Returns one of the choices, each as likely."""
        return choices[int(self.random() * len(choices))]

    def some_of(self, choices: Sequence[T], count: int) -> list[T]:
        """Returns ``count`` of the choices without putting any back, in the order drawn."""
        left = list(choices)
        return [left.pop(int(self.random() * len(left))) for _ in range(min(count, len(left)))]

    def normal(self, mean: float = 0.0, deviation: float = 1.0) -> float:
        """Returns a normal number."""
        return mean + deviation * _inverse_normal(self.random())

    def gumbel(self) -> float:
        """Returns a number of the standard Gumbel distribution (location 0, scale 1)."""
        return -math.log(-math.log(self.random()))

    def gamma(self, shape: float) -> float:
        """Returns a number of the gamma distribution of scale 1 (Marsaglia and Tsang 2000)."""
        if shape < 1.0:
            return float(self.gamma(shape + 1.0) * self.random() ** (1.0 / shape))
        d = shape - 1.0 / 3.0
        c = 1.0 / math.sqrt(9.0 * d)
        while True:
            x = self.normal()
            v = (1.0 + c * x) ** 3
            if v > 0 and math.log(self.random()) < 0.5 * x * x + d - d * v + d * math.log(v):
                return d * v

    def beta(self, a: float, b: float) -> float:
        """Returns a number of the beta distribution."""
        x = self.gamma(a)
        return x / (x + self.gamma(b))

    def poisson(self, mean: float) -> int:
        """Returns a whole number of the Poisson distribution, by inversion; ``mean`` is at most 700."""
        left = self.random()
        weight, count = math.exp(-mean), 0
        while left > weight and count < 10_000:
            left -= weight
            count += 1
            weight *= mean / count
        return count
