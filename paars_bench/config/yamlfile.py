"""One YAML file as plain values, each with the line it stands on, so that an error can point at it.

Only plain YAML is read: no Python tags, no merge keys, no key given twice, nothing that names itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from paars_bench.config.textfile import read_small
from paars_bench.errors import ConfigError

MAX_NODES = 100_000
MAX_NUMBER = 10**18
KeyPath = tuple[str | int, ...]

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is 8 times faster, where PyYAML has it
_PLAIN = frozenset(f"tag:yaml.org,2002:{t}" for t in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp"))


class _Loader(_BASE):  # type: ignore[misc]
    """The safe loader, reading ``1e-3`` as the number it is in YAML 1.2 (PyYAML reads text)."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


class Mark(NamedTuple):
    """A place in a file; ``line`` counts from 1. ``block`` says that text begins on the next line."""

    file: Path
    line: int
    block: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML mapping and where each of its keys stands.

    Attributes:
        values: the mapping, plain Python values only.
        marks: key path (``("metric_list", 0, "bandwidth")``) to its place; the empty path is the file.
    """

    values: dict[str, Any]
    marks: dict[KeyPath, Mark] = field(default_factory=dict)

    def mark(self, path: KeyPath) -> Mark:
        """Returns the place of a key, or of the nearest key around it."""
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks[path]


def read_yaml(file: Path, what: str = "a task YAML") -> Document:
    """Reads one file.

    Args:
        file: the YAML.
        what: it is, as errors name it.

    Raises:
        ConfigError: the file is unreadable, not YAML, no mapping, or uses something other than plain YAML.
    """
    text = read_small(file, what)
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            return _Reader(file, loader, what).document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ConfigError(_broken(file, error)) from error


def _broken(file: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f"{file}:{mark.line + 1}" if mark is not None else str(file)
    problem = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
    return f"{place}: this is not valid YAML: {problem}."


class _Reader:
    """Turns a node tree into values and marks."""

    def __init__(self, file: Path, loader: Any, what: str) -> None:
        self.file, self.loader, self.what = file, loader, what
        self.marks: dict[KeyPath, Mark] = {(): Mark(file, 1)}
        self.nodes = 0
        self.open: set[int] = set()

    def document(self, node: yaml.Node | None) -> Document:
        if not isinstance(node, yaml.MappingNode):
            found = "empty" if node is None else "a list" if isinstance(node, yaml.SequenceNode) else "text"
            raise ConfigError(f"{self.file}:1: {self.what} is a mapping of keys to values, this one is {found}.")
        return Document(self.value(node, ()), self.marks)

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self.nodes += 1
        mark = Mark(self.file, node.start_mark.line + 1)
        if self.nodes > MAX_NODES:  # aliases of aliases grow without end from a few lines
            raise ConfigError(f"{mark}: more than {MAX_NODES:,} values, counting what aliases repeat.")
        if id(node) in self.open:
            raise ConfigError(f"{mark}: an alias names the value it stands in.")
        if node.tag not in _PLAIN:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            raise ConfigError(f"{mark}: the tag {tag} is not allowed: {self.what} holds plain values, no code.")
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        self.open.add(id(node))
        value: Any
        if isinstance(node, yaml.MappingNode):
            value = {key: self.value(child, (*path, key)) for key, child in self.pairs(node, path)}
        else:
            value = []
            for i, child in enumerate(node.value):
                self.marks[(*path, i)] = Mark(self.file, child.start_mark.line + 1)
                value.append(self.value(child, (*path, i)))
        self.open.discard(id(node))
        return value

    def scalar(self, node: yaml.ScalarNode) -> Any:
        if node.tag.endswith(":timestamp"):
            return node.value
        mark = f"{self.file}:{node.start_mark.line + 1}"
        try:
            value = self.loader.construct_object(node)
        except (ValueError, LookupError) as error:  # `!!int abc`, or more digits than Python reads
            kind = node.tag.rpartition(":")[2]
            raise ConfigError(f"{mark}: {node.value[:40]!r} is no {kind}, or one too large.") from error
        if isinstance(value, int) and abs(value) > MAX_NUMBER:
            raise ConfigError(f"{mark}: a whole number has at most 18 digits here.")
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{mark}: {node.value[:40]!r} is no finite number: nothing here takes one.")
        return value

    def pairs(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, yaml.Node]]:
        seen: dict[str, int] = {}
        for key_node, child in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag.endswith(":merge"):
                raise ConfigError(f"{self.file}:{line}: a key must be plain text; to share keys, use `include`.")
            key = key_node.value
            if key in seen:
                raise ConfigError(f"{self.file}:{line}: the key {key!r} is given twice, first on line {seen[key]}.")
            seen[key] = line
            block = isinstance(child, yaml.ScalarNode) and child.style in ("|", ">")
            self.marks[(*path, key)] = Mark(self.file, line, block)
            yield key, child
