"""JSON objects in a model's text, whatever stands around them: nothing that a model writes breaks the reading."""

from __future__ import annotations

import json
from typing import Any


def first_object(text: str) -> dict[str, Any] | None:
    """Returns the first JSON object with an action in it, else the first one; looks at 50 braces at most."""
    first: dict[str, Any] | None = None
    place, tried = text.find("{"), 0
    while place >= 0 and tried < 50:
        read, end = _object_at(text, place)
        if read is not None:
            if read.keys() & {"action", "name", "tool", "leave"}:
                return read
            first = first or read
        place, tried = text.find("{", end), tried + 1
    return first


def _object_at(text: str, place: int) -> tuple[dict[str, Any] | None, int]:
    try:
        value, end = json.JSONDecoder().raw_decode(text, place)
    except (ValueError, RecursionError):  # nesting beyond the interpreter's stack
        return None, place + 1
    return (value if isinstance(value, dict) else None), end


def object_of(text: str) -> dict[str, Any] | None:
    """Returns the JSON object that a text is, None where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
