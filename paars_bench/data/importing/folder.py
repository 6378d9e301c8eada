"""An imported log as a data set: read from its folder, checked against its digests, and mined."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc

from paars_bench.data.cases import CaseKind
from paars_bench.data.importing.written import read_imported
from paars_bench.data.log import Log
from paars_bench.data.mined import About, MinedData
from paars_bench.data.mining import mine
from paars_bench.data.mining_rules import FunnelStep, MiningRules
from paars_bench.data.registry import Progress
from paars_bench.data.schema import Action

_BROWSING = (Action.SEARCH, Action.VIEW)


def build(*, path: Path, progress: Progress | None = None) -> MinedData:
    """Reads a folder that ``paars-bench data import`` wrote and mines its test sets; there may be none.

    Raises:
        DataError: not such a folder, or changed since it was written.
    """
    meta, log = read_imported(path)
    mined = mine(log, MiningRules(), progress=progress)
    kinds = {kind for kind, table in mined.cases.items() if table.num_rows}
    funnels = {kind: list(steps) for kind, steps in mined.funnels.items()}
    missing = [str(a) for a in _BROWSING if a not in _actions(log)]
    if missing and CaseKind.SESSIONS in kinds:  # a day of purchases is no visit to a shop
        kinds.discard(CaseKind.SESSIONS)
        steps = funnels[CaseKind.SESSIONS]
        steps.append(FunnelStep("the log holds searches and views", 0, steps[-1].kept))
    about = About(
        name=str(meta["name"]),
        revision=str(meta["imported"]),
        human_reference=meta["human_reference"],
        licence=str(meta["licence"]),
        citation=str(meta["citation"]),
        kinds=frozenset(kinds),
        imported=tuple(FunnelStep(*step) for step in meta["steps"]),
    )
    cases = {kind: table for kind, table in mined.cases.items() if kind in kinds}
    return MinedData(about, log, mined._replace(cases=cases, funnels=funnels))


def _actions(log: Log) -> frozenset[str]:
    return frozenset(pc.unique(log.events.column("action")).to_pylist())
