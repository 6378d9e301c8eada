"""Leaving asked for by itself: does the shopper stay or leave now?

Simulated shoppers hardly walk away when leaving is one of eight things to do next. The question has two answers, each
of which is a whole reply: nothing else that a model says is taken for one of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from paars_bench.store.actions import BadAction, StoreAction, Verb
from paars_bench.store.json_text import object_of

LEAVING_TOOL = "stay_or_leave"
_KEY = "decision"
_ANSWERS = ("stay", "leave")
_AROUND = " \t\r\n\"'`*_.!"  # what models put around one word
Form = Literal["call", "object", "word"]


@dataclass(frozen=True, slots=True)
class Stay:
    """The shopper goes on."""


Leaving = Stay | StoreAction | BadAction
"""What an answer to the question is: to stay, to leave, or none of both."""

_EXAMPLES: dict[Form, str] = {
    "call": f"call {LEAVING_TOOL} with {json.dumps({_KEY: 'stay'})} or {json.dumps({_KEY: 'leave'})}",
    "object": f"answer with {json.dumps({_KEY: 'stay'})} or {json.dumps({_KEY: 'leave'})}",
    "word": 'answer with one word, "stay" or "leave"',
}


def leaving_question(form: Form) -> str:
    """Returns the question in one line, with how it is answered."""
    how = _EXAMPLES[form]
    return f"Do you stay in the shop or leave it now? {how[0].upper()}{how[1:]}."


def leaving_tool() -> dict[str, Any]:
    """Returns the tool that answers the question, as a function definition in the OpenAI format."""
    return {
        "type": "function",
        "function": {
            "name": LEAVING_TOOL,
            "description": "Say whether you stay in the shop or leave it; only where you are asked for that.",
            "parameters": leaving_object(),
        },
    }


def leaving_object() -> dict[str, Any]:
    """Returns the JSON schema of an answer for models that are held to an object."""
    return {
        "type": "object",
        "properties": {_KEY: {"type": "string", "enum": list(_ANSWERS)}},
        "required": [_KEY],
        "additionalProperties": False,
    }


def leaving_word() -> dict[str, Any]:
    """Returns the JSON schema of an answer for models that are held to any schema: one of two strings."""
    return {"type": "string", "enum": list(_ANSWERS)}


def parse_leaving(reply: str, form: Form) -> Leaving:
    """Reads an answer in text: the word alone, or a JSON object that holds it and nothing else.

    Args:
        reply: of the model.
        form: in which it was asked to answer; an answer in another one is understood too.
    """
    text = reply.strip()
    if text.startswith("```"):
        text = text.strip("`").removeprefix("json").strip()
    if text.startswith("{"):
        value = object_of(text)
        return _decided(value.get(_KEY), form) if value is not None and len(value) == 1 else _neither(form)
    return _decided(text.strip(_AROUND), form)


def parse_leaving_call(name: str, arguments: str) -> Leaving:
    """Reads an answer by tool call; ``arguments`` is its raw JSON text."""
    if name != LEAVING_TOOL:
        return BadAction(f"you are asked whether you stay or leave: {_EXAMPLES['call']}.")
    value = object_of(arguments)
    return _decided(value.get(_KEY), "call") if value is not None else _neither("call")


def _decided(word: object, form: Form) -> Leaving:
    match word.strip().lower() if isinstance(word, str) else None:
        case "stay":
            return Stay()
        case "leave":
            return StoreAction(Verb.LEAVE)
        case _:
            return _neither(form)


def _neither(form: Form) -> BadAction:
    return BadAction(f"the answer was neither stay nor leave; {_EXAMPLES[form]}.")
