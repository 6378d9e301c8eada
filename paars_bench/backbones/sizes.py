"""How large a request is before it is sent: counted as near as can be without a network and without a call.

Caps and history budgets need an upper estimate and have one (``Backbone.count_tokens``). What a run will cost needs a
near one: the embedded model's own tokenizer, else the tokenizer files that LiteLLM ships.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from paars_bench.backbones.body import BodyMaker
from paars_bench.backbones.door import Message, Request, Traits
from paars_bench.backbones.litellm import import_litellm
from paars_bench.backbones.local import running_server
from paars_bench.backbones.route import route_of
from paars_bench.boundary import unforeseen
from paars_bench.personas.history import estimate_tokens

_AROUND_MESSAGE, _START = 4, 3  # tokens of a message's role and of the beginning of a reply, as LiteLLM counts them


class Sized(NamedTuple):
    """A request as it would be sent.

    Attributes:
        text: all of it in the order in which prompts are cached: schema of the reply, tools, messages.
        tokens: of the prompt.
        marked: of them, those up to the last mark for the provider's cache, which may bill what it writes there.
        most: tokens of the reply at most, without those that a model may think.
    """

    text: str
    tokens: int
    marked: int
    most: int


class Sizer:
    """Measures requests to a model.

    Args:
        traits: of the model, which is no baseline.
        options: sent with every call.

    Attributes:
        provider: who serves it, in LiteLLM's word.
        counted_by: whose tokenizer counts, in words.
        not_sent: what of the requests the provider does not take, with the reason.
        count: tokens of a text.
        marks: the provider caches what is marked and nothing else.
    """

    def __init__(self, traits: Traits, options: Mapping[str, Any]) -> None:
        self._litellm, self._model = import_litellm(), traits.litellm_model
        self.not_sent: dict[str, str] = {}
        reasons = bool(self._litellm.supports_reasoning(model=self._model))
        route = route_of(self._litellm, self._model, options)
        self._body = BodyMaker(self._litellm, route, traits, self.not_sent, reasons=reasons)
        self.marks = self._body.marks
        _, self.provider, *_ = self._litellm.get_llm_provider(self._model, api_base=options.get("api_base"))
        self._server = running_server(self._model)
        if self._server is None:
            self.counted_by, count = _shipped(self._litellm, self._model)
        else:
            self.counted_by, count = "the model's own tokenizer and chat template", self._server.count_text
        self.count: Callable[[str], int] = lru_cache(maxsize=4096)(count)

    def measure(self, request: Request) -> Sized:
        """Returns a request as it would be sent."""
        body = self._body(request)
        messages: Sequence[Message] = body["messages"]
        tools: Sequence[Any] = body.get("tools", ())
        schema: Mapping[str, Any] | None = body.get("response_format")
        if self._server is None:
            tokens = sum(self.count(m["content"]) + _AROUND_MESSAGE for m in messages) + _START
            tokens += self._tools(tools) + (self.count(json.dumps(schema)) if schema else 0)
        else:
            tokens, schema = self._server.count_prompt(messages), None  # here a schema is no part of the prompt
        before = json.dumps([schema, tools])
        text = "\n".join([before, *(f"{m['role']}: {m['content']}" for m in messages)])
        share = _marked(self._body.marked(request)["messages"], start=len(before)) / len(text)
        return Sized(text, tokens, int(share * tokens), int(request.params.get("max_tokens") or 0))

    def _tools(self, tools: Sequence[Any]) -> int:
        """OpenAI writes tools in a short form, which LiteLLM knows; of others no more than their JSON is known."""
        if not tools:
            return 0
        if _openai(self._model):
            name = self._model.rpartition("/")[2]
            return int(self._litellm.token_counter(model=name, messages=[], tools=list(tools))) - _START
        return self.count(json.dumps(tools))


def _marked(messages: Sequence[Message], start: int) -> int:
    """Returns how many characters stand before the last mark in messages that are written after so many others."""
    at, last = start, 0
    for message in messages:
        at += len(f"\n{message['role']}: ")
        content = message["content"]
        for block in content if isinstance(content, list) else [{"text": content}]:
            at += len(block["text"])
            last = at if block.keys() > {"type", "text"} else last
    return last


def _openai(model: str) -> bool:
    return model.startswith("openai/")


def _shipped(litellm: Any, model: str) -> tuple[str, Callable[[str], int]]:
    """Returns what the tokenizer is called that LiteLLM ships for a model, and its count of a text."""
    litellm.disable_hf_tokenizer_download = True  # else it asks the hub for those of Llama and Cohere
    name = model.rpartition("/")[2]  # with its provider LiteLLM does not know whose tokenizer it is

    def count(text: str) -> int:
        return int(litellm.token_counter(model=name, text=text))

    with unforeseen():  # a file that does not come with LiteLLM is looked for on the network
        count("a word")
        return "the tokenizer that LiteLLM takes for it, and the model's own may count otherwise", count
    return "3 bytes a token", estimate_tokens
