"""How a run as a whole ended, in one word, from the counts of its tasks and the reason it stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from paars_bench.outcomes import Outcome
from paars_bench.report.failures import unheard

EXIT_BY_STATUS = {"complete": 0, "partial": 2, "budget": 3, "failed": 4, "interrupted": 130}
CAPS = {
    "max_cost": Outcome.COST_LIMIT,
    "max_tokens_total": Outcome.TOKEN_LIMIT,
    "max_time": Outcome.TIME_LIMIT,
}
"""Caps by the name of their flag, and how a case ends that one of them cut short."""
_BROKEN = ("fail_on_error", "unforeseen_faults")


def outcome_of_unasked(stop: str | None) -> Outcome:
    """Returns how cases count that were never asked: as what the cap that stopped the run cuts, else as cancelled."""
    return CAPS.get(stop or "", Outcome.CANCELLED)


def run_status(tasks: Sequence[Mapping[str, Any]], stop: str | None) -> str:
    """Returns the status of a run.

    Args:
        tasks: ``tasks`` of ``results.json``.
        stop: why asking ended early, or None.
    """
    if stop in _BROKEN:
        return "failed"
    if stop is not None and any(_cut_short(t["counts"]) for t in tasks):
        return "budget" if stop in CAPS else "interrupted" if stop == "interrupted" else "failed"
    if unheard(t["counts"] for t in tasks):
        return "failed"
    unmeasured = any(m.get("unmeasured") for t in tasks for m in t["metrics"])
    if unmeasured or any(t["coverage"] < t["min_coverage"] for t in tasks):
        return "partial"
    return "complete"


def _cut_short(counts: Mapping[str, Any]) -> bool:
    """Whether cases are owed because asking ended: never asked, or cut by the run's cap or an interrupt."""
    return bool(counts["not_asked"] or counts["cut"])
