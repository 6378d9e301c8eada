"""What a person at the screen sees of a run."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from paars_bench.backbones.door import Usage
from paars_bench.outcomes import Outcome
from paars_bench.run.progress import Screen, status
from paars_bench.run.schedule import Account
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
    assert status(account) == "3.0/s · 0:10 left · 1,200 tokens · $0.5000 · 2 failed"
    account.add(Usage(cost_usd=None))
    assert "$0.5000+ (some prices unknown)" in status(account)
