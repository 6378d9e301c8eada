"""The actions of a page as one flat JSON object, for hosted models that refuse alternatives at the root of a schema.

It holds less than ``action_schema``: that a search has a query, and that a product can be taken by that tool, follows
only from the reply being read. Only keywords that all of them take are used: ``type``, ``enum``, ``properties``,
``required`` and ``additionalProperties``; what is not needed is null, since every key must be there.
"""

from __future__ import annotations

from typing import Any

from paars_bench.store.actions import BY_VERB, Verb
from paars_bench.store.pages import Page


def flat_action_schema(page: Page) -> dict[str, Any]:
    """Returns the JSON schema of an action on a page; ``leave`` stands first where the page offers leaving."""
    leaves = Verb.LEAVE in page.possible
    verbs: list[str | None] = [str(v) for v in page.possible if v is not Verb.LEAVE]
    properties: dict[str, Any] = {"leave": {"type": "boolean"}} if leaves else {}
    # who leaves does nothing else
    properties["action"] = _nullable(verbs) if leaves else {"type": "string", "enum": verbs}
    ids = dict.fromkeys(pid for verb in page.possible for pid in page.targets(verb))
    for argument in (a for verb in page.possible for a in BY_VERB[verb].arguments):
        choices = list(ids) if argument.name == "product" else argument.schema.get("enum")
        properties[argument.name] = _nullable(choices, str(argument.schema["type"]))
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _nullable(values: list[Any] | None, kind: str = "string") -> dict[str, Any]:
    return {"type": [kind, "null"], **({} if values is None else {"enum": [*values, None]})}
