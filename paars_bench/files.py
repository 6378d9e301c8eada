"""Files that are replaced whole (a reader sees the old one or the new one), and what tells one file from another."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PART = ".part"
"""Ends the name of a file that is being written; a process that is killed leaves it."""


def write_atomically(path: Path, value: Mapping[str, Any]) -> None:
    """Writes strict JSON so that a reader sees the old file or the new one, never half of one."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1)
    part = path.with_name(path.name + PART)
    try:
        part.unlink(missing_ok=True)  # of a killed process; or a link that a foreign folder holds
        with part.open("x", encoding="utf-8", errors="replace") as handle:
            handle.write(text + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def read_json_file(path: Path) -> Any:
    """Returns what a JSON file holds.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no JSON in UTF-8, or one nested deeper than Python can read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError(f"nested too deeply: {error}") from None


def file_sha256(path: Path) -> str:
    """Returns the SHA-256 of a file as hex, read in blocks."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
