"""OPeRA: 51 people shopping on Amazon.com, with result lists, surveys and interviews (Hub: ``NEU-HAI/OPeRA``).

Read are the *filtered* tables: the full ones add scrolls, tab changes and navigation, which are no events of the log,
and are 2.5 times the download. What each trap of the source is, and which module minds it, stands in docs/data.md.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from paars_bench.data.cases import CaseKind
from paars_bench.data.log import Log
from paars_bench.data.mined import About, MinedData
from paars_bench.data.mining import mine
from paars_bench.data.mining_rules import Funnel, MiningRules
from paars_bench.data.registry import Progress
from paars_bench.data.schema import SESSIONS, SHOPPERS, SessionInfo, events_table
from paars_bench.data.sources.opera_actions import Act, read_actions, read_timelines, timeline_files
from paars_bench.data.sources.opera_days import Behaviour, behaviour
from paars_bench.data.sources.opera_files import HUB, source_files
from paars_bench.data.sources.opera_people import read_people
from paars_bench.data.sources.opera_products import Products
from paars_bench.data.sources.rows import published

_LICENCE = "CC BY 4.0; not shipped here"
_CITATION = (
    "Wang et al., OPeRA: A Dataset of Observation, Persona, Rationale, and Action for Evaluating LLMs on Human Online "
    "Shopping Behavior Simulation, 2025; arXiv:2506.05606"
)
_KINDS = frozenset({CaseKind.QUERY_PAIRS, CaseKind.RANK_CHOICES, CaseKind.SESSIONS})
# People come on few days: of 46 whose days are known, 29 have two or more, 28 three, 22 four. Three sessions before
# the cutoff, the default, would leave 22 of them, two leave 28.
_MIN_HISTORY = 2


def build(*, path: Path | str | None = None, seed: int = 0, progress: Progress | None = None) -> MinedData:
    """Reads OPeRA and mines query pairs, rank choices and sessions.

    Args:
        path: a folder with the repository's tree, downloaded by hand; or one with per-session timelines, which have
            neither queries nor products, so that only sessions come of them. None asks the Hub.
        seed: of the cases kept.
        progress: told what is being done.

    Raises:
        DataError: a file is missing or no Parquet; the text says how to get it.
    """
    folder = Path(path) if path is not None else None
    timelines = timeline_files(folder)
    steps = Funnel()
    if timelines:
        return _of_timelines(timelines, steps, seed)
    files = source_files(folder)
    if progress:
        progress("reading actions and result pages", 0, 3)
    acts = read_actions(files.actions, steps)
    if progress:
        progress("making sessions", 1, 3)
    products = Products(acts)
    made = behaviour(acts, products, steps)
    people = read_people(files.people, (act.user for act in acts), steps)
    if progress:
        progress("mining cases", 2, 3)
    log = _log(made, products, people)
    mined = mine(log, MiningRules(min_history=_MIN_HISTORY, seed=seed), kinds=sorted(_KINDS))
    return MinedData(_about(HUB.revision, _KINDS, steps), log, mined)


def _of_timelines(files: list[Path], steps: Funnel, seed: int) -> MinedData:
    acts: list[Act] = read_timelines(files, steps)
    products = Products(acts)
    log = _log(behaviour(acts, products, steps, pages=False), products, SHOPPERS.empty_table())
    kinds = frozenset({CaseKind.SESSIONS})
    mined = mine(log, MiningRules(min_history=_MIN_HISTORY, seed=seed), kinds=sorted(kinds))
    return MinedData(_about(f"{len(files)} timelines", kinds, steps), log, mined)


def _about(revision: str, kinds: frozenset[CaseKind], steps: Funnel) -> About:
    return published("opera", revision, kinds, steps, licence=_LICENCE, citation=_CITATION)


def _log(made: Behaviour, products: Products, people: pa.Table) -> Log:
    return Log.of(
        events_table(made.events), products.catalog(), shoppers=people, sessions=_sessions_table(made.sessions)
    )


def _sessions_table(sessions: list[SessionInfo]) -> pa.Table:
    rows = [{"session": s.session, "shopper": s.shopper, "start": s.start, "intention": s.intention} for s in sessions]
    return pa.Table.from_pylist(rows, schema=SESSIONS)
