"""The gateway against a provider that speaks Gemini's format: replies, refusals, cuts and errors of its own kind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from loopback import Answer, Provider

from paars_bench.backbones.door import Completion, Request
from paars_bench.backbones.gateway import LiteLLMBackbone
from paars_bench.errors import BackboneUnusable
from paars_bench.outcomes import Outcome

GEMINI = "gemini/gemini-2.5-flash"
PROMPT = [{"role": "system", "content": "You shop."}, {"role": "user", "content": "What do you search for?"}]
USAGE = {
    "promptTokenCount": 20,
    "cachedContentTokenCount": 5,
    "candidatesTokenCount": 4,
    "thoughtsTokenCount": 2,
    "totalTokenCount": 26,
}


def gemini(*parts: dict[str, Any], stop: str = "STOP", **more: Any) -> Answer:
    """A reply in Gemini's format."""
    content = {"role": "model", "parts": list(parts)} if parts else {"role": "model"}
    return Answer({"candidates": [{"content": content, "finishReason": stop}], "usageMetadata": USAGE, **more})


def fails(status: int, kind: str, message: str) -> Answer:
    return Answer({"error": {"code": status, "status": kind, "message": message}}, status)


def ask(provider: Provider, **request: Any) -> Completion:
    options = {"api_base": provider.url, "api_key": "planted-0123456789"}
    door = LiteLLMBackbone(GEMINI, GEMINI, options, attempts=1, deadline=0.1)
    return asyncio.run(door.complete(Request(PROMPT, **request)))


def test_gemini_answers(provider: Provider) -> None:
    provider.script(gemini({"text": "blue mug"}))
    reply = ask(provider, params={"temperature": 0, "max_tokens": 32})
    assert (reply.text, reply.outcome) == ("blue mug", Outcome.OK)
    assert (reply.usage.input, reply.usage.cached, reply.usage.output, reply.usage.reasoning) == (20, 5, 6, 2)
    assert reply.usage.cost_usd is not None
    assert reply.usage.cost_usd > 0
    (asked,) = provider.asked
    assert "generateContent" in asked.path
    assert asked.body["system_instruction"]["parts"][0]["text"] == "You shop."


def test_gemini_calls_a_tool(provider: Provider) -> None:
    provider.script(gemini({"functionCall": {"name": "search", "args": {"query": "mug"}}}))
    tool = {"type": "function", "function": {"name": "search", "parameters": {"type": "object", "properties": {}}}}
    (call,) = ask(provider, tools=[tool]).tool_calls
    assert (call.name, call.arguments) == ("search", '{"query": "mug"}')


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (gemini({"text": "blue"}, stop="MAX_TOKENS"), Outcome.TRUNCATED),
        (gemini(stop="MAX_TOKENS"), Outcome.TRUNCATED),
        (gemini(stop="STOP"), Outcome.EMPTY_OUTPUT),
        (gemini(stop="SAFETY"), Outcome.REFUSED),
        (gemini(stop="PROHIBITED_CONTENT"), Outcome.REFUSED),
        (gemini(stop="RECITATION"), Outcome.REFUSED),
        (gemini(stop="MALFORMED_FUNCTION_CALL"), Outcome.PROVIDER_ERROR),
        (Answer({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": USAGE}), Outcome.REFUSED),
        (
            fails(
                400, "INVALID_ARGUMENT", "The input token count (2000000) exceeds the maximum number of tokens allowed"
            ),
            Outcome.CONTEXT_OVERFLOW,
        ),
        (fails(503, "UNAVAILABLE", "The model is overloaded."), Outcome.PROVIDER_ERROR),
        (fails(429, "RESOURCE_EXHAUSTED", "Quota exceeded for requests per minute"), Outcome.PROVIDER_ERROR),
        (fails(400, "INVALID_ARGUMENT", "Unknown field for Schema: pattern"), Outcome.ENV_ERROR),
    ],
)
def test_gemini_ends_otherwise(provider: Provider, answer: Answer, outcome: Outcome) -> None:
    provider.script(answer)
    assert ask(provider).outcome is outcome


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (fails(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), "refuses the API key"),
        (fails(403, "PERMISSION_DENIED", "Permission denied"), "no permission"),
        (fails(404, "NOT_FOUND", "models/gemini-x is not found"), "no such model"),
    ],
)
def test_gemini_cannot_be_used(provider: Provider, answer: Answer, says: str) -> None:
    provider.script(answer)
    with pytest.raises(BackboneUnusable, match=says):
        ask(provider)
    assert len(provider.asked) == 1
