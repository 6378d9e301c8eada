"""Where the files of a public data set are: in a folder that the user names, or on the Hub at a pinned revision.

A source that cannot be reached is one sentence with the exact step to take, never a traceback and never another source.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from paars_bench.errors import DataError


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
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(hub.repo, name, repo_type="dataset", revision=hub.revision))
    except (OSError, ValueError, RuntimeError) as error:
        words = str(error).strip().splitlines()
        why = words[0] if words else type(error).__name__
        raise DataError(f"data set {dataset!r}: {name} cannot be had from the Hub ({why[:160]}); {step}") from error


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


def file_sha256(file: Path) -> str:
    """Returns the first 12 digits of a file's SHA-256: the revision of what was downloaded by hand."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()[:12]


def _download(dataset: str, hub: Hub, names: tuple[str, ...]) -> str:
    wanted = " ".join(f'--include "{name}"' for name in names)
    folder, join = dataset.partition(":")[0], "," if ":" in dataset else ":"
    return (
        f"where the Hub can be reached, run `hf download {hub.repo} --repo-type dataset --revision {hub.revision} "
        f"{wanted} --local-dir {folder}`, and then give --dataset {dataset}{join}path={folder}"
    )
