"""Imports go one way, and what may be caught in few places is caught in few places: read from the source itself."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "paars_bench"

PURE = frozenset({"metrics"})
BUILD = frozenset({"config", "data", "store", "personas", "tasks"})
RUN = frozenset({"backbones", "run", "report", "cli"})
# Names and values that every layer may use: errors, outcomes, seeds, paths, and the specs and schemas of rooms.
SHARED = frozenset({"errors", "boundary", "outcomes", "files", "names", "seeds", "paths", "paars_bench"})
SPECS = frozenset(
    {
        "paars_bench.backbones.door",  # the protocol of a backbone and its values: no code of any backbone
        "paars_bench.data.schema",
        "paars_bench.data.cases",
        "paars_bench.config.spec",
        "paars_bench.personas.conditions",
        "paars_bench.run.spec",
    }
)
# What each room may import beside itself, SHARED and SPECS: the rooms below it.
BELOW: dict[str, frozenset[str]] = {
    "metrics": frozenset(),
    "config": frozenset(),
    "store": frozenset({"config"}),  # its settings are YAML
    "data": frozenset({"config", "store"}),  # column maps are YAML; the demo's shoppers search with the store's search
    "personas": frozenset({"store"}),  # one cleaning of text for histories and pages
    "tasks": frozenset({"metrics", "config", "data", "store", "personas"}),
    "backbones": frozenset({"store", "metrics", "personas", "data"}),  # logit is the demo's choice model
    "report": PURE | BUILD | frozenset({"backbones"}),
    "run": PURE | BUILD | frozenset({"backbones", "report"}),
    "cli": PURE | BUILD | RUN,
}
# What goes the other way, each named so that a second one is noticed.
BACK = frozenset({})


class Import(NamedTuple):
    """One import: from which module of the package, of what, and whether when the module itself is imported."""

    module: str
    target: str
    at_start: bool


def modules() -> dict[str, ast.Module]:
    return {
        ".".join(p.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): ast.parse(p.read_text())
        for p in sorted(PACKAGE.rglob("*.py"))
    }


@cache
def imports() -> tuple[Import, ...]:
    return tuple(found for name, tree in modules().items() for found in _walk(name, tree, at_start=True))


def _walk(module: str, node: ast.AST, *, at_start: bool) -> list[Import]:
    found: list[Import] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                found += _walk(module, other, at_start=at_start)
            continue
        if isinstance(child, ast.Import):
            found += [Import(module, a.name, at_start) for a in child.names]
        elif isinstance(child, ast.ImportFrom) and child.module:
            found.append(Import(module, child.module, at_start))
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        found += _walk(module, child, at_start=at_start and not inside)
    return found


def room(module: str) -> str:
    return module.removeprefix("paars_bench.").split(".")[0]


def own() -> list[Import]:
    return [i for i in imports() if i.target.split(".")[0] == "paars_bench"]


def test_every_room_is_named() -> None:
    rooms = {p.name for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    assert rooms == PURE | BUILD | RUN == set(BELOW)


@pytest.mark.parametrize("name", sorted(BELOW))
def test_a_room_imports_only_rooms_below_it(name: str) -> None:
    allowed = BELOW[name] | {name} | SHARED
    wrong = {
        (i.module, i.target)
        for i in own()
        if room(i.module) == name and i.target not in SPECS and room(i.target) not in allowed
    }
    assert wrong <= BACK, sorted(wrong - BACK)


def test_what_goes_back_is_still_there() -> None:
    assert {(i.module, i.target) for i in own()} >= BACK


def test_what_every_layer_shares_imports_no_room() -> None:
    for found in own():
        if room(found.module) in SHARED - {"paars_bench"}:
            assert room(found.target) in SHARED, found


def test_the_metrics_know_no_files_clock_or_environment() -> None:
    outside = {i.target.split(".")[0] for i in imports() if room(i.module) == "metrics"}
    assert not outside & {"os", "io", "pathlib", "time", "datetime", "random", "json", "subprocess", "secrets"}


HEAVY = {"litellm", "torch", "transformers", "sentence_transformers", "datasets", "xllamacpp", "openai"}


def test_heavy_packages_are_imported_where_they_are_needed() -> None:
    at_start = {(i.module, i.target) for i in imports() if i.at_start and i.target.split(".")[0] in HEAVY}
    assert at_start == set()


def test_litellm_is_reached_through_one_module() -> None:
    users = {i.module for i in imports() if i.target.split(".")[0] == "litellm"}
    assert {u for u in users if not u.startswith("backbones.")} <= {"cli.doctor_checks"}
    assert "backbones.litellm" in users


def catches(tree: ast.Module) -> list[ast.ExceptHandler]:
    wide = {"Exception", "BaseException"}
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or wide & {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)})
    ]


def test_every_error_is_caught_in_one_module() -> None:
    assert {name: len(catches(tree)) for name, tree in modules().items() if catches(tree)} == {"boundary": 1}


def test_nothing_is_printed_past_the_console() -> None:
    calls = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert calls == set()


def test_every_module_says_why_it_exists() -> None:
    assert [name for name, tree in modules().items() if not ast.get_docstring(tree)] == []


def test_no_module_grows_past_what_can_be_read() -> None:
    long = {p.name: n for p in PACKAGE.rglob("*.py") if (n := len(p.read_text().splitlines())) > 400}
    assert long == {}
