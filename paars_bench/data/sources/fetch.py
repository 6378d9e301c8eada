"""Where the files of a public data set are: in a folder that the user names, or on the Hub at a pinned revision.

A source that cannot be reached is one sentence with the exact step to take, never a traceback and never another source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from paars_bench.errors import DataError
from paars_bench.files import file_sha256


class Hub(NamedTuple):
    """A data set on the Hugging Face Hub at one revision, so that its numbers never change meaning."""

    repo: str
    revision: str


def hub_file(dataset: str, hub: Hub, name: str, path: Path | None, *, others: tuple[str, ...] = ()) -> Path:
    """Returns a file of a data set on the Hub.

    Args:
        dataset: as given to ``--dataset``, for the error.
        hub: where it lies.
        name: path of the file in the repository.
        path: a folder that holds a copy; None asks the Hub, or its cache on this machine.
        others: files that are needed beside it, so that one download brings all.

    Raises:
        DataError: the file is not there; the text says how to get it.
    """
    step = _download(dataset, hub, (name, *others))
    if path is not None:
        return local_file(dataset, path, name, step=step)
    # Not hf_hub_download: without a network it tries for 24 s, a snapshot for 2 s (huggingface-hub 1.33).
    return hub_files(dataset, hub, (name, *others), None)[name][0]


def hub_files(dataset: str, hub: Hub, patterns: Sequence[str], path: Path | None) -> dict[str, list[Path]]:
    """Returns files of a data set on the Hub whose names are known up to the number of shards.

    Args:
        dataset: as given to ``--dataset``, for the error.
        hub: where they lie.
        patterns: paths in the repository, with ``*`` for what a shard adds; each must match.
        path: a folder that holds a copy of the repository's tree; None asks the Hub, or its cache on this machine.

    Returns:
        The files of each pattern, by name.

    Raises:
        DataError: a pattern matches nothing, or a shard is missing; the text says how to get it.
    """
    folder = _snapshot(dataset, hub, patterns) if path is None else path
    files = dict(zip(patterns, _found(folder, patterns), strict=True))
    for pattern, here in files.items():
        missing = _missing_shard(here) if here else pattern
        if missing:
            raise DataError(f"data set {dataset!r}: {folder} holds no {missing}; {_download(dataset, hub, patterns)}")
    return files


def _snapshot(dataset: str, hub: Hub, patterns: Sequence[str]) -> Path:
    """Returns the folder of a revision, from the cache where all is there: a revision never changes."""
    import httpx  # comes with huggingface-hub, which lets its errors through
    from huggingface_hub import snapshot_download

    where = {"repo_type": "dataset", "revision": hub.revision, "allow_patterns": list(patterns)}
    try:
        cached = Path(snapshot_download(hub.repo, local_files_only=True, **where))
    except (OSError, ValueError):
        cached = None
    if cached is not None and all(here and not _missing_shard(here) for here in _found(cached, patterns)):
        return cached
    try:
        return Path(snapshot_download(hub.repo, **where))
    except (OSError, ValueError, RuntimeError, httpx.HTTPError) as error:
        raise _unreachable(dataset, hub, error, patterns) from error


def _found(folder: Path, patterns: Sequence[str]) -> list[list[Path]]:
    return [sorted(folder.glob(pattern)) for pattern in patterns]


def _missing_shard(files: Sequence[Path]) -> str:
    """Returns the name of a shard that the others say there is (``train-00001-of-00003``), "" where none is missing."""
    names = {f.name for f in files}
    for name in sorted(names):
        part = re.search(r"-(\d{5})-of-(\d{5})", name)
        for number in range(int(part[2])) if part else ():
            other = f"{name[: part.start()]}-{number:05d}-of-{part[2]}{name[part.end() :]}" if part else ""
            if other not in names:
                return other
    return ""


def local_file(dataset: str, path: Path, name: str, *, step: str) -> Path:
    """Returns a file from a folder of the user's: under its path in the source, or under its bare name.

    Args:
        dataset: as given to ``--dataset``, for the error.
        path: the folder, or the file itself.
        name: path of the file in the source.
        step: what to do where it is missing, as the end of a sentence.

    Raises:
        DataError: the file is not there.
    """
    bare = name.rsplit("/", 1)[-1]
    for place in (path / name, path / bare, path if path.name == bare else None):
        if place is not None and place.is_file():
            return place
    raise DataError(f"data set {dataset!r}: {path} holds no {name}; {step}")


def file_revision(file: Path) -> str:
    """Returns the first 12 digits of a file's SHA-256: the revision of what was downloaded by hand."""
    return file_sha256(file)[:12]


def _unreachable(dataset: str, hub: Hub, error: Exception, names: Sequence[str]) -> DataError:
    words = str(error).strip().splitlines()
    why = words[0] if words else type(error).__name__
    return DataError(
        f"data set {dataset!r}: {', '.join(names)} cannot be had from the Hub ({why[:160]}); "
        f"{_download(dataset, hub, names)}"
    )


def _download(dataset: str, hub: Hub, names: Sequence[str]) -> str:
    wanted = " ".join(f'--include "{name}"' for name in names)
    folder, join = dataset.partition(":")[0], "," if ":" in dataset else ":"
    return (
        f"where the Hub can be reached, run `hf download {hub.repo} --repo-type dataset --revision {hub.revision} "
        f"{wanted} --local-dir {folder}`, and then give --dataset {dataset}{join}path={folder}"
    )
