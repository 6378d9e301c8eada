"""Sessions for a log that has none: all of a shopper's day, or until nothing happens for a while."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from paars_bench.data.importing.columns import gap_seconds

_DAY = 86_400_000_000


def made_sessions(table: pa.Table, shopper: NDArray[np.int64], how: str, zone: str) -> pa.Array:
    """Returns a session for each event: the shopper and a number from 0, in order of time.

    Args:
        table: events with ``shopper`` and ``time``, in any order.
        shopper: a number for the shopper of each.
        how: ``day``, or a gap such as ``30m``: a session ends where no event follows for longer.
        zone: in which days begin.
    """
    time = np.asarray(table.column("time").cast(pa.int64()).to_numpy())
    order = np.lexsort((time, shopper))
    other = np.r_[True, shopper[order][1:] != shopper[order][:-1]][: len(order)]  # another shopper begins
    if how == "day":
        local = pc.local_timestamp(table.column("time").cast(pa.timestamp("us", tz=zone)))
        day = np.floor_divide(local.cast(pa.int64()).to_numpy(), _DAY)[order]
        new = other | np.r_[True, day[1:] != day[:-1]][: len(order)]
    else:
        seconds = gap_seconds(how)
        assert seconds is not None, "the column map is checked"
        new = other | np.r_[True, np.diff(time[order]) > seconds * 1_000_000][: len(order)]
    count = np.cumsum(new)
    within = np.empty(len(order), np.int64)
    within[order] = count - np.maximum.accumulate(np.where(other, count, 0))
    numbers = pc.utf8_lpad(pa.array(within).cast(pa.string()), 4, "0")
    return pc.binary_join_element_wise(table.column("shopper").combine_chunks(), numbers, "-")
