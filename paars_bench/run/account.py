"""What a run has done and spent, what it may still spend, and why it stops before every question was asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from paars_bench.backbones.door import Completion, Usage
from paars_bench.outcomes import CaseEnd, Outcome
from paars_bench.report.status import CAPS
from paars_bench.run.budget import Cap, Held, InFlight, Spent
from paars_bench.run.spec import RunSpec
from paars_bench.tasks.result import CaseResult

MOST_FAULTS = 10  # one after another and nothing between: the harness is broken, not a case


class Stop(StrEnum):
    """Why a run ended before every question was asked."""

    INTERRUPTED = "interrupted"
    MAX_COST = "max_cost"
    MAX_TOKENS = "max_tokens_total"
    MAX_TIME = "max_time"
    FAIL_ON_ERROR = "fail_on_error"
    UNUSABLE = "backbone_unusable"
    FAULTS = "unforeseen_faults"


CUT: dict[Stop, Outcome] = {Stop(flag): outcome for flag, outcome in CAPS.items()}
"""How a case ends that a cap cut short; any other stop cancels it."""


def failed(ended: CaseEnd) -> bool:
    """Says whether a case counts for ``--fail_on_error``: not where the run's cap or an interrupt cut it short."""
    return not ended.scored and not ended.cut_by_run


@dataclass(slots=True)
class Account:
    """What a run has done and spent so far, in this process and before.

    Attributes:
        planned: questions of the whole plan.
        before: finished by earlier processes.
        done: finished by this one.
        failed: finished and not scored, and not owed where an earlier process finished them.
        usage: paid for tasks and personas, by earlier processes too; an unknown price counts nothing, nor does a
            reply from the response cache.
        task_usage: of tasks alone, replies from the cache included; an unknown price makes the sum unknown.
        cached: cases finished by this process from the cache alone.
        unpriced: calls whose price LiteLLM does not know.
        started: monotonic seconds.
        stop: set when no further question should be asked.
        in_flight: what is given out and has not ended.
        faults: cases that ended in an error nobody foresaw, since the last that did not.
        fault: the last such error, in words.
    """

    planned: int
    before: int = 0
    done: int = 0
    failed: int = 0
    usage: Usage = field(default_factory=Usage)
    task_usage: Usage = field(default_factory=Usage)
    cached: int = 0
    unpriced: int = 0
    started: float = field(default_factory=time.monotonic)
    stop: Stop | None = None
    in_flight: InFlight = field(default_factory=InFlight)
    faults: int = 0
    fault: str = ""

    @property
    def spent(self) -> Spent:
        """All that was spent, by the questions in flight too as far as they told."""
        return Spent.of(self.usage).plus(self.in_flight.spent)

    def add(self, usage: Usage, kind: str | None = None, *, paid: Usage | None = None) -> None:
        """Counts what one case or one persona used.

        Args:
            usage: of every reply, as it was when that was made.
            kind: its task or ``PERSONA``, where that is known.
            paid: of ``usage``, what was paid now; None where all was.
        """
        if kind is not None:
            self.in_flight.learn(kind, usage)  # of the cache too: what comes next may have to be paid
        paid = usage if paid is None else paid
        if paid.cost_usd is None:
            self.unpriced += 1
        self.usage += replace(paid, cost_usd=paid.cost_usd or 0.0)

    def resume(self, result: CaseResult, *, planned: bool) -> None:
        """Counts what a line of the journal used; ``planned`` where it answers a question of this plan."""
        self.add(result.usage, result.task if planned else None, paid=result.paid)
        self.task_usage += result.usage

    def book(self, result: CaseResult, spec: RunSpec, *, fault: bool) -> None:
        """Counts a finished case; ``fault`` where an error nobody foresaw ended it."""
        self.done += 1
        self.failed += failed(result.ended)
        self.cached += result.cached
        self.add(result.usage, result.task, paid=result.paid)
        self.task_usage += result.usage
        self.faults = self.faults + 1 if fault else 0
        self.fault = result.error or "" if fault else self.fault
        if self.stop is not None:
            return
        if self.faults >= MOST_FAULTS:
            self.stop = Stop.FAULTS
        elif self._too_many_failed(spec):
            self.stop = Stop.FAIL_ON_ERROR
        elif result.ended.cut_by_run:
            self.check(spec)

    def interrupt(self) -> None:
        """Lets what is in flight end and asks nothing more."""
        self.stop = Stop.INTERRUPTED

    def deadline(self, spec: RunSpec) -> float | None:
        """Returns when ``--max_time`` is over, in monotonic seconds; None where there is none."""
        return None if spec.max_time is None else self.started + spec.max_time

    def check(self, spec: RunSpec) -> None:
        """Sets ``stop`` once a budget is reached or too much failed."""
        if self.stop is not None:
            return
        deadline = self.deadline(spec)
        if spec.max_cost is not None and Cap(None, spec.max_cost).reached(self.spent):
            self.stop = Stop.MAX_COST
        elif spec.max_tokens_total is not None and Cap(spec.max_tokens_total, None).reached(self.spent):
            self.stop = Stop.MAX_TOKENS
        elif deadline is not None and time.monotonic() >= deadline:
            self.stop = Stop.MAX_TIME
        elif self._too_many_failed(spec):
            self.stop = Stop.FAIL_ON_ERROR

    def _too_many_failed(self, spec: RunSpec) -> bool:
        if spec.fail_on_error is None or not self.failed:
            return False
        return (self.failed if spec.fail_on_error >= 1 else self.failed / self.planned) >= spec.fail_on_error

    async def admits(self, kinds: Sequence[str], spec: RunSpec) -> bool:
        """Waits until a question can be asked within the caps, and says whether it should be asked at all."""
        cap = Cap(spec.max_tokens_total, spec.max_cost)
        self.check(spec)
        while self.stop is None and cap.any and not self.in_flight.room(kinds, self.spent, cap):
            await self.in_flight.one_ended()
            self.check(spec)
        return self.stop is None

    async def next_call(self, held: Held, reply: Completion, spec: RunSpec) -> Outcome | None:
        """Counts a call of a question in flight, waits until its next one fits, and says how it ends if none does.

        Args:
            held: the question.
            reply: of the call that ended.
            spec: holds the caps.
        """
        cap = Cap(spec.max_tokens_total, spec.max_cost)
        self.in_flight.call_ended(held, reply)
        self.check(spec)
        while self.stop is None and cap.any and not self.in_flight.room_for_call(self.spent, cap):
            await self.in_flight.one_ended()
            self.check(spec)
        if self.stop is not None:
            return CUT.get(self.stop, Outcome.CANCELLED)
        held.calling = True
        return None
