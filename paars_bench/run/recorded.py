"""From ``config.json`` of a run back to what was asked for; the file may come from anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from paars_bench.config import TaskSpec
from paars_bench.errors import RunDirectoryError
from paars_bench.run.directory import CONFIG
from paars_bench.run.spec import RunSpec


def spec_of(path: Path, public: Mapping[str, Any]) -> RunSpec:
    """Returns the specification that ``config.json`` of a run holds.

    Raises:
        RunDirectoryError: it is none.
    """
    try:
        names = {k: v for k, v in public.items() if k in RunSpec.__dataclass_fields__}
        names["tasks"] = tuple(names["tasks"])
        names["conditions"] = tuple(names["conditions"]) if names["conditions"] is not None else None
        names["output_path"] = Path(names["output_path"])
        names["include_path"] = tuple(Path(p) for p in names["include_path"])
        return RunSpec(**names)
    except (AttributeError, KeyError, TypeError) as error:
        raise RunDirectoryError(f"{path / CONFIG}: its spec cannot be read ({error})") from error


def tasks_of(path: Path, written: Sequence[Mapping[str, Any]]) -> list[TaskSpec]:
    """Returns the tasks that ``config.json`` of a run holds.

    Raises:
        RunDirectoryError: one is no task.
    """
    try:
        return [TaskSpec.model_validate(t) for t in written]
    except (ValidationError, TypeError) as error:
        said = error.errors(include_url=False)[0] if isinstance(error, ValidationError) else {"loc": ("tasks",)}
        key = ".".join(str(p) for p in said["loc"])
        raise RunDirectoryError(
            f"{path / CONFIG}: its tasks cannot be read ({key}: {said.get('msg', error)})"
        ) from error
