"""Which tasks and groups exist, found by reading keys only; a task is loaded when it is selected."""

from __future__ import annotations

import contextlib
import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from paars_bench.config.check import check_document, is_group
from paars_bench.config.include import read_merged
from paars_bench.config.textfile import real
from paars_bench.config.yamlfile import Document
from paars_bench.errors import ConfigError, UsageError, unknown
from paars_bench.paths import task_configs_dir

if TYPE_CHECKING:
    from paars_bench.config.spec import TaskSpec

_SEE = "paars-bench ls tasks"


@dataclass(frozen=True, slots=True)
class Entry:
    """One YAML: a task, a group, or a broken file.

    Attributes:
        name: of the task or group; of a file too broken to tell, its stem.
        file: the YAML.
        roots: the folders its includes and templates may come from, the built-in tasks' last.
        document: its keys, None where they could not be read.
        problem: what is wrong with it, None where nothing was found.
    """

    name: str
    file: Path
    roots: tuple[Path, ...]
    document: Document | None
    problem: str | None = None

    @property
    def group(self) -> bool:
        """Whether it defines a group."""
        return self.document is not None and is_group(self.document)

    @property
    def tags(self) -> list[str]:
        """The tags of a task, broken or not: selecting a tag never leaves a broken task out unsaid."""
        tags = self.document.values.get("tag") if self.document and not self.group else None
        return [t for t in tags if isinstance(t, str)] if isinstance(tags, list) else []


class TaskIndex:
    """The built-in tasks and those in a user's folders.

    Args:
        include_path: folders with more YAML, searched in depth, without what begins with a dot or an
            underscore.

    Raises:
        UsageError: a folder does not exist.
    """

    def __init__(self, include_path: Sequence[Path | str] = ()) -> None:
        builtin = task_configs_dir()
        if not builtin.is_dir():
            raise ConfigError(f"the built-in tasks are missing at {builtin}: install paars-bench again.")
        self.roots = list(dict.fromkeys(p.resolve() for p in [builtin, *(Path(p) for p in include_path)]))
        for root in self.roots[1:]:
            if not root.is_dir():
                raise UsageError(f"--include_path {root} is no folder: name the folder that holds your task YAML.")

    @cached_property
    def entries(self) -> list[Entry]:
        """Every YAML found, the built-in ones first; two of one name are both broken."""
        found: dict[Path, Entry] = {}
        for root in self.roots:
            for file in _yaml_files(root):
                found.setdefault(real(file), _entry(file, (root, self.roots[0])))
        by_name: dict[str, list[Entry]] = {}
        for entry in found.values():
            by_name.setdefault(entry.name, []).append(entry)
        return [_unless_twice(entry, by_name[entry.name]) for entry in found.values()]

    def names(self) -> list[str]:
        """Returns the names of the tasks, broken ones left out."""
        return [e.name for e in self.entries if not e.group and e.problem is None]

    def problems(self, *, deep: bool = False) -> list[str]:
        """Returns one sentence for each broken YAML and for each group that names something unknown.

        Args:
            deep: also load the user's tasks whole; the built-in ones are known to load.
        """
        sentences = [e.problem for e in self.entries if e.problem is not None]
        for entry in self.entries:
            if entry.problem is not None or entry.document is None:
                continue
            try:
                if entry.group:
                    self._expand(entry, ())
                elif deep and entry.roots[0] != self.roots[0]:
                    _load(entry)
            except ConfigError as error:
                sentences.append(str(error))
        return sentences

    def groups(self) -> dict[str, list[str]]:
        """Returns each group and tag with its tasks, broken ones too; ``all`` holds every task.

        A group that names something unknown is left out here, told by ``problems`` and refused by ``select``.
        """
        found = {}
        for name in self._group_names():
            with contextlib.suppress(ConfigError):
                found[name] = self._members(name)
        return found

    def select(self, patterns: Sequence[str]) -> list[TaskSpec]:
        """Loads the tasks that names, groups, tags or wildcards select, each once, in the order asked.

        Raises:
            UsageError: nothing has such a name.
            ConfigError: a selected YAML is broken.
        """
        if "all" in patterns:
            self._raise_first_problem()
        specs: dict[str, TaskSpec] = {}
        for name in self.matching(patterns):
            entry = next(e for e in self.entries if e.name == name and not e.group)
            specs[name] = _load(entry)
        return list(specs.values())

    def matching(self, patterns: Sequence[str]) -> list[str]:
        """Returns the tasks that names, groups, tags or wildcards select, broken ones too, without loading them.

        Raises:
            UsageError: nothing has such a name.
            ConfigError: a selected group is broken.
        """
        return list(dict.fromkeys(n for p in patterns for n in self._match(p)))

    def _match(self, pattern: str) -> list[str]:
        tasks = [e.name for e in self.entries if not e.group]  # broken ones too: selecting one is an error
        if pattern == "all":
            return tasks
        if pattern in tasks:
            return [pattern]
        broken = next((e for e in self.entries if e.group and e.problem and e.name == pattern), None)
        if broken is not None:
            raise ConfigError(str(broken.problem))
        groups = self._group_names()
        if pattern in groups:
            return self._members(pattern)
        if any(c in pattern for c in "*?["):
            hits = fnmatch.filter(tasks, pattern)
            hits += [t for g in fnmatch.filter(groups, pattern) if g != "all" for t in self._members(g)]
            if hits:
                return hits
        problems = self.problems()
        more = f" ({len(problems) - 1} more: `{_SEE}`)" if len(problems) > 1 else ""
        note = f" It may be in a broken YAML: {problems[0]}{more}" if problems else ""
        raise UsageError(unknown("task", pattern, [*tasks, *groups], see=_SEE) + note)

    def _raise_first_problem(self) -> None:
        for problem in self.problems():
            raise ConfigError(problem)

    def _group_names(self) -> list[str]:
        return list(dict.fromkeys(["all", *(e.name for e in self._group_entries()), *self._tags()]))

    def _members(self, group: str) -> list[str]:
        """The tasks of a group file and of the tag of the same name."""
        if group == "all":
            return [e.name for e in self.entries if not e.group]
        entry = next((e for e in self._group_entries() if e.name == group), None)
        members = self._expand(entry, ()) if entry is not None else []
        return list(dict.fromkeys([*members, *self._tags().get(group, [])]))

    def _group_entries(self) -> list[Entry]:
        return [e for e in self.entries if e.group and e.problem is None]

    def _tags(self) -> dict[str, list[str]]:
        tags: dict[str, list[str]] = {}
        for entry in self.entries:
            for tag in entry.tags:
                tags.setdefault(tag, []).append(entry.name)
        return tags

    def _expand(self, group: Entry, chain: tuple[str, ...]) -> list[str]:
        assert group.document is not None
        steps = (*chain, group.name)
        groups, tags = {e.name: e for e in self._group_entries()}, self._tags()
        tasks = [e.name for e in self.entries if not e.group]
        members: list[str] = []
        for i, name in enumerate(group.document.values["task"]):
            mark = group.document.mark(("task", i))
            if name in steps:
                raise ConfigError(f"{mark}: the group {name!r} holds itself: {' → '.join((*steps, name))}.")
            if name in tasks:
                members.append(name)
            elif name in groups:
                members += self._expand(groups[name], steps)
            elif name in tags:
                members += tags[name]
            elif hits := fnmatch.filter(tasks, name):
                members += hits
            else:
                raise ConfigError(f"{mark}: {unknown('task', name, [*tasks, *groups, *tags], see=_SEE)}")
        return list(dict.fromkeys(members))


def _yaml_files(root: Path, seen: set[Path] | None = None) -> Iterator[Path]:
    seen = set() if seen is None else seen
    if real(root) in seen:  # a link that leads back up
        return
    seen.add(real(root))
    try:
        inside = sorted(root.iterdir())
    except OSError:  # a folder that may not be read is told as what it is: a file that cannot be read
        yield root
        return
    for path in inside:
        if path.name.startswith((".", "_")):
            continue
        if path.is_dir():
            yield from _yaml_files(path, seen)
        elif path.suffix in (".yaml", ".yml"):
            yield path


def _entry(file: Path, roots: tuple[Path, ...]) -> Entry:
    document: Document | None = None
    problem: str | None = None
    try:
        document = read_merged(file, roots)
        check_document(document, roots)
    except ConfigError as error:
        problem = str(error)
    values = document.values if document is not None else {}
    name = values.get("group", values.get("task"))
    return Entry(name if isinstance(name, str) else file.stem, file, roots, document, problem)


def _load(entry: Entry) -> TaskSpec:
    if entry.problem is not None or entry.document is None:
        raise ConfigError(entry.problem or f"{entry.file} is broken.")
    from paars_bench.config.loader import spec_of

    return spec_of(entry.document, entry.roots)


def _unless_twice(entry: Entry, same_name: list[Entry]) -> Entry:
    if len(same_name) == 1:
        return entry
    others = " and ".join(str(e.file) for e in same_name)
    problem = f"the name {entry.name!r} is taken twice, by {others}: rename one."
    return replace(entry, problem=problem)
