"""What a call used: by the server's own count, or estimated from the text where the server does not count.

A server of one's own often sends no usage, or zeros, and LiteLLM prices those at nothing. Taken as they are, they would
let a run go on past every cap on tokens or money.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from paars_bench.backbones.door import Usage
from paars_bench.personas.history import estimate_tokens


def usage_of(raw: Any, *, prompt: str, said: str, cost: Any, price: Callable[[int, int], float | None]) -> Usage:
    """Returns the usage of one call.

    Args:
        raw: ``usage`` of LiteLLM's reply, or None. A count below zero counts as missing.
        prompt: text of what was sent: it has tokens, so a count of none is no count.
        said: text of what came back, tool calls included, likewise.
        cost: US dollars by LiteLLM; what is no number of 0 or more is no cost.
        price: gives the cost of input and output tokens where LiteLLM gives none, None where it is unknown.
    """
    sent, came = _count(raw, "prompt_tokens"), _count(raw, "completion_tokens")
    if not sent or (said and not came):
        sent, came = sent or estimate_tokens(prompt), came or estimate_tokens(said)
        return Usage(sent, 0, came, 0, price(sent, came), estimated=1)
    known = isinstance(cost, int | float) and 0 <= cost < math.inf
    return Usage(
        input=sent,
        cached=min(_count(getattr(raw, "prompt_tokens_details", None), "cached_tokens"), sent),
        output=came,
        reasoning=min(_count(getattr(raw, "completion_tokens_details", None), "reasoning_tokens"), came),
        cost_usd=float(cost) if known else price(sent, came),
    )


def _count(holder: Any, name: str) -> int:
    value = getattr(holder, name, None)
    return int(value) if isinstance(value, int | float) and 0 < value < math.inf else 0
