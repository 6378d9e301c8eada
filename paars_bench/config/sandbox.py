"""Jinja that cannot run away: a task file comes from anybody, and one line of it can ask for years of work.

Jinja's own sandbox keeps a template from Python's insides and bounds ``range``. It does not bound powers, repeated
text, loops in loops, recursive macros, nor values that double with every line. Here each render has an allowance.
Every turn of a loop, every call and every character that is made or written takes from it, and no single value may be
large. Values are made in few places (literals, operators, filters, calls), and each of these is weighed, so nothing
large can be built from small parts either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any

import jinja2
from jinja2 import nodes, runtime
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

ALLOWANCE = 2_000_000  # a built-in prompt takes a few thousand
LARGEST = 200_000  # characters and items of one value, and of what is rendered
_LARGEST_NUMBER = 1 << 64
_LARGEST_WIDTH = 1_000
_LOOP_TURN = 20
_FILTERS = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "format", "groupby"),
    *(
        "indent",
        "int",
        "items",
        "join",
        "last",
        "length",
        "list",
        "lower",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "replace",
    ),
    *("reverse", "round", "select", "selectattr", "slice", "batch", "sort", "string", "striptags", "sum", "title"),
    *("tojson", "trim", "truncate", "unique", "upper", "wordcount", "wordwrap"),
)
_METHODS = frozenset(
    (
        *("capitalize", "casefold", "count", "endswith", "find", "get", "index", "isalpha", "isdecimal", "isdigit"),
        *("items", "join", "keys", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind"),
        *("rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper"),
        "values",
    )
)
_GROW = frozenset({"replace", "join", "indent", "batch", "slice", "tojson", "wordwrap"})
_OF_TEXT = frozenset({"capitalize", "e", "escape", "format", "indent", "lower", "replace", "string", "title", "trim"})
_WIDE = re.compile(r"%[^a-zA-Z%]*(?:\*|\d{4})")  # a width of thousands, or one taken from the values
_COUNTED, _WEIGHED, _JOINED = "turns of a loop", "a literal", "text joined by ~"
_VALUES = (str, bytes, int, float, list, tuple, dict, set, frozenset, range, type(None))


@dataclass(slots=True)
class _Allowance:
    left: int = ALLOWANCE


_allowance: ContextVar[_Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def allowance() -> Iterator[None]:
    """Gives what is rendered inside a fresh allowance."""
    token = _allowance.set(_Allowance())
    try:
        yield
    finally:
        _allowance.reset(token)


def _take(work: int) -> None:
    given = _allowance.get()
    if given is None:  # Jinja tries constants when it compiles; what is too large there fails when it is rendered
        return
    given.left -= work
    if given.left < 0:
        raise SecurityError("it does too much: too many turns of loops, calls, or too much text")


def _weight(value: Any) -> int:
    """Returns characters and items of a value, its insides counted as often as they stand there."""
    weight, todo = 0, [value]
    while todo:
        item = todo.pop()
        weight += 1 + (len(item) if isinstance(item, str | bytes) else 0)
        if isinstance(item, int) and abs(item) >= _LARGEST_NUMBER:
            raise SecurityError("it makes a number above 2**64")
        if isinstance(item, dict):
            todo += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            todo += item
        elif isinstance(item, range):
            weight += len(item)
        if weight + len(todo) > LARGEST:
            raise SecurityError(f"it makes a value of more than {LARGEST:,} characters or items")
    return weight


def _weighed(value: Any) -> Any:
    _take(_weight(value))
    return value


def _joined(parts: Iterable[Any]) -> str:
    return str(_weighed("".join(str(_written(p)) for p in _weighed(parts))))


def _counted(items: Iterable[Any], weight: int) -> Iterator[Any]:
    for item in items:
        _take(weight)
        yield item


def _written(value: Any) -> Any:
    """Weighs what is put into the text, of which a list or an object is no part."""
    if isinstance(value, jinja2.Undefined):
        return value  # says its name when it is written
    if value is None:
        raise SecurityError("it writes a value that is missing (None): put it in an `if`, or give it a `default`")
    if not isinstance(value, str | int | float):
        raise SecurityError(f"it writes a {type(value).__name__} into the text: write one of its parts, or use `join`")
    return _weighed(value)


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a filter or method that weighs what it is given and what it makes."""

    @wraps(function)  # keeps the mark by which Jinja passes a context
    def bounded(*args: Any, **kwargs: Any) -> Any:
        given = [a for a in (*args, *kwargs.values()) if isinstance(a, _VALUES)]
        if any(isinstance(a, int) and not isinstance(a, bool) and abs(a) > LARGEST for a in given[1:]):
            raise SecurityError(f"it gives {name} a number above {LARGEST:,}")
        if name in _OF_TEXT and not isinstance(_subject(args), str | int | float):
            raise SecurityError(f"it gives {name} a {type(_subject(args)).__name__}, which is no text")
        if name == "format" and _WIDE.search(str(given[0])):
            raise SecurityError("it formats a value to a width of thousands")
        weights = [_weight(a) for a in given]
        if name in _GROW and weights:
            widths = [a for a in given[1:] if isinstance(a, int)]
            if max(widths, default=0) > _LARGEST_WIDTH or weights[0] * max([1, *widths, *weights[1:]]) > 5 * LARGEST:
                raise SecurityError(f"it asks {name} for too much text")
        _take(sum(weights) + 1)
        made = function(*args, **kwargs)
        return _weighed(made) if isinstance(made, _VALUES) else made

    return bounded


def _subject(args: tuple[Any, ...]) -> Any:
    """Returns what a filter is applied to, past the context that Jinja hands some of them."""
    inner = (runtime.Context, nodes.EvalContext, jinja2.Environment)
    subject = next((a for a in args if not isinstance(a, inner)), None)
    return str(subject) if isinstance(subject, jinja2.Undefined) else subject


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox with bounds: strict about undefined names, no source of chance, a few filters, weighed values."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,
            finalize=_written,
            optimized=False,  # it would try each part of an expression again and again, outside any allowance
        )
        # The same case must give the same prompt every time: no chance, and no object whose text is its address.
        for name in ("lipsum", "cycler", "joiner"):
            del self.globals[name]
        self.filters = {name: _bounded(name, self.filters[name]) for name in _FILTERS}
        self.filters |= {_COUNTED: _counted, _WEIGHED: _weighed, _JOINED: _joined}

    def call_binop(self, context: runtime.Context, operator: str, left: Any, right: Any) -> Any:
        """Computes an operator whose result may be far larger than what it is given; see Jinja's sandbox."""
        if operator == "%" and isinstance(left, str | bytes):
            return self.filters["format"](left, *(right if isinstance(right, tuple) else (right,)))
        if operator == "*" and not (isinstance(left, int | float) and isinstance(right, int | float)):
            times = [v for v in (left, right) if isinstance(v, int)]
            size = (_weight(left) + _weight(right)) * max([1, *times])
            if size > LARGEST:
                raise SecurityError(f"it makes a value of more than {LARGEST:,} characters or items")
        both_whole = isinstance(left, int) and isinstance(right, int)
        if operator == "**" and both_whole and abs(left) > 1 and right * abs(left).bit_length() > 128:
            raise SecurityError("it makes a number above 2**64")
        return _weighed(super().call_binop(context, operator, left, right))

    def call(__self, __context: runtime.Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls a macro, a global or one of a few methods of text and mappings; see Jinja's sandbox."""
        owner, name = getattr(__obj, "__self__", None), str(getattr(__obj, "__name__", ""))
        if isinstance(owner, str | bytes | Mapping | list | tuple) or name in ("format", "format_map"):
            if name not in _METHODS:
                raise SecurityError(f"it calls the method {name!r}")
            bounded = _bounded(name, lambda _, *a, **k: __obj(*a, **k))
            return bounded(owner, *args, **kwargs)
        _take(_LOOP_TURN + sum(_weight(a) for a in (*args, *kwargs.values()) if isinstance(a, _VALUES)))
        return super().call(__context, __obj, *args, **kwargs)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return _with_scales(super()._parse(source, name, filename), self)


def _with_scales(tree: nodes.Template, env: jinja2.Environment) -> nodes.Template:
    """Puts a count on each loop and scales on each literal and joined text."""

    def scaled(node: Any, name: str, args: list[nodes.Expr]) -> nodes.Filter:
        made = nodes.Filter(node, name, args, [], None, None)
        made.set_lineno(node.lineno)
        made.set_environment(env)
        return made

    for loop in tree.find_all(nodes.For):
        fixed = sum(len(data.data) for data in loop.find_all(nodes.TemplateData))
        loop.iter = scaled(loop.iter, _COUNTED, [nodes.Const(_LOOP_TURN + fixed)])
    _replace(tree, scaled)
    return tree


def _replace(node: nodes.Node, scaled: Callable[[Any, str, list[nodes.Expr]], nodes.Filter]) -> None:
    for field, value in node.iter_fields():
        for place, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, nodes.Node):
                continue
            _replace(child, scaled)
            new: nodes.Node = child
            if isinstance(child, nodes.Concat):
                parts = nodes.List(child.nodes)
                parts.set_lineno(child.lineno)
                new = scaled(parts, _JOINED, [])
            elif isinstance(child, nodes.Literal) and not isinstance(child, nodes.Const | nodes.TemplateData):
                if getattr(child, "ctx", "load") != "load":  # the names of `for a, b in …`
                    continue
                new = scaled(child, _WEIGHED, [])
            if isinstance(value, list):
                value[place] = new
            else:
                setattr(node, field, new)
