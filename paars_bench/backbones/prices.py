"""What calls cost by the price list that LiteLLM ships: read from the installed package, never fetched."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from paars_bench.backbones.door import Traits
from paars_bench.backbones.litellm import import_litellm
from paars_bench.boundary import unforeseen

LEAST_CACHED = 1024
"""Tokens that a prompt's beginning needs to be cached, where LiteLLM lists no other number: as OpenAI has it."""
_MANY = 1000


class Prices:
    """The prices of one model.

    Args:
        traits: of the model.

    Attributes:
        known: there are any; nothing is a price too.
        source: which list, in words.
        least_cached: tokens that a prompt's beginning needs to be cached; below it is read anew.
        thinks: the model can think before it answers, which is billed as output.
    """

    def __init__(self, traits: Traits) -> None:
        self._litellm, self._model = import_litellm(), traits.litellm_model
        self._free = traits.details.get("cost") == "none"
        info: Any = {}
        with unforeseen():  # LiteLLM raises a bare Exception for a model it has no entry for
            info = self._litellm.get_model_info(self._model)
        self.known = traits.priced
        self.source = f"the price list of LiteLLM {version('litellm')}"
        self.least_cached = 0 if self._free else int(info.get("prompt_cache_min_tokens") or LEAST_CACHED)
        self.thinks = bool(self._litellm.supports_reasoning(model=self._model))

    def of_call(self, sent: float, cached: float, came: float) -> float:
        """Returns US dollars for one call; a price can depend on how long its prompt is.

        Args:
            sent: tokens of the prompt, the cached among them.
            cached: tokens read from the provider's cache.
            came: tokens of the reply.
        """
        if self._free:
            return 0.0
        read, written = self._litellm.cost_per_token(
            self._model,
            prompt_tokens=round(sent),
            completion_tokens=_MANY,  # of a reply of two tokens on average rounding would take a part
            cache_read_input_tokens=round(cached),
        )
        return float(read + written * came / _MANY)
