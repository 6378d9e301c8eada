"""One number from many scores: how they are capped and weighed, and the interval of the whole.

A run and a leaderboard make the same number of the same parts; only what scores 0 differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from paars_bench.metrics.resampling import Interval
from paars_bench.metrics.spread import Spread, spread_interval

MOST, LEAST = 100.0, -100.0
CAPPED = "conservative: a metric beyond 100 or -100 counts as that, and its spread is taken as if it did not"


class AlignmentScore(NamedTuple):
    """A score, or a weighted mean of scores, and how it varies over half-splits.

    Attributes:
        value: 100 is human, 0 is knowing nothing; -100 to 100.
        spread: None where it is not known of every part.
    """

    value: float
    spread: Spread | None

    @classmethod
    def capped(cls, score: float, spread: Spread | None) -> AlignmentScore:
        """Returns the score of one metric as it counts, -100 to 100.

        Above 100, below the floor, lies a population narrower than the humans, and that makes up for nothing. Where
        knowing nothing is already near the humans, a score of -1,500 would decide over all tasks.
        """
        held = min(MOST, max(LEAST, score))
        return cls(held, spread.saying(CAPPED) if spread is not None and held != score else spread)

    @classmethod
    def mean(cls, parts: Sequence[tuple[float, AlignmentScore]]) -> AlignmentScore:
        """Returns the weighted mean of (weight, score) parts, at least one, measured on one plan."""
        total = sum(weight for weight, _ in parts)
        spreads = [(weight / total, part.spread) for weight, part in parts if part.spread is not None]
        paired = len(spreads) == len(parts) and len({len(s.linear) for _, s in spreads}) == 1
        value = sum(weight * part.value for weight, part in parts) / total
        return cls(value, Spread.combined(spreads) if paired else None)

    def interval(self, clusters: int) -> Interval | None:
        """Returns the interval of the score, cut at 100 and -100; None where its spread is not known."""
        if self.spread is None:
            return None
        ci = spread_interval(self.value, self.spread, n=clusters, clusters=clusters)
        return ci and ci._replace(low=max(LEAST, ci.low), high=min(MOST, ci.high))
