"""A log from files to a data set folder: read, checked, sessions made, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.importing.again import tell_again
from paars_bench.data.importing.columns import ColumnMap
from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.events import ReadEvents, read_events
from paars_bench.data.importing.formats import Chunk
from paars_bench.data.importing.products import LogCatalog, read_catalog, read_shoppers
from paars_bench.data.importing.rules import Fate
from paars_bench.data.importing.scratch import scratch_for
from paars_bench.data.importing.source import SourceFile, file_chunks, files_of
from paars_bench.data.importing.whole import check_events
from paars_bench.data.importing.written import QUARANTINE, Described, write_imported
from paars_bench.data.log import Log
from paars_bench.data.registry import Progress
from paars_bench.data.schema import Catalog
from paars_bench.errors import DataError, printable


class Sources(NamedTuple):
    """Files, folders or URLs of a log; the catalog may be in the log itself, the shoppers unknown."""

    events: tuple[str, ...]
    catalog: str | None = None
    shoppers: str | None = None


class Imported(NamedTuple):
    """A log that was read.

    Attributes:
        log: what is sound of it, which may be nothing.
        defects: what was wrong, counted.
        rows: of the log's files: as many as are loaded and quarantined.
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
        DataError: a file cannot be read, or a needed column is missing.
        UsageError: a mapped column is not in its file.
    """
    files = _listed(sources, quarantine)
    try:
        return _read(files, columns, quarantine, progress)
    except OSError as error:  # what cannot be read is told where it is read
        raise DataError(f"{quarantine}: cannot be written ({error.strerror or error})") from error


class _Files(NamedTuple):
    """The files of a log, listed before anything is written; no catalog: it is in the log."""

    events: list[SourceFile]
    catalog: list[SourceFile] | None
    shoppers: list[SourceFile]
    left_out: list[str]


def _listed(sources: Sources, quarantine: Path | None = None) -> _Files:
    named = [sources.events, *((s,) if s else () for s in (sources.catalog, sources.shoppers))]
    events, catalog, shoppers = ([files_of(s, but=quarantine) for s in table] for table in named)
    files = [[file for listed in table for file in listed.files] for table in (events, catalog, shoppers)]
    left_out = [text for listed in (*events, *catalog, *shoppers) for text in listed.left_out]
    return _Files(files[0], files[1] or None, files[2], list(dict.fromkeys(left_out)))


def _read(files: _Files, columns: ColumnMap, quarantine: Path | None, progress: Progress | None) -> Imported:
    defects = Defects(quarantine)
    try:
        return _checked(files, columns, defects, progress)
    finally:
        defects.close()


def _checked(files: _Files, columns: ColumnMap, defects: Defects, progress: Progress | None) -> Imported:
    def chunks(those: Iterable[SourceFile], table: str, defects: Defects = defects) -> Iterable[Chunk]:
        for file in those:
            yield from file_chunks(file, table, defects, delimiter=columns.delimiter, encoding=columns.encoding)

    def again(name: str) -> Iterable[Chunk]:
        return chunks([next(file for file in files.events if file.name == name)], "events", Defects())

    millions = -1

    def told(rows: int) -> None:
        nonlocal millions
        if progress and rows // 1_000_000 > millions:  # not a line a chunk, where there is no terminal
            millions = rows // 1_000_000
            progress(f"reading the log: {millions} million rows" if millions else "reading the log", 0, 1)

    own = LogCatalog() if files.catalog is None else None
    products = read_catalog(chunks(files.catalog or (), "catalog"), columns, defects)
    shoppers = read_shoppers(chunks(files.shoppers, "shoppers"), columns, defects)
    read = read_events(chunks(files.events, "events"), columns, defects, products=own, told=told)
    if own is not None:
        products = own.table()
    if progress:
        progress("checking the log as a whole", 0, 1)
    events, broken = check_events(read, columns, products.column("id").combine_chunks())
    tell_again(broken, read.files, again, {n: c.column for n, c in columns.events.items()}, defects)
    assert read.rows == events.num_rows + defects.quarantined.get("events", 0), "a row was lost"
    assumed = (*files.left_out, *_assumed(read, columns, own and products))
    return Imported(Log.of(events, Catalog(products), shoppers=shoppers), defects, read.rows, assumed)


def _assumed(read: ReadEvents, columns: ColumnMap, own: pa.Table | None) -> Iterable[str]:
    zoned = pc.sum(read.table.column("zoned")).as_py() or 0
    if zoned * 2 < read.table.num_rows:
        yield "the times name no zone: all are taken as UTC (set `zone` of `time` in --columns)"
    if own is not None:
        yield f"no --catalog: {own.num_rows:,} products with a title in the log are the catalog"
    if columns.sessions == "day":
        zone = columns.events["time"].zone if "time" in columns.events else None
        yield f"sessions were made: all that a shopper does from midnight to midnight, {zone or 'UTC'}"
    elif columns.sessions != "column":
        yield f"sessions were made: one ends where nothing follows for {columns.sessions}"


def nothing_sound(imported: Imported) -> str:
    """Returns the sentence for a log of which nothing is loaded: what took the most rows."""
    out = [f for f in imported.defects.found() if f.rule.fate is Fate.QUARANTINED]
    if not out:
        return "the log has no rows"
    # Where the catalog fails, every event names an unknown product: the cause is said, not the consequence.
    worst = max(out, key=lambda f: (f.table == "catalog" and not len(imported.log.catalog), f.rows))
    value = "nothing" if worst.first.value is None else repr(printable(worst.first.value)[:60])
    return (
        f"nothing sound is left of the log: {worst.rows:,} rows of the {worst.table} have {worst.rule.words} "
        f"(first {worst.first.file} row {worst.first.row}: {value})"
    )


def import_log(
    sources: Sources, columns: ColumnMap, folder: Path, about: Described, *, progress: Progress | None = None
) -> Imported:
    """Reads a log and writes it as a data set folder.

    Args:
        sources: where it lies.
        columns: which column holds what.
        folder: made; must not exist yet.
        about: what is said of it.
        progress: told how far it is.

    Raises:
        DataError: as ``read_log``, nothing sound is left, or the folder exists or cannot be written.
    """
    try:
        there = folder.exists()
    except OSError as error:  # a name that is too long
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from error
    if there:
        raise DataError(f"{folder}: is already there; name another folder with --to, or remove it")
    files = _listed(sources)
    with scratch_for(folder, progress) as scratch:
        try:
            inside = scratch / folder.name  # the scratch folder is one that no one else may read
            inside.mkdir()
            imported = _read(files, columns, inside / QUARANTINE, progress)
            if not imported.log.events.num_rows:
                raise DataError(nothing_sound(imported))
            map_ = columns.model_dump(mode="json", exclude_defaults=True)
            settings = {"sources": sources._asdict(), "columns": map_, "assumed": list(imported.assumed)}
            write_imported(inside, imported.log, imported.defects, about, settings)
            inside.replace(folder)
        except OSError as error:
            raise DataError(f"{folder}: cannot be written ({error.strerror or error})") from error
    return imported
