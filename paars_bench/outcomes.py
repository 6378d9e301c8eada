"""How one case can end: one enum, exhaustive, each end with what the harness does about it.

A failure is data and never behaviour: only ``scored`` outcomes enter a metric's value; every outcome is counted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """The end of one case, as written in the journal."""

    OK = "ok"
    EMPTY_OUTPUT = "empty_output"
    UNPARSEABLE = "unparseable"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    CONTEXT_OVERFLOW = "context_overflow"
    TURN_LIMIT = "turn_limit"
    TOKEN_LIMIT = "token_limit"
    TIME_LIMIT = "time_limit"
    COST_LIMIT = "cost_limit"
    PROVIDER_ERROR = "provider_error"
    TOOL_ERROR = "tool_error"
    ENV_ERROR = "env_error"
    CANCELLED = "cancelled"


class CutBy(StrEnum):
    """Whose cap ended a session early: its own is an end like any other, the run's leaves the case owed."""

    SESSION = "session"
    RUN = "run"


class Policy(NamedTuple):
    """What the harness does with an outcome.

    Attributes:
        retried: the call is tried again while attempts last.
        cached: the reply may be stored in and served from the response cache.
        scored: the case enters the metric's value.
        counted: the case enters coverage and the strict value (as the worst case if not scored).
        owed: a resumed run asks this case again, unless the cap was the session's own (``CutBy.SESSION``).
    """

    retried: bool
    cached: bool
    scored: bool
    counted: bool
    owed: bool
    meaning: str


POLICY: dict[Outcome, Policy] = {
    Outcome.OK: Policy(False, True, True, True, False, "a reply that parsed, or a session that ended by itself"),
    Outcome.EMPTY_OUTPUT: Policy(True, False, False, True, False, "the reply held no text"),
    Outcome.UNPARSEABLE: Policy(False, False, False, True, False, "the reply held no valid answer"),
    Outcome.REFUSED: Policy(False, False, False, True, False, "the backbone declined, or a content filter did"),
    Outcome.TRUNCATED: Policy(False, False, False, True, False, "cut at max_tokens before an answer was complete"),
    Outcome.CONTEXT_OVERFLOW: Policy(False, False, False, True, False, "the prompt is longer than the context"),
    Outcome.TURN_LIMIT: Policy(False, False, False, True, False, "a session still going at the turn cap"),
    Outcome.TOKEN_LIMIT: Policy(False, False, False, True, True, "a cap on tokens was reached first"),
    Outcome.TIME_LIMIT: Policy(False, False, False, True, True, "a cap on time was reached first"),
    Outcome.COST_LIMIT: Policy(False, False, False, True, True, "a cap on money was reached first"),
    Outcome.PROVIDER_ERROR: Policy(True, False, False, True, True, "the provider failed after every retry"),
    Outcome.TOOL_ERROR: Policy(False, False, False, True, False, "too many invalid store actions in a session"),
    Outcome.ENV_ERROR: Policy(False, False, False, True, True, "the harness or the store failed"),
    Outcome.CANCELLED: Policy(False, False, False, True, True, "interrupted before it ended"),
}
RUN_CUTS = frozenset({Outcome.TOKEN_LIMIT, Outcome.TIME_LIMIT, Outcome.COST_LIMIT, Outcome.CANCELLED})
"""Ends that a run brings about when it stops in the midst of a case."""
assert set(POLICY) == set(Outcome), "every outcome needs a policy"


class CaseEnd(NamedTuple):
    """How a case ended.

    Attributes:
        outcome: the end.
        by_own_cap: a cap of the session itself brought it about, which is an end like any other.
    """

    outcome: Outcome
    by_own_cap: bool = False

    @property
    def scored(self) -> bool:
        """Whether it is behaviour and enters the metrics."""
        return POLICY[self.outcome].scored

    @property
    def cut_by_run(self) -> bool:
        """Whether a cap of the run, or an interrupt, ended it."""
        return self.outcome in RUN_CUTS and not self.by_own_cap

    @property
    def owed(self) -> bool:
        """Whether a resumed run asks it again."""
        return POLICY[self.outcome].owed and not self.by_own_cap
