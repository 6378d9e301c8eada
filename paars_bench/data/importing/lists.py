"""Columns of lists: JSON, as Python prints them, or parted by a mark, read without a Python object for each place."""

from __future__ import annotations

import ast
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.importing.convert import read_json, text
from paars_bench.data.mining_index import Bools, bools

_SIMPLE_LIST = r'^\["[^"\\]*"(, ?"[^"\\]*")*\]$'
_FAILED = "no list"


class Lists(NamedTuple):
    """Lists of text, null where there is none, and where something was written that is none."""

    values: pa.Array
    unreadable: Bools


def read_lists(column: pa.ChunkedArray, split: str | None, *, path: bool = False) -> Lists:
    """Reads lists of text: JSON, as Python prints one, or parted by ``split``.

    Args:
        column: text, or lists already.
        split: what parts the places; None for JSON.
        path: a text that is no list is a path of one step, and steps without a name are left out.
    """
    size = len(column)
    if pa.types.is_list(column.type):
        lists = column.combine_chunks()
        return _checked(lists if isinstance(lists, pa.Array) else pa.concat_arrays(lists.chunks), path)
    column = text(column)
    if column.null_count == size:
        return Lists(pa.nulls(size, pa.list_(pa.string())), np.zeros(size, bool))
    if split is not None:
        return _checked(pc.split_pattern(column, split).combine_chunks(), path)
    simple = bools(pc.match_substring_regex(column, _SIMPLE_LIST))
    inner = pc.utf8_slice_codeunits(column.filter(pa.array(simple)), 2, -2)
    parts = pc.split_pattern(pc.replace_substring(inner, '","', '", "'), '", "').combine_chunks()
    odd = ~simple & ~bools(pc.is_null(column))
    others = [_list_of(v, path) for v in column.filter(pa.array(odd)).to_pylist()]
    failed = np.zeros(size, bool)
    failed[odd] = np.array([v == _FAILED for v in others], bool)
    rest = pa.array([None, *(None if v == _FAILED else v for v in others)], pa.list_(pa.string()))
    place = np.full(size, len(parts), np.int64)
    place[simple], place[odd] = np.arange(len(parts)), len(parts) + 1 + np.arange(len(others))
    read = _checked(pa.concat_arrays([parts, rest]).take(pa.array(place)), path)
    return Lists(read.values, read.unreadable | failed)


def _list_of(value: str | None, path: bool) -> list[str] | str | None:
    if value is None:
        return None
    if not value.startswith("["):
        return [value] if path else _FAILED
    try:
        found = read_json(value)
    except (ValueError, RecursionError):
        try:
            found = ast.literal_eval(value)  # pandas writes a column of lists like this
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return _FAILED
    if not isinstance(found, list) or not all(isinstance(v, str | int | float) for v in found):
        return _FAILED
    return [str(v) for v in found]


def _checked(lists: pa.Array, path: bool) -> Lists:
    """Trims every place; a place that holds nothing would move all after it, so its list cannot be read."""
    flat = pc.utf8_trim_whitespace(lists.flatten())
    parents = np.asarray(pc.list_parent_indices(lists).to_numpy(), np.int64)
    hollow = bools(pc.or_kleene(pc.equal(flat, ""), pc.is_null(flat)))
    unreadable = np.zeros(len(lists), bool)
    if path:
        flat, parents = flat.filter(pa.array(~hollow)), parents[~hollow]
    else:
        unreadable[parents[hollow]] = True
    null = bools(pc.is_null(lists)) | unreadable
    keep = ~unreadable[parents]
    flat, parents = flat.filter(pa.array(keep)), parents[keep]
    offsets = np.append(0, np.cumsum(np.bincount(parents, minlength=len(lists)))).astype(np.int32)
    made = pa.ListArray.from_arrays(pa.array(offsets, mask=np.append(null, False)), flat)
    return Lists(made, unreadable)


def repeats(lists: pa.Array) -> Bools:
    """Says which lists hold a text twice."""
    codes = np.asarray(lists.flatten().dictionary_encode().indices.to_numpy(), np.int64)
    parents = np.asarray(pc.list_parent_indices(lists).to_numpy(), np.int64)
    size = int(codes.max(initial=0)) + 1
    places = np.sort(parents * size + codes)  # np.unique is 10 times slower here (NumPy 2.4)
    out = np.zeros(len(lists), bool)
    out[places[1:][places[1:] == places[:-1]] // size] = True
    return out
