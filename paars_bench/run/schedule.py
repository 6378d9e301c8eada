"""Bounded workers over an iterator: at most so many questions in flight, each journaled before the next is asked."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from paars_bench.backbones.door import Backbone, Usage
from paars_bench.errors import ConfigError
from paars_bench.outcomes import POLICY, Outcome
from paars_bench.run.budget import PERSONA, Cap, InFlight, Spent
from paars_bench.run.heads import Heads
from paars_bench.run.journal import JsonLines
from paars_bench.run.spec import RunSpec
from paars_bench.tasks.ask import ASK
from paars_bench.tasks.question import Asker, Question, blank_result
from paars_bench.tasks.result import CaseResult


class Stop(StrEnum):
    """Why a run ended before every question was asked."""

    INTERRUPTED = "interrupted"
    MAX_COST = "max_cost"
    MAX_TOKENS = "max_tokens_total"
    MAX_TIME = "max_time"
    FAIL_ON_ERROR = "fail_on_error"
    UNUSABLE = "backbone_unusable"


@dataclass(slots=True)
class Account:
    """What a run has done and spent so far, in this process and before.

    Attributes:
        planned: questions of the whole plan.
        before: finished by earlier processes.
        done: finished by this one.
        failed: of those done, how many are not scored.
        usage: of tasks and personas, earlier processes included; an unknown price counts nothing.
        task_usage: of tasks alone; an unknown price makes the sum unknown.
        unpriced: calls whose price LiteLLM does not know.
        started: monotonic seconds.
        stop: set when no further question should be asked.
        in_flight: what is given out and has not ended.
    """

    planned: int
    before: int = 0
    done: int = 0
    failed: int = 0
    usage: Usage = field(default_factory=Usage)
    task_usage: Usage = field(default_factory=Usage)
    unpriced: int = 0
    started: float = field(default_factory=time.monotonic)
    stop: Stop | None = None
    in_flight: InFlight = field(default_factory=InFlight)

    def add(self, usage: Usage, kind: str | None = None) -> None:
        """Counts one case's or one persona's usage; ``kind`` is its task or ``PERSONA``, where that is known."""
        if kind is not None:
            self.in_flight.learn(kind, usage)
        if usage.cost_usd is None:
            self.unpriced += 1
        self.usage += Usage(usage.input, usage.cached, usage.output, usage.reasoning, usage.cost_usd or 0.0)

    def interrupt(self) -> None:
        """Lets what is in flight end and asks nothing more."""
        self.stop = Stop.INTERRUPTED

    def check(self, spec: RunSpec) -> None:
        """Sets ``stop`` once a budget is reached or too much failed."""
        if self.stop is not None:
            return
        spent = Spent.of(self.usage)
        if Cap(None, spec.max_cost).reached(spent):
            self.stop = Stop.MAX_COST
        elif Cap(spec.max_tokens_total, None).reached(spent):
            self.stop = Stop.MAX_TOKENS
        elif spec.max_time is not None and time.monotonic() - self.started >= spec.max_time:
            self.stop = Stop.MAX_TIME
        elif spec.fail_on_error is not None and self.failed:
            share = self.failed if spec.fail_on_error >= 1 else self.failed / self.planned
            if share >= spec.fail_on_error:
                self.stop = Stop.FAIL_ON_ERROR

    async def admits(self, kinds: Sequence[str], spec: RunSpec) -> bool:
        """Waits until a question can be asked within the caps, and says whether it should be asked at all."""
        cap = Cap(spec.max_tokens_total, spec.max_cost)
        self.check(spec)
        while self.stop is None and not self.in_flight.room(kinds, Spent.of(self.usage), cap):
            await self.in_flight.one_ended()
            self.check(spec)
        return self.stop is None


@dataclass(frozen=True, slots=True)
class Work:
    """Everything a worker needs."""

    spec: RunSpec
    backbone: Backbone
    heads: Heads
    askers: dict[str, Asker]
    journal: JsonLines
    account: Account
    tell: Callable[[CaseResult], None]
    say: Callable[[str], None]

    def interrupt(self) -> None:
        """Lets what is in flight end, asks nothing more, and says so at once."""
        self.account.interrupt()
        self.say("stopping after the calls in flight; Ctrl-C again to break off")


async def run_questions(questions: Iterable[Question], work: Work) -> None:
    """Asks every question, journals its result, and closes the backbone at the end.

    Raises:
        BackboneUnusable: nothing can succeed; what is done is kept.
        OSError: the journal cannot be written; what is done is kept.
    """
    wanted = work.spec.max_concurrency or work.backbone.traits.max_concurrency
    todo = iter(questions)
    first = list(itertools.islice(todo, wanted))
    shared = itertools.chain(first, todo)
    try:
        with _gentle_interrupt(work):
            async with asyncio.TaskGroup() as group:
                for _ in range(len(first)):
                    group.create_task(_worker(shared, work))
    finally:
        await work.backbone.aclose()


async def _worker(questions: Iterator[Question], work: Work) -> None:
    for question in questions:
        kinds = (question.spec.task, *([PERSONA] if work.heads.owes(question.condition, question.case) else []))
        if not await work.account.admits(kinds, work.spec):
            return
        with work.account.in_flight.holding(kinds):
            head = await work.heads.head(question.condition, question.case)
            if head.outcome is Outcome.OK:
                asker = work.askers[question.spec.task]
                try:
                    result = await ASK[question.spec.output_type](question, head.text, work.backbone, asker)
                except ConfigError as error:  # a template that held for the cases rehearsed, and not for this one
                    result = blank_result(question, Outcome.ENV_ERROR, str(error))
            else:
                result = blank_result(question, head.outcome, head.error)
            _book(result, work)


def _book(result: CaseResult, work: Work) -> None:
    work.journal.append(result.row(log_samples=work.spec.log_samples))
    work.account.done += 1
    work.account.failed += not POLICY[result.outcome].scored
    work.account.add(result.usage, result.task)
    work.account.task_usage += result.usage
    work.tell(result)


@contextmanager
def _gentle_interrupt(work: Work) -> Iterator[None]:
    """The first Ctrl-C lets what is in flight end; a second one breaks off, a third one kills without a word."""
    loop = asyncio.get_running_loop()
    broken_off = False

    def stop() -> None:
        nonlocal broken_off
        if work.account.stop is not Stop.INTERRUPTED:
            work.interrupt()
            return
        broken_off = True
        work.say("breaking off: the calls in flight are lost, what is finished is kept")
        raise KeyboardInterrupt

    try:
        loop.add_signal_handler(signal.SIGINT, stop)
    except (NotImplementedError, ValueError, RuntimeError):  # Windows, or not the main thread
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        if broken_off:  # Python's own handler would answer a third with a traceback out of the cleaning up
            signal.signal(signal.SIGINT, signal.SIG_DFL)
