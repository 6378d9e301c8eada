"""Random numbers that belong to a case alone, drawn for many cases at once.

A generator of numpy's per case costs 90 microseconds, and numpy does not promise the same numbers from one release to
the next. Here a case's numbers are hashes of its own 64 bits, so they are the same everywhere and always.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from paars_bench.data.mining_index import Ints

Words = npt.NDArray[np.uint64]
_ROUNDS = 6
_STEP = np.uint64(0x9E3779B97F4A7C15)


def hashed(words: Words, salt: Words | int) -> Words:
    """Returns 64 mixed bits of each word and salt (SplitMix64's finaliser: Steele, Lea and Flood, 2014)."""
    mixed = words + (np.atleast_1d(np.asarray(salt, np.uint64)) + np.uint64(1)) * _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def permuted(words: Words, places: Ints, size: int) -> Ints:
    """Returns what stands at some places of each case's own random order of ``0 … size - 1``.

    A Feistel network over the least even number of bits that holds ``size`` is a permutation; a result outside goes
    through it again until it is inside (Black and Rogaway, 2002). No order is ever written down.

    Args:
        words: random bits of each case, shape ``(cases,)``.
        places: wanted, each from 0 to ``size - 1``, shape ``(places,)``.
        size: of the order, at least 1.

    Returns:
        Shape ``(cases, places)``; a row of all places holds every number once.
    """
    half = max(1, -(-(size - 1).bit_length() // 2))
    values = np.broadcast_to(places.astype(np.uint64), (len(words), len(places))).copy()
    keys = np.broadcast_to(words[:, None], values.shape)
    out = np.ones(values.shape, bool)
    while out.any():
        values[out] = _feistel(keys[out], values[out], half)
        out = values >= size
    return values.astype(np.int64)


def _feistel(keys: Words, values: Words, half: int) -> Words:
    bits, mask = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = values >> bits, values & mask
    for turn in range(_ROUNDS):
        left, right = right, left ^ (hashed(keys ^ (right << np.uint64(8)), turn) & mask)
    return np.asarray((left << bits) | right)
