"""Built data sets kept on disk as Parquet: written whole or not at all, checked when read, rebuilt when damaged."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from paars_bench.data.case_tables import CASES
from paars_bench.data.cases import CaseKind
from paars_bench.data.log import Log
from paars_bench.data.mined import About, MinedData
from paars_bench.data.mining import Mined
from paars_bench.data.mining_rules import FunnelStep
from paars_bench.data.registry import DatasetSpec, Progress
from paars_bench.data.schema import CATALOG, EVENTS, SESSIONS, SHOPPERS, Catalog
from paars_bench.errors import DataError
from paars_bench.files import file_sha256, read_strict_json
from paars_bench.paths import cache_dir

_LOG = logging.getLogger(__name__)
_STORED_META = "meta.json"


class _Damaged(Exception):
    """A stored copy cannot be read as it was written."""


def load_stored(spec: DatasetSpec, *, progress: Progress | None = None) -> MinedData:
    """Returns a data set from its stored copy, or builds it and stores it.

    Two processes that ask for the same data set build it once. Where the cache cannot be written, the data set is
    built for this process alone, and that is logged.
    """
    folder = stored_folder(spec)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(str(folder) + ".lock")
        lock.acquire()
    except OSError as error:
        _LOG.warning("data set %s is not stored: %s", spec.text, error)
        return _build(spec, progress)
    try:
        return _read_or_build(spec, folder, progress)
    finally:
        lock.release()


def _read_or_build(spec: DatasetSpec, folder: Path, progress: Progress | None) -> MinedData:
    if folder.exists():
        try:
            return read_folder(folder)
        except _Damaged as error:
            _LOG.warning("the stored copy of %s is damaged (%s) and is built again", spec.text, error)
            shutil.rmtree(folder, ignore_errors=True)
    data = _build(spec, progress)
    try:
        write_folder(data, folder)
    except OSError as error:
        _LOG.warning("data set %s is not stored: %s", spec.text, error)
    return data


def stored_folder(spec: DatasetSpec) -> Path:
    """Returns where the copy of a data set lies; other options or other code have another folder."""
    digest = hashlib.sha256(f"{spec.text}\n{_code_digest(spec)}\n{spec.state}".encode()).hexdigest()[:16]
    return cache_dir() / "datasets" / f"{spec.info.name}-{digest}"


def _build(spec: DatasetSpec, progress: Progress | None) -> MinedData:
    module, _, function = spec.info.builder.partition(":")
    given: dict[str, Any] = dict(spec.options) if spec.folder is None else {"path": spec.folder}
    data = getattr(importlib.import_module(module), function)(progress=progress, **given)
    assert isinstance(data, MinedData)
    return data


def _code_digest(spec: DatasetSpec) -> str:
    """A copy made by other code is another data set, so the code is part of its name."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in {".py", ".yaml"}:
            digest.update(path.read_bytes())
    for name in spec.info.depends:
        found = importlib.util.find_spec(name) if name.startswith("paars_bench.") else None
        if found is not None and found.origin:
            digest.update(Path(found.origin).read_bytes())
        else:
            digest.update(f"{name} {importlib.metadata.version(name)}\n".encode())
    return digest.hexdigest()


def write_folder(data: MinedData, folder: Path) -> None:
    """Writes a data set beside ``folder`` and moves it there in one step."""
    tables = {
        "events": data.log.events,
        "catalog": data.catalog.table,
        "shoppers": data.log.shoppers,
        "sessions": data.log.sessions,
        "split": data.mined.split,
    }
    tables |= {f"cases_{kind}": table for kind, table in data.mined.cases.items()}
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        digests = {}
        for name, table in tables.items():
            path = scratch / f"{name}.parquet"
            pq.write_table(table, path, compression="zstd")
            digests[path.name] = file_sha256(path)
        meta = _meta(data) | {"files": digests}
        (scratch / _STORED_META).write_text(json.dumps(meta, indent=1), encoding="utf-8")
        scratch.replace(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _meta(data: MinedData) -> dict[str, Any]:
    about = data.about
    return {
        "name": about.name,
        "revision": about.revision,
        "human_reference": about.human_reference,
        "licence": about.licence,
        "citation": about.citation,
        "kinds": sorted(about.kinds),
        "imported": [list(s) for s in about.imported],
        "funnels": {kind: [list(s) for s in steps] for kind, steps in data.mined.funnels.items()},
        "sha256": data.sha256,
    }


def read_folder(folder: Path) -> MinedData:
    """Reads a data set written by ``write_folder``; every file is checked against its digest first."""
    try:
        meta = read_strict_json(folder / _STORED_META)
        tables = {}
        for name, digest in meta["files"].items():
            if file_sha256(folder / name) != digest:
                raise _Damaged(f"{folder / name} changed since it was written")
            tables[name.removesuffix(".parquet")] = pq.ParquetFile(
                folder / name
            ).read()  # read_table loads pyarrow.dataset
        return _data_of(meta, tables)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException, DataError) as error:
        raise _Damaged(f"{folder}: {error}") from error


def _data_of(meta: dict[str, Any], tables: dict[str, pa.Table]) -> MinedData:
    about = About(
        name=meta["name"],
        revision=meta["revision"],
        human_reference=meta["human_reference"],
        licence=meta["licence"],
        citation=meta["citation"],
        kinds=frozenset(CaseKind(k) for k in meta["kinds"]),
        imported=tuple(FunnelStep(*s) for s in meta["imported"]),
    )
    # The tables were written in canonical order, so they need not be sorted again.
    log = Log(
        tables["events"].cast(EVENTS),
        Catalog(tables["catalog"].cast(CATALOG)),
        tables["shoppers"].cast(SHOPPERS),
        tables["sessions"].cast(SESSIONS),
    )
    cases = {kind: tables[f"cases_{kind}"].cast(CASES[kind]) for kind in CaseKind if f"cases_{kind}" in tables}
    funnels = {CaseKind(k): [FunnelStep(*s) for s in steps] for k, steps in meta["funnels"].items()}
    return MinedData(about, log, Mined(tables["split"], cases, funnels), sha256=meta["sha256"])
