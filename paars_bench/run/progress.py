"""What a person sees while a run works: the first finished case at once, then rate, tokens, cost and time left."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from paars_bench.errors import printable
from paars_bench.run.schedule import Account
from paars_bench.tasks.result import CaseResult

if TYPE_CHECKING:
    from rich.progress import TaskID

_LINE_SECONDS = 15.0


class Screen:
    """Progress on a terminal; a line now and then where there is none (a log file, CI).

    Args:
        console: where to write; standard error by default, so that standard output holds results only.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._account: Account | None = None
        self._told = 0.0
        self._stage = ""

    def note(self, text: str) -> None:
        """Says one line."""
        self.console.print(printable(text), markup=False)

    def stage(self, text: str, done: int, total: int) -> None:
        """Says how far a stage of preparation is: when it begins, and now and then after."""
        if text != self._stage or time.monotonic() - self._told > _LINE_SECONDS:
            self._told, self._stage = time.monotonic(), text
            self.note(f"{text} ({done}/{total})" if total > 1 else text)

    def open(self, account: Account) -> None:
        """Starts the bar."""
        self._account = account
        if self.console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[state]}"),
                console=self.console,
            )
            self._task = self._bar.add_task("cases", total=account.planned, completed=account.before, state="")
            self._bar.start()

    def tell(self, result: CaseResult) -> None:
        """Shows one finished case."""
        account = self._account
        assert account is not None, "open() comes first"
        if account.done == 1:
            answer = printable(result.reply)[:80]
            self.note(
                f"first case after {time.monotonic() - account.started:.1f} s: "
                f"{result.task} / {result.condition} → {result.outcome}: {answer}"
            )
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=account.before + account.done, state=status(account))
        elif time.monotonic() - self._told > _LINE_SECONDS:
            self._told = time.monotonic()
            self.note(f"{account.before + account.done}/{account.planned} cases · {status(account)}")

    def close(self) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        sys.stderr.flush()


def status(account: Account) -> str:
    """Returns rate, time left, tokens, cost and failures in one line."""
    seconds = max(time.monotonic() - account.started, 1e-9)
    rate = account.done / seconds
    left = (account.planned - account.before - account.done) / rate if rate else 0.0
    usage = account.usage
    cost = f"${usage.cost_usd or 0:.4f}" + ("+ (some prices unknown)" if account.unpriced else "")
    parts = [
        f"{rate:.1f}/s" if rate >= 1 else f"{rate * 60:.1f}/min",
        f"{_clock(left)} left",
        f"{usage.input + usage.output:,} tokens",
        cost,
    ]
    if account.failed:
        parts.append(f"{account.failed} failed")
    return " · ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
