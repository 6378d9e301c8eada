"""From pydantic's errors to one sentence with file, line, key, value and the nearest valid one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from pydantic import ValidationError

from paars_bench.config.yamlfile import Document, KeyPath
from paars_bench.errors import nearest, unknown


def sentence(
    document: Document, error: ValidationError, siblings: Callable[[KeyPath], Iterable[str]], what: str
) -> str:
    """Returns what is wrong with a document in one sentence, about its first problem.

    Args:
        document: the YAML that was validated.
        error: what pydantic says of it.
        siblings: from the path of a mapping to the keys it takes.
        what: the document is, as in "2 more in this task".
    """
    problems = error.errors(include_url=False)
    first = problems[0]
    path = tuple(first["loc"])
    key = ".".join(str(p) for p in path)
    more = f" ({len(problems) - 1} more in this {what})" if len(problems) > 1 else ""
    mark = document.mark(path)
    if first["type"] == "missing":
        return f"{mark}: `{key}` is missing.{more}"
    if first["type"] == "extra_forbidden":
        return f"{mark}: {unknown('key', str(path[-1]), siblings(path[:-1]))}{more}"
    message = first["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    expected = str(first.get("ctx", {}).get("expected", ""))
    near = nearest(str(first["input"]), re.findall(r"'([^']+)'", expected))
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"{mark}: `{key}` is {_short(first['input'])}: {message.rstrip('.?')}{hint}{more}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
