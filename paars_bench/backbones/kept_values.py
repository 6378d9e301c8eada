"""Numbers that are slow to compute, kept on disk by key and shared by processes; never a reason to lose a run.

A file that is damaged is set aside and its values are computed again. A folder that cannot be written, or a disk that
is full, costs the keeping and not the values. Both are said in the log.
"""

from __future__ import annotations

import logging
import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from paars_bench.backbones.sqlite_file import is_damage, set_aside

log = logging.getLogger(__name__)
_LOOKUP = 500  # keys a query: SQLite's old limit of bound values is 999


class KeptValues:
    """A table of numbers in one SQLite file.

    Args:
        path: of the file; it and its folder are made when something is kept.
        least: values below it, or not finite, cannot have been kept by this program and are computed again.
    """

    def __init__(self, path: Path, *, least: float = -math.inf) -> None:
        self.path = path
        self.least = least

    def get(self, keys: Sequence[str]) -> dict[str, float]:
        """Returns the values that are kept of ``keys``; nothing, with a warning, where they cannot be read."""
        if not self.path.exists():
            return {}
        found: dict[str, object] = {}
        try:
            with self._database() as connection:
                for start in range(0, len(keys), _LOOKUP):
                    part = list(keys[start : start + _LOOKUP])
                    marks = ",".join("?" * len(part))
                    query = f"SELECT key, value FROM perplexity WHERE key IN ({marks})"
                    found.update(connection.execute(query, part).fetchall())
        except (sqlite3.Error, OSError) as error:
            self._failed("read", error)
            return {}
        sound = {k: v for k, v in found.items() if isinstance(v, float) and math.isfinite(v) and v >= self.least}
        if len(sound) < len(found):
            log.warning("%s: %d values are damaged and computed again", self.path, len(found) - len(sound))
        return sound

    def put(self, values: Mapping[str, float]) -> None:
        """Keeps values; where that fails it is said and nothing else happens."""
        for attempt in (1, 2):
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self._database() as connection:
                    connection.executemany("INSERT OR REPLACE INTO perplexity VALUES (?, ?)", list(values.items()))
                return
            except (sqlite3.Error, OSError) as error:
                # a damaged file is out of the way now: once more
                if not self._failed("written", error) or attempt == 2:
                    return

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=60)) as connection, connection:
            columns = connection.execute("PRAGMA table_info(perplexity)").fetchall()
            if not columns:
                connection.execute("CREATE TABLE IF NOT EXISTS perplexity (key TEXT PRIMARY KEY, value REAL NOT NULL)")
            yield connection

    def _failed(self, done: str, error: Exception) -> bool:
        """Says what happened; sets a damaged file aside and returns whether it is out of the way."""
        if is_damage(error):
            try:
                aside = set_aside(self.path)
            except OSError as second:
                error = second
            else:
                if aside is not None:
                    log.warning(
                        "%s is damaged (%s): set aside as %s, its values are computed again",
                        self.path,
                        error,
                        aside.name,
                    )
                return True
        log.warning("%s cannot be %s (%s): values are computed and not kept", self.path, done, error)
        return False
