"""Why cases failed, in the words of whoever failed them, the most frequent reason first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from paars_bench.errors import printable
from paars_bench.outcomes import POLICY, Outcome
from paars_bench.tasks.result import CaseResult

MOST = 5
_WORDS = 160
_WHY = 300
_OF_SHOPPER = re.compile(r"^the persona of .*? could not be mined: ")
_REQUEST_ID = re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[a-z_-])[\w-]{16,}\b")  # providers name the request, each its own
# Only these say that the model was never heard: an answer that cannot be read is a finding about the model.
_UNHEARD = frozenset({Outcome.PROVIDER_ERROR, Outcome.ENV_ERROR})


def reasons(done: Iterable[CaseResult]) -> list[dict[str, Any]]:
    """Returns ``{outcome, reason, cases}`` of what was asked and not scored, the most frequent first.

    Reasons that differ in a shopper's name or a request's number are one; words were cleaned of keys when they were
    kept.
    """
    found = Counter((str(r.outcome), _reason(r)) for r in done if not POLICY[r.outcome].scored)
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [{"outcome": outcome, "reason": why, "cases": count} for (outcome, why), count in ordered]


def unheard(counts: Iterable[Mapping[str, Any]]) -> bool:
    """Says whether every case was asked and every call failed: nothing is known of the model then.

    Args:
        counts: ``counts`` of each task and condition, as in ``results.json``.
    """
    outcomes = {outcome for c in counts for outcome in c["by_outcome"]}
    return bool(outcomes) and outcomes <= _UNHEARD


def unmeasured(metric: str, level: str, coverage: float, words: str) -> dict[str, Any]:
    """Returns the row of a metric that could not be computed.

    Args:
        metric: its name in results.
        level: ``individual`` or ``group``.
        coverage: share of the planned cases that are scored, 0 to 1.
        words: of the error.
    """
    why = printable(f"not computed: {words}")[:_WHY].strip()
    row: dict[str, Any] = {"metric": metric, "level": level, "coverage": round(coverage, 6)}
    return row | {"value": None, "n": 0, "why": why, "unmeasured": True}


def lines(failures: Iterable[Mapping[str, Any]]) -> list[str]:
    """Returns one line a reason, and one for those that are not shown."""
    every = list(failures)
    said = [f"failed: {f['cases']:,} × {f['outcome']}: {f['reason'] or POLICY[f['outcome']].meaning}" for f in every]
    rest = sum(f["cases"] for f in every[MOST:])
    return said[:MOST] + ([f"failed: {rest:,} more for {len(every) - MOST} other reasons"] if rest else [])


def _reason(result: CaseResult) -> str:
    words = _OF_SHOPPER.sub("a persona could not be mined: ", printable(result.error or ""))
    words = _REQUEST_ID.sub("…", words)
    return words if len(words) <= _WORDS else words[: _WORDS - 1] + "…"
