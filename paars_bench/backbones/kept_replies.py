"""Values by key in one SQLite file that several processes share: each is checked when it is read.

A value that changed on the disk is found by its checksum, a damaged file is moved aside and what is sound in it is kept
on, a disk that takes nothing costs the keeping and not the run. Each write is committed by itself: a process that is
killed loses none, as the write-ahead log hands it to the operating system.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from filelock import FileLock

from paars_bench.backbones.sqlite_file import is_damage, set_aside
from paars_bench.paths import cache_dir

_TABLE = "CREATE TABLE IF NOT EXISTS replies (key BLOB PRIMARY KEY, value BLOB NOT NULL, checksum BLOB NOT NULL)"
_GET = "SELECT value, checksum FROM replies WHERE key = ?"
# An update in place leaves no gaps among the row numbers, by which a damaged file is read.
_PUT = (
    "INSERT INTO replies VALUES (?, ?, ?) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value, checksum = excluded.checksum"
)
_RESCUE = "INSERT OR IGNORE INTO replies VALUES (?, ?, ?)"
_WAIT, _WAIT_AT_END = 1.0, 30.0  # seconds for another process's write, in the midst of a run and at its end
_LEAST_ROW = 64  # bytes


def replies_file() -> Path:
    """Returns where the replies of models are kept."""
    return cache_dir() / "replies.sqlite"


class KeptReplies:
    """A file of values, open from the first use until ``close``.

    Args:
        path: of the file; it and its folder are made when something is kept.
        say: is told once what keeps values from being read or written.
        writable: values may be kept; else the file is left as it is, damaged or not.

    Attributes:
        damaged: values that were found changed, and not returned.
        kept: values written.
        lost: values that could not be written.
    """

    def __init__(self, path: Path, say: Callable[[str], None], *, writable: bool) -> None:
        self.path = path
        self.damaged = self.kept = self.lost = 0
        self._say, self._writable = say, writable
        self._connection: sqlite3.Connection | None = None
        self._owed: dict[bytes, bytes] = {}
        self._again_at = 0.0
        self._usable = self._whole = True

    def get(self, key: bytes) -> bytes | None:
        """Returns the value of a key; None where there is none, or none that can be trusted."""
        if key in self._owed:
            return self._owed[key]
        try:
            connection = self._open()
            row = None if connection is None else connection.execute(_GET, (key,)).fetchone()
        except (sqlite3.Error, OSError) as error:
            return self.get(key) if self._renewed(error) else None
        if row is None:
            return None
        if not _is_sound(key, *row):
            self.damaged += 1
            return None
        return bytes(row[0])

    def put(self, key: bytes, value: bytes) -> None:
        """Keeps a value; while another process holds the file it waits in memory."""
        self._owed[key] = value
        if not self._writable:
            self._give_up()
        elif time.monotonic() >= self._again_at:
            self._write()

    def close(self) -> None:
        """Writes what waits, and lets the file go."""
        if self._owed:
            self._write(_WAIT_AT_END)
        self._give_up()
        self._drop()

    def _write(self, wait: float = _WAIT) -> None:
        try:
            connection = self._open()
            if connection is None:
                return
            connection.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
            _insert(connection, _PUT, self._owed.items())
        except (sqlite3.Error, OSError) as error:
            if self._renewed(error, writing=True):
                self._write(wait)
            self._again_at = time.monotonic() + wait
            return
        self.kept += len(self._owed)
        self._owed.clear()

    def _open(self) -> sqlite3.Connection | None:
        """Returns the open file; None where there is none and none is made, or where it is of no use."""
        if self._connection is None and self._usable:
            if self._writable:
                try:
                    self._connection = _connected(self.path)
                except (sqlite3.OperationalError, OSError) as error:
                    if _is_busy(error):
                        raise
                    self._cannot_write(error)
            if not self._writable and self.path.exists():
                self._connection = _connected_to_read(self.path)
        return self._connection

    def _renewed(self, error: Exception, *, writing: bool = False) -> bool:
        """Does what an error asks for, and returns whether the file is a new one now: worth another try."""
        if is_damage(error):
            return self._moved_aside(error)
        if _is_busy(error):
            return False
        if writing:
            self._cannot_write(error)
        else:
            self._not_used(f"cannot be read ({error})")
        return False

    def _moved_aside(self, error: Exception) -> bool:
        self._drop()
        if not (self._writable and self._whole):  # a second time in one run is once too often
            self._not_used(f"is damaged ({error})")
            return False
        self._whole = False
        try:
            aside = set_aside(self.path)
            if aside is not None:
                rows = _rescue(aside, self.path)
                self._say(f"{self.path} is damaged ({error}): moved to {aside.name}, {rows:,} sound replies kept of it")
        except (sqlite3.Error, OSError) as second:
            self._cannot_write(second)
        return True

    def _cannot_write(self, error: Exception) -> None:
        self._writable = False
        self._give_up()
        self._say(f"{self.path} cannot be written ({error}): replies are not kept, the run goes on")

    def _not_used(self, why: str) -> None:
        self._usable = self._writable = False
        self._give_up()
        self._drop()
        self._say(f"{self.path} {why}: it is not used, the run goes on")

    def _give_up(self) -> None:
        self.lost += len(self._owed)
        self._owed.clear()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):  # closing writes through, and a full or damaged file takes nothing
                connection.close()


def count(path: Path) -> int:
    """Returns how many values a file holds, damaged ones included.

    Raises:
        sqlite3.Error: it is no such file.
    """
    with closing(_connected_to_read(path)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM replies").fetchone()
    return int(rows)


def _connected(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(str(path) + ".lock"):  # two processes that begin one file
        connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(_TABLE)
        except sqlite3.Error:
            connection.close()
            raise
    return connection


def _connected_to_read(path: Path) -> sqlite3.Connection:
    """Opens a file to read; on a disk that cannot be written SQLite does so only when told that nobody changes it."""
    try:
        return _probed(path, "mode=ro")
    except sqlite3.OperationalError:
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:  # holds rows that would not be seen
            raise
        return _probed(path, "mode=ro&immutable=1")


def _probed(path: Path, options: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?{options}"
    connection = sqlite3.connect(address, uri=True, timeout=_WAIT, isolation_level=None)
    try:
        connection.execute("SELECT 1 FROM replies LIMIT 1").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _insert(connection: sqlite3.Connection, statement: str, rows: Iterable[tuple[bytes, bytes]]) -> int:
    """Writes rows, all or none, and returns how many."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        written = connection.executemany(statement, ((k, v, _checksum(k, v)) for k, v in rows)).rowcount
        connection.execute("COMMIT")
    except sqlite3.Error:
        with suppress(sqlite3.Error):  # SQLite itself has rolled back where the disk is full
            connection.execute("ROLLBACK")
        raise
    return written


def _rescue(damaged: Path, path: Path) -> int:
    """Copies what can still be read of a damaged file into a new one, and returns how many values."""
    with closing(sqlite3.connect(damaged)) as old, closing(_connected(path)) as new:
        old.execute("PRAGMA writable_schema = ON")  # else SQLite reads nothing of a file that was cut off
        return _insert(new, _RESCUE, _sound_rows(old, damaged.stat().st_size // _LEAST_ROW))


def _sound_rows(connection: sqlite3.Connection, most: int) -> Iterator[tuple[bytes, bytes]]:
    """Yields the sound rows of a damaged file, each read by its own way from the root; ``most`` there can be."""
    try:
        (last,) = connection.execute("SELECT max(rowid) FROM replies").fetchone()
    except sqlite3.DatabaseError as error:
        last = 0 if error.sqlite_errorname == "SQLITE_NOTADB" else most
    for number in range(1, (last or 0) + 1):
        try:
            row = connection.execute("SELECT key, value, checksum FROM replies WHERE rowid = ?", (number,)).fetchone()
        except sqlite3.DatabaseError:
            continue
        if row is not None and _is_sound(*row):
            yield row[0], row[1]


def _is_busy(error: Exception) -> bool:
    return str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _is_sound(key: object, value: object, checksum: object) -> bool:
    return isinstance(key, bytes) and isinstance(value, bytes) and checksum == _checksum(key, value)


def _checksum(key: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(key + value, digest_size=16).digest()
