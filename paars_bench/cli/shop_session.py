"""A person's visit in the terminal: who comes and why, page by page, and the log that is left."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from paars_bench.cli.shop_words import HELP, Aside, Reader
from paars_bench.data import iter_cases, load_dataset
from paars_bench.data.agent_folder import add_session, sessions_of, shop_folder
from paars_bench.data.cases import Case, CaseKind
from paars_bench.data.mined import MinedData
from paars_bench.data.registry import parse_spec
from paars_bench.data.schema import SessionInfo, event_row
from paars_bench.data.sessions import session_facts
from paars_bench.errors import UsageError, printable, unknown
from paars_bench.run.progress import Screen
from paars_bench.store import Listed, Page, PageKind, Shop, Visit, default_settings, load_store_settings
from paars_bench.store.search_folder import open_index

_PERSON = "person"
_ENDED, _INTERRUPTED = 0, 130


class Errand(NamedTuple):
    """What the command line says; see ``cli.shop``."""

    dataset: str
    shopper: str | None
    intention: str | None
    store: Path | None
    folder: Path | None


class Opened(NamedTuple):
    """A visit that can begin.

    Attributes:
        visit: in the shop of the data set.
        info: of the session, for the log.
        dataset: as ``--dataset`` says it in full.
        settings: digest of the store's settings.
        folder: of the log.
        welcome: lines that are shown first.
    """

    visit: Visit
    info: SessionInfo
    dataset: str
    settings: str
    folder: Path
    welcome: tuple[str, ...]


def open_errand(asked: Errand) -> Opened:
    """Loads the data set and opens its shop.

    Raises:
        UsageError: the shopper is none of the data set's, or has no session to take an errand from.
        DataError: the data set cannot be had, or the folder holds the sessions of another shop.
        ConfigError: the store YAML is wrong.
    """
    settings = default_settings() if asked.store is None else load_store_settings(asked.store)
    dataset = parse_spec(asked.dataset).text
    folder = asked.folder or Path("shop-sessions") / re.sub(r"[^\w=.,-]+", "-", Path(asked.dataset).name).strip("-.")
    shop_folder(folder, dataset, settings.digest)
    with Screen() as screen:
        data = load_dataset(asked.dataset, progress=screen.stage)
        index = open_index(data.catalog, digest=data.sha256, settings=settings, progress=screen.stage)
    before = sessions_of(folder)
    shopper = asked.shopper or _PERSON
    number = before.count(shopper)
    case = None if asked.shopper is None else _case(data, asked.shopper, number)
    start = datetime.now(UTC) if case is None else case.time
    why = asked.intention or (None if case is None else case.values["intention"])
    info = SessionInfo(f"{_PERSON}/{shopper}/{number:04d}", shopper, start, why)
    visit = Shop(data.catalog, index, settings=settings).open(shopper, info.session, start)
    people = "simulated shoppers and products" if data.human_reference == "simulated" else "products of a real shop"
    welcome = [
        f"data set {data.name} ({people}); you shop through the tools that agents get; ? lists what you can type"
    ]
    welcome += [] if case is None else [f"You are {shopper}."]
    welcome += [f"Why you came: {printable(why)}"] if why else []
    return Opened(visit, info, dataset, settings.digest, folder, tuple(welcome))


def shop_in_terminal(opened: Opened) -> int:
    """Lets a person shop from standard input until they leave or break off; returns the exit code."""
    console = Console(highlight=False, markup=False, emoji=False)
    visit, reader = opened.visit, Reader()
    for line in opened.welcome:
        console.print(Text(line, "bold"), soft_wrap=True)
    _show(console, visit.page)
    code = _ENDED
    try:
        for line in _typed(console):
            said = reader.read(line, visit.page)
            if isinstance(said, Aside):
                _tell(console, HELP if said is Aside.HELP else _cart(visit.page))
                continue
            page = visit.act(said)
            reader.see(page)
            _show(console, page)
            if visit.end is not None:
                break
    except KeyboardInterrupt:
        code = _INTERRUPTED
    _tell(console, _kept(opened))
    return code


def _case(data: MinedData, shopper: str, number: int) -> Case:
    """Returns a session of a shopper: the first on the first visit as that shopper, then the next, and round again."""
    cases = list(iter_cases(data, CaseKind.SESSIONS))
    own = [c for c in cases if c.shopper == shopper]
    if not own:
        raise UsageError("--as: " + unknown("shopper", shopper, {c.shopper for c in cases}))
    return own[number % len(own)]


def _typed(console: Console) -> Iterator[str]:
    """Yields the lines that are typed, until their end; a pipe's are shown as if they were typed."""
    by_hand = sys.stdin.isatty()
    while True:
        if by_hand:
            try:
                line = input("> ")
            except EOFError:
                return
        else:
            line = sys.stdin.readline()
            if not line:
                return
            _tell(console, f"> {printable(line)}")
        if line.strip():
            yield line


def _show(console: Console, page: Page) -> None:
    _tell(console, page.text + "\n")


def _tell(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)


def _cart(page: Page) -> str:
    listed = tuple(Listed(None, p) for p in page.cart)
    inside = replace(page, kind=PageKind.CART, listed=listed, notice=None, problem=None)
    return "\n".join(takewhile(lambda line: not line.startswith("Possible now"), inside.text.splitlines()))


def _kept(opened: Opened) -> str:
    """Adds the session to the log and returns what is said of it."""
    visit, folder = opened.visit, opened.folder
    if not visit.events:
        return "You did nothing, so nothing is recorded."
    shop_folder(folder, opened.dataset, opened.settings, make=True)
    add_session(folder, opened.info, visit.events)
    how = f"You left ({visit.end})" if visit.end else "Broken off: recorded as not ended, without a leave event"
    facts = session_facts(map(event_row, visit.events))
    did = ", ".join(f"{name} {count}" for name, count in facts.counts.items())
    return (
        f"{how}: {did}, not done {visit.errors}.\n"
        f"Session {opened.info.session} is in {folder}. Beside the data set's own people:\n"
        f"  paars-bench data describe {folder}\n"
        f"  paars-bench data describe {opened.dataset}"
    )
