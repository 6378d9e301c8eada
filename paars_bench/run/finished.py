"""The finished cases of a run: where the last line of each lies in the journal, and how it ended.

Memory holds nine bytes of a planned question, whatever it left: results lie in the journal and are read back when they
are needed, in the order of the plan, one task and condition at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from paars_bench.backbones.door import Usage
from paars_bench.data.schema import Catalog
from paars_bench.errors import PaarsError
from paars_bench.outcomes import CaseEnd, Outcome
from paars_bench.run.journal import Damage, JsonLines
from paars_bench.run.plan import Plan
from paars_bench.tasks.fitting import check_fit
from paars_bench.tasks.line import result_of
from paars_bench.tasks.question import Question
from paars_bench.tasks.result import Behaviour, CaseResult

_ENDINGS = tuple(CaseEnd(outcome, own) for outcome in Outcome for own in (False, True))
_CODES = {ended: code for code, ended in enumerate(_ENDINGS)}
_NOWHERE = -1


class JournalChangedError(PaarsError):
    """A line that was found in the journal, or written there, is not there any more."""


class Finished:
    """What of a plan is finished.

    Args:
        journal: of the run.
        plan: its questions; what else the journal holds counts in ``spent`` and ``damaged`` only.
        catalog: of the data set.

    Attributes:
        spent: by every line that ``load`` read: a case that was asked again spent twice and counts once.
        damaged: lines that ``load`` could not read, or that do not answer the question they name: it is owed.
    """

    def __init__(self, journal: JsonLines, plan: Plan, catalog: Catalog) -> None:
        self.spent = Usage()
        self.damaged = Damage()
        self._journal, self._plan, self._catalog = journal, plan, catalog
        self._place = {task: {case_id: n for n, case_id in enumerate(cases)} for task, cases in plan.cases.items()}
        self._first: dict[tuple[str, str], int] = {}
        size = 0
        for task in plan.specs:
            for condition in plan.conditions[task]:
                self._first[task, condition] = size
                size += len(plan.cases[task]) * plan.repeats
        self._line = np.full(size, _NOWHERE, np.int64)
        self._ending = np.zeros(size, np.uint8)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._line != _NOWHERE))

    def load(self, tell: Callable[..., None] = lambda result, *, planned: None) -> None:
        """Reads the journal; of a case asked twice the last line counts.

        Args:
            tell: is told the result of every line, and by ``planned`` whether it answers a question of the plan.
        """

        def take(row: dict[str, Any], at: int) -> None:
            result = result_of(row)
            planned = self._plan.holds(result)
            if planned:
                case = self._plan.cases[result.task][result.case_id]
                check_fit(result, self._plan.specs[result.task], case, self._catalog)
                self._keep(result, at)
            self.spent += result.usage
            tell(result, planned=planned)

        self.damaged = self._journal.each(take)

    def append(self, result: CaseResult, *, log_samples: bool) -> None:
        """Writes a result of the plan to the journal; ``log_samples`` with prompt and reply.

        Raises:
            OSError: the journal cannot be written.
            ValueError: the result holds what strict JSON does not have.
        """
        self._keep(result, self._journal.append(result.row(log_samples=log_samples)))

    def owes(self, question: Question) -> bool:
        """Says whether a question of the plan must still be asked, or asked again."""
        slot = self._slot(question.spec.task, question.condition, question.case.case_id, question.repeat)
        assert slot is not None, "a question of the plan"
        ended = self._ended(slot)
        return ended is None or ended.owed

    def endings(self) -> Counter[CaseEnd]:
        """Returns how many finished cases ended in each way."""
        codes, counts = np.unique(self._ending[self._line != _NOWHERE], return_counts=True)
        return Counter({_ENDINGS[code]: int(count) for code, count in zip(codes, counts, strict=True)})

    def ended(self, task: str, condition: str, case_ids: Iterable[str], repeats: int) -> list[CaseEnd | None]:
        """Returns how some cases of the plan ended, repeat after repeat of each; None where they were not asked."""
        return [self._ended(slot) for slot in self._slots(task, condition, case_ids, repeats)]

    def results(self, task: str, condition: str, case_ids: Iterable[str], repeats: int) -> Iterator[CaseResult]:
        """Yields the scored results among some cases of the plan, in their order, as the journal holds them.

        Raises:
            JournalChangedError: see there.
        """
        scored = np.array([ended.scored for ended in _ENDINGS])
        slots = np.fromiter(self._slots(task, condition, case_ids, repeats), np.int64)
        lines = self._line[slots[scored[self._ending[slots]]]]
        yield from self._read(lines[lines != _NOWHERE])

    def scored(self, task: str, condition: str, case_ids: Iterable[str], repeats: int) -> list[Behaviour]:
        """Returns the same as metrics read them."""
        return [result.behaviour for result in self.results(task, condition, case_ids, repeats)]

    def failed(self) -> Iterator[CaseResult]:
        """Yields every result that is not scored, in the order of the journal.

        Raises:
            JournalChangedError: see there.
        """
        failed = np.array([not ended.scored for ended in _ENDINGS])
        lines = self._line[failed[self._ending]]
        yield from self._read(np.sort(lines[lines != _NOWHERE]))

    def _read(self, lines: npt.NDArray[np.int64]) -> Iterator[CaseResult]:
        if not len(lines):  # of a run that ended before its first case there is no journal
            return
        try:
            for row in self._journal.at(lines.tolist()):
                yield result_of(row)
        except (TypeError, ValueError) as error:
            raise changed(self._journal.path, error) from error

    def _keep(self, result: CaseResult, line: int) -> None:
        slot = self._slot(result.task, result.condition, result.case_id, result.repeat)
        if slot is not None:
            self._line[slot], self._ending[slot] = line, _CODES[result.ended]

    def _ended(self, slot: int) -> CaseEnd | None:
        return None if self._line[slot] == _NOWHERE else _ENDINGS[self._ending[slot]]

    def _slot(self, task: str, condition: str, case_id: str, repeat: int) -> int | None:
        """Returns the place of a question in the arrays; None where the plan does not ask it."""
        first = self._first.get((task, condition))
        place = None if first is None else self._place[task].get(case_id)
        if first is None or place is None or not 0 <= repeat < self._plan.repeats:
            return None
        return first + place * self._plan.repeats + repeat

    def _slots(self, task: str, condition: str, case_ids: Iterable[str], repeats: int) -> Iterator[int]:
        first, place, every = self._first[task, condition], self._place[task], self._plan.repeats
        return (first + place[case_id] * every + repeat for case_id in case_ids for repeat in range(repeats))


def changed(journal: Path, error: Exception) -> JournalChangedError:
    """Returns what is said where a line cannot be read again."""
    return JournalChangedError(f"{journal}: was changed while it was read ({error}); repeat the command")
