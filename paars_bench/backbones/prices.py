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
        batch: calls go in the provider's batches, at half the price.

    Attributes:
        known: there are any; nothing is a price too.
        source: which list, in words.
        least_cached: tokens that a prompt's beginning needs to be cached; below it is read anew.
        thinks: the model can think before it answers, which is billed as output.
    """

    def __init__(self, traits: Traits, *, batch: bool) -> None:
        self._litellm, self._model = import_litellm(), traits.litellm_model
        self._free = traits.details.get("cost") == "none"
        info: Any = {}
        with unforeseen():  # LiteLLM raises a bare Exception for a model it has no entry for
            info = self._litellm.get_model_info(self._model)
        self.known = traits.priced
        self._share = 0.5 if batch else 1.0
        self.source = f"the price list of LiteLLM {version('litellm')}" + (", half of it for batches" if batch else "")
        self.least_cached = 0 if self._free else int(info.get("prompt_cache_min_tokens") or LEAST_CACHED)
        self.thinks = bool(self._litellm.supports_reasoning(model=self._model))

    def of_call(self, sent: float, came: float, *, cached: float, written: float) -> float:
        """Returns US dollars for one call; a price can depend on how long its prompt is.

        Args:
            sent: tokens of the prompt.
            came: tokens of the reply.
            cached: of the prompt, those read from the provider's cache.
            written: of the prompt, those written to it, where it is told what to write.
        """
        if self._free:
            return 0.0
        prompt, reply = self._litellm.cost_per_token(
            self._model,
            prompt_tokens=round(sent),
            completion_tokens=_MANY,  # of a reply of two tokens on average rounding would take a part
            cache_read_input_tokens=round(cached),
            cache_creation_input_tokens=round(written),
        )
        return self._share * float(prompt + reply * came / _MANY)
