"""The actions of a page as one flat JSON object, for hosted models that refuse alternatives at the root of a schema.

It holds less than ``action_schema``: that a search has a query, and that a product can be taken by that tool, follows
only from the reply being read. Only keywords that all of them take are used: ``type``, ``enum``, ``properties``,
``required`` and ``additionalProperties``; what is not needed is null, since every key must be there.
"""

from __future__ import annotations

from typing import Any

from paars_bench.store.actions import TOOLS, Verb
from paars_bench.store.pages import Page


def flat_action_schema(page: Page) -> dict[str, Any]:
    """Returns the JSON schema of an action on a page; ``leave`` stands first where the page offers leaving."""
    leaves = Verb.LEAVE in page.possible
    verbs: list[str | None] = [str(v) for v in page.possible if v is not Verb.LEAVE]
    properties: dict[str, Any] = {"leave": {"type": "boolean"}} if leaves else {}
    # who leaves does nothing else
    properties["action"] = _nullable(verbs) if leaves else {"type": "string", "enum": verbs}
    arguments = dict.fromkeys(t.argument for t in TOOLS if t.argument is not None and t.verb in page.possible)
    for name in arguments:
        ids = dict.fromkeys(pid for verb in page.possible for pid in page.targets(verb))
        properties[name] = _nullable(list(ids)) if name == "product" else {"type": ["string", "null"]}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _nullable(values: list[Any]) -> dict[str, Any]:
    return {"type": ["string", "null"], "enum": [*values, None]}
