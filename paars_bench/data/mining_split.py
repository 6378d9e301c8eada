"""Which part of a shopper's life is history and which is tested: decided for each shopper from its own sessions alone.

So nobody else's data moves a shopper: not the cutoff, which is a session of its own, and not the half, which is a
number drawn from the seed and its id.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from paars_bench.data.mining_index import Bools, Ints, LogIndex
from paars_bench.data.mining_rules import MiningRules, case_number

SPLIT = pa.schema(
    [
        pa.field("shopper", pa.string(), nullable=False),
        pa.field("cutoff", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("half", pa.string(), nullable=False),  # "a" or "b": to tune on one and report on the other
    ]
)


class TestPeriod(NamedTuple):
    """Which sessions cases come from.

    Attributes:
        cutoff: of each shopper in microseconds since 1970, -1 where there is none: shape ``(shoppers,)``.
        sessions: whether cases come from a session: shape ``(sessions,)``.
    """

    cutoff: Ints
    sessions: Bools


def split_by_cutoff(index: LogIndex, rules: MiningRules) -> TestPeriod:
    """Finds each shopper's cutoff: the start of the first of the last ``test_share`` of the sessions.

    Sessions without events do not count. A shopper with fewer than ``min_history`` sessions before has no cutoff.
    """
    lived = np.diff(index.first_event) > 0
    owner, start = index.owner[lived], index.start[lived]
    low = np.searchsorted(owner, np.arange(len(index.shopper_names)))
    count = np.bincount(owner, minlength=len(low)) if len(low) else np.zeros(0, np.int64)
    first = low + count - np.maximum(1, (count * rules.test_share).astype(np.int64))
    present = np.flatnonzero(count)
    # Sessions that start together with the first of the test period belong to it, so they are no history.
    new = np.append(True, (np.diff(owner) != 0) | (np.diff(start) != 0)) if len(owner) else np.zeros(0, bool)
    group = np.maximum.accumulate(np.where(new, np.arange(len(owner)), 0))
    before = group[first[present]] - low[present]
    enough = present[before >= rules.min_history]
    cutoff = np.full(len(low), -1, np.int64)
    cutoff[enough] = start[first[enough]]
    own = cutoff[index.owner]
    return TestPeriod(cutoff, lived & (own >= 0) & (index.start >= own))


def split_table(index: LogIndex, period: TestPeriod, rules: MiningRules) -> pa.Table:
    """Returns the split, schema ``SPLIT``, of every shopper with a cutoff."""
    has = np.flatnonzero(period.cutoff >= 0)
    names = [index.shopper_names[s] for s in has]
    halves = ["ab"[case_number(rules.seed, f"half/{name}") % 2] for name in names]
    cutoff = pa.array(period.cutoff[has]).cast(pa.timestamp("us", tz="UTC"))
    return pa.table([pa.array(names, pa.string()), cutoff, pa.array(halves, pa.string())], schema=SPLIT)
