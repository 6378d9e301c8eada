"""CSV, JSON lines and Parquet, from a file, a folder or a URL, as columns of text with the row each came from."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import fsspec
import pyarrow as pa

from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.formats import Chunk, Target, csv_chunks, json_chunks, parquet_chunks
from paars_bench.data.registry import META
from paars_bench.errors import DataError

_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_PACKED = (".gz", ".bz2", ".xz", ".zip", ".zst")


class SourceFile(NamedTuple):
    """A file that can be opened, and how it is named on screen: as the user named it, without a password."""

    name: str
    system: Any
    path: str


class Listed(NamedTuple):
    """The files of a source, and a sentence for each kind of file that was left out of its folder."""

    files: list[SourceFile]
    left_out: list[str]


def files_of(source: str, *, but: Path | None = None) -> Listed:
    """Returns the files of a source: itself, or those in a folder, in the order of their names.

    Of a folder those are left out whose name, or that of a folder on the way to them, begins with a dot, and those in a
    data set folder that was imported into it.

    Args:
        source: file, folder or fsspec URL.
        but: a local file that is about to be written, which is no part of a folder.

    Raises:
        DataError: there is nothing there that can be read.
    """
    shown = without_password(source)
    try:
        system, path = fsspec.core.url_to_fs(source)
        if not system.exists(path):
            raise DataError(f"{shown}: there is no such file or folder")
        if not system.isdir(path):
            if not _kind(source):
                raise DataError(f"{shown}: ends in none of {', '.join(_SUFFIXES)}; rename it or convert it")
            return Listed([SourceFile(shown, system, path)], [])
        if system.exists(f"{path.rstrip('/')}/{META}"):
            raise DataError(f"{shown}: is a data set folder already; see `paars-bench data describe {shown}`")
        every = sorted(system.find(path))
    except (OSError, ValueError, ImportError) as error:
        raise DataError(f"{shown}: cannot be opened ({error})") from error
    return _in_folder(SourceFile(shown, system, path), every, but.resolve() if but else None)


def _in_folder(folder: SourceFile, every: list[str], written: Path | None) -> Listed:
    """Parts the paths of a folder into those that are read and those that are left out."""
    shown, root = folder.name.rstrip("/"), folder.path.rstrip("/")
    names = {path: path.removeprefix(root).lstrip("/") for path in every}
    made = {str(PurePosixPath(name).parent) for name in names.values() if PurePosixPath(name).name == META}
    local = "file" in _protocols(folder.system)
    groups: dict[str, list[str]] = {}
    for path in filter(_kind, every):
        now = local and written is not None and Path(path).resolve() == written
        groups.setdefault(_why_left_out(names[path], made, now), []).append(path)
    files = [SourceFile(f"{shown}/{names[path]}", folder.system, path) for path in groups.pop("", ())]
    left_out = [
        f"{shown}: {len(group)} {'files' if len(group) > 1 else 'file'} {why}, no part of it (first {names[group[0]]})"
        for why, group in groups.items()
    ]
    if not files:
        also = "".join(f"; {text.partition(': ')[2]}" for text in left_out)
        raise DataError(f"{folder.name}: the folder holds no file that ends in {', '.join(_SUFFIXES)}{also}")
    return Listed(files, left_out)


def _protocols(system: Any) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)


def _why_left_out(name: str, made: set[str], written: bool) -> str:
    """Returns why a file in a folder is not read, "" where it is."""
    path = PurePosixPath(name)
    if any(str(folder) in made for folder in path.parents):
        return "in a data set folder"
    if any(part.startswith(".") for part in path.parts):
        return "hidden by a dot"
    return "written by this command" if written else ""


def without_password(source: str) -> str:
    """Returns a source without the user and the password that a URL may hold."""
    user = urlsplit(source).netloc.rpartition("@")[0] if "://" in source else ""
    return source.replace(f"{user}@", "", 1) if user else source


def read_chunks(
    source: str, table: str, defects: Defects, *, delimiter: str | None = None, encoding: str = "utf-8"
) -> Iterator[Chunk]:
    """Yields the rows of a source, a file, folder or fsspec URL, as ``file_chunks`` does.

    Raises:
        DataError: as ``files_of`` and ``file_chunks``.
    """
    for file in files_of(source).files:
        yield from file_chunks(file, table, defects, delimiter=delimiter, encoding=encoding)


def file_chunks(
    file: SourceFile, table: str, defects: Defects, *, delimiter: str | None = None, encoding: str = "utf-8"
) -> Iterator[Chunk]:
    """Yields the rows of a file; what is no row at all is told to ``defects``.

    Args:
        file: as ``files_of`` gives it.
        table: which of ours the rows are for, as defects name it.
        defects: told what cannot be read.
        delimiter: of CSV; None takes a comma, or a tab in ``.tsv``.
        encoding: of CSV and JSON lines.

    Raises:
        DataError: the file cannot be opened or has no header.
    """
    kind = _kind(file.path)
    target = Target(file.name, table, defects)
    try:
        with _opened(file, unpack=kind != ".parquet") as handle:
            if kind == ".parquet":
                yield from parquet_chunks(target, handle)
            elif kind in (".csv", ".tsv"):
                yield from csv_chunks(target, handle, delimiter or ("\t" if kind == ".tsv" else ","), encoding)
            else:
                yield from json_chunks(target, handle, encoding)
    except UnicodeError as error:
        raise DataError(f"{file.name}: is no text in {encoding}; name another --encoding ({error})") from error
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException) as error:
        raise DataError(f"{file.name}: cannot be read ({error})") from error


def _opened(file: SourceFile, *, unpack: bool) -> Any:
    try:
        packing = fsspec.core.get_compression(file.path, "infer" if unpack else None)
    except ValueError as error:  # no library for it is installed
        raise DataError(f"{file.name}: cannot be unpacked ({error})") from error
    return fsspec.core.OpenFile(file.system, file.path, compression=packing)


def _kind(file: str) -> str | None:
    suffixes = PurePosixPath(file.split("?", 1)[0]).suffixes
    if suffixes and suffixes[-1].lower() in _PACKED:
        suffixes = suffixes[:-1]
    last = suffixes[-1].lower() if suffixes else ""
    return last if last in _SUFFIXES else None
