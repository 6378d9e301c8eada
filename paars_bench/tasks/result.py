"""What one asked case leaves: a line of the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from sys import intern
from typing import Any

from paars_bench.backbones.door import Message, Usage
from paars_bench.data.sessions import SessionFacts, session_facts
from paars_bench.outcomes import CaseEnd, CutBy, Outcome


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One finished case.

    Attributes:
        case_id: of the case.
        task: asked.
        condition: under which it was asked.
        repeat: 0-based.
        shopper: whose case it is.
        outcome: how it ended.
        parsed: ``{"query": …}``, ``{"choice": 1-based}`` or ``{"end": …, "cut": …, "searches": …, …}``; None without
            an answer.
        reply: the last reply's text.
        messages: the prompt; of a session the whole exchange.
        prompt_sha256: digest of the first prompt; "" where none was written, since a baseline reads none.
        events: of a session, in the log schema.
        usage: of every call; of replies from a cache as it was when they were made.
        paid: of it, what was paid for this case; None where all was, since no reply came from a cache.
        latency_ms: spent waiting for the backbone.
        attempts: calls made.
        cached: every reply was served from a cache.
        error: what went wrong, in words.
    """

    case_id: str
    task: str
    condition: str
    repeat: int
    shopper: str
    outcome: Outcome
    parsed: Mapping[str, Any] | None = None
    reply: str = ""
    messages: Sequence[Message] = ()
    prompt_sha256: str = ""
    events: Sequence[Mapping[str, Any]] | None = None
    usage: Usage = field(default_factory=Usage)
    paid: Usage | None = None
    latency_ms: float = 0.0
    attempts: int = 0
    cached: bool = False
    error: str | None = None

    @property
    def key(self) -> str:
        """What makes it the answer to one question of the plan."""
        return case_key(self.task, self.condition, self.case_id, self.repeat)

    @property
    def scored(self) -> bool:
        """Whether it is behaviour and enters the metrics."""
        return self.ended.scored

    @property
    def ended(self) -> CaseEnd:
        """How it ended, and whether a cap of its own ended it."""
        return CaseEnd(self.outcome, (self.parsed or {}).get("cut") == CutBy.SESSION)

    @property
    def behaviour(self) -> Behaviour:
        """What metrics read of it, where it is scored."""
        if self.events is not None:
            return Behaviour(intern(self.case_id), self.repeat, intern(self.shopper), session_facts(self.events))
        answer = self.parsed or {}
        did = intern(answer["query"]) if "query" in answer else int(answer["choice"])
        return Behaviour(intern(self.case_id), self.repeat, intern(self.shopper), did)

    def row(self, *, log_samples: bool) -> dict[str, Any]:
        """Returns the journal line; without ``log_samples`` prompt and reply are left out."""
        row = {name: getattr(self, name) for name in WRITTEN}
        row["usage"] = asdict(self.usage)
        if self.paid is None:
            del row["paid"]
        else:
            row["paid"] = asdict(self.paid)
        if not log_samples:
            del row["messages"], row["reply"]
        if self.events is None:
            del row["events"]
        return row


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a shopper did, as metrics read it; all of a run's is in memory at once, so it is little.

    Attributes:
        case_id: of the case.
        repeat: 0-based.
        shopper: whose case it is.
        did: the query typed, the number chosen from 1, or the facts of a session.
    """

    case_id: str
    repeat: int
    shopper: str
    did: str | int | SessionFacts

    @property
    def choice(self) -> int:
        """The number chosen.

        Raises:
            TypeError: nothing was to be chosen.
        """
        if not isinstance(self.did, int):
            raise TypeError(f"{self.case_id}: no choice")
        return self.did

    @property
    def facts(self) -> SessionFacts:
        """Of a session.

        Raises:
            TypeError: it is none.
        """
        if not isinstance(self.did, SessionFacts):
            raise TypeError(f"{self.case_id}: no session")
        return self.did


WRITTEN = tuple(CaseResult.__dataclass_fields__)
"""Keys of a journal line."""


def case_key(task: str, condition: str, case_id: str, repeat: int) -> str:
    """Returns the key of one question of a plan."""
    return f"{task}|{condition}|{case_id}|{repeat}"


def session_name(task: str, condition: str, repeat: int, session: str) -> str:
    """Returns the id of an agent's session, which no other question of a plan has.

    Args:
        task: asked.
        condition: under which it was asked.
        repeat: 0-based.
        session: that the case was mined from.
    """
    return f"agent/{task}/{condition}/{repeat}/{session}"
