"""Logs of sessions in the store, by agents of a run or by people, read by the code that reads a data set's."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from paars_bench.data.log import Log
from paars_bench.data.registry import META
from paars_bench.data.schema import CATALOG, EVENTS, SESSIONS, Catalog, conformed
from paars_bench.errors import DataError


def is_agent_log(folder: Path) -> bool:
    """Says whether a folder holds a log without a catalog: ``agent_log`` of a run."""
    others = (folder / META, folder / "catalog.parquet")
    return (folder / "events.parquet").is_file() and not any(p.exists() for p in others)


def read_agent_log(folder: Path) -> Log:
    """Reads ``agent_log`` of a run; its products are those of the run's data set and are not looked up.

    Raises:
        DataError: a file is missing or holds something else.
    """
    try:
        events = conformed(pq.read_table(folder / "events.parquet"), EVENTS)
        sessions = conformed(pq.read_table(folder / "sessions.parquet"), SESSIONS)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{folder}: cannot be read as a log ({error})") from error
    return Log.of(events, Catalog(CATALOG.empty_table()), sessions=sessions)
