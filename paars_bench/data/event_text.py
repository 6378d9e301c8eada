"""Events as the JSON text of ``schema.event_json``, a column at a time: a test set of sessions holds millions of them.

One event after the other through ``json.dumps`` takes 80 microseconds; joining columns of text takes 2.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.mining_index import Ints, bools

_NEEDS_ESCAPE = r'[\x00-\x1f"\\]'


def event_lists(events: pa.Table, lengths: Ints) -> pa.Array:
    """Returns JSON lists of events.

    Args:
        events: schema ``EVENTS``, those of the first list, then those of the second, and so on.
        lengths: how many events each list has, summing to ``events.num_rows``.

    Returns:
        Strings, one a list: what ``json.dumps`` gives of ``event_json`` of each event, non-ASCII kept, no blanks.
    """
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    texts = pa.ListArray.from_arrays(pa.array(offsets), _events(events))
    return pc.binary_join_element_wise("[", pc.binary_join(texts, ","), "]", "")


def _events(events: pa.Table) -> pa.Array:
    def column(name: str) -> pa.Array:
        return events.column(name).combine_chunks()

    fields = {
        "shopper": _quoted(column("shopper")),
        "session": _quoted(column("session")),
        "time": _quoted(_times(column("time"))),
        "action": _quoted(column("action")),
        "query": _quoted(column("query")),
        "shown": _lists(column("shown")),
        "product": _quoted(column("product")),
        "rank": column("rank").cast(pa.string()),
        "price": _by_value(column("price"), json.dumps),
        "arm": _quoted(column("arm")),
        "refined": _quoted(column("refined")),
    }
    assert list(fields) == events.column_names, "another schema needs another text"
    # The first fields are never null, so each later one that is there begins with a comma.
    parts = [
        pc.binary_join_element_wise(f'{"," if place else ""}"{name}":', text, "")
        for place, (name, text) in enumerate(fields.items())
    ]
    return pc.binary_join_element_wise("{", *parts, "}", "", null_handling="replace", null_replacement="")


def _quoted(values: pa.Array) -> pa.Array:
    """Returns strings as JSON strings; nulls stay null."""
    if not _holds_specials(values):
        return pc.binary_join_element_wise('"', values, '"', "")
    special = pc.fill_null(pc.match_substring_regex(values, _NEEDS_ESCAPE), False)
    escaped = _by_value(values.filter(special), lambda value: json.dumps(value, ensure_ascii=False))
    plain = pc.binary_join_element_wise('"', values, '"', "")
    return pc.replace_with_mask(plain, special, escaped)


def _holds_specials(values: pa.Array) -> bool:
    """Says whether any byte of the strings may need escaping; reading bytes is 20 times faster than a pattern."""
    data = values.buffers()[2]
    if data is None:
        return False
    octets = np.frombuffer(data, np.uint8)
    return bool(((octets < 0x20) | (octets == ord('"')) | (octets == ord("\\"))).any())


def _lists(lists: pa.ListArray) -> pa.Array:
    flat = pc.fill_null(_quoted(lists.flatten()), "null")
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), flat), ",")
    text = pc.binary_join_element_wise("[", joined, "]", "")
    return pc.if_else(pc.is_valid(lists), text, pa.scalar(None, pa.string()))


def _by_value(values: pa.Array, text_of: Callable[[Any], str]) -> pa.Array:
    """Returns the text of each value, made once for each distinct one; nulls stay null."""
    coded = values.dictionary_encode()
    texts = pa.array([text_of(v) for v in coded.dictionary.to_pylist()], pa.string())
    return texts.take(coded.indices)


def _times(times: pa.Array) -> pa.Array:
    """Returns times as ``datetime.isoformat`` writes them in UTC: microseconds only where there are any."""
    zoneless = times.cast(pa.int64()).cast(pa.timestamp("us"))
    text = pc.binary_replace_slice(zoneless.cast(pa.string()), 10, 11, "T")
    whole = bools(pc.equal(pc.microsecond(zoneless), 0)) & bools(pc.equal(pc.millisecond(zoneless), 0))
    short = pc.binary_replace_slice(text, 19, 26, "")
    return pc.binary_join_element_wise(pc.if_else(pa.array(whole), short, text), "+00:00", "")
