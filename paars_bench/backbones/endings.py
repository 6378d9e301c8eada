"""How a reply ended, told from its finish reason and its refusal field: a reply that broke off is no behaviour.

LiteLLM sorts the finish reasons it knows. One that it does not know, and one that says ``error``, it takes for a
``stop`` and keeps beside, under the provider's own name.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from paars_bench.outcomes import Outcome

_STOPS = {"length": Outcome.TRUNCATED, "content_filter": Outcome.REFUSED}
_NATIVE = (  # the first that holds a part of the provider's own name
    (Outcome.REFUSED, ("filter", "safety", "refus", "moderat", "recitation", "blocklist", "prohibited", "spii")),
    (Outcome.PROVIDER_ERROR, ("error", "malformed", "abort", "cancel")),
    (Outcome.TRUNCATED, ("max_tokens", "max_output_tokens", "max_length", "token_limit")),
)


class Ending(NamedTuple):
    """How a reply ended, and the provider's words where it ended badly."""

    outcome: Outcome
    words: str = ""


def ending_of(choice: Any) -> Ending:
    """Returns how a reply ended.

    Args:
        choice: of LiteLLM's response.
    """
    refusal = _refusal(choice.message)
    if refusal:
        return Ending(Outcome.REFUSED, refusal)
    if choice.finish_reason in _STOPS:
        return Ending(_STOPS[choice.finish_reason])
    own = getattr(choice, "provider_specific_fields", None) or {}
    name = str(own.get("native_finish_reason") or "")
    for outcome, parts in _NATIVE:
        if any(part in name.lower() for part in parts):
            return Ending(outcome, f"the reply ended with {name!r}")
    return Ending(Outcome.OK)


def _refusal(message: Any) -> str:
    """Returns the words of a refusal, "" where there is none; LiteLLM keeps OpenAI's field among a provider's own."""
    own = getattr(message, "provider_specific_fields", None) or {}
    return str(getattr(message, "refusal", None) or own.get("refusal") or "")
