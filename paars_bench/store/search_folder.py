"""The index on disk: written whole or not at all, checked when opened, shared by processes, rebuilt when unusable."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

from filelock import FileLock

from paars_bench.config.store_settings import StoreSettings
from paars_bench.data.schema import Catalog
from paars_bench.files import file_sha256, read_strict_json
from paars_bench.paths import cache_dir
from paars_bench.store.search import SearchIndex
from paars_bench.store.search_schema import Progress, fill
from paars_bench.store.search_shelf import Shelf, widest_leaves

IN_MEMORY = 10_000
"""Products up to which an index is built in memory, in a second, and none is kept on disk."""

_LOG = logging.getLogger(__name__)
_FORMAT = 1
"""Of what ``write_index`` writes: raise it with the schema, the analyser or the columns."""
_META = "meta.json"
_TANTIVY = "tantivy"


class UnusableIndex(Exception):
    """An index on disk is missing, damaged, or of another catalog, tantivy or format."""


def open_index(
    catalog: Catalog,
    *,
    digest: str,
    settings: StoreSettings | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> SearchIndex:
    """Returns the index of a catalog: in memory for a small one, else from the cache, where it is built once.

    Processes that ask for the same index at the same time build it once. An index that is stale or damaged is built
    again, and that is logged. Where the cache cannot be written, the index is built in memory, and that is logged.

    Args:
        catalog: the products.
        digest: of the catalog, or of what holds it: another digest is another index.
        settings: the weights; the shipped default if None.
        folder: of indexes; that of the cache if None.
        progress: told the number of products indexed so far.
    """
    if len(catalog) <= IN_MEMORY:
        return SearchIndex.build(catalog, settings=settings, progress=progress)
    base = cache_dir() / "search" if folder is None else folder
    place = base / hashlib.sha256(digest.encode()).hexdigest()[:16]
    try:
        base.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{place}.lock"):
            try:
                return SearchIndex.open(place, digest=digest, settings=settings)
            except UnusableIndex as error:
                if place.exists():
                    _LOG.warning("the search index is built again: %s", error)
                return SearchIndex.build(catalog, place, digest=digest, settings=settings, progress=progress)
    except OSError as error:
        _LOG.warning("the search index is not stored: %s", error)
        return SearchIndex.build(catalog, settings=settings, progress=progress)


def write_index(catalog: Catalog, folder: Path, digest: str, progress: Progress | None = None) -> None:
    """Writes the index of a catalog, in place of what lies at ``folder``; a reader finds all of it or nothing.

    Raises:
        OSError: the folder cannot be written.
        DataError: the catalog does not fit one segment.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        (scratch / _TANTIVY).mkdir()
        fill(catalog, scratch / _TANTIVY, progress)
        Shelf.of(catalog.table).write(scratch)
        files = {str(p.relative_to(scratch)): file_sha256(p) for p in _files(scratch)}
        meta = _identity(digest) | {"leaves": widest_leaves(catalog.table), "files": files}
        (scratch / _META).write_text(json.dumps(meta, indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # processes that have it open keep their files
        scratch.replace(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def read_index(folder: Path, digest: str | None) -> tuple[Any, Shelf, list[str]]:
    """Returns the tantivy index, the columns and the largest narrow categories of an index on disk.

    Every file is read through once and checked against its digest (0.2 s for a million products).

    Raises:
        UnusableIndex: with what is wrong.
    """
    import tantivy

    try:
        meta = read_strict_json(folder / _META)
        wanted = _identity(meta["digest"] if digest is None else digest)
        for key, value in wanted.items():
            if meta[key] != value:
                raise UnusableIndex(f"{folder} is of {key} {meta[key]!r}, not {value!r}")
        for name, sha256 in meta["files"].items():
            if file_sha256(folder / name) != sha256:
                raise UnusableIndex(f"{folder / name} changed since it was written")
        index = tantivy.Index.open(str(folder / _TANTIVY))
        # Nothing is committed after writing: without this, a thread watches the folder.
        index.config_reader(reload_policy="manual")
        return index, Shelf.read(folder), list(meta["leaves"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableIndex(f"{folder}: {error}") from error


def _identity(digest: str) -> dict[str, Any]:
    return {"digest": digest, "tantivy": importlib.metadata.version("tantivy"), "format": _FORMAT}


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock")
