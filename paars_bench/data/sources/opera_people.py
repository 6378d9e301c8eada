"""What OPeRA's people said of themselves, as truth to compare mined profiles with; no prompt ever reads it.

Two precautions beside that: answers on attributes that the law of many countries protects are dropped here, and of the
interviews only the summary is kept, not the transcript in the person's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from paars_bench.data.mining_rules import Funnel
from paars_bench.data.schema import SHOPPERS
from paars_bench.data.sources.opera_cells import JsonCells, cell_text
from paars_bench.data.sources.opera_files import PEOPLE_COLUMNS, rows_of

SENSITIVE = re.compile(
    r"\b(rac(e|ial)|ethnic\w*|skin colou?r|hispanic|latin[oax]|religi\w*|faith|politic\w*|party affiliation|vot(e|ing)"
    r"|sexual\w*|orientation|lgbt\w*|transgender|gender identity|health\w*|disab\w*|diagnos\w*|medic\w*|pregnan\w*"
    r"|substance|alcohol|smok\w*|immigra\w*|citizenship|nationality|union member\w*|criminal\w*)\b",
    re.IGNORECASE,
)
"""Questions on what is protected: race, religion, politics, sexual orientation, health, origin, union, convictions."""

INTERVIEW = "Interview summary"
_DEEPEST = 8


def read_people(files: Iterable[Path], present: Iterable[str], steps: Funnel) -> pa.Table:
    """Reads what is truly known of people.

    Args:
        files: of the user table; a person in both splits is read once.
        present: people in the log; those without a row have no truth.
        steps: gets the counts.

    Returns:
        A table of schema ``SHOPPERS`` with a row for each of ``present``. A key is the path of a survey question
        (``Shopping Preference / Online shopping frequency``), or ``INTERVIEW``.
    """
    cells = JsonCells()
    said: dict[str, list[tuple[str, str]]] = {}
    for file in files:
        for row in rows_of(file, PEOPLE_COLUMNS):
            user = cell_text(row["user_id"])
            if user is not None and user not in said:
                said[user] = list(_answers(cells.value(row["survey"])))
                summary = cell_text(row["interview_transcript_processed"])
                said[user] += [(INTERVIEW, summary)] if summary else []
    shoppers = sorted(set(present))
    answers = [(name, answer) for name in shoppers for answer in said.get(name, [])]
    kept = [(name, answer) for name, answer in answers if not SENSITIVE.search(answer[0])]
    steps.start("people in the log", len(shoppers))
    steps.keep("with a survey", len(shoppers), sum(bool(said.get(s)) for s in shoppers))
    steps.start("survey cells", cells.read)
    steps.keep("the survey is readable", cells.read, cells.read - cells.broken)
    steps.start("answers and interview summaries", len(answers))
    steps.keep("not on a sensitive attribute", len(answers), len(kept))
    truth: dict[str, list[dict[str, str]]] = {name: [] for name in shoppers}
    for name, (key, value) in kept:
        truth[name].append({"key": key, "value": value})
    return pa.Table.from_pylist([{"id": n, "truth": t} for n, t in truth.items()], schema=SHOPPERS)


def _answers(survey: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yields the answers of a survey, one for each leaf; an unanswered question is none."""
    if isinstance(survey, Mapping) and len(path) < _DEEPEST:
        for key, value in survey.items():
            yield from _answers(value, (*path, " ".join(str(key).split())))
        return
    if isinstance(survey, list):
        survey = "; ".join(str(v) for v in survey)
    text = None if isinstance(survey, Mapping) else cell_text(survey)
    if path and text is not None:
        yield " / ".join(path), text
