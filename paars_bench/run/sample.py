"""Which of the questions that are owed are measured for an estimate, and how many calls all of them take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from typing import NamedTuple

from paars_bench.backbones.scripted_habits import CannotAnswer
from paars_bench.backbones.scripted_sessions import replay_plan
from paars_bench.data.sessions import session_facts, session_rows
from paars_bench.run.schedule import Work
from paars_bench.seeds import derive
from paars_bench.tasks.acting import Manner
from paars_bench.tasks.question import Question

SAMPLE, VISITS = 100, 60
"""Questions measured of each task and condition, and personas mined; visits are many calls each."""
MINING_CALLS = 2


class Drawn(NamedTuple):
    """A question of the sample, and the one that the same shopper is asked before it."""

    rank: int
    place: int
    question: Question
    before: Question | None


@dataclass(slots=True)
class Part:
    """What one row is about.

    Attributes:
        calls: that each of its questions takes.
        drawn: a sample of them.
        visits: how many calls they take is the shopper's choice.
        free_text: the reply's length is the model's choice.
    """

    calls: list[int] = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)
    visits: bool = False
    free_text: bool = False

    def add(self, question: Question, before: Question | None, calls: int) -> None:
        """Counts a question, and takes it into the sample by a rank of its own."""
        one = Drawn(-derive(question.seed, "estimate"), len(self.calls), question, before)
        self.calls.append(calls)
        if len(self.drawn) < (VISITS if self.visits else SAMPLE):
            heappush(self.drawn, one)
        else:
            heappushpop(self.drawn, one)  # gives up the smallest rank


def parts_of(questions: Iterable[Question], work: Work) -> tuple[dict[tuple[str, str], Part], Part]:
    """Returns the owed questions by task and condition, and of each shopper who is to be mined one that needs it."""
    parts: dict[tuple[str, str], Part] = {}
    mined, seen = Part(), set[str]()
    visits: dict[tuple[str, str], int] = {}
    before: Question | None = None
    for question in questions:
        spec, case = question.spec, question.case
        part = parts.setdefault(
            (spec.task, question.condition),
            Part(visits=spec.output_type == "session", free_text=spec.output_type == "generate"),
        )
        calls = 1
        if part.visits:
            key = (spec.task, case.case_id)
            calls = visits[key] = visits.get(key) or visit_calls(question, work)
        part.add(question, before if before is not None and before.case.shopper == case.shopper else None, calls)
        before = question
        if work.heads.owes(question.condition, case):
            who = work.heads.whose(question.condition, case)
            if who not in seen:
                seen.add(who)
                mined.add(question, None, MINING_CALLS)
    return parts, mined


def visit_calls(question: Question, work: Work) -> int:
    """Returns how many calls a visit takes that is as long as the human's."""
    session, traits = question.spec.session, work.backbone.traits
    rows = session_rows(question.case.values["events"])
    try:
        steps = len(replay_plan(rows, session.store.page_size)) - 1  # the last is to leave
    except CannotAnswer:  # narrowed in words of another shop
        steps = session_facts(rows).steps
    asked_to_leave = Manner.of(traits, session).by_itself
    return min(2 * max(steps, 1) if asked_to_leave else steps + 1, session.calls(scripted=traits.scripted)[1])
