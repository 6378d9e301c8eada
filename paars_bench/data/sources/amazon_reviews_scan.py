"""A file of reviews of any size, read once into a few numbers a line, so that a second reading can skip most lines.

A category can have 67 million reviews in 31 GB. 21 bytes of each are kept: which user, which product, how many found
it helpful, what it is good for. Users and products are 64-bit numbers here; that two of ten million share one has a
chance of 3 in a million.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paars_bench.data.importing.convert import EARLIEST, latest
from paars_bench.data.mining_rules import Funnel
from paars_bench.data.sources.rows import shopper_number

VERIFIED, READABLE = 1, 2
_TOLD = 200_000
_KEY = (1 << 64) - 1

Told = Callable[[int], None]


class Scan(NamedTuple):
    """One entry a line of the file.

    Attributes:
        users: ``shopper_number`` of who wrote it, 0 where the line is no review.
        products: ``product_key`` of what it is about.
        votes: how many found it helpful.
        flags: ``VERIFIED`` for a verified purchase, ``READABLE`` for a text and a rating from 1 to 5.
    """

    users: NDArray[np.uint64]
    products: NDArray[np.uint64]
    votes: NDArray[np.int32]
    flags: NDArray[np.uint8]

    @property
    def verified(self) -> NDArray[np.bool_]:
        """Which lines are a verified purchase."""
        return (self.flags & VERIFIED) > 0


def product_key(product: str) -> int:
    """Returns 64 bits of a product's id, the same within a process only."""
    return hash(product) & _KEY


def lines_of(file: Path, told: Told | None = None) -> Iterator[tuple[int, bytes]]:
    """Yields the lines of a file with their numbers from 0, one at a time."""
    with file.open("rb") as handle:
        for number, line in enumerate(handle):
            if told and number % _TOLD == 0:
                told(number)
            yield number, line


def record_of(line: bytes) -> dict[str, Any] | None:
    """Returns the JSON object of a line, None where it is none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def scan_reviews(file: Path, seed: int, steps: Funnel, told: Told | None = None) -> Scan:
    """Reads every review once.

    Args:
        file: JSON lines with ``user_id, parent_asin, timestamp, verified_purchase, helpful_vote, rating, text``.
        seed: of the choice of shoppers.
        steps: told how many lines are reviews of a known user and product.
        told: how many lines have been read.
    """
    users, products, votes, flags = array("Q"), array("Q"), array("i"), array("B")
    broken = nameless = 0
    last = latest() // 1000
    for _, line in lines_of(file, told):
        row = record_of(line)
        broken += row is None
        named = row is not None and _is_id(row.get("user_id")) and _is_id(row.get("parent_asin"))
        nameless += row is not None and not named
        timed = named and row is not None and _is_time(row.get("timestamp"), last)
        if row is None or not timed:
            for column in (users, products, votes, flags):
                column.append(0)
            continue
        users.append(shopper_number(seed, row["user_id"]))
        products.append(product_key(row["parent_asin"]))
        votes.append(helpful_votes(row))
        flags.append(VERIFIED * (row.get("verified_purchase") is True) | READABLE * _is_readable(row))
    total = len(users)
    steps.start("reviews in the source", total)
    steps.keep("line is a JSON object", total, total - broken)
    steps.keep("names user and product", total - broken, total - broken - nameless)
    steps.keep("time lies between 1990 and now", total - broken - nameless, sum(u > 0 for u in users))
    return Scan(*(np.frombuffer(a, t) for a, t in zip((users, products, votes, flags), _TYPES, strict=True)))


_TYPES = (np.uint64, np.uint64, np.int32, np.uint8)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_time(value: object, last: int) -> bool:
    return isinstance(value, int) and EARLIEST // 1000 <= value <= last


def helpful_votes(row: dict[str, Any]) -> int:
    """Returns how many found a review helpful; 0 where the source does not say."""
    votes = row.get("helpful_vote")
    return min(votes, 2**31 - 1) if isinstance(votes, int) and votes > 0 else 0


def _is_readable(row: dict[str, Any]) -> bool:
    text, rating = row.get("text"), row.get("rating")
    return isinstance(text, str) and bool(text.strip()) and isinstance(rating, int | float) and 1 <= rating <= 5


def buyers(scan: Scan, least: int) -> NDArray[np.uint64]:
    """Returns the users with verified reviews of at least ``least`` different products, ascending."""
    users, products = scan.users[scan.verified], scan.products[scan.verified]
    order = np.lexsort((products, users))
    users, products = users[order], products[order]
    new = np.ones(len(users), bool)
    new[1:] = (users[1:] != users[:-1]) | (products[1:] != products[:-1])
    names, counts = np.unique(users[new], return_counts=True)
    return np.asarray(names[counts >= least])


def most_helpful(scan: Scan, products: NDArray[np.uint64], by: NDArray[np.bool_], each: int) -> NDArray[np.int64]:
    """Returns the lines of the most helpful readable reviews of each product, earlier lines first among equals.

    Args:
        scan: of the reviews.
        products: keys of the products.
        by: which lines may be taken.
        each: how many of one product.
    """
    lines = np.flatnonzero(by & ((scan.flags & READABLE) > 0) & np.isin(scan.products, products))
    order = np.lexsort((lines, -scan.votes[lines], scan.products[lines]))
    lines = lines[order]
    own = scan.products[lines]
    place = np.arange(len(lines)) - np.searchsorted(own, own)
    return np.sort(lines[place < each])
