"""Cases as Arrow tables: the columns of each kind, and the way back from a row to a ``Case``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.cases import Case, CaseKind

_COMMON = [
    pa.field("case_id", pa.string(), nullable=False),
    pa.field("kind", pa.string(), nullable=False),
    pa.field("shopper", pa.string(), nullable=False),
    pa.field("session", pa.string(), nullable=False),
    pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
]
_VALUES: dict[CaseKind, list[pa.Field]] = {
    CaseKind.QUERY_PAIRS: [pa.field("query", pa.string()), pa.field("product", pa.string())],
    CaseKind.ITEM_CHOICES: [pa.field("options", pa.list_(pa.string())), pa.field("answer", pa.int32())],
    CaseKind.RANK_CHOICES: [
        pa.field("query", pa.string()),
        pa.field("shown", pa.list_(pa.string())),
        pa.field("rank", pa.int32()),
    ],
    # A session's events are rows of different shape, which a flat table holds best as JSON text.
    CaseKind.SESSIONS: [
        pa.field("intention", pa.string()),
        pa.field("intention_source", pa.string()),  # "log", "inferred", or null where there is no intention
        pa.field("events", pa.string()),
    ],
}
CASES: dict[CaseKind, pa.Schema] = {kind: pa.schema(_COMMON + more) for kind, more in _VALUES.items()}
"""The Arrow schema of each kind's test set."""


def common_columns(
    kind: CaseKind, sessions: pa.Table, rows: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]
) -> list[pa.Array | pa.ChunkedArray]:
    """Returns the columns that every kind has.

    Args:
        kind: of the cases.
        sessions: schema ``SESSIONS``.
        rows: of each case's session in ``sessions``.
        numbers: of each case in its session; with the session it makes the id.
    """
    own = sessions.select(["session", "shopper", "start"]).take(pa.array(rows))
    names = own.column("session").combine_chunks()
    ids = pc.binary_join_element_wise(str(kind), names, pa.array(numbers).cast(pa.string()), "/")
    return [ids, pa.repeat(str(kind), len(rows)), own.column("shopper"), names, own.column("start")]


def value_names(kind: CaseKind) -> tuple[str, ...]:
    """Returns the columns of a kind beside those that every case has."""
    return tuple(f.name for f in _VALUES[kind])


def case_of(row: Mapping[str, Any]) -> Case:
    """Returns the case of a row; the events of a session stay JSON text, which ``data.sessions.session_rows`` reads."""
    kind = CaseKind(row["kind"])
    values = {name: row[name] for name in value_names(kind)}
    time = row["time"]
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    return Case(row["case_id"], kind, row["shopper"], row["session"], time.astimezone(UTC), values)


def cases_of(rows: Iterable[Mapping[str, Any]]) -> Iterator[Case]:
    """Yields the cases of rows, in their order."""
    return (case_of(row) for row in rows)


def table_rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yields the rows of a table without holding all of them at once."""
    for batch in table.to_batches(max_chunksize=1024):
        yield from batch.to_pylist()
