"""Tokens that a provider read from its prompt cache or wrote to it: counted apart, and paid at their own rates."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from loopback import Answer, Provider, chat

from paars_bench.backbones.counted import Counted, usage_of
from paars_bench.backbones.door import Request, Usage
from paars_bench.backbones.gateway import LiteLLMBackbone

CLAUDE, GPT, NEW_GPT = "anthropic/claude-haiku-4-5", "openai/gpt-4o-mini", "openai/gpt-5.6"
BEDROCK = "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0"
KEY = {"api_key": "sk-loopback-0123456789abcdef"}
AWS = {"aws_access_key_id": "AKIA0123456789ABCDEF", "aws_secret_access_key": "s" * 40, "aws_region_name": "us-east-1"}
CLAUDE_REPLY = Answer(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [{"type": "text", "text": "blue mug"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 100,
            "cache_read_input_tokens": 2000,
            "cache_creation_input_tokens": 300,
            "output_tokens": 10,
        },
    }
)
CONVERSED = Answer(
    {
        "output": {"message": {"role": "assistant", "content": [{"text": "blue mug"}]}},
        "stopReason": "end_turn",
        "metrics": {"latencyMs": 1},
        "usage": {
            "inputTokens": 100,
            "outputTokens": 10,
            "totalTokens": 2410,
            "cacheReadInputTokens": 2000,
            "cacheWriteInputTokens": 300,
        },
    }
)
GEMINI_REPLY = Answer(
    {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "blue mug"}]}, "finishReason": "STOP"}],
        "usageMetadata": {
            "promptTokenCount": 2400,
            "cachedContentTokenCount": 2000,
            "candidatesTokenCount": 10,
            "totalTokenCount": 2410,
        },
        "modelVersion": "gemini-2.5-flash",
    }
)


def openai_usage(**details: Any) -> Answer:
    return chat(usage=(2400, 10), model="test", details=details)


# model, reply, tokens billed in full, read, written
BILLED = [
    pytest.param(CLAUDE, CLAUDE_REPLY, (100, 2000, 300), id="anthropic"),
    pytest.param(BEDROCK, CONVERSED, (100, 2000, 300), id="bedrock"),
    pytest.param(GPT, openai_usage(prompt_tokens_details={"cached_tokens": 2000}), (400, 2000, 0), id="openai"),
    pytest.param(
        NEW_GPT,
        openai_usage(prompt_tokens_details={"cached_tokens": 2000, "cache_write_tokens": 300}),
        (100, 2000, 300),
        id="openai-5.6",
    ),
    pytest.param(
        "deepseek/deepseek-chat",
        openai_usage(prompt_cache_hit_tokens=2000, prompt_cache_miss_tokens=400),
        (400, 2000, 0),
        id="deepseek",
    ),
    pytest.param("gemini/gemini-2.5-flash", GEMINI_REPLY, (400, 2000, 0), id="gemini"),
]


def used(provider: Provider, model: str, answer: Answer) -> Usage:
    provider.script(answer)
    options: dict[str, Any] = {"api_base": provider.url, **(AWS if model == BEDROCK else KEY)}
    door = LiteLLMBackbone(model, model, options)
    return asyncio.run(door.complete(Request([{"role": "user", "content": "?"}]))).usage


@pytest.mark.parametrize(("model", "answer", "tokens"), BILLED)
def test_cached_tokens_are_counted_apart_and_paid_at_their_own_rates(
    provider: Provider, model: str, answer: Answer, tokens: tuple[int, int, int]
) -> None:
    import litellm

    usage = used(provider, model, answer)
    assert (usage.input, usage.cached, usage.output, usage.estimated) == (2400, 2000, 10, 0)
    price = litellm.get_model_info(model)
    rates = ("input_cost_per_token", "cache_read_input_token_cost", "cache_creation_input_token_cost")
    by_hand = sum(n * price[rate] for n, rate in zip(tokens, rates, strict=True) if n)
    assert usage.cost_usd == pytest.approx(by_hand + 10 * price["output_cost_per_token"])


def test_claude_reads_at_a_tenth_and_writes_at_one_and_a_quarter(provider: Provider) -> None:
    cost = used(provider, CLAUDE, CLAUDE_REPLY).cost_usd
    assert cost == pytest.approx((100 + 2000 * 0.1 + 300 * 1.25 + 10 * 5) / 1e6)


def test_what_a_router_says_it_costs_is_what_it_costs(provider: Provider) -> None:
    answer = openai_usage(prompt_tokens_details={"cached_tokens": 2000}, cost=0.00123)
    usage = used(provider, "openrouter/anthropic/claude-3.5-sonnet", answer)
    assert (usage.cached, usage.cost_usd) == (2000, 0.00123)


@pytest.mark.parametrize(("model", "answer"), [p.values[:2] for p in BILLED])
def test_without_a_cost_by_litellm_the_same_is_computed(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, model: str, answer: Answer
) -> None:
    import litellm

    told, asks = used(provider, model, answer), litellm.acompletion

    async def without(**body: Any) -> Any:
        reply = await asks(**body)
        reply._hidden_params["response_cost"] = None
        return reply

    monkeypatch.setattr(litellm, "acompletion", without)
    assert used(provider, model, answer).cost_usd == pytest.approx(told.cost_usd)


def test_what_litellm_gives_no_cost_of_is_handed_on_by_kind() -> None:
    details = SimpleNamespace(cached_tokens=2000, cache_creation_tokens=300)
    raw = SimpleNamespace(prompt_tokens=2400, completion_tokens=10, prompt_tokens_details=details)
    seen: list[Counted] = []

    def price(counted: Counted) -> float:
        seen.append(counted)
        return 0.5

    assert usage_of(raw, prompt="?", said="mug", cost=None, price=price).cost_usd == 0.5
    assert seen == [Counted(sent=2400, came=10, cached=2000, written=300)]


@pytest.mark.parametrize(("cached", "written"), [(9000, 300), (2000, 9000), (-5, -5)])
def test_counts_that_cannot_be_are_cut_to_what_was_sent(cached: int, written: int) -> None:
    details = SimpleNamespace(cached_tokens=cached, cache_creation_tokens=written)
    raw = SimpleNamespace(prompt_tokens=2400, completion_tokens=10, prompt_tokens_details=details)
    seen: list[Counted] = []
    usage_of(raw, prompt="?", said="mug", cost=None, price=lambda c: seen.append(c))
    assert 0 <= seen[0].cached + seen[0].written <= 2400
    assert seen[0].cached >= 0 <= seen[0].written
