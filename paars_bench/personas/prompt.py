"""What a condition tells of the shopper, as the stable head of every prompt: equal for all cases of a shopper.

The history stands first. It is the longest part, and under ``history`` and ``persona`` the same, so that providers read
it from their cache under either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from paars_bench.personas.conditions import Condition
from paars_bench.personas.history import History
from paars_bench.personas.mine import Persona

_HISTORY_END = "\n</history>"


def persona_block(condition: Condition, persona: Persona | None, history: History | None) -> str:
    """Returns what is said of one shopper under one condition; "" under ``base``.

    Args:
        condition: which parts are shown.
        persona: mined, or None where the condition shows no mined part.
        history: rendered, or None where the condition shows none.
    """
    parts: list[str] = []
    if "history" in condition.parts and history is not None:
        parts.append(f"What you did in this store, the newest first:\n<history>\n{history.text}{_HISTORY_END}")
    if "profile" in condition.parts and persona is not None:
        parts.append("Who you are:\n" + _fields(persona.profile))
    if "preferences" in condition.parts and persona is not None:
        parts.append("How you shop:\n" + _fields(persona.preferences))
    if "reasoning" in condition.parts and persona is not None:
        parts.append("What speaks for this:\n" + "\n".join(persona.reasoning.values()))
    return "\n\n".join(parts)


def shared_ends(block: str) -> tuple[int, ...]:
    """Returns the places in a ``persona_block`` up to which prompts begin alike: the end of the history, and of all."""
    history = block.find(_HISTORY_END) + len(_HISTORY_END) if _HISTORY_END in block else 0
    return tuple(sorted({history, len(block)} - {0}))


def _fields(values: Mapping[str, Any]) -> str:
    lines = []
    for key, value in values.items():
        shown = ", ".join(str(v) for v in value) if isinstance(value, list) else str(value)
        lines.append(f"- {key.replace('_', ' ')}: {shown}")
    return "\n".join(lines)
