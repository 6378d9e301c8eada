"""What a person at the screen sees of a run."""

from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console

from paars_bench.backbones.door import Usage
from paars_bench.outcomes import Outcome
from paars_bench.run.account import Account
from paars_bench.run.progress import Screen, status
from paars_bench.tasks.result import CaseResult


def shown(reply: str) -> str:
    said = io.StringIO()
    screen = Screen(Console(file=said, width=200))
    account = Account(planned=2)
    screen.open(account)
    account.done = 1
    screen.tell(CaseResult("c", "query_generation", "base", 0, "s", Outcome.OK, reply=reply))
    screen.close()
    return said.getvalue()


@pytest.mark.parametrize(
    "reply", ["a\x1b[31mred\x1b[0m mug", "a\x07 mug\x9b2J", "a \u202emug", "[bold]a[/nope] mug\x00"]
)
def test_a_reply_does_not_command_the_terminal(reply: str) -> None:
    line = shown(reply)
    assert "first case after" in line and "mug" in line
    assert all(c.isprintable() for c in line.rstrip("\n").replace("\n", " "))


def test_the_line_says_rate_time_tokens_cost_and_failures() -> None:
    account = Account(planned=100, before=40, done=30, failed=2)
    account.add(Usage(input=1000, output=200, cost_usd=0.5))
    account.started -= 10
    assert status(account) == "3.0/s · 0:10 left · 1,200 tokens · $0.5000 of about $0.7143 · 2 failed"
    account.add(Usage(cost_usd=None))
    assert "$0.5000+ (some prices unknown)" in status(account)


def told(width: int, account: Account, result: CaseResult | None = None) -> list[str]:
    """Returns the lines of a terminal so wide, once a case ended."""
    said = io.StringIO()
    screen = Screen(Console(file=said, width=width, force_terminal=True, color_system=None))
    screen.open(account)
    screen.tell(result or CaseResult("c", "query_generation", "base", 0, "s", Outcome.OK, reply="a mug"))
    screen.close()
    return [part.strip() for line in said.getvalue().splitlines() for part in re.split(r"\x1b\[[?\d;]*\w", line)]


@pytest.mark.parametrize("width", [50, 60, 80, 120])
def test_the_bar_gives_way_to_what_must_be_known(width: int) -> None:
    account = Account(planned=46_388, before=10_000, done=12_300, failed=12)
    account.add(Usage(input=4_000_000, output=100_000, cost_usd=12.35))
    account.started = time.monotonic() - 3 * 3600
    bar = next(line for line in reversed(told(width, account)) if "left" in line)
    assert len(bar) <= width
    for part in ("22,300/46,388", "1.1/s", "left", "12 failed"):
        assert part in bar
    assert "…" not in bar
    if width >= 80:
        for part in ("3:00:00", "4.1M tokens", "$12.35"):
            assert part in bar
    assert ("━" in bar) == (width == 120)


def test_a_first_case_that_failed_shows_why() -> None:
    failed = CaseResult(
        "c", "t", "base", 0, "s", Outcome.PROVIDER_ERROR, error="Connection \x1b[31mrefused " + "x" * 500
    )
    (said,) = [ln for ln in told(400, Account(planned=2, done=1), failed) if ln.startswith("first case")]
    assert "provider_error: Connection [31mrefused xxx" in said
    assert said.endswith("x…") and len(said) < 250
