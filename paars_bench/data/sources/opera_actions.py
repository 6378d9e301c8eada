"""One row of OPeRA's action table as a value, from the Parquet files or from a timeline of the public sample."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from paars_bench.data.mining_rules import Funnel
from paars_bench.data.sources.opera_cells import Item, JsonCells, PageMeta, cell_text
from paars_bench.data.sources.opera_files import ACTION_COLUMNS, rows_of
from paars_bench.data.sources.opera_pages import MARK, Place, result_list
from paars_bench.errors import DataError
from paars_bench.files import read_json

# {user}_{start}_{end}; the timelines' file names have underscores for the hyphens and colons of it.
_SESSION = re.compile(r"(?P<user>.+?)_\d{4}[-_]\d\d[-_]\d\dT")
_ELEMENT = re.compile(r'"name": "([^"]*)"')
TIMELINES = "*_*_*T*Z.json"


class Act(NamedTuple):
    """What a person did, as the source tells it.

    Attributes:
        user: who.
        time: when, in UTC.
        kind: ``click``, ``input``, ``terminate`` and others.
        click: the source's type of click, "" for what is no click.
        target: dotted name of the element clicked or typed into, "" where unknown.
        element: name of the element's metadata, such as ``search_results``.
        item: product that the element stands for.
        term: what the page says was searched for.
        places: the page's result list: empty where it cannot be read, None where the page is no result page.
        results: products of the result list with their ASINs.
        page_item: product of the product page.
        bought: products that a purchase click is about.
    """

    user: str
    time: datetime
    kind: str
    click: str = ""
    target: str = ""
    element: str = ""
    item: Item | None = None
    term: str | None = None
    places: tuple[Place, ...] | None = None
    results: tuple[Item, ...] = ()
    page_item: Item | None = None
    bought: tuple[Item, ...] = ()

    @property
    def searches(self) -> bool:
        """Whether it is part of submitting a search: the box, the button, a suggested term or typing."""
        typed = self.kind == "input" and (not self.target or self.target.endswith("search_input"))
        return typed or self.click in {"search", "suggested_term"}


def read_actions(files: Iterable[Path], steps: Funnel) -> list[Act]:
    """Reads the rows of the action table, in order of user and time.

    Each page is parsed once, however many actions happened on it, and only where it is a result page.
    """
    reader = _Rows()
    acts = [act for file in files for row in rows_of(file, ACTION_COLUMNS) if (act := reader.act(row)) is not None]
    reader.count(steps)
    return sorted(acts, key=lambda act: (act.user, act.time))


class _Rows:
    """Turns rows into acts and counts what they do not hold."""

    def __init__(self) -> None:
        self.cells = JsonCells()
        self.rows = self.nameless = self.timeless = self.repeated = self.pages = self.unreadable = 0
        self._seen: set[tuple[str, ...]] = set()
        self._lists: dict[int, tuple[Place, ...]] = {}
        self._metas: dict[int, PageMeta] = {}

    def act(self, row: dict[str, Any]) -> Act | None:
        """Returns the act of a row; None where it cannot be placed or was there before."""
        self.rows += 1
        named = _SESSION.match(cell_text(row["session_id"]) or "")
        if named is None:
            self.nameless += 1
            return None
        time = read_time(row["timestamp"])
        if time is None:
            self.timeless += 1
            return None
        if self._repeated(row, time):
            self.repeated += 1
            return None
        element, item = self.cells.element(row["element_meta"])
        page = self._meta(row["page_meta"])
        return Act(
            user=named["user"],
            time=time,
            kind=cell_text(row["action_type"]) or "",
            click=cell_text(row["click_type"]) or "",
            target=cell_text(row["semantic_id"]) or "",
            element=element,
            item=item,
            term=page.term,
            places=self._places(row["simplified_html"]),
            results=page.results,
            page_item=page.product,
            bought=self.cells.items(row["products"]),
        )

    def _repeated(self, row: dict[str, Any], time: datetime) -> bool:
        """Says whether the action was there before: by its id, or by what nobody does twice in one millisecond."""
        name = cell_text(row["action_id"])
        told = ("session_id", "action_type", "click_type", "semantic_id")
        keys = {(str(time), *(str(row[column]) for column in told))}
        keys |= {("id", name)} if name else set()
        seen = bool(keys & self._seen)
        self._seen |= keys
        return seen

    def _meta(self, cell: Any) -> PageMeta:
        """Returns a page's metadata, read once however many actions happened on it: a result page has 60 products."""
        key = hash(cell)
        if key not in self._metas:
            self._metas[key] = self.cells.page(cell)
        return self._metas[key]

    def _places(self, page: Any) -> tuple[Place, ...] | None:
        if not isinstance(page, str) or MARK not in page:
            return None
        key = hash(page)
        if key not in self._lists:
            self.pages += 1
            self._lists[key] = result_list(page)
            self.unreadable += not self._lists[key]
        return self._lists[key]

    def count(self, steps: Funnel) -> None:
        """Writes the counts into the funnel."""
        left = self.rows
        steps.start("rows of the action table, both splits", left)
        for rule, dropped in (
            ("session id names a user", self.nameless),
            ("the time is readable", self.timeless),
            ("the action was not there before", self.repeated),
        ):
            steps.keep(rule, left, left - dropped)
            left -= dropped
        steps.start("JSON cells, those of a page once", self.cells.read)
        steps.keep("the JSON is readable, else taken as empty", self.cells.read, self.cells.read - self.cells.broken)
        steps.start("result pages", self.pages)
        steps.keep("the page has a readable list", self.pages, self.pages - self.unreadable)


def read_time(cell: Any) -> datetime | None:
    """Returns an ISO 8601 time in UTC, None where there is none; one without a zone is UTC, as all of the source's."""
    text = cell_text(cell)
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def timeline_files(path: Path | None) -> list[Path]:
    """Returns the per-session timelines in a folder, none where it has none."""
    return sorted(path.glob(TIMELINES)) if path is not None and path.is_dir() else []


def read_timelines(files: Iterable[Path], steps: Funnel) -> list[Act]:
    """Reads timelines of the public sample, which hold neither products nor queries: the order of acts and their types.

    Their product column is the element's metadata cut to 50 characters, of which the element's name is left.

    Raises:
        DataError: a file is no JSON list.
    """
    acts: list[Act] = []
    rows = 0
    for file in files:
        named = _SESSION.match(file.stem)
        for row in _timeline(file):
            rows += 1
            time = read_time(row.get("timestamp"))
            if named is None or time is None:
                continue
            meta = _ELEMENT.search(str(row.get("product")))
            acts.append(
                Act(
                    named["user"].replace("_", "-"),
                    time,
                    cell_text(row.get("action_type")) or "",
                    cell_text(row.get("click_type")) or "",
                    element=meta[1] if meta else "",
                )
            )
    steps.start("rows of the timelines", rows)
    steps.keep("file name has a user and the row a time", rows, len(acts))
    return sorted(acts, key=lambda act: (act.user, act.time))


def _timeline(file: Path) -> Iterator[dict[str, Any]]:
    try:
        rows = read_json(file)
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: no readable timeline ({error}); it must be a JSON list of actions.") from error
    if not isinstance(rows, list):
        raise DataError(f"{file}: no timeline: it must be a JSON list of actions, not {type(rows).__name__}.")
    yield from (row for row in rows if isinstance(row, dict))
