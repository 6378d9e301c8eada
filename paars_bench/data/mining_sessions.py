"""Whole sessions: why the shopper came, and everything that they did (paper, section 4.3)."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.case_tables import CASES, common_columns
from paars_bench.data.cases import CaseKind
from paars_bench.data.event_text import event_lists
from paars_bench.data.intentions import IntentionKind, infer_intentions
from paars_bench.data.mining_index import Ints, LogIndex, bools
from paars_bench.data.mining_rules import Funnel, MiningRules
from paars_bench.data.mining_split import TestPeriod

_CHUNK = 20_000  # sessions at a time: some 40 MB of text
FROM_LOG, INFERRED = "log", "inferred"


def mine_sessions(index: LogIndex, period: TestPeriod, rules: MiningRules, funnel: Funnel) -> pa.Table:
    """Mines every session of the test period; an intention that the log does not give is inferred."""
    chosen = np.flatnonzero(period.sessions)
    why = _intentions(index, chosen, period, rules, funnel)
    parts = [_cases(index, chosen[low : low + _CHUNK], why.slice(low, _CHUNK)) for low in range(0, len(chosen), _CHUNK)]
    return pa.concat_tables(parts) if parts else CASES[CaseKind.SESSIONS].empty_table()


def _intentions(index: LogIndex, chosen: Ints, period: TestPeriod, rules: MiningRules, funnel: Funnel) -> pa.Table:
    """Returns the columns ``intention`` and ``intention_source``, and counts the kinds inferred."""
    given = index.log.sessions.column("intention").take(pa.array(chosen)).combine_chunks()
    silent = bools(pc.is_null(given))
    inferred = infer_intentions(index, chosen[silent], period.cutoff, seed=rules.seed)
    kinds = Counter(inferred.kinds)
    funnel.share("intention given by the log", (~silent).sum())
    for kind in IntentionKind:
        funnel.share(f"intention inferred: {kind}", kinds[kind])
    funnel.share("no search and no view to infer an intention from", kinds[None])
    whole = pc.replace_with_mask(given, pa.array(silent), pa.array(inferred.sentences, pa.string()))
    told = pc.if_else(pa.array(silent), INFERRED, FROM_LOG)
    source = pc.if_else(pc.is_valid(whole), told, pa.scalar(None, pa.string()))
    return pa.table({"intention": whole, "intention_source": source})


def _cases(index: LogIndex, sessions: Ints, why: pa.Table) -> pa.Table:
    first = index.first_event[sessions]
    lengths = index.first_event[sessions + 1] - first
    rows = np.repeat(first - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
    columns = [
        *common_columns(CaseKind.SESSIONS, index.log.sessions, sessions, np.zeros(len(sessions), np.int64)),
        *why.columns,
        event_lists(index.log.events.take(pa.array(rows)), lengths),
    ]
    return pa.table(columns, schema=CASES[CaseKind.SESSIONS])
