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

Bools = NDArray[np.bool_]
Times = NDArray[np.int64]

_ZONED = re.compile(r"(?:[zZ]|[+-]\d\d:?\d\d|[+-]\d\d)$")
_ISO_ZONED = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d([.,]\d+)?)? ?(Z|z|[+-]\d\d(:?\d\d)?)$"
_ISO_PLAIN = r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d([.,]\d+)?)?)?$"
_UNIX = r"^-?\d{1,19}(\.\d+)?$"
EARLIEST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp() * 1e6)


def latest() -> int:
    """Returns the last time that an event may have, in microseconds: a day from now, for clocks that run ahead."""
    return int((datetime.now(UTC) + timedelta(days=1)).timestamp() * 1e6)


def text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns text without white space around it; null where nothing is left."""
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
    for pattern, known in ((_ISO_ZONED, True), (_ISO_PLAIN, False)):
        here = mask(pc.match_substring_regex(column, pattern))
        _iso(column, here, known, spec.zone, micros, readable, zoned)
    here = mask(pc.match_substring_regex(column, _UNIX))
    if here.any():
        micros[here] = _unix(column.filter(pa.array(here)).cast(pa.float64()).to_numpy())
        readable |= here
        zoned |= here
    return ReadTimes(micros, readable, zoned, missing)


def _iso(
    column: pa.ChunkedArray, here: Bools, known: bool, zone: str | None, micros: Times, readable: Bools, zoned: Bools
) -> None:
    if not here.any():
        return
    chosen = pc.replace_substring(column.filter(pa.array(here)), ",", ".")
    try:
        stamps = chosen.cast(pa.timestamp("us", tz="UTC" if known else None))
        if not known and zone:
            stamps = pc.assume_timezone(stamps, zone, ambiguous="earliest", nonexistent="earliest")
    except pa.ArrowInvalid:  # one of them is no date, such as the 31st of June
        _each(column, here, datetime.fromisoformat, zone, micros, readable, zoned)
        return
    micros[here] = stamps.cast(pa.timestamp("us", tz=stamps.type.tz), safe=False).cast(pa.int64()).to_numpy()
    readable |= here
    zoned |= here & known


def _each(
    column: pa.ChunkedArray, here: Bools, parse: Any, zone: str | None, micros: Times, readable: Bools, zoned: Bools
) -> None:
    own = ZoneInfo(zone) if zone else UTC
    for i in np.flatnonzero(here).tolist():
        try:
            time = parse(column[i].as_py())
            zoned[i] |= time.tzinfo is not None
            micros[i] = int((time if time.tzinfo else time.replace(tzinfo=own)).timestamp() * 1e6)
        except (ValueError, OverflowError, OSError):
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
    bare = pc.replace_substring_regex(column, r"^[A-Z]{0,3}\s*[$€£¥₹]?\s*|\s*[€£¥₹]$", "")
    bare = pc.replace_substring_regex(bare, r",(\d{3})\b", r"\1")
    good = mask(pc.match_substring_regex(bare, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"))
    values = np.full(len(column), np.nan)
    if good.any():
        plain = pc.replace_substring_regex(bare.filter(pa.array(good)), r"^\+", "")
        values[good] = plain.cast(pa.float64()).to_numpy()
    finite = np.isfinite(values)
    return Numbers(values, ~missing & ~finite)


def read_lists(column: pa.ChunkedArray, split: str | None) -> tuple[list[list[str] | None], Bools]:
    """Reads lists of text: JSON, or parted by ``split``; the mask says where that failed."""
    unreadable = np.zeros(len(column), bool)
    out: list[list[str] | None] = []
    for i, value in enumerate(column.to_pylist()):
        if value is None or not value.strip():
            out.append(None)
        elif split is not None:
            out.append([p for p in (part.strip() for part in value.split(split)) if p])
        else:
            found = _json_list(value)
            unreadable[i] = found is None
            out.append(found)
    return out, unreadable


def _json_list(value: str) -> list[str] | None:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or any(isinstance(v, dict | list) or v is None for v in found):
        return None
    return [str(v).strip() for v in found]
