"""Plain aligned tables: they appear at once, and pipe into other tools as they are."""

from __future__ import annotations

import shutil
import sys
import textwrap
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
    room = shutil.get_terminal_size().columns - indent if sys.stdout.isatty() else 0
    out = []
    for line in lines:
        start = "".join(cell + " " * (w - _width(cell) + 2) for cell, w in zip(line, widths, strict=False))
        last = textwrap.wrap(line[-1], room) if room >= _NARROWEST else [line[-1]]
        out.append((start + (last[0] if last else "")).rstrip())
        out += [" " * indent + part for part in last[1:]]
    return "\n".join(out)


def _width(text: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)
