"""What a shopper can do in the store, said once: tool schemas, JSON actions, their explanation and the docs follow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from paars_bench.store.refine import Refinement, Sort

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
    REFINE = "refine"
    VIEW = "view"
    BACK = "back"
    CART_ADD = "cart_add"
    CART_REMOVE = "cart_remove"
    BUY = "buy"
    LEAVE = "leave"


class Argument(NamedTuple):
    """What a tool is given: its name, what it says in words, its JSON schema, and whether it may be left out."""

    name: str
    says: str
    schema: dict[str, Any]
    optional: bool = False


class Tool(NamedTuple):
    """One tool: its name, what it does, and what it is given."""

    verb: Verb
    does: str
    arguments: tuple[Argument, ...] = ()

    @property
    def call(self) -> str:
        """How it is written in words, as ``view(product)``; what may be left out has a question mark."""
        return f"{self.verb}({', '.join(a.name + '?' * a.optional for a in self.arguments)})"


_PRICE = {"type": "number", "minimum": 0}
_QUERY = Argument("query", "what to type in the search box", {"type": "string"})
_PRODUCT = Argument("product", "the product's id, as in [id]", {"type": "string"})
_FILTERS = (
    Argument("category", "a category's name", {"type": "string"}, optional=True),
    Argument("brand", "a brand's name", {"type": "string"}, optional=True),
    Argument("min_price", "lowest price", _PRICE, optional=True),
    Argument("max_price", "highest price", _PRICE, optional=True),
    Argument("min_rating", "lowest rating", {"type": "number", "minimum": 1, "maximum": 5}, optional=True),
    Argument("sort", "order of the results", {"type": "string", "enum": [str(s) for s in Sort]}, optional=True),
)

TOOLS: tuple[Tool, ...] = (
    Tool(Verb.SEARCH, "search the shop with a query", (_QUERY,)),
    Tool(Verb.NEXT_PAGE, "see the next results of the same list"),
    Tool(Verb.REFINE, "narrow or sort these results; filters not given are taken off", _FILTERS),
    Tool(Verb.VIEW, "open a product's page", (_PRODUCT,)),
    Tool(Verb.BACK, "go back to the results"),
    Tool(Verb.CART_ADD, "put a product in the cart", (_PRODUCT,)),
    Tool(Verb.CART_REMOVE, "take a product out of the cart", (_PRODUCT,)),
    Tool(Verb.BUY, "buy everything in the cart; the visit goes on"),
    Tool(Verb.LEAVE, "leave the shop, with or without having bought"),
)
BY_VERB = {t.verb: t for t in TOOLS}
"""The tools by what they are called."""


@dataclass(frozen=True, slots=True)
class StoreAction:
    """One thing a shopper does; ``query``, ``product`` and ``refinement`` only where the tool takes them."""

    verb: Verb
    query: str | None = None
    product: str | None = None
    refinement: Refinement | None = None

    def json(self) -> str:
        """Returns the action as the JSON text that ``parse_action`` reads."""
        said = {"action": str(self.verb), "query": self.query, "product": self.product}
        filters = {} if self.refinement is None else {k: json_value(v) for k, v in self.refinement.said()}
        return json.dumps({k: v for k, v in said.items() if v is not None} | filters, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class BadAction:
    """A reply that is no action; ``message`` tells the shopper what would be one."""

    message: str


def tools_offered(*, leaving: bool) -> list[Tool]:
    """Returns the tools in the order in which they are offered: leaving first, or not at all.

    Simulated shoppers hardly walk away when leaving is the last of nine choices.
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
                    "properties": {a.name: {**a.schema, "description": a.says} for a in t.arguments},
                    "required": [a.name for a in t.arguments if not a.optional],
                    "additionalProperties": False,
                },
            },
        }
        for t in tools_offered(leaving=leaving)
    ]


def action_schema(page: Page) -> dict[str, Any]:
    """Returns the JSON schema of the actions possible on a page: whatever follows it is valid.

    Where the page offers leaving, the first thing asked is whether to leave, before any other action is named. Then
    branches of the tools with arguments and one for the tools without; products, filters and their values are those the
    page offers. A refinement adds one filter to those that are on, or takes all of them off: a model that draws among
    them comes to an end of them.
    """
    stays: dict[str, Any] = {"leave": {"const": False}} if Verb.LEAVE in page.possible else {}
    branches: list[dict[str, Any]] = []
    bare: list[str] = []
    for verb in page.possible:
        if verb is Verb.LEAVE:
            branches.append(_LEAVES)
        elif verb is Verb.SEARCH:
            branches.append(_branch([str(verb)], **stays, query={"type": "string", "pattern": _QUERY_PATTERN}))
        elif verb is Verb.REFINE:
            on = {name: {"const": json_value(value)} for name, value in page.refinement.said()}
            branches += [
                _branch([str(verb)], **stays, **on, **_among(name, values)) for name, values in page.offers.items()
            ]
            bare += [str(verb)] if on else []
        elif BY_VERB[verb].arguments:
            branches.append(_branch([str(verb)], **stays, **_among(_PRODUCT.name, page.targets(verb))))
        else:
            bare.append(str(verb))
    if bare:
        branches.append(_branch(bare, **stays))
    return {"anyOf": branches}


def actions_text(*, leaving: bool = True) -> str:
    """Returns what tells a model without tool calling how to act; ``leaving``: whether that is one of the actions."""
    # No example of a query or an id: a small model copies what it is shown ("…" in 60 of 64 searches).
    lines = [f'- "{t.verb}": {t.does}{_given(t)}' for t in tools_offered(leaving=False)]
    head = (
        f"Answer with one JSON object and nothing else. {json.dumps({'leave': True})} leaves the shop, with or without "
        'having bought. To stay, write "leave": false first, then "action" with one of:'
        if leaving
        else 'Answer with one JSON object and nothing else: "action" with one of'
    )
    return "\n".join([head, *lines])


def example(verb: Verb) -> str:
    """Returns a JSON action with a tool, with "…" or "id" where the shopper would say something."""
    said: dict[str, Any] = {"action": str(verb)}
    said |= {a.name: "…" if a is _QUERY else "id" for a in BY_VERB[verb].arguments if not a.optional}
    return json.dumps(said, ensure_ascii=False)


def json_value(value: str | float) -> str | float:
    """Returns a filter's value as JSON says it: 20 rather than 20.0."""
    if isinstance(value, str):
        return str(value)
    return int(value) if float(value).is_integer() else float(value)


def _given(tool: Tool) -> str:
    names = ", ".join(f'"{a.name}"{_choices(a)}' for a in tool.arguments)
    if not names:
        return ""
    return f"; give {'any of ' if tool.arguments[0].optional else ''}{names}"


def _choices(argument: Argument) -> str:
    return f" ({', '.join(argument.schema['enum'])})" if "enum" in argument.schema else ""


def _among(name: str, values: tuple[str | float, ...]) -> dict[str, dict[str, Any]]:
    return {name: {"enum": [json_value(v) for v in values]}}


def _branch(names: list[str], leave: dict[str, Any] | None = None, **argument: dict[str, Any]) -> dict[str, Any]:
    first = {} if leave is None else {"leave": leave}
    return {
        "type": "object",
        "properties": {**first, "action": {"enum": names}, **argument},
        "required": [*first, "action", *argument],
        "additionalProperties": False,
    }


_LEAVES: dict[str, Any] = {
    "type": "object",
    "properties": {"leave": {"const": True}},
    "required": ["leave"],
    "additionalProperties": False,
}
