"""Prompt templates: Jinja in a sandbox, checked and compiled once per task.

A template can't load files, call code or draw at random, and a variable it names must exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from paars_bench.errors import ConfigError, unknown


@cache
def environment() -> ImmutableSandboxedEnvironment:
    """Returns the one environment: immutable sandbox, strict about undefined names, no source of chance."""
    env = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    del env.globals["lipsum"]
    del env.filters["random"]  # the same case must give the same prompt every time
    return env


def compile_template(source: str, *, name: str = "template") -> jinja2.Template:
    """Compiles a template once; render it with ``template.render(**values)``.

    Args:
        source: Jinja text.
        name: the task and key it belongs to, for errors.

    Raises:
        ConfigError: a syntax error, with its line in the template.
    """
    try:
        return environment().from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise ConfigError(f"{name}, line {error.lineno}: this is not valid Jinja: {error.message}.") from error


def check_template(source: str, *, file: object, first_line: int, key: str, variables: Iterable[str]) -> None:
    """Checks a template without rendering it.

    Args:
        source: Jinja text.
        file: where it stands.
        first_line: line of ``file`` on which the text begins.
        key: the key it belongs to, for errors.
        variables: names that will be given.

    Raises:
        ConfigError: bad syntax, an unknown filter or variable, or a wish to load another template.
    """
    try:
        tree = environment().parse(source)
        environment().from_string(source)
    except jinja2.TemplateSyntaxError as error:
        line = first_line + error.lineno - 1
        raise ConfigError(f"{file}:{line}: `{key}` is not valid Jinja: {error.message}.") from error
    for loads in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        line = first_line + loads.lineno - 1
        raise ConfigError(f"{file}:{line}: `{key}` loads another template: write its text here, one file a template.")
    known = set(variables)
    for name in sorted(meta.find_undeclared_variables(tree) - known - set(environment().globals)):
        line = first_line + _line_of(tree, name) - 1
        problem = unknown("variable", name, known) if known else f"unknown variable {name!r}: this text takes none."
        raise ConfigError(f"{file}:{line}: `{key}` uses an {problem}")


def _line_of(tree: nodes.Template, variable: str) -> int:
    return next((node.lineno for node in tree.find_all(nodes.Name) if node.name == variable), 1)
