"""Tables that keep every number whole: wide where they fit, else rows under headings with cells folded at spaces.

Rich cuts what does not fit: at 80 columns three metrics became one name, and intervals ended within a figure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

FILE_WIDTH = 170
_GAP = 2
_UNBOUNDED = 100_000
_GLUE = "\u00a0"  # textwrap does not break a line here


class Row(NamedTuple):
    """One row: the words that name it, from the most general to the most special, and its figures."""

    words: Sequence[str]
    figures: Sequence[str]


class Sheet(NamedTuple):
    """A table: its title, the names of both kinds of columns, and rows with as many cells."""

    title: str
    words: Sequence[str]
    figures: Sequence[str]
    rows: Sequence[Row]


def show(out: Console, sheet: Sheet) -> None:
    """Prints a sheet in the widest form that fits ``out``; nothing is cut in any of them."""
    wide = _wide(sheet)
    if Measurement.get(out, out.options.update(max_width=_UNBOUNDED), wide).maximum <= out.width:
        out.print(wide)
        return
    for line in _narrow(sheet, out.width):
        out.print(line, soft_wrap=True)


def _wide(sheet: Sheet) -> Table:
    table = Table(title=sheet.title, title_justify="left")
    for name in sheet.words:
        table.add_column(name)
    for name in sheet.figures:
        table.add_column(name, justify="right")
    for row in sheet.rows:
        table.add_row(*row.words, *row.figures)
    return table


def _narrow(sheet: Sheet, width: int) -> list[str]:
    """Returns lines: the general words as headings, the last word and the figures in columns below."""
    grouped: dict[tuple[str, ...], list[Row]] = {}
    for row in sheet.rows:
        grouped.setdefault(tuple(row.words[:-1]), []).append(row)
    indent = 2 * (len(sheet.words) - 1)
    cells = [[" " * indent + row.words[-1], *row.figures] for rows in grouped.values() for row in rows]
    header = ["", *sheet.figures]
    widths = _fitted([header, *cells], width)
    lines = ["", *_folded(sheet.title, width), *(_joined(header, widths) if widths else [])]
    above: tuple[str, ...] = ()
    for words, rows in grouped.items():
        for depth, word in enumerate(words):
            if words[: depth + 1] != above[: depth + 1]:
                lines += _folded(word, width, indent=2 * depth)
        above = words
        for row in rows:
            label = " " * indent + row.words[-1]
            if widths:
                lines += _joined([label, *row.figures], widths)
            else:
                named = zip(sheet.figures, row.figures, strict=True)
                lines += _folded(row.words[-1], width, indent=indent)
                lines += [part for name, cell in named for part in _folded(f"{name}: {cell}", width, indent=indent + 2)]
    return lines


def _fitted(rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Returns the widths of columns that fit, the one with most to give folded first; None where none do."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(cell_len, column)) for column in columns]
    while sum(widths) + _GAP * (len(widths) - 1) > room:
        tighter = [_tighter(column, width) for column, width in zip(columns, widths, strict=True)]
        given = [old - new for old, new in zip(widths, tighter, strict=True)]
        most = max(range(1, len(widths)), key=given.__getitem__)  # the name of a row is never folded
        if given[most] <= 0:
            return None
        widths[most] = tighter[most]
    return widths


def _tighter(column: Sequence[str], width: int) -> int:
    """Returns the next smaller width at which a column can be folded without breaking a word."""
    return max(cell_len(line) for cell in column for line in _lines(cell, width - 1))


def _lines(cell: str, width: int) -> list[str]:
    """Folds a cell at spaces; an interval stays on one line."""
    before, bracket, interval = cell.partition("[")
    glued = before + bracket + interval.replace(" ", _GLUE)
    kept = textwrap.wrap(glued, max(width, 1), break_long_words=False, break_on_hyphens=False)
    return [line.replace(_GLUE, " ") for line in kept] or [""]


def _joined(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Returns the lines of one row: its name to the left, figures to the right of their columns."""
    label, *figures = cells
    folded = [[label], *(_lines(cell, width) for cell, width in zip(figures, widths[1:], strict=True))]
    lines = []
    for place in range(max(map(len, folded))):
        parts = [column[place] if place < len(column) else "" for column in folded]
        first = parts[0] + " " * (widths[0] - cell_len(parts[0]))
        rest = [" " * (w - cell_len(part)) + part for part, w in zip(parts[1:], widths[1:], strict=True)]
        lines.append((" " * _GAP).join([first, *rest]).rstrip())
    return lines


def _folded(text: str, width: int, indent: int = 0) -> list[str]:
    """Folds a line of words; a name longer than the line is the only thing that is broken."""
    start = " " * indent
    return textwrap.wrap(text, width, initial_indent=start, subsequent_indent=start, break_on_hyphens=False)


def number(value: float | None, digits: int = 3) -> str:
    """Returns a number as tables show it, 0 without a sign; a dash where there is none."""
    return "–" if value is None else f"{value:z.{digits}f}"


def ci_text(ci: Mapping[str, Any] | None, digits: int = 3) -> str:
    """Returns an interval as tables show it, a dash where there is none."""
    return "–" if ci is None else f"[{number(ci['low'], digits)}, {number(ci['high'], digits)}]"


def cost_text(usd: float | None) -> str:
    """Returns US dollars as tables show them."""
    return "price unknown" if usd is None else f"${usd:.4f}"


def screen_console() -> Console:
    """Standard output; a file or pipe is written wide enough that no name is cut."""
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, width=FILE_WIDTH)
