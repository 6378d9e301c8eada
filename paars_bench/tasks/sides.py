"""The two sides of a metric: what the humans of the asked cases did, and what the scored agents did."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from paars_bench.data.cases import Case
from paars_bench.data.schema import Action, Catalog, Event, event_of
from paars_bench.data.sessions import session_counts
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.result import CaseResult


@dataclass(frozen=True, slots=True)
class Sides:
    """One task under one condition.

    Attributes:
        cases: every case asked, by id.
        scored: results that are behaviour, in the order of their cases.
        failed: results that are not, and cases never asked.
        renderer: gives the humans' answers as text.
        catalog: gives titles.
    """

    cases: Mapping[str, Case]
    scored: Sequence[CaseResult]
    failed: int
    renderer: Renderer
    catalog: Catalog

    @property
    def coverage(self) -> float:
        """Share of what was planned that is scored, 0 to 1."""
        return len(self.scored) / max(1, len(self.scored) + self.failed)

    def of_repeat(self, repeat: int) -> Sides:
        """Returns what was scored of one repeat; the humans are the same."""
        return replace(self, scored=[r for r in self.scored if r.repeat == repeat])

    def case(self, result: CaseResult) -> Case:
        """Returns the case a result belongs to."""
        return self.cases[result.case_id]

    def target(self, case: Case) -> str:
        """Returns what the human of a case did, as text."""
        return self.renderer.target(case)


def human_events(case: Case) -> list[Event]:
    """Returns the human's session of a sessions case."""
    rows: Any = case.values["events"]
    if isinstance(rows, str):
        rows = json.loads(rows)
    return [event_of(row) for row in rows]


def human_count(case: Case, of: str, target: str) -> int:
    """Returns what the human of a case counts: the rank viewed, or searches, views, purchases of the session."""
    return int(target) if of == "rank" else session_counts(human_events(case))[of]


def agent_count(result: CaseResult, of: str) -> int:
    """Returns the same of an agent."""
    assert result.parsed is not None, "only scored results are counted"
    return int(result.parsed["choice" if of == "rank" else of])


def queries(events: Iterable[Event]) -> list[str]:
    """Returns what was typed, in order."""
    return [e.query for e in events if e.action is Action.SEARCH and e.query]


def viewed_titles(events: Iterable[Event], catalog: Catalog) -> list[str]:
    """Returns the titles of viewed products, in order."""
    return [catalog[e.product].title for e in events if e.action is Action.VIEW and e.product and e.product in catalog]
