"""Text to the types of the log schema, a column at a time, with a mask of the rows whose text does not fit."""

from __future__ import annotations

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
from paars_bench.data.mining_index import Bools, bools

_CONSTANTS = {"NaN": None, "Infinity": np.inf, "-Infinity": -np.inf}
Times = NDArray[np.int64]

_ISO_ZONED = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d([.,]\d+)?)? ?(Z|z|UTC|[+-]\d\d(:?\d\d)?)$"
_ISO_PLAIN = r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d([.,]\d+)?)?)?$"
_UNIX = r"^-?\d{1,19}(\.\d+)?$"
_YEAR_10000_S = 253_402_300_800
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
EARLIEST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp() * 1e6)


def possible(micros: Times) -> Bools:
    """Says which times an event may have: from 1990 to now."""
    return (micros >= EARLIEST) & (micros <= latest())


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


def _number(written: str) -> float:
    number = float(written)
    return int(number) if abs(number) < 2.0**53 and number.is_integer() else number


_JSON = json.JSONDecoder(parse_float=_number, parse_constant=_CONSTANTS.get)


def read_json(written: str) -> Any:
    """Reads JSON; 12.0 is the number 12 and NaN is null: pandas writes both where a value is missing.

    Raises:
        ValueError: it is none.
        RecursionError: it is too deep.
    """
    return _JSON.decode(written)


def json_text(value: Any) -> str | None:
    """Returns a value of JSON or Parquet as text: itself, or as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


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
        missing = bools(pc.is_null(column))
        stamps = _micros(column)
        if not known and spec.zone:
            stamps = _in_zone(stamps, spec.zone)
        micros[:] = pc.fill_null(stamps, 0).to_numpy()
        return ReadTimes(micros, ~missing, zoned | known, missing)
    column = text(column)
    missing = bools(pc.is_null(column))
    if spec.format is not None:
        _each(column, ~missing, lambda t: datetime.strptime(t, str(spec.format)), spec.zone, micros, readable, zoned)
        return ReadTimes(micros, readable, zoned, missing)
    for pattern in (_ISO_ZONED, _ISO_PLAIN, _UNIX):
        if (readable | missing).all():
            break  # most logs write their times in one way
        here = bools(pc.match_substring_regex(column, pattern))
        if pattern != _UNIX:
            _iso(column, here, pattern == _ISO_ZONED, spec.zone, micros, readable, zoned)
        elif here.any():
            micros[here] = _unix(column.filter(pa.array(here)).cast(pa.float64()).to_numpy())
            readable |= here
            zoned |= here
    return ReadTimes(micros, readable, zoned, missing)


def _micros(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns timestamps of any unit as microseconds; 0, which no event may have, past the year 9999 on either side."""
    unit = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
    raw = column.cast(pa.int64())
    last = pa.scalar(min(_YEAR_10000_S * unit, 2**63 - 1), pa.int64())
    inside = pc.and_(pc.less(raw, last), pc.greater(raw, pc.negate(last)))
    raw = pc.if_else(inside, raw, pa.scalar(0, pa.int64()))
    return raw.cast(pa.timestamp(column.type.unit)).cast(pa.timestamp("us"), safe=False).cast(pa.int64())


def _in_zone(local: pa.ChunkedArray, zone: str) -> pa.ChunkedArray:
    """Returns local times in UTC, both in microseconds.

    Of two, it is the first. In an hour that the clock skips, the clock is not yet put forward, as ``ZoneInfo`` reads.
    """
    times = local.cast(pa.timestamp("us"))
    times = pc.assume_timezone(times, zone, ambiguous="earliest", nonexistent="earliest")
    offset = pc.subtract(pc.local_timestamp(times).cast(pa.int64()), times.cast(pa.int64()))
    return pc.subtract(local, offset)


def _iso(
    column: pa.ChunkedArray, here: Bools, known: bool, zone: str | None, micros: Times, readable: Bools, zoned: Bools
) -> None:
    if not here.any():
        return
    chosen = column.filter(pa.array(here))
    try:
        stamps = chosen.cast(pa.timestamp("us", tz="UTC" if known else None)).cast(pa.int64())
        if not known and zone:
            stamps = _in_zone(stamps, zone)
    except pa.ArrowInvalid:  # one of them is no date, such as the 31st of June, or written otherwise
        _each(column, here, _from_iso, zone, micros, readable, zoned)
        return
    micros[here] = stamps.to_numpy()
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
    missing = bools(pc.is_null(column))
    try:
        values = pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy()
        if np.isfinite(values[~missing]).all():
            return Numbers(values, np.zeros(len(values), bool))
    except pa.ArrowInvalid:
        pass  # one of them is written otherwise
    bare = pc.replace_substring_regex(column, r"^([A-Z]{3}\s*)?[$€£¥₹]?\s*|\s*[€£¥₹]$", "")
    bare = pc.replace_substring_regex(bare, r",(\d{3})\b", r"\1")
    good = bools(pc.match_substring_regex(bare, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"))
    values = np.full(len(column), np.nan)
    if good.any():
        plain = pc.replace_substring_regex(bare.filter(pa.array(good)), r"^\+", "")
        values[good] = plain.cast(pa.float64()).to_numpy()
    finite = np.isfinite(values)
    return Numbers(np.where(finite, values, np.nan), ~missing & ~finite)
