"""The two sides of a metric: what the humans of the asked cases did, and what the scored agents did."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from paars_bench.data.cases import Case
from paars_bench.data.schema import Catalog
from paars_bench.data.sessions import SessionFacts, session_facts, session_rows
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.result import Behaviour


@dataclass(frozen=True)
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
    scored: Sequence[Behaviour]
    failed: int
    renderer: Renderer
    catalog: Catalog

    @property
    def coverage(self) -> float:
        """Share of what was planned that is scored, 0 to 1."""
        return len(self.scored) / max(1, len(self.scored) + self.failed)

    @cached_property
    def by_repeat(self) -> list[Sides]:
        """What was scored of each repeat; the humans are the same, and each repeat is a population of its own."""
        repeats: dict[int, list[Behaviour]] = {}
        for result in self.scored:
            repeats.setdefault(result.repeat, []).append(result)
        if len(repeats) == 1:
            return [self]
        return [replace(self, scored=repeats[repeat]) for repeat in sorted(repeats)]

    @cached_property
    def humans_digest(self) -> str:
        """Whose cases were scored, whatever the repeat."""
        digest = hashlib.sha256()
        for result in self.scored:
            digest.update(f"{result.case_id}\n".encode())
        return digest.hexdigest()

    @cached_property
    def digest(self) -> str:
        """Which cases were scored: what is made of their humans alone serves all conditions that scored the same."""
        digest = hashlib.sha256()
        for result in self.scored:
            digest.update(f"{result.case_id}|{result.repeat}\n".encode())
        return digest.hexdigest()

    def case(self, result: Behaviour) -> Case:
        """Returns the case a result belongs to."""
        return self.cases[result.case_id]

    def target(self, case: Case) -> str:
        """Returns what the human of a case did, as text."""
        return self.renderer.target(case)


def human_facts(case: Case) -> SessionFacts:
    """Returns what the human of a sessions case did."""
    return session_facts(session_rows(case.values["events"]))


def titles(products: Iterable[str], catalog: Catalog) -> list[str]:
    """Returns the titles of products, in order; of those that the catalog has."""
    return [catalog[product].title for product in products if product in catalog]
