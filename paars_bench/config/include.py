"""A YAML with the files it includes: later keys override, and every key remembers the file it came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from paars_bench.config.keys import INCLUDE
from paars_bench.config.textfile import exists, real
from paars_bench.config.yamlfile import Document, KeyPath, Mark, read_yaml
from paars_bench.errors import ConfigError, nearest

MAX_FILES = 100


def inside(path: Path, roots: Sequence[Path]) -> bool:
    """Tells whether a path, links resolved, lies in one of the folders."""
    return any(real(path).is_relative_to(real(root)) for root in roots)


def read_merged(file: Path, roots: Sequence[Path]) -> Document:
    """Reads a file and what it includes, one level of keys deep.

    ``include`` names one file or a list, relative to the file that says so, else among the built-in tasks.
    A key of a later file replaces the same key of an earlier one whole, and the including file comes last.

    Args:
        file: the YAML.
        roots: folders that an include may not leave; the last one holds the built-in tasks.

    Raises:
        ConfigError: a file is broken, missing, outside the folders, includes itself, or more than 100 files come
            together.
    """
    return _merged(file, roots, (), [])


def _merged(file: Path, roots: Sequence[Path], chain: tuple[Path, ...], read: list[Path]) -> Document:
    """Reads a file; ``chain`` are the files that led here, ``read`` all that were read, as often as they were."""
    document = read_yaml(file)
    read.append(file)
    includes = document.values.pop(INCLUDE, None)
    if includes is None:
        return document
    mark = document.mark((INCLUDE,))
    names = [includes] if isinstance(includes, str) else includes
    if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
        raise ConfigError(f"{mark}: `include` takes a file name or a list of them, not {includes!r}.")
    values: dict[str, object] = {}
    marks: dict[KeyPath, Mark] = {}
    for name in names:
        target = _find(name, file, roots, mark)
        steps = (*chain, real(file))
        if real(target) in steps:
            circle = " → ".join(p.name for p in (*steps[steps.index(real(target)) :], target))
            raise ConfigError(f"{mark}: `include: {name}` goes in a circle: {circle}.")
        if len(read) >= MAX_FILES:  # two includes of the same file, 25 files deep, would be 2**25 files to read
            raise ConfigError(f"{mark}: `include` brings more than {MAX_FILES} files together: include fewer.")
        _lay_over(values, marks, _merged(target, roots, steps, read))
    _lay_over(values, marks, document)
    marks[()] = Mark(file, 1)
    return Document(values, marks)


def _lay_over(values: dict[str, object], marks: dict[KeyPath, Mark], top: Document) -> None:
    for path in [p for p in marks if p and p[0] in top.values]:
        del marks[path]
    values.update(top.values)
    marks.update({p: m for p, m in top.marks.items() if p and p[0] in top.values})


def _find(name: str, file: Path, roots: Sequence[Path], mark: Mark) -> Path:
    for folder in (file.parent, roots[-1]):
        target = folder / name
        if exists(target):
            if not inside(target, roots):
                raise ConfigError(f"{mark}: `include: {name}` leaves the folder of the tasks: keep the file inside it.")
            return target
    shown = name if len(name) <= 60 else name[:59] + "…"
    near = nearest(shown, [p.name for p in file.parent.iterdir()])
    hint = f"did you mean {near[0]!r}?" if near else "it is looked for beside this file, then in the built-in tasks."
    raise ConfigError(f"{mark}: `include: {shown}` names no file: {hint}")
