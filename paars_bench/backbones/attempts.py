"""A record of every call made, also of those that failed and were made again."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import NamedTuple

from paars_bench.outcomes import Outcome


class Attempt(NamedTuple):
    """One call.

    Attributes:
        role: which part of the run pays for it: ``task`` or ``persona``.
        number: 1 for the first of a request.
        outcome: how it ended.
        latency_ms: from its beginning to its end, without waits before it.
        under_way: calls that could be under way at once when it began.
        retry_after: seconds that the provider asked to wait.
        error: its words, without keys.
    """

    role: str
    number: int
    outcome: Outcome
    latency_ms: float
    under_way: int
    retry_after: float | None
    error: str | None


ATTEMPTS: ContextVar[Callable[[Attempt], None] | None] = ContextVar("ATTEMPTS", default=None)
"""What is told each call of a question; None where nobody keeps them."""
