"""The run directory: the same command on the same path resumes, another command is refused with what differs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from paars_bench.errors import PaarsError, RunDirectoryError
from paars_bench.files import write_atomically
from paars_bench.run.journal import JsonLines

CONFIG = "config.json"
RESULTS = "results.json"
_KEYS = ("identity", "spec", "tasks", "id", "started", "command", "model", "environment")


class RunDirectory:
    """One run on disk, held by one process.

    Args:
        path: the folder, made if it does not exist.

    Raises:
        RunDirectoryError: it cannot be written, or another process writes there.
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
        self.journal = JsonLines(path / "journal.jsonl")
        self.personas = JsonLines(path / "personas.jsonl")

    def claim(self, config: Mapping[str, Any]) -> bool:
        """Takes the folder for a run of ``config`` and returns whether it resumes one.

        Raises:
            RunDirectoryError: the folder holds something else.
        """
        file = self.path / CONFIG
        if not file.exists():
            strangers = sorted(p.name for p in self.path.iterdir() if p.name != ".lock")
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
        differs = _differences(found["identity"], config["identity"])
        if differs:
            raise RunDirectoryError(
                f"--output_path {self.path}: holds a different run ({'; '.join(differs[:5])}); "
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


def cannot_write(path: Path, error: BaseException) -> PaarsError:
    """Returns what is said where the disk does not take what a run writes."""
    return PaarsError(f"{path}: cannot write ({error}); what was finished is kept, repeat the command")


def read_config(path: Path) -> dict[str, Any]:
    """Returns ``config.json`` of a run.

    Raises:
        RunDirectoryError: there is none, or it cannot be read.
    """
    file = path / CONFIG
    try:
        value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunDirectoryError(f"{path}: not a run directory (it has no {CONFIG})") from None
    except (OSError, ValueError) as error:
        raise RunDirectoryError(f"{file}: cannot be read ({error})") from error
    missing = [key for key in _KEYS if not isinstance(value, dict) or key not in value]
    if missing:
        raise RunDirectoryError(f"{file}: not the configuration of a run (key {missing[0]} is missing)")
    return value


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [
        f"{key} was {_short(old.get(key))}, now {_short(new.get(key))}"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"
