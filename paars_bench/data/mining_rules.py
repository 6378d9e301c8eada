"""What mining may choose: every number of it by name, and the funnel that counts what each rule kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class MiningRules:
    """The numbers of the mining rules.

    Attributes:
        test_share: share of a shopper's sessions, the latest, that cases come from; at least one session.
        min_history: sessions a shopper needs before the cutoff; with 0, a shopper's only session gives cases and
            the background is empty.
        view_window_s: seconds from a session's first search to the view that makes a pair (paper, section 4.3).
        pool: random catalog items that distractors are looked for in (paper, section 4.3).
        distractors: items beside the one bought (paper, section 4.3).
        most_shown: places of a result list that a rank choice keeps.
        item_cap: item choices a shopper may have, chosen by seed; None keeps all.
        seed: of distractors, option order and the choice under ``item_cap``.
    """

    test_share: float = 0.3
    min_history: int = 3
    view_window_s: float = 60.0
    pool: int = 1_000
    distractors: int = 3
    most_shown: int = 10
    item_cap: int | None = None
    seed: int = 0


class FunnelStep(NamedTuple):
    """One rule: what it asks for, how many candidates it kept and how many it dropped.

    Attributes:
        rule: in words.
        kept: candidates left after it.
        dropped: candidates that it took away.
        role: ``rule``: ``kept + dropped`` is what the step before kept; ``start``: the candidates are others from
            here on; ``share``: how many of the candidates are of a sort, and none is dropped.
    """

    rule: str
    kept: int
    dropped: int
    role: str = "rule"


class Funnel:
    """Counts of one kind of case, rule after rule."""

    def __init__(self) -> None:
        self.steps: list[FunnelStep] = []

    def start(self, what: str, count: int) -> None:
        """Says what the candidates are from here on, and how many there are."""
        self.steps.append(FunnelStep(what, int(count), 0, "start"))

    def share(self, what: str, count: int) -> None:
        """Says how many of the candidates are of a sort."""
        self.steps.append(FunnelStep(what, int(count), 0, "share"))

    def keep(self, rule: str, before: int, after: int) -> None:
        """Says that a rule took ``before`` candidates down to ``after``."""
        self.steps.append(FunnelStep(rule, int(after), int(before) - int(after)))


def case_number(seed: int, case_id: str) -> int:
    """Returns 64 random bits that belong to a case alone: other cases of the data do not move them."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{case_id}".encode()).digest()[:8], "little")
