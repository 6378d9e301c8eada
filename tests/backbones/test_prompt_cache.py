"""What providers are told for their prompt caches, at the HTTP request: marks where prompts begin alike, or nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from loopback import Answer, Asked, Provider, chat
from shopping_server import ShoppingServer

from paars_bench.backbones.breakpoints import MOST
from paars_bench.backbones.gateway import LiteLLMBackbone
from paars_bench.backbones.open import open_backbone
from paars_bench.cli import main
from paars_bench.config import TaskIndex
from paars_bench.data.cases import Case, CaseKind
from paars_bench.data.schema import Catalog, Product, products_table
from paars_bench.outcomes import Outcome
from paars_bench.personas.conditions import CONDITIONS
from paars_bench.personas.history import History
from paars_bench.personas.mine import Persona, mine_persona
from paars_bench.personas.prompt import persona_block
from paars_bench.store import LEAVING_TOOL, Shop
from paars_bench.tasks.ask import ASK
from paars_bench.tasks.question import Asker, Question
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.result import CaseResult

CLAUDE, GPT, NEW_GPT = "anthropic/claude-haiku-4-5", "openai/gpt-4o-mini", "openai/gpt-5.6"
KEY = "sk-loopback-0123456789abcdef"
CATALOG = Catalog(products_table([Product(f"M{n}", f"Blue mug {n}", ("Kitchen",), price=5.0 + n) for n in range(3)]))
KNOWN = History("2026-02-28: bought Blue mug", 1, 1, 10, 100)
ANN = Persona("ann", {"household": "two adults"}, {"decision_style": "slow"}, {"profile": "Buys for two."})
HEAD = persona_block(CONDITIONS["persona"], ANN, KNOWN)
ROLE = "You are a person who shops"
SEARCH, VIEW = ("search", {"query": "mug"}), ("view", {"product": "M1"})
STAY, LEAVE = (LEAVING_TOOL, {"decision": "stay"}), (LEAVING_TOOL, {"decision": "leave"})
STEPS = (SEARCH, STAY, VIEW, LEAVE)
CASES: dict[str, tuple[CaseKind, dict[str, Any]]] = {
    "query_generation": (CaseKind.QUERY_PAIRS, {"product": "M1", "query": "mug"}),
    "session_generation": (CaseKind.SESSIONS, {"intention": "Needs a mug.", "events": []}),
}


def claude(text: str = "blue mug", *calls: tuple[str, Any]) -> Answer:
    """A message in Anthropic's format."""
    blocks: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    blocks += [{"type": "tool_use", "id": f"toolu_{n}", "name": c, "input": a} for n, (c, a) in enumerate(calls)]
    return Answer(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5",
            "content": blocks,
            "stop_reason": "tool_use" if calls else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 20, "output_tokens": 4},
        }
    )


def gpt(text: str | None = "blue mug", *calls: tuple[str, Any]) -> Answer:
    said = [(name, json.dumps(arguments)) for name, arguments in calls]
    return chat(text, finish="tool_calls" if calls else "stop", tool_calls=said, model="gpt-4o-mini")


def asked(
    provider: Provider, model: str, task: str, *answers: Answer, head: str = HEAD, **args: str
) -> tuple[CaseResult, list[dict[str, Any]]]:
    """Asks one case, and returns the result and the bodies of the requests that arrived."""
    provider.asked.clear()
    provider.script(*answers)
    (spec,) = TaskIndex().select([task])
    kind, values = CASES[task]
    case = Case("c1", kind, "ann", "ann1", datetime(2026, 3, 1, tzinfo=UTC), values)
    asker = Asker(Renderer(spec, CATALOG), CATALOG, lambda settings: Shop(CATALOG, settings=settings))
    base = provider.url + ("/v1" if model.startswith("openai/") else "")
    door = open_backbone(model, {"api_base": base, "api_key": KEY, **args}, lambda _: None)
    question = Question(spec, "persona", False, case, 0, 7)
    result = asyncio.run(ASK[spec.output_type](question, head, door, asker))
    assert result.outcome is Outcome.OK
    return result, [a.body for a in provider.asked]


def marked(body: dict[str, Any], name: str) -> list[str]:
    """The texts that end at a mark, in the order in which a provider reads: of a tool its name."""
    blocks = [*body.get("tools", ()), *body.get("system", ())]
    for message in body["messages"]:
        blocks += message["content"] if isinstance(message["content"], list) else []
    return [b["name"] if "name" in b else b["text"] for b in blocks if name in b]


def text_of(body: dict[str, Any], role: str) -> str:
    content = body["system"] if role == "system" and "system" in body else None
    if content is None:
        (content,) = (m["content"] for m in body["messages"] if m["role"] == role)
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


def test_claude_is_told_where_history_and_persona_end(provider: Provider) -> None:
    _, (body,) = asked(provider, CLAUDE, "query_generation", claude())
    history, persona = body["system"]
    assert body["system"] == [b | {"cache_control": {"type": "ephemeral"}} for b in (history, persona)]
    assert history["text"].startswith(ROLE) and history["text"].endswith("bought Blue mug\n</history>")
    assert persona["text"].startswith("\n\nWho you are") and persona["text"].endswith("Buys for two.")
    assert text_of(body, "system").endswith(f"\n\n{HEAD}")
    assert len(marked(body, "cache_control")) == 2


@pytest.mark.parametrize(("condition", "marks"), [("profile", 1), ("history", 1), ("persona", 2), ("base", 1)])
def test_a_head_has_a_mark_for_each_part_that_other_prompts_share(
    provider: Provider, condition: str, marks: int
) -> None:
    head = persona_block(CONDITIONS[condition], ANN, KNOWN)
    _, (body,) = asked(provider, CLAUDE, "query_generation", claude(), head=head)
    assert len(marked(body, "cache_control")) == marks
    assert text_of(body, "system").endswith(head)


def test_history_and_persona_begin_alike_up_to_the_first_mark(provider: Provider) -> None:
    bodies = [
        asked(provider, CLAUDE, "query_generation", claude(), head=persona_block(CONDITIONS[c], ANN, KNOWN))[1][0]
        for c in ("history", "persona")
    ]
    assert marked(bodies[0], "cache_control") == marked(bodies[1], "cache_control")[:1]


def test_a_session_of_claude_has_marks_on_tools_history_persona_and_task(provider: Provider) -> None:
    _, bodies = asked(provider, CLAUDE, "session_generation", *(claude("", step) for step in STEPS))
    assert len(bodies) == 4
    for body in bodies:
        tool, history, persona, task = marked(body, "cache_control")
        assert tool == body["tools"][-1]["name"]
        assert history.endswith("</history>") and persona.endswith("Buys for two.")
        assert task.startswith("You are visiting the store.") and task.endswith("What brought you here: Needs a mug.")
        assert text_of(body, "user").startswith(f"{task}\n\nDone so far:\n")
    assert len({tuple(marked(body, "cache_control")) for body in bodies}) == 1


def test_a_page_is_not_marked_where_its_two_calls_differ_in_the_tool_they_must_call(provider: Provider) -> None:
    head = persona_block(CONDITIONS["profile"], ANN, KNOWN)
    _, bodies = asked(provider, CLAUDE, "session_generation", *(claude("", step) for step in STEPS), head=head)
    for body in bodies:
        _, profile, task = marked(body, "cache_control")
        assert profile.endswith("two adults") and task.endswith("Needs a mug.")


def test_sessions_begin_alike_up_to_what_brought_the_shopper(provider: Provider, monkeypatch: Any) -> None:
    texts = []
    for wish in ("Needs a mug.", "Looks around."):
        monkeypatch.setitem(CASES["session_generation"][1], "intention", wish)
        _, bodies = asked(
            provider,
            GPT,
            "session_generation",
            gpt('{"action": "search", "query": "mug"}'),
            gpt("leave"),
            acting="text",
        )
        texts.append(text_of(bodies[0], "user"))
    one, two = (text.split("What brought you here: ")[0] for text in texts)
    assert one == two and "cart_remove" in one


def test_without_tools_the_page_that_two_calls_see_is_marked_in_both(provider: Provider) -> None:
    says = ['{"action": "search", "query": "mug"}', "stay", '{"action": "view", "product": "M1"}', "leave"]
    _, bodies = asked(provider, CLAUDE, "session_generation", *map(claude, says), acting="text")
    first, leaving, acting, last = (marked(body, "cache_control") for body in bodies)
    assert len(first) == 3  # nobody is asked on the entry page: a mark there would be written and not read
    assert leaving == acting and len(leaving) == MOST
    assert "The page you see:\nResults 1-3 of 3" in leaving[-1]
    assert leaving[-1] != last[-1]
    for body in bodies[1:3]:
        assert "".join(leaving[2:]) == text_of(body, "user")[: len("".join(leaving[2:]))]


def test_the_journal_and_the_digest_see_no_marks(provider: Provider) -> None:
    for task, steps in (("query_generation", ()), ("session_generation", (SEARCH, LEAVE))):
        one, _ = asked(provider, CLAUDE, task, *[claude("", step) for step in steps] or [claude()])
        two, _ = asked(provider, GPT, task, *[gpt(None, step) for step in steps] or [gpt()])
        assert one.prompt_sha256 == two.prompt_sha256
        assert list(one.messages) == list(two.messages)
        assert all(isinstance(m["content"], str) for m in one.messages)


def test_openai_is_sent_plain_text_and_one_key_for_each_shopper(provider: Provider) -> None:
    _, session = asked(provider, GPT, "session_generation", *(gpt(None, step) for step in STEPS))
    _, once = asked(provider, GPT, "query_generation", gpt())
    _, twice = asked(provider, GPT, "query_generation", gpt())
    other = persona_block(CONDITIONS["persona"], ANN, KNOWN._replace(text="2026-02-27: bought Tent"))
    _, others = asked(provider, GPT, "query_generation", gpt(), head=other)
    for body in (*session, *once, *others):
        assert "cache_control" not in json.dumps(body) and "breakpoint" not in json.dumps(body)
        assert all(isinstance(m["content"], str) for m in body["messages"])
    keys = [{body["prompt_cache_key"] for body in bodies} for bodies in (session, once, twice, others)]
    assert [len(k) for k in keys] == [1, 1, 1, 1]
    assert keys[1] == keys[2]
    assert len(set.union(*keys)) == 3  # tools stand before the shopper: with them it is another beginning


def test_a_server_of_ones_own_is_sent_the_plain_request(provider: Provider) -> None:
    _, (body,) = asked(provider, "openai/my-model", "query_generation", chat())
    assert body.keys() == {"model", "messages", "max_tokens", "temperature", "seed"}
    assert [type(m["content"]) for m in body["messages"]] == [str, str]


def test_gpt_from_5_6_on_caches_what_is_marked_and_nothing_else(provider: Provider) -> None:
    _, bodies = asked(provider, NEW_GPT, "session_generation", *(gpt(None, step) for step in STEPS))
    marks = [marked(body, "prompt_cache_breakpoint") for body in bodies]
    assert [body["prompt_cache_options"] for body in bodies] == [{"mode": "explicit"}] * 4
    assert [len(m) for m in marks] == [3, 4, 4, 4]
    assert marks[1] == marks[2] and "Results 1-3 of 3" in marks[1][-1]
    assert not any("cache" in json.dumps(tool) for body in bodies for tool in body["tools"])
    assert all(body["messages"][0]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit"} for body in bodies)


def test_gemini_is_asked_once_and_stores_nothing(provider: Provider) -> None:
    reply = {"content": {"role": "model", "parts": [{"text": "blue mug"}]}, "finishReason": "STOP"}
    usage = {"promptTokenCount": 20, "candidatesTokenCount": 2, "totalTokenCount": 22}
    answer = Answer({"candidates": [reply], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash"})
    head = persona_block(CONDITIONS["persona"], ANN, KNOWN._replace(text="2026-02-28: bought Blue mug\n" * 2000))
    _, (body,) = asked(provider, "gemini/gemini-2.5-flash", "query_generation", answer, head=head)
    assert provider.asked[0].path.endswith(":generateContent")
    assert "cachedContent" not in body


AWS = {"aws_access_key_id": "AKIA0123456789ABCDEF", "aws_secret_access_key": "s" * 40, "aws_region_name": "us-east-1"}
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "blue mug"}]}},
    "stopReason": "end_turn",
    "metrics": {"latencyMs": 1},
    "usage": {"inputTokens": 20, "outputTokens": 4, "totalTokens": 24},
}


@pytest.mark.parametrize(
    ("model", "points"),
    [
        ("bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0", 2),
        ("bedrock/anthropic.claude-3-sonnet-20240229-v1:0", 0),
    ],
)
def test_bedrock_has_its_own_form_where_the_model_takes_one(provider: Provider, model: str, points: int) -> None:
    _, (body,) = asked(provider, model, "query_generation", Answer(CONVERSED), **AWS)
    assert [block for block in body["system"] if "text" not in block] == [{"cachePoint": {"type": "default"}}] * points
    assert "".join(block.get("text", "") for block in body["system"]).endswith(HEAD)


def mined(provider: Provider, model: str, reply: Callable[[str], Answer]) -> list[dict[str, Any]]:
    profile = dict.fromkeys(("reasoning", "age_range", "marital_status", "household", "income", "lifestyle"), "x")
    preferences = dict.fromkeys(
        ("reasoning", "price_sensitivity", "value_perception", "review_reliance", "brand_reputation"), "x"
    )
    provider.asked.clear()
    texts = (profile | {"interests": "tea"}, preferences | {"decision_style": "slow", "favourite_categories": "tea"})
    provider.script(*(reply(json.dumps(text)) for text in texts))
    door = LiteLLMBackbone(model, model, {"api_base": provider.url, "api_key": KEY})
    assert asyncio.run(mine_persona("ann", KNOWN, door, seed=1)).outcome is Outcome.OK
    return [a.body for a in provider.asked]


def test_a_prompt_behind_a_schema_of_its_own_has_no_marks(provider: Provider) -> None:
    """The schema stands before the prompt: what is written there would never be read."""
    bodies = mined(provider, CLAUDE, claude)
    assert len(bodies) == 2 and all("output_format" in body or "output_config" in body for body in bodies)
    assert [marked(body, "cache_control") for body in bodies] == [[], []]


def test_the_two_calls_of_mining_share_the_history_where_no_schema_is_sent(provider: Provider) -> None:
    one, two = mined(provider, "openrouter/anthropic/claude-unlisted", lambda text: chat(text))
    assert marked(one, "cache_control") == marked(two, "cache_control")
    assert [m.endswith("</history>\n\n") for m in marked(one, "cache_control")] == [True]


def shared_with_the_call_before(calls: Sequence[Asked]) -> float:
    """Characters that begin the call before of the same shopper too, over all characters, in one-shopper runs."""
    texts = [_as_read(call.body) for call in calls]
    alike = sum(_alike(one, two) for one, two in pairwise(texts))
    return alike / sum(map(len, texts))


def _as_read(body: dict[str, Any]) -> str:
    first = [json.dumps(body[key]) for key in ("tools", "response_format") if key in body]
    return "".join([*first, *(m["content"] for m in body["messages"])])


def _alike(one: str, two: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))


@pytest.fixture
def shopping(provider: Provider) -> Iterator[Provider]:
    provider.script(ShoppingServer())
    yield provider


def test_four_fifths_of_what_a_shopper_sends_were_sent_in_the_call_before(shopping: Provider, tmp_path: Path) -> None:
    words = ["--model", GPT, "--model_args", f"api_base={shopping.url}/v1,api_key={KEY}", "--conditions", "persona"]
    words += ["--dataset", "demo:shoppers=1,products=600", "--tasks", "item_selection_group,session_generation"]
    assert main([*words, "--output_path", str(tmp_path)]) == 0
    assert len(shopping.asked) > 100
    assert shared_with_the_call_before(shopping.asked) > 0.8
