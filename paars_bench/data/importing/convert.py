"""Text to the types of the log schema, a column at a time, with a mask of the rows whose text does not fit."""

from __future__ import annotations

import ast
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from paars_bench.data.importing.columns import Column

Bools = NDArray[np.bool_]
Times = NDArray[np.int64]

_ISO_ZONED = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d([.,]\d+)?)? ?(Z|z|UTC|[+-]\d\d(:?\d\d)?)$"
_ISO_PLAIN = r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d([.,]\d+)?)?)?$"
_UNIX = r"^-?\d{1,19}(\.\d+)?$"
_SIMPLE_LIST = r'^\["[^"\\]*"(, ?"[^"\\]*")*\]$'
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
EARLIEST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp() * 1e6)


def latest() -> int:
    """Returns the last time that an event may have, in microseconds: a day from now, for clocks that run ahead."""
    return int((datetime.now(UTC) + timedelta(days=1)).timestamp() * 1e6)


def text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns text without white space around it; null where nothing is left."""
    if pa.types.is_list(column.type):
        column = pa.chunked_array([pa.array([v and json.dumps(v) for v in column.to_pylist()], pa.string())])
    if not pa.types.is_string(column.type):
        column = column.cast(pa.string())
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def mask(array: Any) -> Bools:
    """Returns a column of booleans as NumPy's; null is False."""
    return np.asarray(
        pc.fill_null(array, False).to_numpy(zero_copy_only=False)
        if isinstance(array, pa.Array)
        else pc.fill_null(array, False).to_numpy(),
        bool,
    )


class ReadTimes(NamedTuple):
    """Times of rows.

    Attributes:
        micros: since 1970 in UTC; 0 where unreadable.
        readable: whether there is a time.
        zoned: whether it is known in which zone: written with it, Unix time, or a zone in the column map.
        missing: whether nothing was written.
    """

    micros: Times
    readable: Bools
    zoned: Bools
    missing: Bools


def read_times(column: pa.ChunkedArray, spec: Column) -> ReadTimes:
    """Reads ISO 8601, Unix seconds to nanoseconds, or the format of the column map; no zone is taken as UTC."""
    size = len(column)
    micros, readable, zoned = np.zeros(size, np.int64), np.zeros(size, bool), np.full(size, spec.zone is not None)
    if pa.types.is_timestamp(column.type):
        known = column.type.tz is not None
        missing = mask(pc.is_null(column))
        if not known and spec.zone:
            column = pc.assume_timezone(column, spec.zone, ambiguous="earliest", nonexistent="earliest")
        stamps = column.cast(pa.timestamp("us", tz="UTC") if known or spec.zone else pa.timestamp("us"), safe=False)
        micros[:] = pc.fill_null(stamps.cast(pa.int64()), 0).to_numpy()
        return ReadTimes(micros, ~missing, zoned | known, missing)
    column = text(column)
    missing = mask(pc.is_null(column))
    if spec.format is not None:
        _each(column, ~missing, lambda t: datetime.strptime(t, str(spec.format)), spec.zone, micros, readable, zoned)
        return ReadTimes(micros, readable, zoned, missing)
    for pattern in (_ISO_ZONED, _ISO_PLAIN, _UNIX):
        if (readable | missing).all():
            break  # most logs write their times in one way
        here = mask(pc.match_substring_regex(column, pattern))
        if pattern != _UNIX:
            _iso(column, here, pattern == _ISO_ZONED, spec.zone, micros, readable, zoned)
        elif here.any():
            micros[here] = _unix(column.filter(pa.array(here)).cast(pa.float64()).to_numpy())
            readable |= here
            zoned |= here
    return ReadTimes(micros, readable, zoned, missing)


def _iso(
    column: pa.ChunkedArray, here: Bools, known: bool, zone: str | None, micros: Times, readable: Bools, zoned: Bools
) -> None:
    if not here.any():
        return
    chosen = column.filter(pa.array(here))
    try:
        stamps = chosen.cast(pa.timestamp("us", tz="UTC" if known else None))
        if not known and zone:
            stamps = pc.assume_timezone(stamps, zone, ambiguous="earliest", nonexistent="earliest")
    except pa.ArrowInvalid:  # one of them is no date, such as the 31st of June, or written otherwise
        _each(column, here, _from_iso, zone, micros, readable, zoned)
        return
    micros[here] = stamps.cast(pa.timestamp("us", tz=stamps.type.tz), safe=False).cast(pa.int64()).to_numpy()
    readable |= here
    zoned |= here & known


def _from_iso(written: str) -> datetime:
    return datetime.fromisoformat(re.sub(" ?(UTC|z)$", "Z", written).replace(" +", "+").replace(" -", "-"))


def _each(
    column: pa.ChunkedArray, here: Bools, parse: Any, zone: str | None, micros: Times, readable: Bools, zoned: Bools
) -> None:
    own = ZoneInfo(zone) if zone else UTC
    places = np.flatnonzero(here).tolist()
    for i, written in zip(places, column.filter(pa.array(here)).to_pylist(), strict=True):
        try:
            time = parse(written)
            zoned[i] |= time.tzinfo is not None
            micros[i] = ((time if time.tzinfo else time.replace(tzinfo=own)) - _EPOCH) // _MICROSECOND
        except (ValueError, OverflowError):
            continue
        readable[i] = True


def _unix(values: NDArray[np.float64]) -> Times:
    """Seconds, milliseconds, microseconds or nanoseconds, by their size: no log is from before 1973 or after 5138."""
    size = np.abs(values)
    scale = np.select([size < 1e11, size < 1e14, size < 1e17], [1e6, 1e3, 1.0], 1e-3)
    return np.asarray(np.round(values * scale), np.int64)


class Numbers(NamedTuple):
    """Numbers of rows: NaN where there is none, and whether something was written that is none."""

    values: NDArray[np.float64]
    unreadable: Bools


def read_numbers(column: pa.ChunkedArray) -> Numbers:
    """Reads numbers; a currency sign and thousands separators are taken off."""
    column = text(column)
    missing = mask(pc.is_null(column))
    try:
        values = pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy()
        if np.isfinite(values[~missing]).all():
            return Numbers(values, np.zeros(len(values), bool))
    except pa.ArrowInvalid:
        pass  # one of them is written otherwise
    bare = pc.replace_substring_regex(column, r"^([A-Z]{3}\s*)?[$€£¥₹]?\s*|\s*[€£¥₹]$", "")
    bare = pc.replace_substring_regex(bare, r",(\d{3})\b", r"\1")
    good = mask(pc.match_substring_regex(bare, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"))
    values = np.full(len(column), np.nan)
    if good.any():
        plain = pc.replace_substring_regex(bare.filter(pa.array(good)), r"^\+", "")
        values[good] = plain.cast(pa.float64()).to_numpy()
    finite = np.isfinite(values)
    return Numbers(np.where(finite, values, np.nan), ~missing & ~finite)


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
    simple = mask(pc.match_substring_regex(column, _SIMPLE_LIST))
    inner = pc.utf8_slice_codeunits(column.filter(pa.array(simple)), 2, -2)
    parts = pc.split_pattern(pc.replace_substring(inner, '","', '", "'), '", "').combine_chunks()
    odd = ~simple & ~mask(pc.is_null(column))
    others = [_list_of(v, path) for v in column.filter(pa.array(odd)).to_pylist()]
    failed = np.zeros(size, bool)
    failed[odd] = np.array([v == _FAILED for v in others], bool)
    rest = pa.array([None, *(None if v == _FAILED else v for v in others)], pa.list_(pa.string()))
    place = np.full(size, len(parts), np.int64)
    place[simple], place[odd] = np.arange(len(parts)), len(parts) + 1 + np.arange(len(others))
    read = _checked(pa.concat_arrays([parts, rest]).take(pa.array(place)), path)
    return Lists(read.values, read.unreadable | failed)


_FAILED = "no list"


def _list_of(value: str | None, path: bool) -> list[str] | str | None:
    if value is None:
        return None
    if not value.startswith("["):
        return [value] if path else _FAILED
    try:
        found = json.loads(value)
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
    hollow = mask(pc.or_kleene(pc.equal(flat, ""), pc.is_null(flat)))
    unreadable = np.zeros(len(lists), bool)
    if path:
        flat, parents = flat.filter(pa.array(~hollow)), parents[~hollow]
    else:
        unreadable[parents[hollow]] = True
    null = mask(pc.is_null(lists)) | unreadable
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
