"""The stable head of a prompt: role, then what the condition tells of the shopper. Equal for all cases of a shopper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from paars_bench.personas.conditions import Condition
from paars_bench.personas.history import History
from paars_bench.personas.mine import Persona

_ROLE = "You act as a customer of an online shop and do what this customer would do."
_UNKNOWN = "Nothing is known about the customer."


def persona_block(condition: Condition, persona: Persona | None, history: History | None) -> str:
    """Returns the head of the system message for one shopper under one condition.

    Args:
        condition: which parts are shown.
        persona: mined, or None where the condition shows no mined part.
        history: rendered, or None where the condition shows none.
    """
    parts: list[str] = []
    if "profile" in condition.parts and persona is not None:
        parts.append("The customer:\n" + _fields(persona.profile))
    if "preferences" in condition.parts and persona is not None:
        parts.append("How the customer shops:\n" + _fields(persona.preferences))
    if "reasoning" in condition.parts and persona is not None:
        parts.append("Why we think so:\n" + "\n".join(persona.reasoning.values()))
    if "history" in condition.parts and history is not None:
        parts.append(f"What the customer did, the newest first:\n<history>\n{history.text}\n</history>")
    return "\n\n".join([_ROLE, *(parts or [_UNKNOWN])])


def _fields(values: Mapping[str, Any]) -> str:
    lines = []
    for key, value in values.items():
        shown = ", ".join(str(v) for v in value) if isinstance(value, list) else str(value)
        lines.append(f"- {key.replace('_', ' ')}: {shown}")
    return "\n".join(lines)
