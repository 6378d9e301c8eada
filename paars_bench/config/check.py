"""What can be said of a task YAML without loading it; `ls` says it of every file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paars_bench.config.include import inside
from paars_bench.config.keys import (
    GROUP_KEYS,
    INCLUDE,
    NESTED_KEYS,
    OUTPUT_TYPES,
    REQUIRED_TASK_KEYS,
    TASK_KEYS,
    TEMPLATE_KEYS,
)
from paars_bench.config.textfile import exists
from paars_bench.config.yamlfile import Document, KeyPath, Mark
from paars_bench.errors import ConfigError, nearest, unknown

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
RESERVED = frozenset({"all"})


def is_group(document: Document) -> bool:
    """Tells whether a YAML defines a group rather than a task."""
    return "group" in document.values


def check_document(document: Document, roots: Sequence[Path]) -> None:
    """Checks names and keys of a task or group.

    Raises:
        ConfigError: with file, line, key and the nearest valid key.
    """
    if is_group(document):
        _check_keys(document, GROUP_KEYS)
        _check_name(document, "group")
        _check_names(document, "task", empty=False)
        return
    _check_keys(document, TASK_KEYS)
    if "task" not in document.values:
        file = document.mark(()).file
        raise ConfigError(
            f"{file}:1: the file has neither `task` nor `group`: give it a `task: name`, or let the file "
            "name begin with an underscore if it is there to be included."
        )
    _check_name(document, "task")
    for key in REQUIRED_TASK_KEYS:
        if key not in document.values:
            raise ConfigError(f"{document.mark(('task',))}: the task lacks the key `{key}`.")
    _check_names(document, "tag", empty=True)
    for key, valid in NESTED_KEYS.items():
        inner = document.values.get(key)
        if isinstance(inner, dict):
            for name in inner:
                if name not in valid:
                    mark = document.mark((key, name))
                    raise ConfigError(f"{mark}: in `{key}`: {unknown('key', name, valid)}")
    _check_kind(document)
    for key in TEMPLATE_KEYS:
        template_file(document, key, roots)
    store_file(document, roots)


def template_file(document: Document, key: str, roots: Sequence[Path]) -> Path | None:
    """Returns the file that a template key names, or None where its text is inline.

    Raises:
        ConfigError: the file is missing or lies outside the folder of the tasks.
    """
    inner = document.values.get(key)
    return _named_file(document, (key,), inner, roots, "text") if isinstance(inner, dict) else None


def store_file(document: Document, roots: Sequence[Path]) -> Path | None:
    """Returns the file with the settings of the store that a task names, or None where it names none.

    Raises:
        ConfigError: the file is missing, lies outside the folder of the tasks, or has settings beside it.
    """
    session = document.values.get("session")
    store = session.get("store") if isinstance(session, dict) else None
    if not isinstance(store, dict) or "file" not in store:
        return None
    beside = [key for key in store if key != "file"]
    if beside:
        raise ConfigError(
            f"{document.mark(('session', 'store', beside[0]))}: `session.store` has {beside[0]!r} beside `file`, which "
            f"stands alone: move {', '.join(beside)} into {str(store['file'])[:60]!r}, or leave `file` out."
        )
    return _named_file(document, ("session", "store"), store, roots, "settings")


def _named_file(
    document: Document, path: KeyPath, inner: Mapping[str, Any], roots: Sequence[Path], inline: str
) -> Path:
    """Returns the file that ``{file: NAME}`` at ``path`` means; ``inline`` could stand there instead."""
    mark = document.mark((*path, "file"))
    key, name = ".".join(map(str, path)), inner.get("file")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{mark}: `{key}` takes {inline} or {{file: NAME}}, not {inner!r}.")
    file = mark.file.parent / name
    if not inside(file, roots):
        raise ConfigError(f"{mark}: `{key}` names {name!r}, which lies outside the folder of the tasks.")
    if not exists(file):
        near = nearest(file.name, [p.name for p in file.parent.iterdir()]) if exists(file.parent) else []
        hint = f"did you mean {near[0]!r}?" if near else f"make it at {file}."
        raise ConfigError(f"{mark}: `{key}` names the file {name!r}, which does not exist: {hint}")
    return file


def _check_keys(document: Document, valid: Sequence[str]) -> None:
    for key in document.values:
        if key not in valid:
            raise ConfigError(f"{document.mark((key,))}: {unknown('key', key, (*valid, INCLUDE))}")


def _check_kind(document: Document) -> None:
    dataset = document.values["dataset"]
    kind = dataset.get("cases") if isinstance(dataset, dict) else None
    if not isinstance(kind, str):
        mark = document.mark(("dataset",))
        raise ConfigError(f"{mark}: `dataset` takes {{cases: KIND}}, KIND one of {', '.join(OUTPUT_TYPES)}.")
    if kind not in OUTPUT_TYPES:
        raise ConfigError(f"{document.mark(('dataset', 'cases'))}: {unknown('kind of cases', kind, OUTPUT_TYPES)}")


def _check_name(document: Document, key: str) -> None:
    name: Any = document.values[key]
    mark: Mark = document.mark((key,))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(f"{mark}: `{key}` is {name!r}: a name is made of a-z, 0-9 and _, and begins with no _.")
    if name in RESERVED:
        raise ConfigError(f"{mark}: `{key}` is {name!r}, which means every task: choose another name.")


def _check_names(document: Document, key: str, *, empty: bool) -> None:
    names = document.values.get(key, [])
    listed = isinstance(names, list) and all(isinstance(n, str) and n for n in names)
    if not listed or not (names or empty):
        raise ConfigError(f"{document.mark((key,))}: `{key}` takes a list of names, not {names!r}.")
