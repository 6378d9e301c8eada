"""A person's visit in the terminal: who comes and why, page by page, and the log that is left."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from paars_bench.cli.shop_kept import Destination, keep, one_signal
from paars_bench.cli.shop_words import HELP, Aside, Reader
from paars_bench.data import iter_cases, load_dataset
from paars_bench.data.cases import Case, CaseKind
from paars_bench.data.mined import MinedData
from paars_bench.data.registry import parse_spec
from paars_bench.data.schema import SessionInfo
from paars_bench.data.shop_log import sessions_of, shop_folder
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
        into: the log.
        welcome: lines that are shown first.
    """

    visit: Visit
    info: SessionInfo
    into: Destination
    welcome: tuple[str, ...]


def open_errand(asked: Errand) -> Opened:
    """Loads the data set, opens its shop and makes the folder of the log.

    Raises:
        UsageError: the shopper is none of the data set's, or has no session to take an errand from.
        DataError: the data set cannot be had, or the folder holds something else or cannot be written.
        ConfigError: the store YAML is wrong.
    """
    settings = default_settings() if asked.store is None else load_store_settings(asked.store)
    dataset = parse_spec(asked.dataset).text
    folder = asked.folder or Path("shop-sessions") / re.sub(r"[^\w=.,-]+", "-", Path(asked.dataset).name).strip("-.")
    into = Destination(folder, dataset, settings.digest)
    shop_folder(*into)
    with Screen() as screen:
        data = load_dataset(asked.dataset, progress=screen.stage)
        index = open_index(data.catalog, digest=data.sha256, settings=settings, progress=screen.stage)
    shopper = asked.shopper or _PERSON
    case = None if asked.shopper is None else _case(data, asked.shopper, sessions_of(folder).count(shopper))
    start = datetime.now(UTC) if case is None else case.time
    why = _text(asked.intention) if asked.intention else None if case is None else case.values["intention"]
    info = SessionInfo(f"{_PERSON}/{shopper}", shopper, start, why)
    visit = Shop(data.catalog, index, settings=settings).open(shopper, info.session, start)
    shop_folder(*into, make=True)
    people = "simulated shoppers and products" if data.human_reference == "simulated" else "products of a real shop"
    welcome = [
        f"data set {data.name} ({people}); you shop through the tools that agents get; ? lists what you can type"
    ]
    welcome += [] if case is None else [f"You are {shopper}."]
    welcome += [f"Why you came: {printable(why)}"] if why else []
    return Opened(visit, info, into, tuple(welcome))


def shop_in_terminal(opened: Opened) -> int:
    """Lets a person shop from standard input until they leave or break off; returns the exit code.

    However it ends, by an error too, what was done is kept.

    Raises:
        PaarsError: the log cannot be written; the text says where the session is.
    """
    console = Console(highlight=False, markup=False, emoji=False)
    code = _ENDED
    with one_signal() as deaf:
        try:
            _shop(console, opened)
            deaf()
        except KeyboardInterrupt:
            code = _INTERRUPTED
        finally:
            deaf()
            said = keep(opened.visit, opened.info, opened.into)
            with suppress(OSError):  # the terminal may be gone
                _tell(console, said)
    return code


def _shop(console: Console, opened: Opened) -> None:
    visit, reader = opened.visit, Reader()
    for line in opened.welcome:
        console.print(Text(line, "bold"), soft_wrap=True)
    _show(console, visit.page)
    for line in _typed(console):
        said = reader.read(line, visit.page)
        if isinstance(said, Aside):
            _tell(console, HELP if said is Aside.HELP else _cart(visit.page))
            continue
        page = visit.act(said)
        reader.see(page)
        _show(console, page)
        if visit.end is not None:
            return


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
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
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


def _text(given: str) -> str:
    """Returns what was given as text that a file can hold: a byte that is none of UTF-8 becomes a question mark."""
    return given.encode(errors="replace").decode()
