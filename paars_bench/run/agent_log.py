"""The agents' sessions as a behaviour log: the same tables a human log has, so that the same code reads both."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from paars_bench.data.schema import EVENTS, SESSIONS, event_of, event_row
from paars_bench.tasks.result import CaseResult

FOLDER = "agent_log"


def write_agent_log(run: Path, results: Iterable[CaseResult]) -> int:
    """Writes the scored sessions of a run and returns how many there are; none leaves no folder.

    Only what is behaviour is written: a session that a fault or a cap ended stays in the journal alone. The name of a
    session holds task, condition and repeat, so that the log of one condition can be told from another's.
    """
    events: list[dict[str, object]] = []
    sessions: list[dict[str, object]] = []
    for result in sorted(results, key=lambda r: r.key):
        if not result.events or not result.scored:
            continue
        rows = [event_row(event_of(e)) for e in result.events]
        events += rows
        start = rows[0]["time"]
        assert isinstance(start, datetime), "event_of reads times"
        sessions.append({"session": rows[0]["session"], "shopper": result.shopper, "start": start, "intention": None})
    if not sessions:
        return 0
    folder = run / FOLDER
    folder.mkdir(exist_ok=True)
    for name, rows, schema in (("events", events, EVENTS), ("sessions", sessions, SESSIONS)):
        part = folder / f"{name}.parquet.part"
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), part)
        part.replace(folder / f"{name}.parquet")
    return len(sessions)
