"""Prompt templates: Jinja in a bounded sandbox, checked and compiled once per task.

A template can't load files, call code, draw at random or do endless work, and a variable it names must exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import jinja2
from jinja2 import meta, nodes

from paars_bench.config.sandbox import LARGEST, BoundedEnvironment, allowance
from paars_bench.errors import ConfigError, unknown

LONGEST = 50_000  # characters of a template's source
# What an expression of a template can raise: Jinja's own errors, and Python's for values of the wrong kind or size.
_ERRORS = (
    *(jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError),
    *(RecursionError, TypeError, ValueError),
)


@cache
def environment() -> BoundedEnvironment:
    """Returns the one environment."""
    return BoundedEnvironment()


class Template:
    """A compiled template.

    Args:
        source: Jinja text.
        name: the task and key it belongs to, for errors.

    Attributes:
        variables: names that it uses and does not set.

    Raises:
        ConfigError: a syntax error, with its line in the template, or a text of more than 50,000 characters.
    """

    def __init__(self, source: str, name: str) -> None:
        self._name = name
        problem, line = _problem(source)
        if problem:
            raise ConfigError(f"{name}, line {line}: {problem}.")
        self._template = environment().from_string(source)
        self.variables = frozenset(meta.find_undeclared_variables(environment().parse(source)))

    def render(self, **values: Any) -> str:
        """Returns the text for some values.

        Raises:
            ConfigError: the template cannot be rendered for them, or asks for more work or text than is allowed.
        """
        pieces: list[str] = []
        size = 0
        try:
            with allowance():
                for piece in self._template.generate(**values):
                    pieces.append(piece)
                    size += len(piece)
                    if size > LARGEST:
                        raise ConfigError(f"{self._name}: its text is longer than {LARGEST:,} characters.")
        except _ERRORS as error:
            raise ConfigError(f"{self._name}: cannot be rendered: {_words(error)}.") from error
        return "".join(pieces)


def compile_template(source: str, *, name: str = "template") -> Template:
    """Compiles a template once; see ``Template``."""
    return Template(source, name)


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
    problem, line = _problem(source)
    if problem:
        raise ConfigError(f"{file}:{first_line + line - 1}: `{key}`: {problem}.")
    tree = environment().parse(source)
    for loads in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        line = first_line + loads.lineno - 1
        raise ConfigError(f"{file}:{line}: `{key}` loads another template: write its text here, one file a template.")
    known = set(variables)
    for name in sorted(meta.find_undeclared_variables(tree) - known - set(environment().globals)):
        line = first_line + _line_of(tree, name) - 1
        problem = unknown("variable", name, known) if known else f"unknown variable {name!r}: this text takes none."
        raise ConfigError(f"{file}:{line}: `{key}` uses an {problem}")


def _problem(source: str) -> tuple[str, int]:
    """Returns why a source is no template, and its line there; "" where it is one."""
    if len(source) > LONGEST:
        return f"a template has at most {LONGEST:,} characters, this one has {len(source):,}", 1
    try:
        environment().from_string(source)
    except jinja2.TemplateSyntaxError as error:
        return f"this is not valid Jinja: {(error.message or 'unknown').rstrip('.')}", error.lineno
    except (RecursionError, MemoryError, SyntaxError):  # Python's own compiler counts nesting too
        return "this is nested too deep", 1
    return "", 1


def _words(error: BaseException) -> str:
    said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return said if isinstance(error, jinja2.TemplateError) else f"{said} ({type(error).__name__})"


def _line_of(tree: nodes.Template, variable: str) -> int:
    return next((node.lineno for node in tree.find_all(nodes.Name) if node.name == variable), 1)
