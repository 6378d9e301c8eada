"""Messages between a run and the processes that call its model: one line of JSON each, over a socket of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from paars_bench.backbones.attempts import Attempt
from paars_bench.backbones.door import Acting, Completion, Request, ToolCall, Traits, Usage
from paars_bench.errors import BackboneUnusable, MissingExtraError, MissingKeyError, PaarsError, UsageError
from paars_bench.outcomes import Outcome

Message = list[Any]
"""The kind of a message, and what it says."""
_ASKED = ("messages", "params", "reply_schema", "tools", "tool", "draw", "stable", "role")
_ERRORS = {c.__name__: c for c in (PaarsError, UsageError, MissingKeyError, MissingExtraError, BackboneUnusable)}


class Wire(asyncio.Protocol):
    """One end of the socket, inside an event loop.

    Args:
        take: is told each message.
        lost: is told that the other end is gone.
    """

    def __init__(self, take: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self._take, self._lost = take, lost
        self._begun = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the way to write."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hands out every message that is whole."""
        *whole, self._begun = (self._begun + data).split(b"\n")
        for line in whole:
            self._take(json.loads(line))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells that the other end is gone."""
        self._lost()

    def send(self, *message: Any) -> None:
        """Sends a message."""
        assert self._transport is not None, "connected"
        self._transport.write(line_of(message))

    def close(self) -> None:
        """Closes this end."""
        if self._transport is not None:
            self._transport.close()


def line_of(message: Any) -> bytes:
    """Returns a message as it is sent."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def asked(request: Request) -> dict[str, Any]:
    """Returns a request as JSON; what only baselines read stays behind."""
    return {name: getattr(request, name) for name in _ASKED}


def answered(reply: Completion) -> Message:
    """Returns a completion as JSON."""
    calls = [[c.id, c.name, c.arguments] for c in reply.tool_calls]
    u = reply.usage
    usage = [u.input, u.cached, u.output, u.reasoning, u.cost_usd, u.estimated]
    return [reply.text, reply.outcome, calls, usage, reply.latency_ms, reply.attempts, reply.error]


def completion_of(row: Message) -> Completion:
    """Returns the completion that ``answered`` wrote."""
    text, outcome, calls, usage, latency_ms, attempts, error = row
    made = tuple(ToolCall(*call) for call in calls)
    return Completion(text, Outcome(outcome), made, Usage(*usage), latency_ms, attempts, error=error)


def attempt_of(row: Message) -> Attempt:
    """Returns the attempt whose fields these are."""
    role, number, outcome, *rest = row
    return Attempt(role, number, Outcome(outcome), *rest)


def described(traits: Traits) -> dict[str, Any]:
    """Returns traits as JSON."""
    return asdict(traits)


def traits_of(row: Mapping[str, Any]) -> Traits:
    """Returns the traits that ``described`` wrote."""
    return Traits(**{**row, "acting": row["acting"] and Acting(row["acting"])})


def told(error: BaseException) -> Message:
    """Returns an error as JSON: its kind, and its words."""
    for kind in type(error).__mro__:
        if _ERRORS.get(kind.__name__) is kind:
            return [kind.__name__, str(error)]
    return ["", f"{type(error).__name__}: {error}"]


def error_of(row: Message) -> Exception:
    """Returns the error that ``told`` wrote; one that nobody foresaw is a ``RuntimeError``."""
    kind, words = row
    return _ERRORS.get(kind, RuntimeError)(words)
