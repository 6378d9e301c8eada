"""Marks where a prompt's stable beginning ends, for the providers that cache only what is marked.

A prompt's own text stays as it is: in the journal and in its digest nothing is seen of this. Other providers are sent
plain text. Those of Gemini among them: LiteLLM makes of a mark there a request of its own that stores the beginning, at
a price by the hour, while newer Gemini models cache by themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from paars_bench.backbones.door import Message, Request

MOST = 4  # Anthropic refuses a request with more, OpenAI writes no more
_ANTHROPIC, _OPENAI = "cache_control", "prompt_cache_breakpoint"
_MARK: Mapping[str, Mapping[str, str]] = {_ANTHROPIC: {"type": "ephemeral"}, _OPENAI: {"mode": "explicit"}}
_CLAUDES = frozenset({"bedrock", "vertex_ai", "azure_ai"})  # LiteLLM knows which of theirs take a mark


class Breakpoints:
    """What is added to a request for the cache of its provider.

    Args:
        litellm: the module.
        model: as LiteLLM is called with it.
        provider: that LiteLLM finds for it.
    """

    def __init__(self, litellm: Any, model: str, provider: str) -> None:
        entry = litellm.model_cost.get(model) or litellm.model_cost.get(model.removeprefix(f"{provider}/")) or {}
        self._provider = provider
        self._form = self._form_of(litellm, model, entry)
        self._keyed = provider == entry.get("litellm_provider") == "openai"

    def _form_of(self, litellm: Any, model: str, entry: Mapping[str, Any]) -> str | None:
        if self._provider == "openai":
            return _OPENAI if entry.get("supports_prompt_cache_breakpoint") else None
        if "claude" not in model.lower():
            return None
        known = self._provider in _CLAUDES and litellm.utils.supports_prompt_caching(model, self._provider)
        return _ANTHROPIC if known or self._provider in ("anthropic", "openrouter") else None

    @property
    def needed(self) -> bool:
        """Whether the provider caches what is marked and nothing else."""
        return self._form is not None

    def put(self, body: Mapping[str, Any], request: Request) -> dict[str, Any]:
        """Returns the arguments of a call with marks, at most four, the longest-lived first."""
        marked = dict(body)
        if self._keyed and any(request.stable):
            marked.setdefault("prompt_cache_key", _key(request))
        if self._form == _OPENAI:
            # The end of the prompt would be a mark too, written at 1.25 times the price and never read again.
            marked.setdefault("prompt_cache_options", {"mode": "explicit"})
        if self._form is None or "response_format" in body:  # a schema stands before the prompt, and each is another
            return marked
        left, tools = MOST, body.get("tools") if self._form == _ANTHROPIC else None
        if tools and self._provider != "openrouter":
            marked["tools"] = [*tools[:-1], {**tools[-1], _ANTHROPIC: _MARK[_ANTHROPIC]}]
            left -= 1
        marked["messages"] = self._messages(request, left, chosen=bool(tools))
        return marked

    def _messages(self, request: Request, left: int, *, chosen: bool) -> list[Message]:
        """Returns the messages with at most ``left`` marks; ``chosen``: with a tool choice that spoils the messages."""
        messages: list[Message] = []
        for n, message in enumerate(request.messages):
            ends = request.stable[n] if n < len(request.stable) else ()
            if chosen and message["role"] != "system":
                ends = ends[:1]  # only calls with the same choice read the messages, and two about a page differ in it
            ends = ends[:left]
            left -= len(ends)
            messages.append({**message, "content": self._blocks(message["content"], ends)} if ends else message)
        return messages

    def _blocks(self, text: str, ends: Sequence[int]) -> list[dict[str, Any]]:
        assert self._form is not None, "asked for marks of a provider that takes none"
        mark = {self._form: _MARK[self._form]}
        blocks = [{"type": "text", "text": text[start:end], **mark} for start, end in pairwise((0, *ends))]
        rest = text[ends[-1] :]
        return [*blocks, {"type": "text", "text": rest}] if rest else blocks


def _key(request: Request) -> str:
    """Returns what sends calls that begin alike to the same machine.

    By itself OpenAI goes by the first 256 tokens, which in sessions are the tools: the same for all shoppers.
    """
    place, ends = next((n, ends) for n, ends in enumerate(request.stable) if ends)
    begin = request.messages[place]["content"][: ends[0]]
    return hashlib.sha256(f"{bool(request.tools)} {begin}".encode()).hexdigest()[:32]
