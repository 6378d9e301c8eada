"""Bounded workers over an iterator: at most so many questions in flight, each journaled before the next is asked."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from paars_bench.backbones.attempts import ATTEMPTS, Attempt
from paars_bench.backbones.door import Backbone, Completion, Usage, paid_of
from paars_bench.backbones.faults import shortened
from paars_bench.backbones.patience import PATIENCE, Patience
from paars_bench.boundary import Caught, unforeseen
from paars_bench.errors import ConfigError, PaarsError
from paars_bench.outcomes import Outcome
from paars_bench.run.account import MOST_FAULTS, Account, Stop
from paars_bench.run.budget import PERSONA, Held
from paars_bench.run.directory import cannot_write
from paars_bench.run.finished import Finished
from paars_bench.run.heads import Heads
from paars_bench.run.journal import JsonLines
from paars_bench.run.spec import RunSpec
from paars_bench.tasks.ask import ASK
from paars_bench.tasks.question import Asker, Question, blank_result
from paars_bench.tasks.result import CaseResult

_STOPS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Work:
    """Everything a worker needs.

    Attributes:
        attempts: file of every call made.
        tell: is told every finished case.
        say: says one line.
        clean: takes keys out of a text.
    """

    spec: RunSpec
    backbone: Backbone
    heads: Heads
    askers: dict[str, Asker]
    finished: Finished
    account: Account
    attempts: JsonLines
    tell: Callable[[CaseResult], None]
    say: Callable[[str], None]
    clean: Callable[[str], str]

    def interrupt(self) -> None:
        """Lets what is in flight end, asks nothing more, and says so at once."""
        self.account.interrupt()
        self.say("stopping after the calls in flight; Ctrl-C again to break off")


class FaultyRun(PaarsError):
    """Case after case ended in an error nobody foresaw: the harness is broken, and asking on would only cost money."""


async def run_questions(questions: Iterable[Question], work: Work) -> None:
    """Asks every question, journals its result, and closes the backbone at the end.

    Raises:
        BackboneUnusable: nothing can succeed; what is done is kept.
        FaultyRun: unforeseen errors one after another; what is done is kept.
        OSError: the journal cannot be written; what is done is kept.
    """
    wanted = work.spec.max_concurrency or work.backbone.traits.max_concurrency
    todo = iter(questions)
    first = list(itertools.islice(todo, wanted))
    shared = itertools.chain(first, todo)
    patience = Patience(work.account.deadline(work.spec))
    PATIENCE.set(patience)  # the workers' calls inherit it
    try:
        with _gentle_interrupt(work, patience):
            async with asyncio.TaskGroup() as group:
                for _ in range(len(first)):
                    group.create_task(_worker(shared, work))
    finally:
        with unforeseen() as closing:
            await work.backbone.aclose()
        if closing.error is not None:
            work.say(f"the backbone could not be closed ({work.clean(closing.words)}); nothing is lost by that")
    if work.account.stop is Stop.FAULTS:
        raise FaultyRun(
            f"{MOST_FAULTS} cases one after another ended in an unforeseen {work.account.fault}; stopped, what is done "
            "is kept and those cases are owed; please report it"
        )


async def _worker(questions: Iterator[Question], work: Work) -> None:
    for question in questions:
        kinds = (question.spec.task, *([PERSONA] if work.heads.owes(question.condition, question.case) else []))
        if not await work.account.admits(kinds, work.spec):
            return
        ATTEMPTS.set(partial(_log, work, question))
        with work.account.in_flight.holding(kinds) as held:
            replies: list[Completion] = []
            with unforeseen(PaarsError) as caught:
                head = await work.heads.head(question.condition, question.case)
                if head.outcome is Outcome.OK:
                    asker = work.askers[question.spec.task]._replace(next_call=partial(_next_call, work, held, replies))
                    try:
                        result = await ASK[question.spec.output_type](question, head.text, work.backbone, asker)
                    except ConfigError as error:  # a template that held for the cases rehearsed, and not for this one
                        result = blank_result(question, Outcome.ENV_ERROR, str(error))
                else:
                    result = blank_result(question, head.outcome, head.error)
            if caught.error is not None:
                result = _broken(question, caught, work, replies)
            with unforeseen(OSError, PaarsError) as unwritable:  # an answer may hold what strict JSON does not have
                _journal(result, work)
            if unwritable.error is not None:
                result = _broken(question, unwritable, work, replies)
                _journal(result, work)
            _book(result, work, fault=bool(caught.error or unwritable.error))
        await asyncio.sleep(0)  # a baseline never waits: without this a signal is heard after the last case


def _broken(question: Question, caught: Caught, work: Work, replies: Sequence[Completion]) -> CaseResult:
    failed = blank_result(question, Outcome.ENV_ERROR, shortened(work.clean(caught.words)))
    return replace(failed, usage=sum((r.usage for r in replies), Usage()), paid=paid_of(replies), attempts=len(replies))


def _log(work: Work, question: Question, attempt: Attempt) -> None:
    """Writes down one call; one for a persona stands under the question that needed it first."""
    asked = {"task": question.spec.task, "condition": question.condition, "case_id": question.case.case_id}
    row = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **asked, "repeat": question.repeat}
    try:
        work.attempts.append(row | attempt._asdict())
    except OSError as error:
        raise cannot_write(work.attempts.path.parent, error) from error


def _journal(result: CaseResult, work: Work) -> None:
    work.finished.append(result, log_samples=work.spec.keeps_samples(work.backbone.traits))


async def _next_call(work: Work, held: Held, replies: list[Completion], reply: Completion) -> Outcome | None:
    """Keeps what a call used, which an error later in the session would lose, and asks whether another one fits."""
    replies.append(reply)
    return await work.account.next_call(held, reply, work.spec)


def _book(result: CaseResult, work: Work, *, fault: bool) -> None:
    """Counts and shows a result."""
    work.account.book(result, work.spec, fault=fault)
    work.tell(result)
    if fault and work.account.faults == 1:
        work.say(f"unforeseen in {result.task}, case {result.case_id}: {result.error}; counted as {result.outcome}")


@contextmanager
def _gentle_interrupt(work: Work, patience: Patience) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM lets what is in flight end; a second one breaks off, a third kills without a word."""
    loop = asyncio.get_running_loop()
    broken_off = False

    def stop() -> None:
        nonlocal broken_off
        if work.account.stop is not Stop.INTERRUPTED:
            patience.stop()
            work.interrupt()
            return
        broken_off = True
        work.say("breaking off: the calls in flight are lost, what is finished is kept")
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGTERM)
    try:
        for number in _STOPS:
            loop.add_signal_handler(number, stop)
    except (NotImplementedError, ValueError, RuntimeError):  # Windows, or not the main thread
        yield
        return
    try:
        yield
    finally:
        for number in _STOPS:
            loop.remove_signal_handler(number)
        signal.signal(signal.SIGTERM, before)
        if broken_off:  # Python's own handler would answer a third with a traceback out of the cleaning up
            signal.signal(signal.SIGINT, signal.SIG_DFL)
