"""The folder that an import works in until it is done: beside what it makes, and removed even if it was killed."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from paars_bench.data.registry import Progress
from paars_bench.errors import DataError

_LOCK = ".paars-bench-import.lock"  # held while the import lives


@contextmanager
def scratch_for(folder: Path, progress: Progress | None = None) -> Iterator[Path]:
    """Gives a new folder beside another one and removes it at the end.

    Those are removed first that imports to the same folder left behind when they were killed.

    Args:
        folder: that is to be made; its parents are made.
        progress: told what was removed.

    Raises:
        DataError: nothing can be written there.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_dead(folder, progress)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        lock = FileLock(str(scratch / _LOCK))
        lock.acquire()
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        lock.release()


def _remove_dead(folder: Path, progress: Progress | None) -> None:
    """Removes scratch folders whose lock no process holds; the system lets go of it when a process dies."""
    ours = re.compile(re.escape(f".{folder.name}-") + r"[a-z0-9_]{8}")  # as tempfile names them
    for left in sorted(p for p in folder.parent.iterdir() if ours.fullmatch(p.name) and (p / _LOCK).is_file()):
        lock = FileLock(str(left / _LOCK))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue  # another import is at work
        shutil.rmtree(left, ignore_errors=True)
        lock.release()
        if progress:
            progress(f"removed {left}, left by an import that was killed", 0, 1)
