"""The interval of a difference of two shares, from the intervals of both."""

from __future__ import annotations

import math

from paars_bench.metrics.individual import MeanResult
from paars_bench.metrics.resampling import Interval

SQUARE_AND_ADD = "square-and-add of both shares' intervals"


def share_difference_interval(a: MeanResult, b: MeanResult) -> Interval | None:
    """Returns the interval of a - b; None where one of them has none.

    A jackknife sees no spread where a share is 0 or 1 (four agents of whom none leaves), and its interval may end
    beyond -1 and 1. This one takes each side's distance from its own bounds, so it does neither. It takes the two for
    independent: where shares of one shopper go together it holds more than its level.

    Args:
        a: a share with its interval (``clustered_mean`` within the bounds 0 and 1).
        b: the other.

    Reference:
        Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in Medicine
        17, method 10.
    """
    if a.ci is None or b.ci is None or a.value is None or b.value is None:
        return None
    difference = a.value - b.value
    low = difference - math.hypot(a.value - a.ci.low, b.ci.high - b.value)
    high = difference + math.hypot(a.ci.high - a.value, b.value - b.ci.low)
    note = "; ".join(dict.fromkeys(n for n in (a.ci.note, b.ci.note) if n))
    clusters = min(a.clusters, b.clusters)
    return Interval(max(-1.0, low), min(1.0, high), a.ci.level, SQUARE_AND_ADD, a.n + b.n, clusters, note)
