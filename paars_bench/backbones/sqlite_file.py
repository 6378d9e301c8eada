"""What becomes of an SQLite file that is damaged: it is told from one that cannot be used just now, and moved aside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

# What SQLite says of a file that is not, or no longer, a database; anything else passes by itself.
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_WAIT = 60.0  # seconds for a file that another process holds


def is_damage(error: Exception) -> bool:
    """Says whether an error means that the file itself is damaged."""
    return str(getattr(error, "sqlite_errorname", "")).startswith(_DAMAGE)


def set_aside(path: Path) -> Path | None:
    """Moves a damaged file, with what SQLite keeps beside it, out of the way.

    Returns:
        Its new name, ``NAME.corrupt-DATE``; None where another process has moved it already.

    Raises:
        OSError: it cannot be moved.
    """
    aside = path.with_name(f"{path.name}.corrupt-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
    with FileLock(str(path) + ".lock"):
        if not _is_damaged(path):
            return None
        path.replace(aside)
        for beside in ("-journal", "-wal"):  # may hold rows that never reached the file itself
            kept = path.with_name(path.name + beside)
            if kept.exists():
                kept.replace(aside.with_name(aside.name + beside))
        path.with_name(path.name + "-shm").unlink(missing_ok=True)
    return aside


def _is_damaged(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path, timeout=_WAIT)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.DatabaseError as error:
        return is_damage(error)
