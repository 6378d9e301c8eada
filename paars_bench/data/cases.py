"""Cases: what is mined from a log and asked of a backbone, and what the human did.

A case belongs to one shopper and one session. Everything an agent may know of its shopper lies in the shopper's
``Background``: events before the shopper's cutoff, and the cutoff is before every case of that shopper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Protocol

from paars_bench.data.schema import Catalog, Event


class CaseKind(StrEnum):
    """The four test sets of the paper (section 4.3)."""

    QUERY_PAIRS = "query_pairs"  # values: query, product
    ITEM_CHOICES = "item_choices"  # values: options (4 product ids), answer (0-based place of the item bought)
    RANK_CHOICES = "rank_choices"  # values: query, shown (product ids), rank (1-based place of the item viewed)
    SESSIONS = "sessions"  # values: intention and its source, events (the session, as ``session_rows`` reads it)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing asked.

    Attributes:
        case_id: unique in the data set, the same on every machine: ``kind/session/number``.
        kind: which test set it belongs to.
        shopper: whose case it is, the unit of independence.
        session: the session it was mined from.
        time: when that session began; nothing from then on may reach a prompt.
        values: the columns of its kind, as listed at ``CaseKind``.
    """

    case_id: str
    kind: CaseKind
    shopper: str
    session: str
    time: datetime
    values: Mapping[str, Any] = field(default_factory=dict)


class Background(NamedTuple):
    """What an agent may know of its shopper.

    Attributes:
        shopper: whose it is.
        cutoff: every event is before it, and every case of the shopper is at or after it.
        events: in order of time, without any view or purchase of a product that a 1-of-4 case of this shopper
            offers (paper, section 4.3: no contamination).
        removed: how many events that rule took out.
    """

    shopper: str
    cutoff: datetime
    events: tuple[Event, ...]
    removed: int


class ShoppingData(Protocol):
    """A data set: a human log, its catalog and the cases mined from it.

    ``cases`` returns a ``datasets.Dataset`` whose rows hold the fields of ``Case`` with ``values`` flattened; use
    ``iter_cases`` of ``paars_bench.data`` to read it as ``Case`` objects.
    """

    name: str
    revision: str
    human_reference: Literal["real", "simulated"]
    licence: str
    citation: str
    kinds: frozenset[CaseKind]
    catalog: Catalog

    @property
    def sha256(self) -> str:
        """The digest of catalog, events and mined cases: equal means the same data."""
        ...

    @property
    def shoppers(self) -> list[str]:
        """Ids of every shopper with a case."""
        ...

    def cases(self, kind: CaseKind) -> Any:
        """Returns the test set of a kind as a ``datasets.Dataset``."""
        ...

    def why_not(self, kind: CaseKind) -> str:
        """Returns why there is no test set of a kind, in words."""
        ...

    def background(self, shopper: str) -> Background:
        """Returns what an agent may know of a shopper."""
        ...

    def truth(self, shopper: str) -> dict[str, str]:
        """Returns demographics and survey answers, never to be shown to an agent."""
        ...
