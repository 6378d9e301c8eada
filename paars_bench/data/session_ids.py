"""Sessions for logs that name none: a shopper's events are cut where more time than a gap lies between two of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def cut_sessions(shoppers: pa.Array, when: NDArray[np.int64], gap: int) -> pa.Array:
    """Returns a session id for each event, ``shopper-0000`` on, numbered within the shopper in order of time.

    Args:
        shoppers: whose each event is, in any order.
        when: time of each event in any whole unit (microseconds, days), same length.
        gap: the longest step in that unit that stays in one session; with days, 0 makes a session of each day.
    """
    owner = np.asarray(shoppers.dictionary_encode().indices.to_numpy(), np.int64)
    order = np.lexsort((when, owner))
    first = np.ones(len(order), bool)
    first[1:] = owner[order][1:] != owner[order][:-1]
    new = first.copy()
    new[1:] |= np.diff(when[order]) > gap
    count = np.cumsum(new)
    before = np.maximum.accumulate(np.where(first, count, 0)) if len(order) else count
    number = np.empty(len(order), np.int64)
    number[order] = count - before
    digits = pc.utf8_lpad(pa.array(number).cast(pa.string()), 4, "0")
    return pc.binary_join_element_wise(shoppers, digits, "-")
