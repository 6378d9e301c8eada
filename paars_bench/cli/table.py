"""Plain aligned tables: they appear at once, and pipe into other tools as they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from unicodedata import east_asian_width

_NARROWEST = 24


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns rows under headers; on a terminal the last column wraps to its width.

    Args:
        headers: one a column.
        rows: as many cells each.
    """
    lines = [list(headers), *[list(r) for r in rows]]
    widths = [max(_width(line[i]) for line in lines) for i in range(len(headers) - 1)]
    indent = sum(widths) + 2 * len(widths)
    room = _terminal_width() - indent
    out = []
    for line in lines:
        start = "".join(cell + " " * (w - _width(cell) + 2) for cell, w in zip(line, widths, strict=False))
        last = _wrapped(line[-1], room) if room >= _NARROWEST else [line[-1]]
        out.append((start + (last[0] if last else "")).rstrip())
        out += [" " * indent + part for part in last[1:]]
    return "\n".join(out)


def _terminal_width() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):  # a pipe, a file, or no stream at all: nothing is wrapped
        return 0


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)


def _width(text: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)
