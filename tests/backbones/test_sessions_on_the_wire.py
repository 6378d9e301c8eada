"""Whole sessions over HTTP, in OpenAI's and in Anthropic's format: what is sent, and how what comes back is read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from loopback import Answer, Provider, chat

from paars_bench.backbones.open import open_backbone
from paars_bench.config import TaskIndex
from paars_bench.data.cases import Case, CaseKind
from paars_bench.data.schema import Catalog, Product, products_table
from paars_bench.outcomes import Outcome
from paars_bench.store import LEAVING_TOOL, Shop
from paars_bench.tasks.question import Asker, Question
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.result import CaseResult
from paars_bench.tasks.shop import play

Call = tuple[str, Any]
Reply = Callable[..., Answer]
OPENAI, CLAUDE = "openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"
SEARCH: Call = ("search", {"query": "mug"})
STAY: Call = (LEAVING_TOOL, {"decision": "stay"})
LEAVE: Call = (LEAVING_TOOL, {"decision": "leave"})
CATALOG = Catalog(products_table([Product(f"M{n}", f"Blue mug {n}", ("Kitchen",), price=5.0 + n) for n in range(3)]))


def openai(*calls: Call, text: str | None = None, stop: str = "tool_calls", **message: Any) -> Answer:
    said = [(name, a if isinstance(a, str) else json.dumps(a)) for name, a in calls]
    return chat(text, finish=stop, tool_calls=said, model="gpt-4o-mini", **message)


def claude(*calls: Call, text: str | None = None, stop: str = "tool_use") -> Answer:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    blocks += [{"type": "tool_use", "id": f"toolu_{n}", "name": c, "input": a} for n, (c, a) in enumerate(calls)]
    return Answer(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5",
            "content": blocks,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {"input_tokens": 20, "output_tokens": 4},
        }
    )


FORMATS = [pytest.param(OPENAI, openai, id="openai"), pytest.param(CLAUDE, claude, id="anthropic")]


def shop_at(provider: Provider, model: str, *answers: Answer, acting: str | None = None, **settings: Any) -> CaseResult:
    """Plays a session by the scripted answers."""
    provider.script(*answers)
    (spec,) = TaskIndex().select(["session_generation"])
    spec = spec.model_copy(update={"session": spec.session.model_copy(update=settings)})
    base = provider.url + ("/v1" if model.startswith("openai/") else "")
    args = {"api_base": base, "api_key": "sk-loopback-0123456789"} | ({"acting": acting} if acting else {})
    door = open_backbone(model, args, lambda _: None)
    values = {"intention": "Needs a mug.", "events": []}
    case = Case("c1", CaseKind.SESSIONS, "ann", "ann1", datetime(2026, 3, 1, tzinfo=UTC), values)
    asker = Asker(Renderer(spec, CATALOG), CATALOG, lambda settings: Shop(CATALOG, settings=settings))
    return asyncio.run(play(Question(spec, "base", False, case, 0, 7), "You are Ann.", door, asker))


def did(result: CaseResult) -> list[str]:
    return [str(e["action"]) for e in result.events or ()]


def user(asked: Any) -> str:
    """The text of the one message of the user."""
    (message,) = [m for m in asked.body["messages"] if m["role"] == "user"]
    content = message["content"]
    return str(content if isinstance(content, str) else "".join(block["text"] for block in content))


@pytest.mark.parametrize(("model", "reply"), FORMATS)
def test_a_session_of_several_turns(provider: Provider, model: str, reply: Reply) -> None:
    view, add = ("view", {"product": "M1"}), ("cart_add", {"product": "M1"})
    steps = [SEARCH, STAY, view, STAY, add, STAY, ("buy", {}), LEAVE]
    result = shop_at(provider, model, *(reply(step) for step in steps))
    assert (result.outcome, did(result)) == (Outcome.OK, ["search", "view", "cart_add", "purchase", "leave"])
    assert result.parsed is not None
    assert (result.parsed["end"], result.parsed["leave_asks"], result.attempts) == ("bought", 4, 8)
    assert len(provider.asked) == 8


def test_what_openai_is_sent(provider: Provider) -> None:
    shop_at(provider, OPENAI, openai(SEARCH), openai(STAY), openai(("back", {})), openai(LEAVE))
    action, question = (a.body for a in provider.asked[:2])
    assert provider.asked[0].path == "/v1/chat/completions"
    assert [m["role"] for m in action["messages"]] == ["system", "user"]
    assert action["messages"][0]["content"].endswith("You are Ann.")
    functions = [t["function"] for t in action["tools"]]
    names = [f["name"] for f in functions]
    assert names == [LEAVING_TOOL, "search", "next_page", "refine", "view", "back", "cart_add", "cart_remove", "buy"]
    assert functions[1]["parameters"]["required"] == ["query"]
    assert functions[0]["parameters"]["properties"]["decision"]["enum"] == ["stay", "leave"]
    assert action["tool_choice"] == "required"
    assert question["tool_choice"] == {"type": "function", "function": {"name": LEAVING_TOOL}}
    assert question["tools"] == action["tools"]  # else the cached beginning of the prompt would be another
    assert "response_format" not in action
    assert user(provider.asked[1]).splitlines()[:-1] == user(provider.asked[2]).splitlines()[:-1]


def test_what_anthropic_is_sent(provider: Provider) -> None:
    shop_at(provider, CLAUDE, claude(SEARCH), claude(STAY), claude(("back", {})), claude(LEAVE))
    action, question = (a.body for a in provider.asked[:2])
    assert provider.asked[0].path == "/v1/messages"
    assert [m["role"] for m in action["messages"]] == ["user"]
    system = action["system"] if isinstance(action["system"], str) else action["system"][0]["text"]
    assert system.endswith("You are Ann.")
    assert [t["name"] for t in action["tools"]][:2] == [LEAVING_TOOL, "search"]
    assert action["tools"][1]["input_schema"]["properties"]["query"]["type"] == "string"
    assert action["tools"][1]["input_schema"]["required"] == ["query"]
    assert action["tool_choice"]["type"] == "any"
    assert (question["tool_choice"]["type"], question["tool_choice"]["name"]) == ("tool", LEAVING_TOOL)
    assert question["tools"] == action["tools"]


@pytest.mark.parametrize(("model", "reply"), FORMATS)
def test_in_reply_leaving_is_the_first_tool(provider: Provider, model: str, reply: Reply) -> None:
    result = shop_at(provider, model, reply(SEARCH), reply(("leave", {})), leaving="in_reply")
    assert (result.outcome, did(result)) == (Outcome.OK, ["search", "leave"])
    tool = provider.asked[0].body["tools"][0]
    assert tool.get("name", tool.get("function", {}).get("name")) == "leave"


@pytest.mark.parametrize(("model", "reply"), FORMATS)
def test_of_parallel_calls_the_first_is_done(provider: Provider, model: str, reply: Reply) -> None:
    result = shop_at(provider, model, reply(SEARCH, ("search", {"query": "tent"})), reply(LEAVE))
    assert (result.outcome, did(result)) == (Outcome.OK, ["search", "leave"])
    assert result.parsed is not None and result.parsed["calls_ignored"] == 1
    assert "Only the first of your 2 calls was done" in user(provider.asked[1])


@pytest.mark.parametrize(("model", "reply"), FORMATS)
def test_text_beside_a_call_is_kept_and_does_no_harm(provider: Provider, model: str, reply: Reply) -> None:
    words = 'I will look. {"action": "leave"}'
    result = shop_at(provider, model, reply(SEARCH, text=words), reply(LEAVE))
    assert (result.outcome, did(result)) == (Outcome.OK, ["search", "leave"])
    assert result.messages[2]["content"].startswith(words)


@pytest.mark.parametrize(
    ("model", "bad", "says"),
    [
        (OPENAI, openai(("serch", {"query": "mug"})), "did you mean 'search'"),
        (CLAUDE, claude(("serch", {"query": "mug"})), "did you mean 'search'"),
        (OPENAI, openai(("search", '{"query": "mu')), "no JSON object; call it again with"),
        (OPENAI, openai(("search", "[1]")), "no JSON object"),
        (CLAUDE, claude(("search", "mug")), "no JSON object"),
        (CLAUDE, claude(("search", ["mug"])), "no JSON object"),
        (CLAUDE, claude(("search", {"query": ["mug"]})), "search needs a query"),
        (OPENAI, openai(("search", "{}")), "search needs a query"),
        (CLAUDE, claude(("search", {})), "search needs a query"),
        (OPENAI, openai(text="I look for mugs.", stop="stop"), "no tool was called"),
        (CLAUDE, claude(text="I look for mugs.", stop="end_turn"), "no tool was called"),
    ],
)
def test_a_bad_call_is_an_error_step_that_is_told(provider: Provider, model: str, bad: Answer, says: str) -> None:
    reply = openai if model == OPENAI else claude
    result = shop_at(provider, model, bad, reply(SEARCH), reply(LEAVE))
    assert (result.outcome, did(result)) == (Outcome.OK, ["search", "leave"])
    assert result.parsed is not None and result.parsed["errors"] == 1
    assert f"Not done: {says}" in user(provider.asked[1]) or says in user(provider.asked[1])


@pytest.mark.parametrize(
    ("model", "answer", "outcome"),
    [
        (OPENAI, openai(("search", '{"query": "blue m'), stop="length"), Outcome.TRUNCATED),
        (CLAUDE, claude(("search", {}), stop="max_tokens"), Outcome.TRUNCATED),
        (OPENAI, openai(stop="stop", refusal="I can't help with that."), Outcome.REFUSED),
        (CLAUDE, claude(stop="refusal"), Outcome.REFUSED),
        (OPENAI, openai(text="I'm sorry, but I can't help with that.", stop="stop"), Outcome.REFUSED),
        (CLAUDE, claude(text="I'm sorry, but I can't help with that.", stop="end_turn"), Outcome.REFUSED),
    ],
)
def test_what_is_no_step_ends_the_session_as_what_it_is(
    provider: Provider, model: str, answer: Answer, outcome: Outcome
) -> None:
    reply = openai if model == OPENAI else claude
    result = shop_at(provider, model, reply(SEARCH), reply(STAY), answer)
    assert (result.outcome, did(result), result.scored) == (outcome, ["search"], False)


@pytest.mark.parametrize("model", [OPENAI, CLAUDE])
def test_a_hosted_model_is_held_to_a_flat_object(provider: Provider, model: str) -> None:
    def says(value: dict[str, Any]) -> Answer:
        text = json.dumps(value)
        return openai(text=text, stop="stop") if model == OPENAI else claude(text=text, stop="end_turn")

    view = {"action": "view", "query": None, "product": "M2"}
    steps = [{"action": "search", "query": "mug"}, {"decision": "stay"}, view, {"decision": "leave"}]
    result = shop_at(provider, model, *map(says, steps), acting="schema")
    assert (result.outcome, did(result)) == (Outcome.OK, ["search", "view", "leave"])
    bodies = [a.body for a in provider.asked]
    assert all("tools" not in b for b in bodies)
    held = [_schema(b) for b in bodies]
    assert held[1]["properties"]["decision"]["enum"] == ["stay", "leave"]
    assert held[2]["required"] == list(held[2]["properties"]) and {"action", "query", "product"} <= {
        *held[2]["required"]
    }
    assert set(held[2]["properties"]["product"]["enum"]) == {"M0", "M1", "M2", None}
    assert not any(word in json.dumps(held) for word in ("anyOf", "oneOf", "pattern", "const"))


def _schema(body: dict[str, Any]) -> Any:
    if "response_format" in body:
        return body["response_format"]["json_schema"]["schema"]
    return body["output_format"]["schema"]


def test_a_model_that_litellm_does_not_know_is_told_in_text(provider: Provider) -> None:
    answers = [chat('{"action": "search", "query": "mug"}'), chat("Leave.")]
    result = shop_at(provider, "openai/test", *answers)
    assert (result.outcome, did(result)) == (Outcome.OK, ["search", "leave"])
    assert not {"tools", "response_format"} & provider.asked[0].body.keys()
    assert "Answer with one JSON object" in user(provider.asked[0])


def test_tools_can_be_asked_for_of_a_model_that_litellm_does_not_know(provider: Provider) -> None:
    result = shop_at(provider, "openai/test", openai(SEARCH), openai(LEAVE), acting="tools")
    assert result.outcome is Outcome.OK
    assert provider.asked[0].body["tool_choice"] == "required"


def test_a_provider_that_cannot_be_told_which_tool_gets_that_one_alone(provider: Provider) -> None:
    """LiteLLM drops Mistral's named choice without a word."""
    shop_at(provider, "mistral/mistral-large-latest", openai(SEARCH), openai(LEAVE))
    action, question = (a.body for a in provider.asked)
    assert len(action["tools"]) == 9 and action["tool_choice"] == "any"
    assert [t["function"]["name"] for t in question["tools"]] == [LEAVING_TOOL]
    assert question["tool_choice"] == "any"
