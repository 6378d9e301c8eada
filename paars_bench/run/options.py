"""From what ``evaluate()`` was given to a ``RunSpec``: values are checked as the command line checks its words."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from paars_bench.backbones.cache_use import CacheUse
from paars_bench.errors import UsageError, unknown
from paars_bench.names import names
from paars_bench.run.spec import RunSpec


def spec_from(options: Mapping[str, Any]) -> RunSpec:
    """Returns the specification that options ask for.

    Args:
        options: values by field of ``RunSpec``. Names are a string (``"a,b"``) or a sequence; paths are strings or
            ``Path``; the values of ``model_args`` are strings or numbers. None takes the default.

    Raises:
        UsageError: an option that there is not (with the nearest), or a value of another kind.
    """
    types = {f.name: str(f.type) for f in fields(RunSpec)}
    read: dict[str, Any] = {}
    for name, value in options.items():
        if name not in types:
            raise UsageError(unknown("option of evaluate()", name, types))
        if value is not None:
            read[name] = _READERS[types[name].removesuffix(" | None")](name, value)
    if "model" not in read:
        raise UsageError("model: is missing; give an alias, a LiteLLM name, 'local' or a baseline")
    return RunSpec(**read)


def _wrong(name: str, value: object, needed: str) -> UsageError:
    return UsageError(f"{name}={value!r}: needs {needed}")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "a string")
    return value


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, "True or False")
    return value


def _whole(name: str, value: object) -> int:
    least = 0 if name == "seed" else 1
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < least:
        raise _wrong(name, value, f"a whole number of {least} or more")
    return int(value.__index__())


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise _wrong(name, value, "a number above 0")
    number = float(value.__float__())
    if not 0 < number < math.inf:
        raise _wrong(name, value, "a number above 0")
    return number


def _names(name: str, value: object) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, Iterable):
        raise _wrong(name, value, "names, such as 'a,b' or ['a', 'b']")
    listed = list(given)
    if not listed or not all(isinstance(v, str) for v in listed):
        raise _wrong(name, value, "names, such as 'a,b' or ['a', 'b']")
    return names(listed, name)


def _path(name: str, value: object) -> Path:
    if not isinstance(value, str | os.PathLike):
        raise _wrong(name, value, "a path")
    return Path(value)


def _paths(name: str, value: object) -> tuple[Path, ...]:
    if isinstance(value, str | os.PathLike):
        return (Path(value),)
    if not isinstance(value, Iterable):
        raise _wrong(name, value, "a folder or a list of folders")
    return tuple(_path(name, v) for v in value)


def _arguments(name: str, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(
        isinstance(k, str) and isinstance(v, str | int | float) for k, v in value.items()
    ):
        raise _wrong(name, value, "a dictionary, such as {'api_base': 'http://localhost:8000/v1'}")
    return {k: str(v) for k, v in value.items()}


def _cache_use(name: str, value: object) -> CacheUse:
    if value not in tuple(CacheUse):
        raise _wrong(name, value, f"one of {', '.join(CacheUse)}")
    return CacheUse(str(value))


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "str": _text,
    "bool": _switch,
    "int": _whole,
    "float": _number,
    "tuple[str, ...]": _names,
    "CacheUse": _cache_use,
    "Path": _path,
    "tuple[Path, ...]": _paths,
    "dict[str, str]": _arguments,
}
