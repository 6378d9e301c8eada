"""Small text files that anybody may have put there: a pipe is not waited for, a device not read to its end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from paars_bench.errors import ConfigError

MAX_BYTES = 1_000_000


def read_small(file: Path, what: str) -> str:
    """Returns the text of a regular file.

    Args:
        file: to read; a link to one will do.
        what: it is, as errors name it.

    Raises:
        ConfigError: it is no regular file, larger than 1,000,000 bytes, not UTF-8, or cannot be read.
    """
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise ConfigError(f"{file} is no regular file: {what} is a text file.")
        with file.open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RuntimeError) as error:  # a name with a zero byte, links in a circle
        raise ConfigError(f"{file} cannot be read: {error}.") from error
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{file} is larger than {MAX_BYTES:,} bytes: {what} is text of a few kilobytes.")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not UTF-8 at byte {error.start}: save it as UTF-8.") from error


def exists(path: Path) -> bool:
    """Tells whether something is there, of whatever kind; a name that no file can have is not there."""
    try:
        path.stat()
    except (OSError, ValueError, RuntimeError):
        return False
    return True


def real(path: Path) -> Path:
    """Returns a path with its links resolved, as far as they lead somewhere."""
    return Path(os.path.realpath(path))
