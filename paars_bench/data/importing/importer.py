"""A log from files to a data set folder: read, checked, sessions made, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from paars_bench.data.importing.columns import ColumnMap
from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.events import check_events, read_events
from paars_bench.data.importing.products import catalog_of_log, read_catalog, read_shoppers
from paars_bench.data.importing.rules import Fate
from paars_bench.data.importing.source import Chunk, read_chunks
from paars_bench.data.log import Log
from paars_bench.data.mining_rules import FunnelStep
from paars_bench.data.registry import META, Progress
from paars_bench.data.schema import EVENTS, Action, Catalog
from paars_bench.errors import DataError

QUARANTINE = "quarantine.jsonl"
FORMAT = 1


class Sources(NamedTuple):
    """Files, folders or URLs of a log; the catalog may be in the log itself, the shoppers unknown."""

    events: tuple[str, ...]
    catalog: str | None = None
    shoppers: str | None = None


class Imported(NamedTuple):
    """A log that was read.

    Attributes:
        log: what is sound of it.
        defects: what was wrong, counted.
        rows: of the log's files.
        assumed: what was taken for granted, in sentences.
    """

    log: Log
    defects: Defects
    rows: int
    assumed: tuple[str, ...]


def read_log(
    sources: Sources, columns: ColumnMap, *, quarantine: Path | None = None, progress: Progress | None = None
) -> Imported:
    """Reads and checks a log.

    Args:
        sources: where it lies.
        columns: which column holds what.
        quarantine: a file for every defect with its row; None only counts them.
        progress: told how many rows have been read.

    Raises:
        DataError: a file cannot be read, a needed column is missing, or nothing sound is left.
        UsageError: a mapped column is not in its file.
    """
    defects = Defects(quarantine)
    count = 0

    def chunks(paths: Iterable[str], table: str) -> Iterable[Chunk]:
        for path in paths:
            yield from read_chunks(path, table, defects, delimiter=columns.delimiter, encoding=columns.encoding)

    def told(rows: int) -> None:
        nonlocal count
        count = rows
        if progress:
            progress(f"reading the log: {rows:,} rows", 0, 1)

    try:
        products = None
        if sources.catalog is not None:
            products = read_catalog(chunks([sources.catalog], "catalog"), columns, defects)
        shoppers = None
        if sources.shoppers is not None:
            shoppers = read_shoppers(chunks([sources.shoppers], "shoppers"), columns, defects)
        read = read_events(chunks(sources.events, "events"), columns, defects, told)
        assumed = []
        if read.table.num_rows and not pc.any(read.table.column("zoned")).as_py():
            assumed.append("no time names a zone: all are taken as UTC (set `zone` in --columns)")
        if products is None:
            products = catalog_of_log(read.table)
            assumed.append(f"no --catalog: {products.num_rows:,} products with a title in the log are the catalog")
        if not products.num_rows:
            raise DataError(
                "no product has a title: give the products with --catalog, or map a column to title in the log"
            )
        if progress:
            progress("checking the log as a whole", 0, 1)
        events = check_events(read, columns, products.column("id").combine_chunks(), defects)
    finally:
        defects.close()
    if not events.num_rows:
        raise DataError("nothing sound is left of the log: `paars-bench data validate` says which rule each row broke")
    if columns.sessions != "column":
        assumed.append(f"the log's sessions were made by {_made_by(columns.sessions)}")
    return Imported(Log.of(events, Catalog(products), shoppers=shoppers), defects, count, tuple(assumed))


def _made_by(sessions: str) -> str:
    return "shopper and day" if sessions == "day" else f"gaps of {sessions} without an event"


class About(NamedTuple):
    """What the importing person says of a log."""

    name: str
    human_reference: Literal["real", "simulated"] = "real"
    licence: str = "not stated"
    citation: str = "not stated"


def import_log(
    sources: Sources, columns: ColumnMap, folder: Path, about: About, *, progress: Progress | None = None
) -> Imported:
    """Reads a log and writes it as a data set folder.

    Args:
        sources: where it lies.
        columns: which column holds what.
        folder: made; must not exist yet.
        about: what is said of it.
        progress: told how far it is.

    Raises:
        DataError: as ``read_log``, or the folder exists or cannot be written.
    """
    if folder.exists():
        raise DataError(f"{folder}: is already there; name another folder with --to, or remove it")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        imported = read_log(sources, columns, quarantine=scratch / QUARANTINE, progress=progress)
        _write(imported, scratch, about, sources, columns)
        scratch.replace(folder)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error})") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return imported


def _write(imported: Imported, folder: Path, about: About, sources: Sources, columns: ColumnMap) -> None:
    log = imported.log
    tables = {"events": log.events, "catalog": log.catalog.table, "sessions": log.sessions, "shoppers": log.shoppers}
    digests = {}
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        pq.write_table(table, path, compression="zstd")
        digests[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    if not len(imported.defects):
        (folder / QUARANTINE).unlink()
    meta: dict[str, Any] = {
        "format": FORMAT,
        **about._asdict(),
        "imported": datetime.now(UTC).isoformat(timespec="seconds"),
        "sources": sources._asdict(),
        "columns": columns.model_dump(mode="json", exclude_defaults=True),
        "assumed": list(imported.assumed),
        "steps": [list(step) for step in funnel(imported)],
        "defects": [
            {"table": t, "rule": r.name, "fate": str(r.fate), "column": c or None, "count": n, "first": place._asdict()}
            for t, r, c, n, place in imported.defects.found()
        ],
        "files": digests,
    }
    (folder / META).write_text(json.dumps(meta, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def funnel(imported: Imported) -> list[FunnelStep]:
    """Returns what each rule left of the log's rows."""
    out = {r.words: 0 for t, r, _, _, _ in imported.defects.found() if t == "events" and r.fate is Fate.QUARANTINED}
    for table, rule, _, count, _ in imported.defects.found():
        if table == "events" and rule.fate is Fate.QUARANTINED:
            out[rule.words] += count
    left = imported.log.events.num_rows + sum(out.values())
    steps = [FunnelStep("rows of the log", left, 0)]
    for words, count in out.items():
        left -= count
        steps.append(FunnelStep(f"not: {words}", left, count))
    return steps


def has_browsing(events: pa.Table) -> bool:
    """Says whether a log holds searches and views: without both, sessions cannot be told from purchases."""
    assert events.schema.field("action").type == EVENTS.field("action").type
    actions = set(pc.unique(events.column("action")).to_pylist())
    return {str(Action.SEARCH), str(Action.VIEW)} <= actions
