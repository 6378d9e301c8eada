"""Sessions by gap: checked against a plain loop over each shopper's events in order of time."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.data.session_ids import cut_sessions


def by_loop(events, gap):
    """Names each event's session by walking over the events of one shopper at a time."""
    made = {}
    for shopper in {s for s, _ in events}:
        own = sorted((when, i) for i, (s, when) in enumerate(events) if s == shopper)
        number = 0
        for place, (when, i) in enumerate(own):
            number += place > 0 and when - own[place - 1][0] > gap
            made[i] = f"{shopper}-{number:04d}"
    return [made[i] for i in range(len(events))]


@given(st.lists(st.tuples(st.sampled_from(["ann", "bob", "cat"]), st.integers(0, 40)), max_size=40), st.integers(0, 9))
def test_a_longer_step_than_the_gap_begins_a_session(events, gap):
    names = cut_sessions(pa.array([s for s, _ in events], pa.string()), np.array([w for _, w in events], np.int64), gap)
    assert names.to_pylist() == by_loop(events, gap)
