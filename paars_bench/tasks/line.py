"""A line of the journal read back: a well-formed result, or words for what is wrong with it.

Whoever submits a run hands over its journal, so nothing in a line is believed because of where it lies: types and
bounds are declared here, what a session can leave is in ``course``, and whether a result answers its question in
``fitting``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from paars_bench.backbones.door import Usage
from paars_bench.data.schema import Action, Name
from paars_bench.outcomes import POLICY, RUN_CUTS, CutBy, Outcome
from paars_bench.store import SessionEnd
from paars_bench.tasks.course import Step, check_course
from paars_bench.tasks.result import WRITTEN, CaseResult

_MOST = 10**15
_GOT = 60  # characters of a wrong value
_CUTS = {
    None: frozenset(Outcome),
    CutBy.SESSION: (RUN_CUTS | {Outcome.TURN_LIMIT}) - {Outcome.CANCELLED},
    CutBy.RUN: RUN_CUTS,
}
"""Which outcomes a cap brings about, by whose it is."""
Count = Annotated[int, Field(ge=0, le=_MOST)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True)


class _Typed(_Strict):
    query: Annotated[str, Field(pattern=r"\S")]


class _Chosen(_Strict):
    choice: Annotated[int, Field(ge=1, le=_MOST)]


class _Visited(_Strict):
    """What ``tasks.shop`` says of a session beside its events."""

    end: Annotated[SessionEnd, Field(strict=False)] | None
    cut: Annotated[CutBy, Field(strict=False)] | None = None
    intention: str | None = None
    searches: Count
    views: Count
    purchases: Count
    turns: Count = 0
    errors: Count = 0
    leave_asks: Count = 0
    calls_ignored: Count = 0
    memory_left_out: Count = 0


_TAGS = {"query": "typed", "choice": "chosen"}


def _kind(answer: Any) -> str:
    return next((tag for key, tag in _TAGS.items() if isinstance(answer, Mapping) and key in answer), "visited")


_Answer = Annotated[
    Annotated[_Typed, Tag("typed")] | Annotated[_Chosen, Tag("chosen")] | Annotated[_Visited, Tag("visited")],
    Discriminator(_kind),
]


class _Line(_Strict):
    case_id: Name
    task: Name
    condition: Name
    repeat: Count
    shopper: Name
    outcome: Annotated[Outcome, Field(strict=False)]
    parsed: _Answer | None = None
    reply: str = ""
    messages: list[Any] = []
    prompt_sha256: str = ""
    events: list[Step] | None = None
    usage: dict[str, Any]
    paid: dict[str, Any] | None = None
    latency_ms: Annotated[float, Field(ge=0, le=_MOST)] = 0.0
    attempts: Count = 0
    cached: bool = False
    error: str | None = None


def result_of(row: Mapping[str, Any]) -> CaseResult:
    """Returns the result of a journal line.

    Raises:
        TypeError: what it used is no numbers.
        ValueError: it is none, with the key, the value and what would be right.
    """
    try:
        line = _Line.model_validate(row)
    except ValidationError as error:
        raise ValueError(_first(error)) from None
    _check_answer(line)
    known = {name: row[name] for name in WRITTEN if name in row}
    known |= {"outcome": line.outcome, "usage": Usage.of(line.usage)}
    if line.paid is not None:
        known["paid"] = Usage.of(line.paid)
    return CaseResult(**known)


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"{place} is missing"
    got = repr(first["input"])
    return f"{place}: {first['msg']} (got {got if len(got) <= _GOT else got[:_GOT] + '…'})"


def _check_answer(line: _Line) -> None:
    """Checks that a line has the answer that its outcome says it has, and of a session the events that were counted."""
    scored, answer = POLICY[line.outcome].scored, line.parsed
    if line.events is not None and isinstance(answer, _Visited):
        check_course(line.events, line.shopper)
        _check_end(line.outcome, answer, line.events)
    elif line.events is not None:
        raise ValueError("events: of a line whose answer is no session's")
    elif isinstance(answer, _Visited):
        raise ValueError("events: is null, and the answer is a session's")
    elif scored and answer is None:
        raise ValueError("parsed: is null, and a scored case has an answer")
    elif not scored and answer is not None:
        raise ValueError(f"parsed: a case that ended as {line.outcome} has no answer")


def _check_end(outcome: Outcome, visit: _Visited, steps: list[Step]) -> None:
    counts: Counter[str] = Counter(step.action for step in steps)
    left, bought = counts[Action.LEAVE] > 0, counts[Action.PURCHASE] > 0
    if left is not POLICY[outcome].scored:
        raise ValueError(f"events: a session that ended as {outcome} {'leaves' if left else 'never leaves'}")
    end = (SessionEnd.BOUGHT if bought else SessionEnd.LEFT) if left else None
    if visit.end is not end:
        raise ValueError(f"parsed.end: is {visit.end}, and its events end as {end}")
    if outcome not in _CUTS[visit.cut]:
        raise ValueError(f"parsed.cut: is {visit.cut}, which ends no session as {outcome}")
    counted = (counts[Action.SEARCH], counts[Action.VIEW], counts[Action.PURCHASE])
    if (visit.searches, visit.views, visit.purchases) != counted:
        raise ValueError("parsed: {} searches, {} views and {} purchases stand in its events".format(*counted))
