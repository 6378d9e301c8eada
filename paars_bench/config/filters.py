"""From a reply to an answer: registered steps that a task's ``filter_list`` names.

A step that finds nothing ends the chain with None, and the case is unparseable: a bad reply is never turned
into a wrong answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from paars_bench.config.choice import stated_choice
from paars_bench.errors import ConfigError, unknown

if TYPE_CHECKING:
    from paars_bench.config.spec import FilterSpec

MAX_PATTERN = 500
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»", "„": "“", "「": "」"}


def _strip(text: str, options: Mapping[str, Any], n_options: int | None) -> str | None:
    return text.strip()


def _lowercase(text: str, options: Mapping[str, Any], n_options: int | None) -> str | None:
    return text.lower()


def _first_line(text: str, options: Mapping[str, Any], n_options: int | None) -> str | None:
    return next((line.strip() for line in text.splitlines() if line.strip()), None)


def _strip_quotes(text: str, options: Mapping[str, Any], n_options: int | None) -> str | None:
    text = text.strip()
    while len(text) >= 2 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text


def _number(text: str, options: Mapping[str, Any], n_options: int | None) -> str | None:
    if n_options is None:
        raise ValueError("the filter `number` needs the number of options")
    choice = stated_choice(text, n_options)
    return None if choice is None else str(choice)


def _regex(text: str, options: Mapping[str, Any], n_options: int | None) -> str | None:
    found = _search(options["pattern"], text)
    if found is None:
        return None
    name = options.get("group")
    return found[next(iter(found)) if name is None else name]


def _search(pattern: str, text: str) -> dict[str, str] | None:
    """Searches with RE2: its time is linear in the text for every pattern, unlike that of Python's ``re``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    named = pattern if "(?P<" in pattern else f"(?P<match>{pattern})"
    found: dict[str, str] | None = pc.extract_regex(pa.scalar(text), pattern=named).as_py()
    return found


class Filter(NamedTuple):
    """One registered step."""

    apply: Callable[[str, Mapping[str, Any], int | None], str | None]
    options: tuple[str, ...]
    required: tuple[str, ...]
    meaning: str


FILTERS: dict[str, Filter] = {
    "first_line": Filter(_first_line, (), (), "the first line that is not blank"),
    "strip_quotes": Filter(_strip_quotes, (), (), "without quotation marks around it"),
    "strip": Filter(_strip, (), (), "without blanks around it"),
    "lowercase": Filter(_lowercase, (), (), "in lower case"),
    "regex": Filter(
        _regex, ("pattern", "group"), ("pattern",), "the first match of an RE2 pattern, or its named group"
    ),
    "number": Filter(_number, (), (), "the option that a reply states as its answer"),
}


def apply_filters(text: str, filters: Sequence[FilterSpec], *, n_options: int | None = None) -> str | None:
    """Returns the answer in a reply, or None where there is none.

    Args:
        text: the reply.
        filters: the steps, in order, as a task's ``filter_list`` says.
        n_options: how many options the case offered (``number`` needs it).
    """
    answer: str | None = text
    for step in filters:
        if answer is None:
            return None
        answer = FILTERS[step.filter].apply(answer, step.options, n_options)
    return answer if answer and answer.strip() else None


def check_filter(name: str, options: Mapping[str, Any]) -> None:
    """Checks one step of a ``filter_list``.

    Raises:
        ConfigError: the name or an option is unknown or missing, or a pattern is not valid.
    """
    if name not in FILTERS:
        raise ConfigError(unknown("filter", name, FILTERS))
    known = FILTERS[name]
    for key in options:
        if key not in known.options:
            detail = (
                unknown("option", key, known.options) if known.options else f"unknown option {key!r}: it takes none."
            )
            raise ConfigError(f"filter {name!r} has an {detail}")
    for key in known.required:
        if not isinstance(options.get(key), str):
            raise ConfigError(f"filter {name!r} needs {key!r} as text.")
    if name == "regex":
        _check_pattern(options["pattern"], options.get("group"))


def _check_pattern(pattern: str, group: object) -> None:
    import pyarrow as pa

    if len(pattern) > MAX_PATTERN:
        raise ConfigError(f"the pattern of filter 'regex' is longer than {MAX_PATTERN} characters.")
    names = re.findall(r"\(\?P<(\w+)>", pattern)
    try:
        _search(pattern, "")
    except pa.ArrowInvalid as error:
        problem = str(error).removeprefix("Invalid regular expression: ")
        if "unnamed" in problem:
            problem = "name the group to keep, (?P<answer>…), and write (?:…) for the others"
        raise ConfigError(f"the pattern {pattern!r} of filter 'regex' is no valid RE2 pattern: {problem}.") from error
    if group is not None and group not in names:
        valid = f"its groups are {', '.join(names)}" if names else "it has no named group"
        raise ConfigError(f"filter 'regex' asks for group {group!r}, which the pattern does not have: {valid}.")
    if group is None and len(names) > 1:
        raise ConfigError(f"the pattern of filter 'regex' has {len(names)} groups: say which with `group`.")
