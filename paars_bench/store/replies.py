"""Reads what a shopper replied: text is parsed, never run, and what is wrong is said to help the next try."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from paars_bench.errors import unknown
from paars_bench.store.actions import BY_VERB, MAX_QUERY, TOOLS, Argument, BadAction, StoreAction, Verb, example
from paars_bench.store.json_text import first_object, object_of
from paars_bench.store.refine import Refinement, Sort, number_of

if TYPE_CHECKING:
    from paars_bench.store.pages import Page

_NAMED = 5  # ids said in a message
_FRAME = frozenset({"action", "leave", "name", "tool"})  # keys of an action that are no argument
_WANTED = f"answer with one JSON object such as {example(Verb.SEARCH)} or {example(Verb.VIEW)}."


def parse_action(reply: str, page: Page | None = None) -> StoreAction | BadAction:
    """Reads the first JSON action of a reply; code fences and prose around it do not matter.

    Also understood is the form of a tool call, ``{"name": …, "arguments": {…}}``. What is wrong is said with what
    would be possible on ``page``.
    """
    if not reply.strip():
        return BadAction(f"the reply was empty; {_WANTED}")
    found = first_object(reply)
    if found is None:
        return BadAction(f"no JSON object in the reply; {_WANTED}")
    arguments: Any = found
    name = found.get("action")
    if found.get("leave") is True:
        name = str(Verb.LEAVE)
    if name is None:
        name = found.get("name", found.get("tool"))
        arguments = found.get("arguments", found.get("parameters", found))
    if isinstance(arguments, str):
        arguments = object_of(arguments)
    if not isinstance(arguments, Mapping):
        return BadAction(f"the arguments are no JSON object; {_WANTED}")
    return _action(name, arguments, page)


def parse_tool_call(name: str, arguments: str, page: Page | None = None) -> StoreAction | BadAction:
    """Reads a native tool call; ``arguments`` is its raw JSON text, empty for none. ``page`` as in ``parse_action``."""
    read = object_of(arguments) if arguments.strip() else {}
    if read is None:
        given = [a.name for t in TOOLS if t.verb == name for a in t.arguments if not a.optional]
        wanted = f"{{{json.dumps(given[0])}: …}}" if given else "{}"
        return BadAction(f"the arguments of {name[:40]!r} are no JSON object; call it again with {wanted}.")
    return _action(name, read, page, as_json=False)


def query_problem(query: str) -> str | None:
    """Returns why a query cannot be typed, or None."""
    if not query.strip():
        return f"the query is empty; say {_argument(Verb.SEARCH).says}."
    if len(query.strip()) > MAX_QUERY:
        return f"the query has {len(query.strip())} characters; use {MAX_QUERY} at most."
    # JSON can spell half a surrogate pair, which neither the index nor a file in UTF-8 can hold.
    if any("\ud800" <= c <= "\udfff" for c in query):
        return "the query holds half a character (a lone surrogate); type it again."
    return None


def _argument(verb: Verb) -> Argument:
    return BY_VERB[verb].arguments[0]


def _action(
    name: object, arguments: Mapping[str, Any], page: Page | None, *, as_json: bool = True
) -> StoreAction | BadAction:
    verb = re.sub(r"[\s-]+", "_", name.strip().lower()) if isinstance(name, str) else None
    if not verb:
        return BadAction(f"the action has no name; {_WANTED}")
    if verb not in BY_VERB:
        offered = [str(v) for v in Verb if page is None or page.leaves or v is not Verb.LEAVE]
        return BadAction(unknown("action" if as_json else "tool", verb[:40], offered))
    known = Verb(verb)
    if known is Verb.REFINE:
        return _refined(arguments)
    if not BY_VERB[known].arguments:
        return StoreAction(known)
    argument = _argument(known)
    value = arguments.get(argument.name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # catalogs with numeric ids: models write them without quotes
    if not isinstance(value, str) or not value.strip():
        here = page.targets(known)[:_NAMED] if page is not None else ()
        places = f" (here {', '.join(here)})" if here else ""
        shown = f", for example {example(known)}" if as_json else ""
        return BadAction(f"{known} needs a {argument.name}: {argument.says}{places}{shown}.")
    if known is not Verb.SEARCH:
        return StoreAction(known, product=value.strip().removeprefix("[").removesuffix("]"))
    problem = query_problem(value)
    return BadAction(problem) if problem else StoreAction(known, query=value.strip())


def _refined(arguments: Mapping[str, Any]) -> StoreAction | BadAction:
    """Reads filters; one that is null or "" is not given, and an unknown one is no refinement at all."""
    filters = {a.name: a for a in BY_VERB[Verb.REFINE].arguments}
    said: dict[str, Any] = {}
    for name, value in arguments.items():
        if name in _FRAME or value is None or value == "":
            continue
        if name not in filters:
            return BadAction(unknown("filter of refine", name[:40], filters))
        read = _number(value) if filters[name].schema["type"] == "number" else value
        if read is None or (isinstance(read, str) != (filters[name].schema["type"] == "string")):
            return BadAction(f"{name} is {str(value)[:40]!r}; give {filters[name].says} as a {_kind(filters[name])}.")
        said[name] = read.strip() if isinstance(read, str) else read
    if "sort" in said:
        if said["sort"] not in set(Sort):
            return BadAction(unknown("sort", said["sort"][:40], map(str, Sort)))
        said["sort"] = Sort(said["sort"])
    return StoreAction(Verb.REFINE, refinement=Refinement(**said))


def _kind(argument: Argument) -> str:
    return "number, such as 20" if argument.name.endswith("price") else str(argument.schema["type"])


def _number(value: object) -> float | None:
    """Returns a number that a model may write as one, as ``"20"`` or as ``"$1,049.99"``."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        return number_of(value.strip().removeprefix("$").replace(",", ""))
    try:
        return float(value)
    except OverflowError:
        return None
