"""The agents' sessions as a behaviour log: the same tables a human log has, so that the same code reads both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from paars_bench.data.schema import EVENTS, SESSIONS, event_of, event_row
from paars_bench.files import PART
from paars_bench.run.finished import Finished
from paars_bench.run.plan import Plan

FOLDER = "agent_log"
ROW_GROUP = 2_000
"""Sessions written at once: their events are about 20 MB as Python objects, and a row group of fair size."""
_SCHEMAS = {"events": EVENTS, "sessions": SESSIONS}


class _Played(NamedTuple):
    """A session, as rows of the two tables."""

    session: dict[str, Any]
    events: list[dict[str, Any]]


def write_agent_log(run: Path, plan: Plan, done: Finished) -> int:
    """Writes the scored sessions of a run and returns how many there are; none leaves no log, an earlier one neither.

    Only what is behaviour is written: a session that a fault or a cap ended stays in the journal alone. The name of a
    session holds task, condition and repeat, so that the log of one condition can be told from another's; sessions
    stand in the order of task, condition, case and repeat. Both files are replaced when both are whole. A run's folder
    may come from anyone: a link in the place of folder or file is taken away, never followed.

    Raises:
        OSError: the files cannot be written or removed.
    """
    folder = run / FOLDER
    if folder.is_symlink():
        folder.unlink()
    played = _played(plan, done)
    group = list(islice(played, ROW_GROUP))
    if not group:
        _remove(folder)
        return 0
    folder.mkdir(exist_ok=True)
    count = 0
    with ExitStack() as stack:
        writers = {n: stack.enter_context(_writer(_part(folder, n), schema)) for n, schema in _SCHEMAS.items()}
        while group:
            rows = {
                "events": [event for one in group for event in one.events],
                "sessions": [one.session for one in group],
            }
            for name, schema in _SCHEMAS.items():
                writers[name].write_table(pa.Table.from_pylist(rows[name], schema=schema))
            count += len(group)
            group = list(islice(played, ROW_GROUP))
    for name in _SCHEMAS:
        _part(folder, name).replace(_file(folder, name))
    return count


def _file(folder: Path, table: str) -> Path:
    return folder / f"{table}.parquet"


def _part(folder: Path, table: str) -> Path:
    return folder / f"{table}.parquet{PART}"


@contextmanager
def _writer(part: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    part.unlink(missing_ok=True)  # of a killed process; or a link
    with part.open("xb") as handle, pq.ParquetWriter(handle, schema) as writer:
        yield writer


def _remove(folder: Path) -> None:
    """Removes the log of an earlier scoring, and its folder where nothing else lies there."""
    if not folder.is_dir():
        return
    for name in _SCHEMAS:
        _file(folder, name).unlink(missing_ok=True)
        _part(folder, name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _played(plan: Plan, done: Finished) -> Iterator[_Played]:
    for task, condition in sorted((t, c) for t in plan.specs for c in plan.conditions[t]):
        if plan.specs[task].output_type != "session":
            continue
        cases = plan.cases[task]
        for result in done.results(task, condition, sorted(cases), plan.repeats):
            if not result.events:
                continue
            events = [event_row(event_of(event)) for event in result.events]
            start = events[0]["time"]
            assert isinstance(start, datetime), "event_of reads times"
            intention = cases[result.case_id].values.get("intention")
            yield _Played(
                {
                    "session": events[0]["session"],
                    "shopper": result.shopper,
                    "start": start,
                    "intention": intention or None,
                },
                events,
            )
