"""What a call used: by the server's own count, or estimated from the text where the server does not count.

A server of one's own often sends no usage, or zeros, and LiteLLM prices those at nothing. Taken as they are, they would
let a run go on past every cap on tokens or money.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from paars_bench.backbones.door import Usage
from paars_bench.personas.history import estimate_tokens


class Counted(NamedTuple):
    """Tokens of a call as they are billed: ``sent`` includes those read from the provider's cache and written to it."""

    sent: int
    came: int
    cached: int = 0
    written: int = 0


def usage_of(raw: Any, *, prompt: str, said: str, cost: Any, price: Callable[[Counted], float | None]) -> Usage:
    """Returns the usage of one call.

    Args:
        raw: ``usage`` of LiteLLM's reply, or None. A count below zero counts as missing.
        prompt: text of what was sent: it has tokens, so a count of none is no count.
        said: text of what came back, tool calls included, likewise.
        cost: US dollars by LiteLLM; what is no number of 0 or more is no cost.
        price: gives the cost of tokens where LiteLLM gives none, None where it is unknown.
    """
    sent, came = _count(raw, "prompt_tokens"), _count(raw, "completion_tokens")
    if not sent or (said and not came):
        sent, came = sent or estimate_tokens(prompt), came or estimate_tokens(said)
        return Usage(sent, 0, came, 0, price(Counted(sent, came)), estimated=1)
    details = getattr(raw, "prompt_tokens_details", None)
    cached = min(_count(details, "cached_tokens"), sent)
    counted = Counted(sent, came, cached, min(_count(details, "cache_creation_tokens"), sent - cached))
    known = isinstance(cost, int | float) and 0 <= cost < math.inf
    return Usage(
        input=sent,
        cached=cached,
        output=came,
        reasoning=min(_count(getattr(raw, "completion_tokens_details", None), "reasoning_tokens"), came),
        cost_usd=float(cost) if known else price(counted),
    )


def _count(holder: Any, name: str) -> int:
    value = getattr(holder, name, None)
    return int(value) if isinstance(value, int | float) and 0 < value < math.inf else 0
