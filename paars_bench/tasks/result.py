"""What one asked case leaves: a line of the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from paars_bench.backbones.door import Message, Usage
from paars_bench.outcomes import POLICY, Outcome


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
        parsed: ``{"query": …}``, ``{"choice": 1-based}`` or ``{"end": …, "searches": …, …}``; None without an answer.
        reply: the last reply's text.
        messages: the prompt; of a session the whole exchange.
        prompt_sha256: digest of the first prompt.
        events: of a session, in the log schema.
        usage: of every call.
        latency_ms: spent waiting for the backbone.
        attempts: calls made.
        cached: served from a cache.
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
        return POLICY[self.outcome].scored

    def row(self, *, log_samples: bool) -> dict[str, Any]:
        """Returns the journal line; without ``log_samples`` prompt and reply are left out."""
        row = asdict(self)
        if not log_samples:
            del row["messages"], row["reply"]
        if self.events is None:
            del row["events"]
        return row


def case_key(task: str, condition: str, case_id: str, repeat: int) -> str:
    """Returns the key of one question of a plan."""
    return f"{task}|{condition}|{case_id}|{repeat}"


def result_of(row: Mapping[str, Any]) -> CaseResult:
    """Returns the result of a journal line.

    Raises:
        KeyError: a key is missing.
        TypeError: a value has another type.
        ValueError: the outcome is unknown.
    """
    for name in ("case_id", "task", "condition", "shopper"):
        if not isinstance(row[name], str):
            raise TypeError(f"{name} is no text")
    if type(row["repeat"]) is not int:
        raise TypeError("repeat is no whole number")
    known = {f: row[f] for f in CaseResult.__dataclass_fields__ if f in row}
    return CaseResult(**{**known, "outcome": Outcome(row["outcome"]), "usage": Usage(**row["usage"])})
