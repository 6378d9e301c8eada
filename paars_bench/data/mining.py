"""From any behaviour log to the paper's four test sets (section 4.3), each rule a named step with a count.

A shopper's last sessions are the test period: cases come from there, and what an agent may know of the shopper comes
from before. So one background, one persona and one prompt prefix serve all cases of a shopper, and no event of a
case's session or later can reach a prompt.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from paars_bench.data.cases import CaseKind
from paars_bench.data.log import Log
from paars_bench.data.mining_index import LogIndex
from paars_bench.data.mining_items import mine_item_choices
from paars_bench.data.mining_rules import Funnel, FunnelStep, MiningRules
from paars_bench.data.mining_searches import mine_query_pairs, mine_rank_choices
from paars_bench.data.mining_sessions import mine_sessions
from paars_bench.data.mining_split import TestPeriod, split_by_cutoff, split_table
from paars_bench.data.registry import Progress


class Mined(NamedTuple):
    """What mining made of a log.

    Attributes:
        split: schema ``SPLIT``, the cutoff and the half of every shopper with enough history.
        cases: the test set of each kind asked for, with its schema of ``CASES``.
        funnels: what each rule kept and dropped, by kind.
    """

    split: pa.Table
    cases: dict[CaseKind, pa.Table]
    funnels: dict[CaseKind, list[FunnelStep]]


def mine(
    log: Log,
    rules: MiningRules | None = None,
    *,
    kinds: Iterable[CaseKind] = tuple(CaseKind),
    progress: Progress | None = None,
) -> Mined:
    """Mines the test sets of a log.

    Args:
        log: in canonical order.
        rules: the numbers; None takes the defaults.
        kinds: which test sets to mine.
        progress: told which kind is being mined.
    """
    rules = rules or MiningRules()
    index = LogIndex(log)
    period = split_by_cutoff(index, rules)
    cases: dict[CaseKind, pa.Table] = {}
    funnels: dict[CaseKind, list[FunnelStep]] = {}
    chosen = sorted(kinds)
    for done, kind in enumerate(chosen):
        if progress:
            progress(f"mining {kind}", done, len(chosen))
        funnel = Funnel()
        funnel.start("sessions in the log", len(index.start))
        _count_test_period(index, period, rules, funnel)
        cases[kind] = _MINERS[kind](index, period, rules, funnel)
        funnels[kind] = funnel.steps
    if progress:
        progress("mining", len(chosen), len(chosen))
    return Mined(split_table(index, period, rules), cases, funnels)


def _count_test_period(index: LogIndex, period: TestPeriod, rules: MiningRules, funnel: Funnel) -> None:
    enough = period.cutoff[index.owner] >= 0
    funnel.keep(f"shopper has {rules.min_history} sessions before a cutoff", len(enough), enough.sum())
    funnel.keep("session at or after the cutoff", enough.sum(), period.sessions.sum())


_MINERS = {
    CaseKind.QUERY_PAIRS: mine_query_pairs,
    CaseKind.ITEM_CHOICES: mine_item_choices,
    CaseKind.RANK_CHOICES: mine_rank_choices,
    CaseKind.SESSIONS: mine_sessions,
}
