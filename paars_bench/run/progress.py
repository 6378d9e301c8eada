"""What a person sees while a run works: the first finished case at once, then rate, tokens, cost and time left."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from paars_bench.errors import printable
from paars_bench.outcomes import POLICY
from paars_bench.run.account import Account
from paars_bench.tasks.result import CaseResult

_LINE_SECONDS = 15.0
_BAR = range(8, 41)  # columns: below it says nothing, above it says no more


class Screen:
    """Progress on a terminal; a line now and then where there is none (a log file, CI).

    Args:
        console: where to write; standard error by default, so that standard output holds results only.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self._bar: Live | None = None
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
            self._bar = Live(_Line(account), console=self.console, refresh_per_second=4)
            self._bar.start()

    def tell(self, result: CaseResult) -> None:
        """Shows one finished case."""
        account = self._account
        assert account is not None, "open() comes first"
        if account.done == 1:
            said = result.reply if POLICY[result.outcome].scored else result.error or result.reply
            self.note(
                f"first case after {time.monotonic() - account.started:.1f} s: "
                f"{result.task} / {result.condition} → {result.outcome}: {shown(said) or 'no words'}"
            )
        if self._bar is None and time.monotonic() - self._told > _LINE_SECONDS:
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


class _Line:
    """The line of a terminal: a bar where there is room, and as much as fits of what is known."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        account = self._account
        text = line(account, options.max_width - 1)
        room = min(options.max_width - len(text) - 2, _BAR[-1])
        row = Table.grid(padding=(0, 1))
        cells: list[ProgressBar | Text] = [Text(text, no_wrap=True)]
        if room in _BAR:
            cells.insert(0, ProgressBar(max(account.planned, 1), account.before + account.done, width=room))
        row.add_row(*cells)
        yield row


def line(account: Account, width: int) -> str:
    """Returns what is known of a run in at most ``width`` columns, as long as the four that always stay fit.

    Cases, rate, time left and failures stay; first go the cases from the cache, then what all will cost, tokens, the
    time passed, the cost.
    """
    usage = account.usage
    rate, left = _pace(account)
    parts = {
        "count": f"{account.before + account.done:,}/{account.planned:,}",
        "passed": _clock(time.monotonic() - account.started),
        "rate": rate,
        "left": f"{_clock(left)} left",
        "tokens": f"{_short(usage.input + usage.output)} tokens",
        "cost": _dollars(account),
        "expected": _expected(account),
        "cached": f"{account.cached:,} cached" if account.cached else "",
        "failed": f"{account.failed:,} failed" if account.failed else "",
    }
    parts = {name: text for name, text in parts.items() if text}
    for name in ("cached", "expected", "tokens", "passed", "cost"):
        if name in parts and len("  ".join(parts.values())) > width:
            del parts[name]
    return "  ".join(parts.values())


def status(account: Account) -> str:
    """Returns rate, time left, tokens, cost and failures in one line."""
    usage = account.usage
    rate, left = _pace(account)
    cost = _dollars(account) + (" (some prices unknown)" if account.unpriced else "")
    cost = " ".join(filter(None, (cost, _expected(account))))
    parts = [rate, f"{_clock(left)} left", f"{usage.input + usage.output:,} tokens", cost]
    if account.cached:
        parts.append(f"{account.cached} cached")
    if account.failed:
        parts.append(f"{account.failed} failed")
    return " · ".join(parts)


def shown(words: str, most: int = 120) -> str:
    """Returns a model's or a provider's words as part of one line: printable, and cut where they are long."""
    text = printable(words)
    return text if len(text) <= most else text[: most - 1] + "…"


def _pace(account: Account) -> tuple[str, float]:
    """Returns the rate in words, and the seconds left at it."""
    rate = account.done / max(time.monotonic() - account.started, 1e-9)
    left = (account.planned - account.before - account.done) / rate if rate else 0.0
    return f"{rate:.1f}/s" if rate >= 1 else f"{rate * 60:.1f}/min", left


def _dollars(account: Account) -> str:
    """Cents from a dollar on, finer below; a plus where some prices are unknown."""
    return _money(account.usage.cost_usd or 0.0) + ("+" if account.unpriced else "")


def _expected(account: Account) -> str:
    """What the whole run will cost if the other cases cost what these did; "" where that is nothing or not known."""
    spent, ended = account.usage.cost_usd or 0.0, account.before + account.done
    if not spent or not ended or account.unpriced or account.cached or ended >= account.planned:
        return ""
    return f"of about {_money(spent * account.planned / ended)}"


def _money(dollars: float) -> str:
    return f"${dollars:,.2f}" if dollars >= 1 else f"${dollars:.4f}"


def _short(count: int) -> str:
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
