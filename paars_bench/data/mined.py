"""A data set in memory: its log, its catalog and the cases mined from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import pyarrow.compute as pc

from paars_bench.data.backgrounds import Backgrounds
from paars_bench.data.case_tables import table_rows
from paars_bench.data.cases import Background, CaseKind
from paars_bench.data.digest import tables_sha256
from paars_bench.data.log import Log
from paars_bench.data.mining import Mined
from paars_bench.data.mining_rules import FunnelStep
from paars_bench.data.schema import Catalog
from paars_bench.errors import DataError, unknown


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a data set.

    Attributes:
        name: as in ``--dataset``, without options.
        revision: which version of the source or of the generator it was made from.
        human_reference: real people or simulated ones.
        licence: of the source.
        citation: of the source.
        kinds: test sets that the source supports.
        imported: what the importer kept and dropped, rule by rule.
    """

    name: str
    revision: str
    human_reference: Literal["real", "simulated"]
    licence: str
    citation: str
    kinds: frozenset[CaseKind]
    imported: tuple[FunnelStep, ...] = ()


class MinedData:
    """``ShoppingData`` over Arrow tables.

    Args:
        about: what is said of it.
        log: the human log.
        mined: the cases mined from ``log``.
        sha256: the digest where it is known, so that it need not be computed.
    """

    def __init__(self, about: About, log: Log, mined: Mined, *, sha256: str | None = None) -> None:
        self.about = about
        self.name = about.name
        self.revision = about.revision
        self.human_reference = about.human_reference
        self.licence = about.licence
        self.citation = about.citation
        self.kinds = about.kinds
        self.log = log
        self.mined = mined
        self.catalog: Catalog = log.catalog
        self._sha256 = sha256

    @property
    def sha256(self) -> str:
        """The digest of catalog, events, sessions, shoppers and cases: equal means the same data."""
        if self._sha256 is None:
            log, mined = self.log, self.mined
            tables = {"events": log.events, "catalog": log.catalog.table, "sessions": log.sessions}
            tables |= {"shoppers": log.shoppers, "split": mined.split}
            tables |= {f"cases {kind}": table for kind, table in mined.cases.items()}
            self._sha256 = tables_sha256(tables)
        return self._sha256

    @cached_property
    def shoppers(self) -> list[str]:
        """Ids of every shopper with a case, ascending."""
        tables = self.mined.cases.values()
        return sorted({name for t in tables for name in pc.unique(t.column("shopper")).to_pylist()})

    def cases(self, kind: CaseKind) -> Any:
        """Returns the test set of a kind as a ``datasets.Dataset``.

        Raises:
            DataError: the data set has no such test set.
        """
        import datasets

        return datasets.Dataset(self.case_table(kind), fingerprint=f"{self.sha256[:32]}-{kind}")

    def case_table(self, kind: CaseKind) -> Any:
        """Returns the test set of a kind as an Arrow table.

        Raises:
            DataError: the data set has no such test set.
        """
        if kind not in self.mined.cases:
            raise DataError(f"data set {self.name!r}: " + unknown("test set", str(kind), map(str, self.kinds)))
        return self.mined.cases[kind]

    def case_rows(self, kind: CaseKind) -> Iterator[dict[str, Any]]:
        """Yields the rows of a test set without loading ``datasets``."""
        return table_rows(self.case_table(kind))

    def funnel(self, kind: CaseKind | None = None) -> list[FunnelStep]:
        """Returns what each rule kept and dropped for a kind of case, or on import for None."""
        if kind is None:
            return list(self.about.imported)
        self.case_table(kind)
        return list(self.mined.funnels[kind])

    def why_not(self, kind: CaseKind) -> str:
        """Returns why there is no test set of a kind, in words: which rule took the last candidate."""
        for step in self.mined.funnels.get(kind, ()):
            if not step.kept and step.role != "share":
                return f"none of {step.dropped:,} passed: {step.rule}" if step.dropped else f"{step.rule}: none"
        return "its source has none"

    def background(self, shopper: str) -> Background:
        """Returns what an agent may know of a shopper.

        Events before the shopper's cutoff, without what could give away a product that an item choice of this shopper
        offers (see ``hiding.Hidden``). A background does not depend on which cases are asked.

        Raises:
            DataError: the shopper has no cutoff, so no case either.
        """
        return self._backgrounds.of(shopper)

    def truth(self, shopper: str) -> dict[str, str]:
        """Returns demographics and survey answers, never to be shown to an agent; empty where none are known."""
        row = self._truth_rows.get(shopper)
        if row is None:
            return {}
        return {t["key"]: t["value"] for t in self.log.shoppers.column("truth")[row].as_py() or ()}

    @cached_property
    def _backgrounds(self) -> Backgrounds:
        return Backgrounds(self.log, self.mined)

    @cached_property
    def _truth_rows(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.log.shoppers.column("id").to_pylist())}
