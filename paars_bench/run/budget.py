"""Caps on tokens and money hold although many questions are in flight: what those may still use is held back.

What a question will use is known only when it ends. It is taken to be the most that any finished question of its kind
used; until one has, a question of that kind is asked alone. A question of several calls (a session) asks again before
each next call. What can still be passed: the last call given out, and whatever a question uses beyond the largest
before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from paars_bench.backbones.door import Completion, Usage

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

    def most(self, other: Spent) -> Spent:
        """Returns the larger of each."""
        return Spent(max(self.tokens, other.tokens), max(self.dollars, other.dollars))


class Cap(NamedTuple):
    """The most that may be spent; None is no cap."""

    tokens: int | None
    dollars: float | None

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return self.tokens is not None or self.dollars is not None

    def reached(self, spent: Spent) -> bool:
        """Says whether as much is spent as may be."""
        over_tokens = self.tokens is not None and spent.tokens >= self.tokens
        return over_tokens or (self.dollars is not None and spent.dollars >= self.dollars)


@dataclass(eq=False, slots=True)
class Held:
    """A question in flight.

    Attributes:
        kinds: its task, and ``PERSONA`` if one is mined for it.
        spent: by its calls that ended, as far as it told.
        calling: a call of it is under way.
    """

    kinds: Sequence[str]
    spent: Spent = field(default_factory=Spent)
    calling: bool = True


class InFlight:
    """The questions that were given out and have not ended, what they used and what they may still use."""

    def __init__(self) -> None:
        self._largest: dict[str, Spent] = {}
        self._largest_call: dict[str, Spent] = {}
        self._held: list[Held] = []
        self._ended = asyncio.Event()

    @property
    def spent(self) -> Spent:
        """What the questions in flight have told of so far."""
        return _sum(held.spent for held in self._held)

    def learn(self, kind: str, usage: Usage) -> None:
        """Remembers what a finished question of a kind used, if that is more than any before."""
        self._largest[kind] = Spent.of(usage).most(self._largest.get(kind, Spent()))

    def call_ended(self, held: Held, reply: Completion) -> None:
        """Counts a call of a question that may go on."""
        used, kind = Spent.of(reply.usage), held.kinds[0]
        held.spent, held.calling = held.spent.plus(Spent.of(reply.paid)), False
        self._largest_call[kind] = used.most(self._largest_call.get(kind, Spent()))
        self._ended.set()

    def room(self, kinds: Sequence[str], spent: Spent, cap: Cap) -> bool:
        """Says whether one more question may be given out.

        Args:
            kinds: what it will use: its task, and ``PERSONA`` if one is still to be mined for it.
            spent: so far, what is in flight included.
            cap: the most that may be.
        """
        if not self._held:
            return True
        known = [kind in self._largest for held in (*(h.kinds for h in self._held), kinds) for kind in held]
        more = _sum(_rest(_sum(self._largest.get(k, Spent()) for k in h.kinds), h.spent) for h in self._held)
        return all(known) and not cap.reached(spent.plus(more))

    def room_for_call(self, spent: Spent, cap: Cap) -> bool:
        """Says whether a question in flight may make its next call, beside the calls under way.

        Args:
            spent: so far, what is in flight included.
            cap: the most that may be.
        """
        calling = [held for held in self._held if held.calling]
        sizes = (self._largest_call.get(k, self._largest.get(k, Spent())) for h in calling for k in h.kinds)
        return not calling or not cap.reached(spent.plus(_sum(sizes)))

    @contextmanager
    def holding(self, kinds: Sequence[str]) -> Iterator[Held]:
        """Counts a question as in flight until the block ends."""
        held = Held(kinds)
        self._held.append(held)
        try:
            yield held
        finally:
            self._held.remove(held)
            self._ended.set()

    async def one_ended(self) -> None:
        """Waits until a question or a call in flight ends."""
        self._ended.clear()
        await self._ended.wait()


def _sum(every: Iterable[Spent]) -> Spent:
    total = Spent()
    for one in every:
        total = total.plus(one)
    return total


def _rest(whole: Spent, spent: Spent) -> Spent:
    return Spent(max(whole.tokens - spent.tokens, 0), max(whole.dollars - spent.dollars, 0.0))
