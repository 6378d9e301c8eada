"""Files that are replaced whole (a reader sees the old one or the new one), strict JSON, and what tells files apart."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

PART = ".part"
"""Ends the name of a file that is being written; a process that is killed leaves it."""
_MOST = sys.float_info.max


def strict_json(text: bytes) -> Any:
    """Returns what JSON in UTF-8 says; ``json.loads`` takes half as long again and reads ``NaN`` and half characters.

    A number beyond the range of a float comes as an infinite one or as a long integer: whoever reads numbers bounds
    them.

    Raises:
        ValueError: it is no JSON, nests deeper than 200 levels, or holds a number of over 4,300 digits.
    """
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        words = str(error).replace("recursion limit exceeded", "nested too deeply")
        raise ValueError(f"no strict JSON ({words})") from None


def read_json(path: Path) -> Any:
    """Returns what a JSON file holds, as Python reads it: the files of a source may hold ``NaN`` or half characters.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no JSON in UTF-8, or one nested deeper than Python can read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError(f"nested too deeply: {error}") from None


def read_strict_json(file: Path) -> Any:
    """Returns what a whole file of strict JSON says; every number in it is finite, also as a float.

    Raises:
        OSError: it cannot be read.
        ValueError: see ``strict_json``, or a number is too large.
    """
    value = strict_json(file.read_bytes())
    _check_finite(value)
    return value


def _check_finite(value: Any) -> None:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _check_finite(inner)
    elif isinstance(value, int | float) and not -_MOST <= value <= _MOST:
        raise ValueError(f"a number is too large: {str(value)[:20]}")


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


def file_sha256(path: Path) -> str:
    """Returns the SHA-256 of a file as hex, read in blocks."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
