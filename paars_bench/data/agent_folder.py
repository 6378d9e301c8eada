"""Logs of sessions in the store, by agents of a run or by people, read by the code that reads a data set's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from paars_bench.data.log import Log
from paars_bench.data.registry import META
from paars_bench.data.schema import (
    CATALOG,
    EVENTS,
    SESSIONS,
    Catalog,
    Event,
    SessionInfo,
    conformed,
    events_table,
)
from paars_bench.errors import DataError
from paars_bench.files import PART, write_atomically

SHOP = "shop.json"
"""Says in which shop the sessions of a folder were: its products and its settings."""


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


def shop_folder(folder: Path, dataset: str, settings: str, *, make: bool = False) -> None:
    """Checks that a folder can take sessions in a shop: it is not there, it is empty, or it holds such sessions.

    Args:
        folder: of a log of sessions.
        dataset: whose products are sold, in full.
        settings: digest of the store's settings.
        make: makes it where it is not there.

    Raises:
        DataError: it holds something else, or sessions in another shop, or cannot be read or written.
    """
    shop = {"dataset": dataset, "settings": settings}
    file = folder / SHOP
    try:
        held = json.loads(file.read_text("utf-8")) if file.exists() else None
        if held is None and folder.exists() and any(folder.iterdir()):
            raise DataError(f"{folder}: holds something else (it has no {SHOP}); name another folder.")
        if held is None and make:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(file, shop)
    except (OSError, ValueError) as error:
        raise DataError(f"{folder}: cannot be used for sessions ({error})") from error
    for key, value in shop.items() if held is not None else ():
        if not isinstance(held, dict) or held.get(key) != value:
            other = held.get(key) if isinstance(held, dict) else held
            raise DataError(f"{folder}: its sessions were in another shop ({key} {other}); name another folder.")


def sessions_of(folder: Path) -> list[str]:
    """Returns whose each session of a folder is; none where it holds no log yet."""
    return read_agent_log(folder).sessions.column("shopper").to_pylist() if is_agent_log(folder) else []


def add_session(folder: Path, info: SessionInfo, events: Iterable[Event]) -> None:
    """Adds a session to the log of a folder; each file is replaced whole.

    Raises:
        DataError: the folder holds something else, or cannot be written.
    """
    # Sessions first: one without events can be read, events without their session cannot.
    rows = pa.Table.from_pylist([{name: getattr(info, name) for name in SESSIONS.names}], schema=SESSIONS)
    parts = {"sessions": rows, "events": events_table(events)}
    if is_agent_log(folder):
        log = read_agent_log(folder)
        parts = {name: pa.concat_tables([getattr(log, name), table]) for name, table in parts.items()}
    try:
        for name, table in parts.items():
            part = folder / f"{name}.parquet{PART}"
            pq.write_table(table, part)
            part.replace(folder / f"{name}.parquet")
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror or error})") from error
