"""What becomes of a visit however it ends: a session in its log, and where that cannot be written, one beside it."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from paars_bench.data.schema import SessionInfo, event_json, event_row
from paars_bench.data.sessions import session_facts
from paars_bench.data.shop_log import add_next, bring_sessions, shop_folder
from paars_bench.errors import DataError, PaarsError
from paars_bench.store import Visit

_ENDS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Destination(NamedTuple):
    """Where a session goes.

    Attributes:
        folder: of the log.
        dataset: whose shop it is, as ``--dataset`` says it in full.
        settings: digest of the store's settings.
    """

    folder: Path
    dataset: str
    settings: str


@contextmanager
def one_signal() -> Iterator[Callable[[], None]]:
    """Has the first signal that ends a process or its terminal break off as Ctrl-C does, and none after it.

    Yields what makes the process deaf before any has come. One that was ignored before stays so (``nohup``).
    """
    heard = [number for number in _ENDS if signal.getsignal(number) is not signal.SIG_IGN]

    def deaf() -> None:
        for number in heard:
            signal.signal(number, signal.SIG_IGN)

    def end(*_: object) -> None:
        deaf()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in heard}
    try:
        yield deaf
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def keep(visit: Visit, info: SessionInfo, into: Destination) -> str:
    """Adds a visit to its log and returns what is said of it.

    Args:
        visit: ended or broken off.
        info: of its session, which gets a number when it is added.
        into: where to.

    Raises:
        PaarsError: the log cannot be written; the text says where the session is instead and how it is brought in.
    """
    if not visit.events:
        return "You did nothing, so nothing is recorded."
    try:
        name = _added(visit, info, into)
    except DataError as error:
        raise _set_aside(visit, info, into, error) from error
    how = f"You left ({visit.end})" if visit.end else "Broken off: recorded as not ended, without a leave event"
    facts = session_facts(map(event_row, visit.events))
    did = ", ".join(f"{kind} {count}" for kind, count in facts.counts.items())
    return (
        f"{how}: {did}, not done {visit.errors}.\n"
        f"Session {name} is in {into.folder}. Beside the data set's own people:\n"
        f"  paars-bench data describe {shlex.quote(str(into.folder))}\n"
        f"  paars-bench data describe {shlex.quote(into.dataset)}"
    )


def bring(source: Path, folder: Path) -> str:
    """Adds the sessions of a folder to those of another and returns what is said of it.

    Raises:
        DataError: there are none, they were in another shop, or the folder cannot be written.
    """
    names = bring_sessions(source, folder)
    return f"{', '.join(names)} added to {folder}; {source} is as it was and can be deleted."


def _added(visit: Visit, info: SessionInfo, into: Destination) -> str:
    shop_folder(*into, make=True)
    return add_next(into.folder, info, visit.events)


def _set_aside(visit: Visit, info: SessionInfo, into: Destination, error: DataError) -> PaarsError:
    """Keeps a visit in a log of its own, in the temporary folder, else on the screen; returns what is said of it."""
    aside, why = None, str(error).rstrip(".")
    try:
        aside = Path(tempfile.mkdtemp(prefix="paars-bench-shop-"))
        _added(visit, info, into._replace(folder=aside))
    except (OSError, DataError) as second:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
        for event in visit.events:
            click.echo(json.dumps(event_json(event)))
        return PaarsError(f"{why}; nor can a temporary folder ({second}): the session's events stand above, as JSON")
    command = shlex.join(["paars-bench", "shop", "--bring", str(aside), "--to", str(into.folder)])
    return PaarsError(f"{why}; the session is in {aside}, a log of its own; to bring it in: {command}")
