"""What a provider on loopback answers to anything a run asks: never the same twice, so that a reply tells its call."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

from loopback import Answer, Asked, chat

from paars_bench.store import LEAVING_TOOL


class ShoppingServer:
    """Makes valid replies to questions, to the calls of a session and to the mining of personas."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def __call__(self, asked: Asked) -> Answer:
        body, number = asked.body, next(self._count)
        usage = (100 + number, 3)
        if body.get("tools"):
            return chat(None, finish="tool_calls", tool_calls=[_call(body, number)], usage=usage)
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        if schema is not None and "reasoning" in schema["properties"]:
            return chat(json.dumps({k: _value(v, number) for k, v in schema["properties"].items()}), usage=usage)
        prompt = body["messages"][-1]["content"]
        options = re.findall(r"^(\d+)\. ", prompt, re.MULTILINE)
        return chat(options[number % len(options)] if options else f"blue mug {number}", usage=usage)


def _call(body: dict[str, Any], number: int) -> tuple[str, str]:
    wanted = body.get("tool_choice", {})
    if isinstance(wanted, dict) and wanted["function"]["name"] == LEAVING_TOOL:
        return LEAVING_TOOL, json.dumps({"decision": "leave" if number % 3 == 0 else "stay"})
    return "search", json.dumps({"query": f"mug {number}"})


def _value(schema: dict[str, Any], number: int) -> Any:
    if "enum" in schema:
        return schema["enum"][number % len(schema["enum"])]
    return [f"tea {number}"] if schema["type"] == "array" else f"word {number}"
