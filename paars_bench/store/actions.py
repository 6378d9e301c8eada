"""What a shopper can do in the store, said once: tool schemas, JSON actions and their explanation follow.

A reply is text from a model: it is parsed, never run, and what is wrong with it is said in words that help
the next try.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from paars_bench.errors import unknown
from paars_bench.store.json_text import first_object, object_of

if TYPE_CHECKING:
    from paars_bench.store.pages import Page

MAX_QUERY = 300
"""Characters of a query: the longest of 2,197 human queries (WebShop) has under 200."""


_QUERY_PATTERN = r'^[^ "\\\x00-\x1F][^"\\\x00-\x1F]{0,79}$'
"""Queries of a constrained reply: a model can fill one with spaces, or never end it (of 2,197 human ones, 1 in 63
is longer). Only character classes: llama.cpp takes neither \\S nor a dot that would admit the closing quote."""


class Verb(StrEnum):
    """The tools of the store."""

    SEARCH = "search"
    NEXT_PAGE = "next_page"
    VIEW = "view"
    BACK = "back"
    CART_ADD = "cart_add"
    CART_REMOVE = "cart_remove"
    BUY = "buy"
    LEAVE = "leave"


Argument = Literal["query", "product"]


class Tool(NamedTuple):
    """One tool: its name, the argument it takes (if any) and what it does."""

    verb: Verb
    argument: Argument | None
    does: str


TOOLS: tuple[Tool, ...] = (
    Tool(Verb.SEARCH, "query", "search the shop with a query"),
    Tool(Verb.NEXT_PAGE, None, "see the next results of the same search"),
    Tool(Verb.VIEW, "product", "open a product's page"),
    Tool(Verb.BACK, None, "go back to the results"),
    Tool(Verb.CART_ADD, "product", "put a product in the cart"),
    Tool(Verb.CART_REMOVE, "product", "take a product out of the cart"),
    Tool(Verb.BUY, None, "buy everything in the cart"),
    Tool(Verb.LEAVE, None, "leave the shop, with or without having bought"),
)
_ARGUMENT = {t.verb: t.argument for t in TOOLS}
_NAMED = 5  # ids said in a message
_HELP = {"query": "what to type in the search box", "product": "the product's id, as in [id]"}


@dataclass(frozen=True, slots=True)
class StoreAction:
    """One thing a shopper does; ``query`` and ``product`` only where the tool takes them."""

    verb: Verb
    query: str | None = None
    product: str | None = None

    def json(self) -> str:
        """Returns the action as the JSON text that ``parse_action`` reads."""
        said = {"action": str(self.verb), "query": self.query, "product": self.product}
        return json.dumps({k: v for k, v in said.items() if v is not None}, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class BadAction:
    """A reply that is no action; ``message`` tells the shopper what would be one."""

    message: str


def tools_offered(*, leaving: bool) -> list[Tool]:
    """Returns the tools in the order in which they are offered: leaving first, or not at all.

    Simulated shoppers hardly walk away when leaving is the last of eight choices.
    """
    leave = [t for t in TOOLS if t.verb is Verb.LEAVE and leaving]
    return leave + [t for t in TOOLS if t.verb is not Verb.LEAVE]


def tool_schemas(*, leaving: bool = True) -> list[dict[str, Any]]:
    """Returns the tools as function definitions in the OpenAI format; ``leaving``: whether it is one of them."""
    return [
        {
            "type": "function",
            "function": {
                "name": str(t.verb),
                "description": t.does[0].upper() + t.does[1:] + ".",
                "parameters": {
                    "type": "object",
                    "properties": {t.argument: {"type": "string", "description": _HELP[t.argument]}}
                    if t.argument
                    else {},
                    "required": [t.argument] if t.argument else [],
                    "additionalProperties": False,
                },
            },
        }
        for t in tools_offered(leaving=leaving)
    ]


def action_schema(page: Page) -> dict[str, Any]:
    """Returns the JSON schema of the actions possible on a page: whatever follows it is valid.

    Where the page offers leaving, the first thing asked is whether to leave, before any other action is named. Then one
    branch per tool with an argument and one for the tools without; products are those the page offers.
    """
    stays: dict[str, Any] = {"leave": {"const": False}} if Verb.LEAVE in page.possible else {}
    branches: list[dict[str, Any]] = []
    bare: list[str] = []
    for verb in page.possible:
        if verb is Verb.LEAVE:
            branches.append(_LEAVES)
            continue
        argument = _ARGUMENT[verb]
        if argument is None:
            bare.append(str(verb))
        elif argument == "query":
            branches.append(_branch([str(verb)], stays, query={"type": "string", "pattern": _QUERY_PATTERN}))
        else:
            branches.append(_branch([str(verb)], stays, product={"enum": list(page.targets(verb))}))
    if bare:
        branches.append(_branch(bare, stays))
    return {"anyOf": branches}


def actions_text(*, leaving: bool = True) -> str:
    """Returns what tells a model without tool calling how to act; ``leaving``: whether that is one of the actions."""
    # No example of a query or an id: a small model copies what it is shown ("…" in 60 of 64 searches).
    lines = [
        f'- "{t.verb}": {t.does}' + (f'; give "{t.argument}"' if t.argument else "")
        for t in tools_offered(leaving=False)
    ]
    head = (
        f"Answer with one JSON object and nothing else. {_LEAVING} leaves the shop, with or without having bought. "
        'To stay, write "leave": false first, then "action" with one of:'
        if leaving
        else 'Answer with one JSON object and nothing else: "action" with one of'
    )
    return "\n".join([head, *lines])


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
        wanted = next((f"{{{json.dumps(t.argument)}: …}}" for t in TOOLS if t.argument and t.verb == name), "{}")
        return BadAction(f"the arguments of {name[:40]!r} are no JSON object; call it again with {wanted}.")
    return _action(name, read, page, as_json=False)


def query_problem(query: str) -> str | None:
    """Returns why a query cannot be typed, or None."""
    if not query.strip():
        return f"the query is empty; say {_HELP['query']}."
    if len(query.strip()) > MAX_QUERY:
        return f"the query has {len(query.strip())} characters; use {MAX_QUERY} at most."
    # JSON can spell half a surrogate pair, which neither the index nor a file in UTF-8 can hold.
    if any("\ud800" <= c <= "\udfff" for c in query):
        return "the query holds half a character (a lone surrogate); type it again."
    return None


def _action(
    name: object, arguments: Mapping[str, Any], page: Page | None, *, as_json: bool = True
) -> StoreAction | BadAction:
    verb = re.sub(r"[\s-]+", "_", name.strip().lower()) if isinstance(name, str) else None
    if not verb:
        return BadAction(f"the action has no name; {_WANTED}")
    if verb not in _ARGUMENT:
        offered = [str(v) for v in Verb if page is None or page.leaves or v is not Verb.LEAVE]
        return BadAction(unknown("action" if as_json else "tool", verb[:40], offered))
    known = Verb(verb)
    argument = _ARGUMENT[known]
    if argument is None:
        return StoreAction(known)
    value = arguments.get(argument)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # catalogs with numeric ids: models write them without quotes
    if not isinstance(value, str) or not value.strip():
        here = page.targets(known)[:_NAMED] if page is not None and argument == "product" else ()
        places = f" (here {', '.join(here)})" if here else ""
        example = f", for example {_EXAMPLES[known]}" if as_json else ""
        return BadAction(f"{known} needs a {argument}: {_HELP[argument]}{places}{example}.")
    if argument == "product":
        return StoreAction(known, product=value.strip().removeprefix("[").removesuffix("]"))
    problem = query_problem(value)
    return BadAction(problem) if problem else StoreAction(known, query=value.strip())


def _branch(names: list[str], stays: dict[str, Any], **argument: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**stays, "action": {"enum": names}, **argument},
        "required": [*stays, "action", *argument],
        "additionalProperties": False,
    }


_LEAVES: dict[str, Any] = {
    "type": "object",
    "properties": {"leave": {"const": True}},
    "required": ["leave"],
    "additionalProperties": False,
}


def _example(tool: Tool) -> str:
    said: dict[str, Any] = {"action": str(tool.verb)}
    if tool.argument is not None:
        said[tool.argument] = "…" if tool.argument == "query" else "id"
    return json.dumps(said, ensure_ascii=False)


_EXAMPLES = {t.verb: _example(t) for t in TOOLS}
_LEAVING = json.dumps({"leave": True})
_WANTED = f"answer with one JSON object such as {_EXAMPLES[Verb.SEARCH]} or {_EXAMPLES[Verb.VIEW]}."
