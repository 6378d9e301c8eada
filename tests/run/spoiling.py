"""Runs as nobody's harness would leave them: a value changed somewhere in a file, and what scoring says of it."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fake_runs import DATA, read

from paars_bench.cli import main
from paars_bench.data.definition import read_row
from paars_bench.data.schema import Event
from paars_bench.run import RunSpec

CHOICE, VISIT = "item_selection_individual", "visit"
TASK = """
include: session_generation.yaml
task: visit
metric_list:
  - {metric: mean_gap, level: group, of: purchases}
metadata: {version: 1.0}
"""
GONE = object()
LEFT_OUT, ASKED_AGAIN = "left out of the results", "what they answered is asked again"
HUGE = 10**400
Where = tuple[str | int, ...]


def asking(include: Path, run: Path) -> RunSpec:
    return RunSpec("popular", (CHOICE, VISIT), DATA, ("base",), limit=4, include_path=(include,), output_path=run)


def put(row: Any, where: Where, value: Any) -> Any:
    """Returns a copy of a row with a value put somewhere, or taken out."""
    changed = copy.deepcopy(row)
    inner = changed
    for key in where[:-1]:
        inner = inner[key]
    if value is GONE:
        del inner[where[-1]]
    else:
        inner[where[-1]] = value
    return changed


def write(run: Path, lines: list[str], file: str = "journal.jsonl") -> None:
    (run / file).write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def squeezed(text: str) -> str:
    """Returns a text without blanks: a long path breaks a line anywhere."""
    return "".join(text.split())


def scored(run: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, str]:
    """Returns the exit code of scoring and what it said, squeezed."""
    capsys.readouterr()
    code = main(["score", str(run), *flags])
    return code, squeezed(capsys.readouterr().err)


def says_the_first(
    words: str, place: int, err: str, lines: str = "1 torn or damaged line", then: str = LEFT_OUT
) -> None:
    """The damaged lines are counted, and of the first is said where it lies and what is wrong with it."""
    assert squeezed(f".jsonl: {lines}, {then}; the first is line {place + 1}: ") in err
    assert squeezed(words) in err


def check_scored(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scoring ended in one of its ways, and what it wrote is strict JSON and a sound log."""
    code, err = scored(run, capsys)
    assert code in (0, 1, 2, 4), err
    assert "error:unexpected" not in err, err
    assert "notcomputed" not in err, err
    read(run)
    log = run / "agent_log" / "events.parquet"
    for event in pq.read_table(log).to_pylist() if log.exists() else ():
        read_row(Event, event)


ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, HUGE, -HUGE, 1.5, -0.5, 1e308, 5e-324),
    *(float("nan"), float("inf"), -float("inf")),
    *("", "x", "\ud800", "\x00", "\x1b[2J", "a" * 5_000, "ok", "left", "run", "leave", "purchase", "price<=nan"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59+00:00", 'brand="\\ud800"'),
    *([], {}, [None], [[[]]], {"a": {}}, {"": 1}),
]


def places(value: Any, where: Where = ()) -> Iterator[Where]:
    """Yields the place of everything inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*where, key)
        yield from places(inner, (*where, key))


def mutated(row: Any, chance: random.Random) -> Any:
    """Returns a row with one thing taken out, or in its place something odd or something else of the row."""
    every = list(places(row))
    other: Any = row
    for key in chance.choice(every):
        other = other[key]
    return put(row, chance.choice(every), chance.choice([GONE, other, *chance.sample(ODD, 4)]))
