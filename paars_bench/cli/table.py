"""Plain aligned tables: they appear at once, and pipe into other tools as they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from unicodedata import east_asian_width

from paars_bench.errors import escaped

_NARROWEST = 24


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns rows under headers; on a terminal the last column wraps to its width.

    Where that column has no room, each row is written below its first cell, a line a column; no word is broken.

    Args:
        headers: one a column.
        rows: as many cells each.
    """
    rows = [
        [escaped(" ".join(cell.split())) for cell in row] for row in rows
    ]  # names come from files that anybody wrote
    lines = [list(headers), *rows]
    widths = [max(_width(line[i]) for line in lines) for i in range(len(headers) - 1)]
    indent = sum(widths) + 2 * len(widths)
    room = _terminal_width() - indent
    longest = max((_width(word) for line in lines for word in line[-1].split()), default=0)
    if _terminal_width() and room < max(_NARROWEST, longest):
        return "\n".join(part for row in rows for part in _below(headers, row))
    out = []
    for line in lines:
        start = "".join(cell + " " * (w - _width(cell) + 2) for cell, w in zip(line, widths, strict=False))
        last = _wrapped(line[-1], room) if _terminal_width() else [line[-1]]
        out.append((start + (last[0] if last else "")).rstrip())
        out += [" " * indent + part for part in last[1:]]
    return "\n".join(out)


def _below(headers: Sequence[str], row: Sequence[str]) -> list[str]:
    """Returns a row as lines: its name, then each cell that holds something after the name of its column."""
    named = [f"{h.lower()}: {cell}" if h else cell for h, cell in zip(headers[1:], row[1:], strict=True) if cell]
    return [row[0], *(part for text in named for part in _wrapped(text, _terminal_width(), "  ", "    "))]


def _terminal_width() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):  # a pipe, a file, or no stream at all: nothing is wrapped
        return 0


def _wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    import textwrap

    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _width(text: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)
