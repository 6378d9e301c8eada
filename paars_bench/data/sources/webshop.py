"""WebShop: crowd workers who shopped for a given instruction in a simulated shop; 1,571 trajectories (MIT).

The source has no times, no names of workers, and prices and ratings drawn at random. So times here are made, each
trajectory is a shopper, none has a past to mine a persona from, and the catalog has no prices.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from paars_bench.data.cases import CaseKind
from paars_bench.data.log import Log
from paars_bench.data.mined import MinedData
from paars_bench.data.mining import mine
from paars_bench.data.mining_rules import Funnel, MiningRules
from paars_bench.data.registry import Progress
from paars_bench.data.schema import CATALOG, SESSIONS, Action, Catalog, Event, Product, events_table, products_table
from paars_bench.data.sources.rows import published
from paars_bench.data.sources.webshop_pages import instruction, is_asin, listed
from paars_bench.errors import DataError

_COMMIT = "64fa2a5c15c7daa698b9ac93f5bb5437b634c9bd"
_ZIP, _JSONL = "il_trajs_finalized_images.zip", "il_trajs_finalized_images.jsonl"
_STEP = (
    f"run `curl -LO https://github.com/princeton-nlp/WebShop/raw/{_COMMIT}/baseline_models/data/{_ZIP}`, "
    f"and then give --dataset webshop:path={_ZIP}"
)
_LICENCE = "MIT (princeton-nlp/WebShop); not shipped here. Times are made: the source has the order of actions only"
_CITATION = "Yao et al., WebShop: Towards Scalable Real-World Web Interaction with Grounded Language Agents, 2022"
_KINDS = frozenset({CaseKind.QUERY_PAIRS, CaseKind.RANK_CHOICES, CaseKind.SESSIONS})
_ACTION = re.compile(r"\s*(search|click)\[(.*)\]\s*", re.IGNORECASE | re.DOTALL)
_LONGEST = 64 << 20  # bytes of a line: a step has 512 numbers of an image, about 10 kB, and its pages
_START = datetime(2022, 1, 1, tzinfo=UTC)
_STEP_TIME = timedelta(seconds=1)  # between actions, so that no rule on seconds drops anything


def build(*, path: Path | str | None = None, seed: int = 0, progress: Progress | None = None) -> MinedData:
    """Reads the human trajectories and mines query pairs, rank choices and sessions.

    Args:
        path: the ZIP file or the JSON lines in it, or a folder with either.
        seed: of the cases kept.
        progress: told what is being done.

    Raises:
        DataError: no trajectories there, or a line that is none; the text says where and what to do.
    """
    file = _file(Path(path) if path is not None else None)
    if progress:
        progress("reading trajectories", 0, 2)
    reader = _Reader()
    digest = hashlib.sha256()
    with _lines(file) as lines:
        for number, line in enumerate(_bounded(file, lines), 1):
            digest.update(line)
            if line.strip():
                reader.read(_trajectory(file, number, line))
    if progress:
        progress("mining cases", 1, 2)
    log, steps = reader.log(), reader.steps()
    # A trajectory is all that is known of its shopper, so a case needs no session before it.
    mined = mine(log, MiningRules(min_history=0, seed=seed), kinds=sorted(_KINDS))
    if not any(table.num_rows for table in mined.cases.values()):
        raise DataError(f"{file}: no case can be mined from its {log.sessions.num_rows:,} trajectories; {_STEP}")
    revision = f"sha256:{digest.hexdigest()[:16]}"
    about = published("webshop", revision, _KINDS, steps, licence=_LICENCE, citation=_CITATION)
    return MinedData(about, log, mined)


def _file(path: Path | None) -> Path:
    if path is None:
        raise DataError(f"data set 'webshop' is downloaded by hand: {_STEP}")
    places = [path] if path.is_file() else [path / _JSONL, path / _ZIP]
    found = next((p for p in places if p.is_file()), None)
    if found is None:
        raise DataError(f"data set 'webshop': {path} holds neither {_ZIP} nor {_JSONL}; {_STEP}")
    if found.suffix == ".json":
        raise DataError(
            f"data set 'webshop': {found} pairs instructions with queries, without a list shown, a product or a "
            f"session, so no case can be mined from it; {_STEP}"
        )
    return found


@contextmanager
def _lines(file: Path) -> Iterator[IO[bytes]]:
    """Opens the lines of the trajectories, out of the ZIP file if it is one; the whole is never in memory."""
    try:
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                names = [n for n in archive.namelist() if n.endswith(".jsonl") and not n.startswith("__MACOSX")]
                if not names:
                    raise DataError(f"{file}: holds no .jsonl file; {_STEP}")
                with archive.open(names[0]) as packed, io.BufferedReader(cast(io.RawIOBase, packed)) as lines:
                    yield lines
        else:
            with file.open("rb") as lines:
                yield lines
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{file}: cannot be read ({error}); {_STEP}") from error


def _bounded(file: Path, lines: IO[bytes]) -> Iterator[bytes]:
    number = 0
    while line := lines.readline(_LONGEST + 1):
        number += 1
        if len(line) > _LONGEST:
            raise DataError(f"{file}: line {number} is longer than {_LONGEST >> 20} MiB, so no trajectory; {_STEP}")
        yield line


def _trajectory(file: Path, number: int, line: bytes) -> dict[str, Any]:
    """Reads one line; ``images`` and ``available_actions`` are let go at once."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: line {number} is no JSON ({error}); download it again: {_STEP}") from error
    for key in ("states", "actions"):
        if not isinstance(row, dict) or not isinstance(row.get(key), list):
            raise DataError(f"{file}: line {number} has no list {key!r}; trajectories have states and actions: {_STEP}")
    return {"states": row["states"], "actions": row["actions"]}


class _Reader:
    """Makes a session of each trajectory and counts what is none of the log's events."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._sessions: list[dict[str, Any]] = []
        self._titles: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    def read(self, row: dict[str, Any]) -> None:
        """Reads the next trajectory."""
        number = len(self._sessions)
        start = _START + timedelta(days=number)
        name = f"w{number:05d}"
        told = instruction(str(row["states"][0])) if row["states"] else None
        self._sessions.append({"session": name, "shopper": name, "start": start, "intention": told})
        session = _Session(name, start, self._titles, self._counts)
        states = [str(state) for state in row["states"]]
        for place, action in enumerate(row["actions"]):
            after = states[place + 1] if place + 1 < len(states) else ""
            session.act(str(action), start + (place + 1) * _STEP_TIME, after)
        self._events += session.events

    def log(self) -> Log:
        """Returns the log of all trajectories."""
        products = [Product(asin, title) for asin, title in sorted(self._titles.items()) if title]
        catalog = Catalog(products_table(products) if products else pa.Table.from_pylist([], schema=CATALOG))
        sessions = pa.Table.from_pylist(self._sessions, schema=SESSIONS)
        return Log.of(events_table(self._events), catalog, sessions=sessions)

    def steps(self) -> Funnel:
        """Returns what became of the trajectories and their actions."""
        steps, counts = Funnel(), self._counts
        told = sum(s["intention"] is not None for s in self._sessions)
        steps.start("trajectories, each a shopper", len(self._sessions))
        steps.keep("with an instruction", len(self._sessions), told)
        left = counts["actions"]
        steps.start("actions", left)
        for rule, dropped in (
            ("a search or a click", counts["neither"]),
            ("not between pages", counts["pages"]),
            ("not on an option or a detail of a product", counts["details"]),
            ("not buying without a product open", counts["nothing"]),
        ):
            steps.keep(rule, left, left - dropped)
            left -= dropped
        steps.start("searches", counts["searches"])
        steps.keep("the list shown is known", counts["searches"], counts["listed"])
        steps.start("views", counts["views"])
        steps.keep("at a known rank", counts["views"], counts["ranked"])
        return steps


_PAGES = frozenset({"back to search", "next >", "< prev"})


class _Session:
    """One trajectory: the search whose results are shown, and the product that is open."""

    def __init__(self, name: str, start: datetime, titles: dict[str, str], counts: Counter[str]) -> None:
        self.events: list[Event] = []
        self._name, self._titles, self._counts = name, titles, counts
        self._search: int | None = None
        self._open: str | None = None

    def act(self, action: str, time: datetime, after: str) -> None:
        """Reads an action; ``after`` is the page it led to, "" where the source ends."""
        self._counts["actions"] += 1
        parts = _ACTION.fullmatch(action)
        if parts is None:
            self._counts["neither"] += 1
        elif parts[1].lower() == "search":
            self._counts["searches"] += 1
            self._search = self._add(Action.SEARCH, time, query=" ".join(parts[2].split()))
            self._see(after)
            self._counts["listed"] += self.events[self._search].shown is not None
        else:
            self._click(parts[2].strip(), time, after)

    def _click(self, target: str, time: datetime, after: str) -> None:
        asin = target.upper()
        if target.lower() in _PAGES:
            self._counts["pages"] += 1
            self._see(after)
        elif target.lower() == "buy now":
            if self._open is None:
                self._counts["nothing"] += 1
            else:
                self._add(Action.PURCHASE, time, product=self._open)
        elif is_asin(asin) and asin in self._titles:  # an option may look like an ASIN, but no list has shown it
            shown = () if self._search is None else self.events[self._search].shown or ()
            rank = shown.index(asin) + 1 if asin in shown else None
            self._counts["views"] += 1
            self._counts["ranked"] += rank is not None
            self._open = asin
            self._add(Action.VIEW, time, product=asin, rank=rank)
        else:
            self._counts["details"] += 1

    def _see(self, page: str) -> None:
        """Adds what a result page shows to its search; a page turned makes the list longer."""
        found = listed(page)
        if found is None or self._search is None:
            return
        for product in found:
            self._titles[product.asin] = self._titles.get(product.asin) or product.title
        search = self.events[self._search]
        shown = tuple(dict.fromkeys((*(search.shown or ()), *(p.asin for p in found))))
        self.events[self._search] = replace(search, shown=shown or None)

    def _add(self, action: Action, time: datetime, **values: Any) -> int:
        self.events.append(Event(self._name, self._name, time, action, **values))
        return len(self.events) - 1
