"""Caps on tokens and money hold although many questions are in flight: what those may still use is held back.

What a call will use is known only when it ends. It is taken to be the most that any finished question of its kind
used; until one has, a question of that kind is asked alone. What can still be passed: the last question given out, and
whatever a question uses beyond the largest before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from paars_bench.backbones.door import Usage

PERSONA = "persona"
"""The kind of what is spent on mining; the other kinds are tasks."""


class Spent(NamedTuple):
    """What a cap counts: input and output tokens, and US dollars as far as prices are known."""

    tokens: int = 0
    dollars: float = 0.0

    @classmethod
    def of(cls, usage: Usage) -> Spent:
        """Returns what a usage counts for."""
        return cls(usage.input + usage.output, usage.cost_usd or 0.0)

    def plus(self, other: Spent) -> Spent:
        """Returns both together."""
        return Spent(self.tokens + other.tokens, self.dollars + other.dollars)


class Cap(NamedTuple):
    """The most that may be spent; None is no cap."""

    tokens: int | None
    dollars: float | None

    def reached(self, spent: Spent) -> bool:
        """Says whether as much is spent as may be."""
        over_tokens = self.tokens is not None and spent.tokens >= self.tokens
        return over_tokens or (self.dollars is not None and spent.dollars >= self.dollars)


class InFlight:
    """The questions that were given out and have not ended, and what they may still use."""

    def __init__(self) -> None:
        self._largest: dict[str, Spent] = {}
        self._held: list[Sequence[str]] = []
        self._ended = asyncio.Event()

    def learn(self, kind: str, usage: Usage) -> None:
        """Remembers what a finished question of a kind used, if that is more than any before."""
        spent, before = Spent.of(usage), self._largest.get(kind, Spent())
        self._largest[kind] = Spent(max(spent.tokens, before.tokens), max(spent.dollars, before.dollars))

    def room(self, kinds: Sequence[str], spent: Spent, cap: Cap) -> bool:
        """Says whether one more question may be given out.

        Args:
            kinds: what it will use: its task, and ``PERSONA`` if one is still to be mined for it.
            spent: so far.
            cap: the most that may be.
        """
        if not self._held or cap == (None, None):
            return True
        known = [kind in self._largest for held in (*self._held, kinds) for kind in held]
        expected = spent
        for kind in (kind for held in self._held for kind in held):
            expected = expected.plus(self._largest.get(kind, Spent()))
        return all(known) and not cap.reached(expected)

    @contextmanager
    def holding(self, kinds: Sequence[str]) -> Iterator[None]:
        """Counts a question as in flight until the block ends."""
        self._held.append(kinds)
        try:
            yield
        finally:
            self._held.remove(kinds)
            self._ended.set()

    async def one_ended(self) -> None:
        """Waits until a question in flight ends."""
        self._ended.clear()
        await self._ended.wait()
