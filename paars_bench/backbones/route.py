"""The lightest way through LiteLLM to the same request.

LiteLLM sends to a server of the OpenAI format in two ways: through OpenAI's own client (``openai/``), which checks and
copies each request, and through its common HTTP handler (``hosted_vllm/``), at three quarters of the CPU. A server of
one's own gets the second, OpenAI itself the first. ``scripts/bench_throughput.py`` measures both.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, NamedTuple

_LIGHT = "hosted_vllm"
_KEPT = frozenset({"api_base", "api_key", "timeout"})
"""Options that mean the same on both ways."""


class Route(NamedTuple):
    """How a model is reached.

    Attributes:
        model: the name that LiteLLM is called with.
        options: sent with every call.
        light: whether that is another way than the name would take.
    """

    model: str
    options: Mapping[str, Any]
    light: bool = False


def route_of(litellm: Any, model: str, options: Mapping[str, Any]) -> Route:
    """Returns the way to a model.

    Args:
        litellm: the module, which this file does not import for its 2 to 5 seconds.
        model: as LiteLLM knows it.
        options: sent with every call.
    """
    bare = model.removeprefix("openai/")
    own_server = model.startswith("openai/") and "api_base" in options and options.keys() <= _KEPT
    if not own_server or "openai.com" in str(options["api_base"]) or bare in litellm.model_cost:
        return Route(model, options)
    key = options.get("api_key") or os.environ.get("OPENAI_API_KEY", "none")
    return Route(f"{_LIGHT}/{bare}", {**options, "api_key": key}, light=True)


def unpriced(litellm: Any, model: str) -> None:
    """Tells LiteLLM that a model on a server of one's own costs nothing, which ``Traits.priced`` knows better.

    It would look for a price among hundreds of patterns, several times a call.
    """
    litellm.register_model(
        {
            model: {
                "litellm_provider": model.split("/", 1)[0],
                "mode": "chat",
                "input_cost_per_token": 0.0,
                "output_cost_per_token": 0.0,
            }
        }
    )


def unrecorded() -> ContextVar[bool] | None:
    """Returns the switch by which LiteLLM makes no record of a call for callbacks; nobody here sets any.

    It is not a public name: where a release has none, a call costs 0.3 ms more and nothing else.
    """
    with suppress(ImportError):
        from litellm._internal_context import is_internal_call

        switch: ContextVar[bool] = is_internal_call
        return switch
    return None
