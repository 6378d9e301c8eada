"""The gateway against a provider that does what providers do: answers, limits, breaks and refuses."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

import pytest
from loopback import Answer, Provider, chat, failure

from paars_bench.backbones.body import REASONING_HEADROOM
from paars_bench.backbones.door import Completion, Request
from paars_bench.backbones.gateway import LiteLLMBackbone
from paars_bench.backbones.patience import PATIENCE, Patience
from paars_bench.errors import BackboneUnusable
from paars_bench.outcomes import Outcome

KEY = "sk-loopback-0123456789abcdef"
PROMPT = [{"role": "system", "content": "You shop."}, {"role": "user", "content": "What do you search for?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Searches the shop.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    },
}
REPLY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[a-z]+$"},
        "words": {"type": "array", "items": {"type": "string", "maxLength": 9}, "minItems": 1, "maxItems": 4},
    },
    "required": ["query", "words"],
    "additionalProperties": False,
}


def backbone(
    provider: Provider, model: str = "openai/test", *, attempts: int = 3, deadline: float = 30.0, **options: Any
) -> LiteLLMBackbone:
    base = provider.url + ("/v1" if model.startswith("openai/") else "")
    given = {"api_base": base, "api_key": KEY, **options}
    return LiteLLMBackbone(model, model, given, attempts=attempts, deadline=deadline)


def ask(door: LiteLLMBackbone, **request: Any) -> Completion:
    return asyncio.run(door.complete(Request(PROMPT, **request)))


def sent(provider: Provider) -> Mapping[str, Any]:
    return provider.asked[-1].body


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exponential wait of half a second and more is cut; what a provider asks for is kept."""
    import tenacity

    monkeypatch.setattr(tenacity, "wait_random_exponential", lambda **_: lambda _state: 0.02)


def test_a_reply_with_its_usage(provider: Provider) -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 2}}
    provider.script(chat("blue mug", usage=(11, 3), details=details))
    reply = ask(backbone(provider), params={"temperature": 0, "max_tokens": 32, "seed": 7, "stop": ["\n"]})
    assert (reply.text, reply.outcome, reply.attempts, reply.error) == ("blue mug", Outcome.OK, 1, None)
    assert (reply.usage.input, reply.usage.cached, reply.usage.output, reply.usage.reasoning) == (11, 4, 3, 2)
    assert reply.latency_ms > 0
    asked = provider.asked[0]
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    expected = {"model": "test", "temperature": 0, "max_tokens": 32, "seed": 7, "stop": ["\n"], "messages": PROMPT}
    assert asked.body == expected


def test_an_unknown_price_is_unknown_and_a_known_one_is_not_zero(provider: Provider) -> None:
    provider.script(chat())
    assert ask(backbone(provider)).usage.cost_usd is None
    provider.script(chat(model="gpt-4o-mini", usage=(1000, 100)))
    cost = ask(backbone(provider, "openai/gpt-4o-mini")).usage.cost_usd
    assert cost is not None
    assert 0 < cost < 0.01


@pytest.mark.parametrize("usage", [None, (0, 0), (-5, -3), (-11, 3), (11, 0)])
def test_tokens_that_a_server_does_not_count_are_estimated_and_priced(
    provider: Provider, usage: tuple[int, int] | None
) -> None:
    provider.script(chat(usage=usage, model="gpt-4o-mini"))
    reply = ask(backbone(provider, "openai/gpt-4o-mini"))
    assert (reply.text, reply.outcome) == ("blue mug", Outcome.OK)
    assert reply.usage.estimated == 1
    assert reply.usage.input == 11 if usage == (11, 0) else reply.usage.input > 11
    assert reply.usage.output == 3
    assert reply.usage.cost_usd == pytest.approx(reply.usage.input * 1.5e-7 + 3 * 6e-7)
    provider.script(chat(usage=usage))
    assert ask(backbone(provider)).usage.cost_usd is None


def test_counts_of_details_stay_within_their_wholes(provider: Provider) -> None:
    details = {
        "prompt_tokens_details": {"cached_tokens": 4000},
        "completion_tokens_details": {"reasoning_tokens": -2},
    }
    provider.script(chat(usage=(11, 3), details=details))
    usage = ask(backbone(provider)).usage
    assert (usage.input, usage.cached, usage.output, usage.reasoning, usage.estimated) == (11, 11, 3, 0, 0)


@pytest.mark.parametrize(("until", "outcome"), [(0.3, Outcome.TIME_LIMIT), (None, Outcome.CANCELLED)])
def test_a_wait_that_a_provider_asks_for_ends_with_the_run(
    provider: Provider, until: float | None, outcome: Outcome
) -> None:
    provider.script(failure(429, "slow down", retry_after="60"))

    async def call() -> Completion:
        patience = Patience(until and time.monotonic() + until)
        PATIENCE.set(patience)
        asyncio.get_running_loop().call_later(0.6, patience.stop)
        return await backbone(provider, deadline=100).complete(Request(PROMPT))

    began = time.monotonic()
    reply = asyncio.run(call())
    assert time.monotonic() - began < 30
    assert reply.outcome is outcome
    assert (reply.attempts, len(provider.asked)) == (1, 1)
    assert reply.error is not None
    assert reply.error.startswith("not tried again: ")
    assert "slow down" in reply.error


@pytest.mark.parametrize(
    "first",
    [
        failure(500, "internal"),
        failure(502, "bad gateway"),
        failure(503, "overloaded"),
        failure(408, "request timeout"),
        Answer("", fault="reset"),
        Answer(chat().body, fault="cut"),
        Answer("<html>busy</html>", headers={"Content-Type": "text/html"}),
        Answer("<html>busy</html>"),
        Answer({"unexpected": 1}),
        Answer([1, 2]),
        Answer({**chat().body, "choices": []}),
        Answer({"error": {"message": "overloaded", "code": 529}}),
    ],
    ids=[
        "500",
        "502",
        "503",
        "408",
        "reset",
        "cut",
        "html",
        "html-as-json",
        "shape",
        "list",
        "no-choices",
        "error-in-200",
    ],
)
def test_a_passing_fault_is_asked_again(provider: Provider, first: Answer) -> None:
    provider.script(first, chat())
    reply = ask(backbone(provider))
    assert (reply.text, reply.outcome) == ("blue mug", Outcome.OK)
    assert reply.attempts == (1 if first.fault == "reset" else 2)  # LiteLLM connects again by itself, once
    assert len(provider.asked) == 2


@pytest.mark.parametrize(
    "always",
    [
        failure(500, "the machine is on fire"),
        Answer("", fault="reset"),
        Answer(chat().body, fault="cut"),
        Answer("<html>busy</html>", headers={"Content-Type": "text/html"}),
    ],
    ids=["500", "reset", "cut", "html"],
)
def test_a_lasting_fault_ends_as_a_provider_error_in_words(provider: Provider, always: Answer) -> None:
    provider.script(always)
    reply = ask(backbone(provider))
    assert (reply.text, reply.outcome, reply.attempts) == ("", Outcome.PROVIDER_ERROR, 3)
    assert len(provider.asked) == (6 if always.fault == "reset" else 3)
    assert reply.error
    assert "litellm" not in reply.error.split(" ")[0]


def test_a_call_that_came_too_many_is_no_attempt_and_ends_at_the_deadline(provider: Provider) -> None:
    provider.script(failure(429, "slow down"))
    began = time.monotonic()
    reply = ask(backbone(provider, attempts=2, deadline=0.5))
    assert reply.outcome is Outcome.PROVIDER_ERROR
    assert reply.error == "slow down"
    assert reply.attempts == len(provider.asked) > 2
    assert time.monotonic() - began < 5


def test_requests_that_all_fail_stop_the_run_in_one_sentence(provider: Provider) -> None:
    provider.script(failure(500, "the machine is on fire"))
    door = backbone(provider, attempts=1)

    async def all_of_them() -> list[Completion | BaseException]:
        return await asyncio.gather(*(door.complete(Request(PROMPT)) for _ in range(30)), return_exceptions=True)

    ended = asyncio.run(all_of_them())
    stopped = [str(e) for e in ended if isinstance(e, BackboneUnusable)]
    assert len(stopped) == 6
    assert any("the last 25 requests all failed at the provider" in words for words in stopped)
    assert all("the machine is on fire" in words for words in stopped)


def test_a_provider_that_does_not_answer_in_time(provider: Provider) -> None:
    provider.script(Answer(chat().body, fault="hang"))
    reply = ask(backbone(provider, timeout=0.15, attempts=2))
    assert (reply.outcome, reply.attempts) == (Outcome.PROVIDER_ERROR, 2)
    assert "time" in (reply.error or "").lower()


def test_nobody_listens() -> None:
    gone = Provider()
    gone.close()
    assert ask(backbone(gone, attempts=2)).outcome is Outcome.PROVIDER_ERROR


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_waited(provider: Provider, status: int) -> None:
    provider.script(failure(status, "slow", retry_after="0.4"), chat())
    started = time.monotonic()
    reply = ask(backbone(provider))
    assert reply.outcome is Outcome.OK
    assert time.monotonic() - started >= 0.4


def test_retry_after_as_a_date_is_waited(provider: Provider) -> None:
    provider.script(failure(429, "slow", retry_after=formatdate(time.time() + 2, usegmt=True)), chat())
    started = time.monotonic()
    assert ask(backbone(provider)).outcome is Outcome.OK
    assert time.monotonic() - started >= 0.9  # a date has whole seconds


@pytest.mark.parametrize("asked", ["soon", "", "-3", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_retry_after_that_says_nothing_is_no_wait(provider: Provider, asked: str) -> None:
    provider.script(failure(429, "slow", retry_after=asked), chat())
    started = time.monotonic()
    assert ask(backbone(provider)).outcome is Outcome.OK
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("content", ["", None, " \n\t"])
def test_an_empty_reply_is_asked_again_and_every_attempt_is_paid(provider: Provider, content: str | None) -> None:
    provider.script(chat(content, usage=(11, 1)), chat("mug", usage=(11, 3)))
    reply = ask(backbone(provider))
    assert (reply.text, reply.outcome, reply.attempts) == ("mug", Outcome.OK, 2)
    assert (reply.usage.input, reply.usage.output) == (22, 4)
    provider.script(chat(content, usage=(11, 1)))
    reply = ask(backbone(provider))
    assert (reply.outcome, reply.attempts) == (Outcome.EMPTY_OUTPUT, 3)
    assert (reply.usage.input, reply.usage.output) == (33, 3)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (chat("blue m", finish="length"), Outcome.TRUNCATED),
        (chat("", finish="length"), Outcome.TRUNCATED),
        (chat("", finish="content_filter"), Outcome.REFUSED),
        (chat("2", finish="content_filter"), Outcome.REFUSED),
        (chat("2", finish="safety"), Outcome.REFUSED),  # LiteLLM takes this and the next for a "stop"
        (chat("2", finish="max_output_tokens"), Outcome.TRUNCATED),
        (chat(None, refusal="I can't help with that."), Outcome.REFUSED),
        (failure(400, "rejected by our safety system", "content_policy_violation"), Outcome.REFUSED),
        (failure(403, "Your input was flagged by moderation"), Outcome.REFUSED),
        (failure(400, "invalid value for messages"), Outcome.ENV_ERROR),
        (failure(422, "invalid value for messages"), Outcome.ENV_ERROR),
        (failure(400, "the maximum context length is 10 tokens", "context_length_exceeded"), Outcome.CONTEXT_OVERFLOW),
        (failure(400, "far too long", "context_length_exceeded"), Outcome.CONTEXT_OVERFLOW),
        (failure(413, "payload too large"), Outcome.CONTEXT_OVERFLOW),
    ],
)
def test_what_belongs_to_one_case_costs_one_case_and_one_call(
    provider: Provider, answer: Answer, outcome: Outcome
) -> None:
    provider.script(answer)
    reply = ask(backbone(provider))
    assert (reply.outcome, reply.attempts) == (outcome, 1)
    assert reply.error or answer.status == 200


@pytest.mark.parametrize("ending", ["error", "network_error", "MALFORMED_RESPONSE"])
def test_a_reply_that_broke_off_is_asked_again_and_no_answer(provider: Provider, ending: str) -> None:
    provider.script(chat("2", finish=ending), chat("3"))
    assert ask(backbone(provider)).text == "3"
    provider.script(chat("2", finish=ending))
    reply = ask(backbone(provider, attempts=2))
    assert (reply.outcome, reply.attempts) == (Outcome.PROVIDER_ERROR, 2)
    assert reply.error == f"the reply ended with '{ending}'"


def test_a_key_that_a_model_says_is_not_kept(provider: Provider) -> None:
    provider.script(chat(f"my key is {KEY}", tool_calls=[("search", json.dumps({"query": KEY}))]))
    reply = ask(backbone(provider))
    assert (reply.text, reply.tool_calls[0].arguments) == ("my key is [key]", '{"query": "[key]"}')


def test_the_words_of_a_refusal_are_kept(provider: Provider) -> None:
    provider.script(chat(None, refusal="I can't help with that."))
    assert ask(backbone(provider)).error == "I can't help with that."


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (failure(401, f"Incorrect API key provided: {KEY}.", "invalid_api_key"), "refuses the API key"),
        (failure(402, "Insufficient balance"), "no credit"),
        (failure(403, "Project has no access"), "no permission"),
        (failure(404, "The model `test` does not exist", "model_not_found"), "no such model"),
        (failure(405, "Method not allowed"), "check api_base"),
        (failure(429, "You exceeded your current quota", "insufficient_quota"), "no credit"),
    ],
)
def test_what_no_case_survives_stops_at_once_in_one_sentence(provider: Provider, answer: Answer, says: str) -> None:
    provider.script(answer)
    with pytest.raises(BackboneUnusable, match=says) as stop:
        ask(backbone(provider))
    said = str(stop.value)
    assert len(provider.asked) == 1
    assert said.startswith("--model openai/test: ")
    assert "what is done is kept" in said
    assert "\n" not in said
    assert "litellm" not in said
    assert KEY not in said


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("around", ["key {} is wrong", "x" * 480 + " {}", '{{"authorization": "Bearer {}"}}'])
def test_a_key_that_a_provider_echoes_stays_secret(provider: Provider, status: int, around: str) -> None:
    provider.script(failure(status, around.format(KEY)))
    try:
        said = ask(backbone(provider, deadline=0.5, attempts=1)).error or ""
    except BackboneUnusable as stop:
        said = str(stop)
    assert said
    assert KEY not in said
    assert KEY[:12] not in said


def test_tool_calls_in_order_parallel_ones_too(provider: Provider) -> None:
    calls = [("search", '{"query": "mug"}'), ("view", '{"product": "M1"}')]
    provider.script(chat(None, finish="tool_calls", tool_calls=calls))
    reply = ask(backbone(provider, "openai/gpt-4o-mini"), tools=[TOOL])
    assert reply.outcome is Outcome.OK
    assert [(c.id, c.name) for c in reply.tool_calls] == [("call_0", "search"), ("call_1", "view")]
    assert [c.arguments for c in reply.tool_calls] == [arguments for _, arguments in calls]
    assert sent(provider)["tools"] == [TOOL]


@pytest.mark.parametrize("arguments", ["{not json", '"mug"', "[1]", "null"])
def test_arguments_that_are_no_object_come_back_as_they_are(provider: Provider, arguments: str) -> None:
    provider.script(chat(None, finish="tool_calls", tool_calls=[("search", arguments)]))
    (call,) = ask(backbone(provider, "openai/gpt-4o-mini"), tools=[TOOL]).tool_calls
    assert call.arguments == arguments


@pytest.mark.parametrize(("effort", "forced"), [("low", False), (None, True)])
def test_a_claude_that_thinks_is_not_forced_to_call(provider: Provider, effort: str | None, forced: bool) -> None:
    provider.script(
        claude({"type": "tool_use", "id": "t", "name": "search", "input": {"query": "mug"}}, stop="tool_use")
    )
    door = backbone(provider, CLAUDE)
    other = {"type": "function", "function": {"name": "view", "parameters": {"type": "object", "properties": {}}}}
    params = {"max_tokens": 2000} | ({"reasoning_effort": effort} if effort else {})
    reply = ask(door, tools=[other, TOOL], tool="search", params=params)
    assert reply.tool_calls[0].name == "search"
    assert ("tool_choice" in sent(provider), "tool_choice" in door.not_sent) == (forced, not forced)
    assert [t["name"] for t in sent(provider)["tools"]] == (["view", "search"] if forced else ["search"])


def test_tools_go_only_where_they_can_be_called(provider: Provider) -> None:
    provider.script(chat())
    door = backbone(provider)
    assert door.traits.tools is False
    ask(door, tools=[TOOL])
    assert "tools" not in sent(provider)


def test_an_object_schema_is_sent_without_what_hosted_models_refuse(provider: Provider) -> None:
    provider.script(chat())
    door = backbone(provider, "openai/gpt-4o-mini")
    ask(door, reply_schema=REPLY_SCHEMA)
    sent_format = sent(provider)["response_format"]
    assert sent_format["type"] == "json_schema"
    assert sent_format["json_schema"]["strict"] is True
    assert sent_format["json_schema"]["schema"] == {
        "type": "object",
        "properties": {"query": {"type": "string"}, "words": {"type": "array", "items": {"type": "string"}}},
        "required": ["query", "words"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 1, "maximum": 4},
        {"type": "string"},
        {"anyOf": [REPLY_SCHEMA, REPLY_SCHEMA]},
        {"type": "object", "anyOf": [REPLY_SCHEMA]},
    ],
)
def test_a_schema_that_hosted_models_refuse_is_not_sent(provider: Provider, schema: dict[str, Any]) -> None:
    provider.script(chat())
    door = backbone(provider, "openai/gpt-4o-mini")
    ask(door, reply_schema=schema)
    assert "response_format" not in sent(provider)


def test_a_parameter_that_is_not_supported_is_recorded(provider: Provider) -> None:
    provider.script(chat())
    door = backbone(provider, "openai/gpt-5-mini")
    ask(door, params={"temperature": 0, "seed": 1})
    assert "temperature" not in sent(provider)
    assert sent(provider)["seed"] == 1
    assert set(door.not_sent) == {"temperature"}
    assert "openai/gpt-5-mini" in door.not_sent["temperature"]


def test_a_supported_parameter_is_not_recorded(provider: Provider) -> None:
    provider.script(chat())
    door = backbone(provider, "openai/gpt-4o-mini")
    ask(door, params={"temperature": 0, "seed": 1, "max_tokens": 5, "stop": ["\n"]})
    assert door.not_sent == {}
    assert sent(provider)["max_tokens"] == 5


def test_a_reasoning_model_has_room_to_think(provider: Provider) -> None:
    provider.script(chat())
    door = backbone(provider, "openai/o3-mini")
    ask(door, params={"max_tokens": 32})
    assert sent(provider)["max_completion_tokens"] == 32 + REASONING_HEADROOM
    assert str(REASONING_HEADROOM) in door.traits.details["max_tokens"]


def test_a_model_litellm_does_not_know_has_a_named_guess_of_its_context(provider: Provider) -> None:
    assert backbone(provider).traits.context_tokens == 32_000
    assert "32,000" in backbone(provider).traits.details["context"]
    assert "context" not in backbone(provider, "openai/gpt-4o-mini").traits.details


def test_one_door_serves_many_calls_at_once_and_opens_again_after_closing(provider: Provider) -> None:
    provider.script(chat())
    door = backbone(provider)

    async def many() -> list[Completion]:
        replies = await asyncio.gather(*(door.complete(Request(PROMPT)) for _ in range(20)))
        await door.aclose()
        return replies

    for _ in range(2):
        assert [r.outcome for r in asyncio.run(many())] == [Outcome.OK] * 20
    assert len(provider.asked) == 40


CLAUDE = "anthropic/claude-haiku-4-5"


def claude(*content: dict[str, Any], stop: str = "end_turn") -> Answer:
    """A message in Anthropic's format."""
    return Answer(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5",
            "content": list(content),
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {"input_tokens": 20, "cache_read_input_tokens": 5, "output_tokens": 4},
        }
    )


def claude_fails(status: int, kind: str, message: str) -> Answer:
    return Answer({"type": "error", "error": {"type": kind, "message": message}}, status)


def test_claude_answers(provider: Provider) -> None:
    provider.script(claude({"type": "text", "text": "blue mug"}))
    door = backbone(provider, CLAUDE)
    reply = ask(door, params={"temperature": 0, "max_tokens": 32, "seed": 1})
    assert (reply.text, reply.outcome) == ("blue mug", Outcome.OK)
    assert (reply.usage.input, reply.usage.cached, reply.usage.output) == (25, 5, 4)
    assert reply.usage.cost_usd is not None
    assert reply.usage.cost_usd > 0
    assert provider.asked[0].path == "/v1/messages"
    assert sent(provider)["temperature"] == 0
    assert set(door.not_sent) == {"seed"}


def test_claude_calls_a_tool(provider: Provider) -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "search", "input": {"query": "mug"}}
    provider.script(claude({"type": "text", "text": "Let me look."}, use, stop="tool_use"))
    reply = ask(backbone(provider, CLAUDE), tools=[TOOL])
    (call,) = reply.tool_calls
    assert (call.id, call.name, json.loads(call.arguments)) == ("toolu_1", "search", {"query": "mug"})
    assert sent(provider)["tools"][0]["name"] == "search"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (claude({"type": "text", "text": "blue"}, stop="max_tokens"), Outcome.TRUNCATED),
        (claude(stop="refusal"), Outcome.REFUSED),
        (
            claude_fails(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
            Outcome.CONTEXT_OVERFLOW,
        ),
        (claude_fails(529, "overloaded_error", "Overloaded"), Outcome.PROVIDER_ERROR),
    ],
)
def test_claude_ends_otherwise(provider: Provider, answer: Answer, outcome: Outcome) -> None:
    provider.script(answer)
    assert ask(backbone(provider, CLAUDE, attempts=1)).outcome is outcome


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (claude_fails(401, "authentication_error", "invalid x-api-key"), r"refuses the API key \(invalid x-api-key\)"),
        (claude_fails(404, "not_found_error", "model: claude-x"), r"no such model or address \(model: claude-x\)"),
        (claude_fails(400, "invalid_request_error", "Your credit balance is too low"), "no credit"),
    ],
)
def test_claude_cannot_be_used(provider: Provider, answer: Answer, says: str) -> None:
    provider.script(answer)
    with pytest.raises(BackboneUnusable, match=says):
        ask(backbone(provider, CLAUDE))
    assert len(provider.asked) == 1
