"""The log of people's sessions in one shop: a folder that any number of processes add to, a session at a time."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from paars_bench.data.agent_folder import is_agent_log, read_agent_log
from paars_bench.data.log import Log
from paars_bench.data.schema import SESSIONS, Event, SessionInfo, event_of, events_table
from paars_bench.errors import DataError
from paars_bench.files import PART, read_strict_json, write_atomically

SHOP = "shop.json"
"""Says in which shop the sessions of a folder were: its products and its settings."""
_LOCK = ".lock"
_LEFT_BEHIND = (_LOCK, SHOP + PART)  # by a process that was killed before it had written what shop it is
_KEYS = ("dataset", "settings")
_WAIT = 30.0  # adding a session takes milliseconds


def shop_folder(folder: Path, dataset: str, settings: str, *, make: bool = False) -> None:
    """Checks that a folder can take sessions in a shop: it is not there, it is empty, or it holds such sessions.

    Args:
        folder: of a log of sessions.
        dataset: whose products are sold, in full.
        settings: digest of the store's settings.
        make: makes it where it is not there, and makes sure that it can be written.

    Raises:
        DataError: it holds something else, or sessions in another shop, or cannot be read or written.
    """
    shop = {"dataset": dataset, "settings": settings}
    _check_shop(folder, shop)
    if not make:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with _held(folder):
            _check_shop(folder, shop)  # another process may have made it for another shop
            if not (folder / SHOP).exists():
                write_atomically(folder / SHOP, shop)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _check_shop(folder: Path, shop: dict[str, str]) -> None:
    held = _shop_of(folder) or shop
    for key in _KEYS:
        if held[key] != shop[key]:
            other = held[key][:40]
            raise DataError(
                f"{folder}: its sessions were in another shop ({key} {other}); name another folder with --to."
            )


def _shop_of(folder: Path) -> dict[str, str] | None:
    """Returns in which shop the sessions of a folder were, None where it is not there or empty."""
    file = folder / SHOP
    try:
        held = read_strict_json(file) if file.exists() else None
        if held is None and folder.exists() and any(p.name not in _LEFT_BEHIND for p in folder.iterdir()):
            raise DataError(f"{folder}: holds something else (it has no {SHOP}); name another folder.")
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read ({error}); name another folder.") from error
    if held is not None and not (isinstance(held, dict) and all(isinstance(held.get(key), str) for key in _KEYS)):
        raise DataError(f"{file}: names no shop ({' and '.join(_KEYS)} as text); name another folder.")
    return held


def awaits_sessions(folder: Path) -> bool:
    """Says whether a folder was made for the sessions of a shop and holds none yet."""
    return (folder / SHOP).is_file() and not (folder / "events.parquet").exists()


def sessions_of(folder: Path) -> list[str]:
    """Returns whose each session of a folder is; none where it holds no log yet."""
    return _column(_log_of(folder), "shopper")


def add_next(folder: Path, info: SessionInfo, events: Iterable[Event]) -> str:
    """Adds a session under the next number that its shopper has in a folder, and returns the name it got.

    The number is given when the session is added: sessions that are open at once get one each, in the order in which
    they end, and one that is never added leaves no gap.

    Args:
        folder: which ``shop_folder`` made.
        info: of the session; ``person/S00003`` becomes ``person/S00003/0002``.
        events: of the session; they get its name.

    Raises:
        DataError: as ``add_session``.
    """
    with _held(folder):
        log = _log_of(folder)
        held = set(_column(log, "session"))
        before = _column(log, "shopper").count(info.shopper)
        name = next(name for n in count(before) if (name := f"{info.session}/{n:04d}") not in held)
        _add(folder, log, replace(info, session=name), [replace(event, session=name) for event in events])
    return name


def add_session(folder: Path, info: SessionInfo, events: Iterable[Event]) -> None:
    """Adds a session to the log of a folder under the name that it has.

    Raises:
        DataError: the folder holds a session of that name or something else, or cannot be written.
    """
    with _held(folder):
        log = _log_of(folder)
        if info.session in _column(log, "session"):
            raise DataError(f"{folder}: holds a session {info.session!r} already; give each its own name.")
        _add(folder, log, info, events)


def _add(folder: Path, log: Log | None, info: SessionInfo, events: Iterable[Event]) -> None:
    """Writes both files, then replaces both: a full disk leaves the log as it was."""
    # Sessions first: one without events can be read, events without their session cannot.
    rows = pa.Table.from_pylist([{name: getattr(info, name) for name in SESSIONS.names}], schema=SESSIONS)
    tables = {"sessions": rows, "events": events_table(events)}
    parts = {name: folder / f"{name}.parquet{PART}" for name in tables}
    try:
        for name, table in tables.items():
            parts[name].unlink(missing_ok=True)  # of a killed process; or a link that a foreign folder holds
            pq.write_table(table if log is None else pa.concat_tables([getattr(log, name), table]), parts[name])
        for name, part in parts.items():
            part.replace(folder / f"{name}.parquet")
    except OSError as error:
        with suppress(OSError):
            for part in parts.values():
                part.unlink(missing_ok=True)
        raise _unwritable(folder, error) from error


def bring_sessions(source: Path, folder: Path) -> list[str]:
    """Adds the sessions of one folder to those of another, which is made where it is not there; returns their names.

    Raises:
        DataError: there are none, they were in another shop, or the folder cannot be written.
    """
    shop = _shop_of(source)
    if shop is None or not is_agent_log(source):
        raise DataError(f"{source}: no session is recorded there.")
    shop_folder(folder, shop["dataset"], shop["settings"], make=True)
    log = read_agent_log(source)
    events: dict[str, list[Event]] = {}
    for row in log.events.to_pylist():
        events.setdefault(row["session"], []).append(event_of(row))
    infos = [SessionInfo(**row) for row in log.sessions.to_pylist()]
    return [
        add_next(folder, replace(info, session=info.session.rpartition("/")[0]), events.get(info.session, []))
        for info in infos
    ]


def _log_of(folder: Path) -> Log | None:
    return read_agent_log(folder) if is_agent_log(folder) else None


def _column(log: Log | None, name: str) -> list[str]:
    return [] if log is None else log.sessions.column(name).to_pylist()


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keeps other processes from a folder.

    Raises:
        DataError: another process does not let it go, or it cannot be written.
    """
    lock = FileLock(str(folder / _LOCK))
    try:
        lock.acquire(timeout=_WAIT)
    except Timeout:
        raise DataError(f"{folder}: another process has held it for {_WAIT:.0f} s; wait for it to end.") from None
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _unwritable(folder: Path, error: OSError) -> DataError:
    return DataError(f"{folder}: cannot be written ({error.strerror or error})")
