"""The run directory: the same command on the same path resumes, another command is refused with what differs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field, ValidationError

from paars_bench.backbones.open import NOT_ASKED
from paars_bench.backbones.redact import is_secret
from paars_bench.errors import PaarsError, RunDirectoryError
from paars_bench.files import PART, read_strict_json, write_atomically
from paars_bench.run.journal import JsonLines

CONFIG = "config.json"
RESULTS = "results.json"
LEFT_BEHIND = (".lock", CONFIG + PART)
"""What a process leaves that was killed before its run began."""
_MOST, _LONG, _BEFORE = 5, 60, 20  # differences told; characters of a value, and of those before its difference


class RunDirectory:
    """One run on disk, held by one process.

    Args:
        path: the folder, made if it does not exist.

    Raises:
        RunDirectoryError: it cannot be written, another process writes there, or a file of it is a link.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):  # a name of our own could be a link in a foreign folder
                pass
        except OSError as error:
            raise RunDirectoryError(
                f"--output_path {path}: cannot be written ({error.strerror}); choose another folder"
            ) from error
        self._lock = FileLock(str(path / ".lock"))
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RunDirectoryError(
                f"--output_path {path}: another process is writing this run; wait for it or choose another folder"
            ) from None
        links = sorted(p.name for p in path.glob("*.jsonl") if p.is_symlink())
        if links:  # a torn last line is cut off, and what a foreign folder links to is not ours to cut
            self._lock.release()
            raise RunDirectoryError(f"--output_path {path}: {links[0]} is a link; put the file itself there")
        self.journal = JsonLines(path / "journal.jsonl")
        self.personas = JsonLines(path / "personas.jsonl")
        self.attempts = JsonLines(path / "attempts.jsonl")

    def claim(self, config: Mapping[str, Any]) -> bool:
        """Takes the folder for a run of ``config`` and returns whether it resumes one.

        Raises:
            RunDirectoryError: the folder holds something else.
        """
        file = self.path / CONFIG
        if not file.exists():
            strangers = sorted(p.name for p in self.path.iterdir() if p.name not in LEFT_BEHIND)
            if strangers:
                raise RunDirectoryError(
                    f"--output_path {self.path}: holds other files ({', '.join(strangers[:3])}); "
                    "choose an empty or new folder"
                )
            try:
                write_atomically(file, config)
            except OSError as error:
                raise cannot_write(self.path, error) from error
            return False
        found = read_config(self.path)
        differs = differences(found["identity"], config["identity"])
        if differs:
            rest = f"; and {len(differs) - _MOST} more" if len(differs) > _MOST else ""
            raise RunDirectoryError(
                f"--output_path {self.path}: holds a different run ({'; '.join(differs[:_MOST])}{rest}); "
                "repeat that run's command to resume it, or choose another folder"
            )
        return True

    def close(self) -> None:
        """Writes everything through and lets the folder go.

        Raises:
            PaarsError: the disk does not take what was written last.
        """
        try:
            self.journal.close()
            self.personas.close()
            self.attempts.close()
        except OSError as error:
            raise cannot_write(self.path, error) from error
        finally:
            self._lock.release()

    def write_results(self, results: Mapping[str, Any]) -> None:
        """Replaces ``results.json``, whole or not at all.

        Raises:
            PaarsError: the disk is full or read-only.
        """
        try:
            write_atomically(self.path / RESULTS, results)
        except OSError as error:
            raise cannot_write(self.path, error) from error


class CannotWriteError(PaarsError):
    """The disk does not take what a run writes; nothing that was written before is lost."""


def cannot_write(path: Path, error: BaseException) -> CannotWriteError:
    """Returns what is said where the disk does not take what a run writes."""
    return CannotWriteError(f"{path}: cannot write ({error}); what was finished is kept, repeat the command")


def read_config(path: Path) -> dict[str, Any]:
    """Returns ``config.json`` of a run.

    Raises:
        RunDirectoryError: there is none, or it cannot be read.
    """
    file = path / CONFIG
    try:
        value: dict[str, Any] = read_strict_json(file)
    except FileNotFoundError:
        raise RunDirectoryError(f"{path}: not a run directory (it has no {CONFIG})") from None
    except (OSError, ValueError) as error:
        raise RunDirectoryError(f"{file}: cannot be read ({error})") from error
    try:
        _Config.model_validate(value, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        wrong = f"key {where} is missing" if first["type"] == "missing" else f"key {where}: {first['msg']}"
        raise RunDirectoryError(f"{file}: not the configuration of a run ({wrong})") from None
    return value


class _Identity(BaseModel):
    dataset_sha256: str
    history_tokens: int
    model_args: dict[str, str] = {}


class _Model(BaseModel):
    name: str
    litellm_model: str
    scripted: bool


class _Config(BaseModel):
    """What is read of ``config.json``, to resume a run or to score it again; the rest is for people."""

    identity: _Identity
    spec: dict[str, Any]
    tasks: list[dict[str, Any]] = Field(min_length=1)
    id: str
    started: str
    command: str
    model: _Model
    environment: dict[str, Any]


def differences(old: Mapping[str, Any], new: Mapping[str, Any], within: str = "") -> list[str]:
    """Returns what differs between two identities, each key with its whole name; of long values the part that does.

    How a call is made (timeouts, keys) is no part of what was asked, also where an earlier version wrote it down.
    """
    found: list[str] = []
    for key in sorted({*old, *new}):
        was, now, name = old.get(key), new.get(key), f"{within}{key}"
        if within == "model_args." and (key in NOT_ASKED or is_secret(key)):
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            found += differences(was, now, f"{name}.")
        elif was != now:
            found.append("{} was {}, now {}".format(name, *_parts(json.dumps(was), json.dumps(now))))
    return found


def _parts(was: str, now: str) -> tuple[str, str]:
    """Returns two texts from shortly before their first difference on."""
    same = next((n for n, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now)))
    start = max(0, same - _BEFORE) if max(len(was), len(now)) > _LONG else 0
    return _from(was, start), _from(now, start)


def _from(text: str, start: int) -> str:
    return ("…" if start else "") + text[start : start + _LONG] + ("…" if len(text) > start + _LONG else "")
