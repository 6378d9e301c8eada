"""Sessions from the side of the backbone: how it is asked, how leaving is decided, what it remembers, what caps do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from says import Says

from paars_bench.backbones.door import Acting, Completion, Request, ToolCall, Traits, Usage
from paars_bench.config import TaskSpec
from paars_bench.data import iter_cases
from paars_bench.outcomes import Outcome
from paars_bench.store import LEAVING_TOOL, Shop
from paars_bench.tasks.line import result_of
from paars_bench.tasks.question import Asker, Question
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.result import CaseResult
from paars_bench.tasks.shop import play

STAY, LEAVE = "stay", "leave"
SEARCH = '{"action": "search", "query": "coffee"}'
Play = Callable[..., tuple[CaseResult, list[Request]]]


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall("1", name, json.dumps(arguments))


@pytest.fixture
def session(data: Any, specs: dict[str, TaskSpec]) -> Play:
    spec = specs["session_generation"]
    case = next(iter(iter_cases(data.cases(spec.dataset.cases), spec.dataset.cases)))

    def run(
        acting: str,
        *replies: str | ToolCall | Completion,
        clock: Sequence[float] = (),
        scripted: bool = False,
        any_schema: bool = False,
        **settings: Any,
    ) -> tuple[CaseResult, list[Request]]:
        changed = spec.model_copy(update={"session": spec.session.model_copy(update=settings)})
        said = [_completion(r) for r in replies]
        able = {"tools": True, "reply_schema": True, "any_schema": any_schema}
        traits = Traits("says", "says/1", scripted, 32_000, acting=Acting(acting), **able)
        backbone = Says(traits, *said)
        asker = Asker(
            Renderer(changed, data.catalog), data.catalog, lambda settings: Shop(data.catalog, settings=settings)
        )
        if clock:
            ticks = iter(clock)
            asker = asker._replace(clock=lambda: next(ticks))
        question = Question(changed, "base", False, case, 0, seed=11)
        return asyncio.run(play(question, "", backbone, asker)), backbone.requests

    return run


def _completion(reply: str | ToolCall | Completion) -> Completion:
    if isinstance(reply, Completion):
        return reply
    usage = Usage(90, 0, 10, 0, 0.01)
    if isinstance(reply, ToolCall):
        return Completion("", tool_calls=(reply,), usage=usage)
    return Completion(reply, usage=usage)


def prompt(request: Request) -> str:
    return str(request.messages[-1]["content"])


def tool_names(request: Request) -> list[str]:
    return [t["function"]["name"] for t in request.tools or ()]


def leaves(text: str) -> str | ToolCall:
    return call(LEAVING_TOOL, decision=text)


@pytest.mark.parametrize("acting", ["text", "schema", "tools"])
def test_leaving_is_asked_for_after_each_thing_done_and_not_on_the_entry_page(session: Play, acting: str) -> None:
    tools = acting == "tools"
    search: Any = call("search", query="coffee") if tools else SEARCH
    stay, leave = (leaves(STAY), leaves(LEAVE)) if tools else (STAY, LEAVE)
    result, requests = session(acting, search, stay, search, leave)
    assert result.outcome is Outcome.OK
    assert [e["action"] for e in result.events or ()] == ["search", "search", "leave"]
    assert result.parsed is not None
    assert {k: result.parsed[k] for k in ("end", "turns", "errors", "leave_asks", "searches")} == {
        "end": "left",
        "turns": 3,
        "errors": 0,
        "leave_asks": 2,
        "searches": 2,
    }
    assert result.parsed["intention"] in prompt(requests[0])
    assert ["stay in the shop" in prompt(r) for r in requests] == [False, True, False, True]
    assert (result.usage.input, result.attempts) == (360, 4)
    assert result_of(json.loads(json.dumps(result.row(log_samples=True)))).parsed == result.parsed


@pytest.mark.parametrize("acting", ["text", "schema", "tools"])
def test_the_two_calls_about_one_page_differ_in_the_last_line_and_in_the_seed(session: Play, acting: str) -> None:
    tools = acting == "tools"
    search: Any = call("search", query="coffee") if tools else SEARCH
    stay = leaves(STAY) if tools else STAY
    result, requests = session(acting, search, stay, search, stay, search, max_turns=3)
    first, second = requests[1:3]
    assert prompt(first).splitlines()[:-1] == prompt(second).splitlines()[:-1]
    assert prompt(first) != prompt(second)
    assert tool_names(first) == tool_names(second)
    assert len({r.params["seed"] for r in requests}) == len(requests) == 5
    again = session(acting, search, stay, search, stay, search, max_turns=3)[1]
    assert [r.params["seed"] for r in again] == [r.params["seed"] for r in requests]
    assert [m["content"] for m in result.messages if m["role"] == "user"][2] == prompt(second).splitlines()[-1]


def test_an_action_is_asked_for_without_leaving_where_that_is_asked_by_itself(session: Play) -> None:
    _, requests = session("text", SEARCH, STAY, SEARCH, LEAVE)
    assert "Possible now: search" in prompt(requests[2])
    assert "leave" not in prompt(requests[2]).split("The page you see:")[1]
    _, requests = session("schema", SEARCH, STAY, SEARCH, LEAVE, any_schema=True)
    assert "leave" not in json.dumps(requests[2].reply_schema)
    assert requests[1].reply_schema == {"type": "string", "enum": ["stay", "leave"]}
    _, requests = session("schema", SEARCH, STAY, SEARCH, LEAVE)
    assert set((requests[2].reply_schema or {})["properties"]) >= {"action", "query", "product", "max_price", "sort"}
    assert (requests[1].reply_schema or {})["properties"]["decision"]["enum"] == ["stay", "leave"]
    _, requests = session("tools", call("search", query="coffee"), leaves(LEAVE))
    assert "leave" not in tool_names(requests[0])
    assert (requests[0].tool, requests[1].tool) == (None, LEAVING_TOOL)


@pytest.mark.parametrize("acting", ["text", "schema", "tools"])
def test_in_reply_leaving_stands_first_among_the_actions(session: Play, acting: str) -> None:
    reply: Any = call("leave") if acting == "tools" else '{"leave": true}'
    result, requests = session(acting, reply, leaving="in_reply")
    assert result.outcome is Outcome.OK and result.parsed is not None
    assert (len(requests), result.parsed["leave_asks"]) == (1, 1)
    if acting == "tools":
        assert tool_names(requests[0])[0] == "leave" and LEAVING_TOOL not in tool_names(requests[0])
    elif acting == "schema":
        assert next(iter((requests[0].reply_schema or {})["properties"])) == "leave"
    else:
        assert '{"leave": true} leaves the shop' in prompt(requests[0])


def test_a_baseline_is_never_asked_whether_it_leaves(session: Play) -> None:
    result, requests = session("text", SEARCH, '{"action": "leave"}', scripted=True)
    assert (result.outcome, len(requests)) == (Outcome.OK, 2)
    assert all(r.tools is None and r.reply_schema is None for r in requests)


@pytest.mark.parametrize("answer", ["I would rather stay here and leave later", "", "leaving", '{"action": "leave"}'])
def test_an_answer_that_is_neither_is_an_error_step_with_a_message(session: Play, answer: str) -> None:
    result, requests = session("text", SEARCH, answer, LEAVE)
    assert result.parsed is not None
    assert (result.outcome, result.parsed["errors"], result.parsed["leave_asks"]) == (Outcome.OK, 1, 1)
    assert "Not done: the answer was neither stay nor leave" in prompt(requests[2])
    assert [e["action"] for e in result.events or ()] == ["search", "leave"]


def test_leaving_where_it_is_not_asked_for_is_an_error_step(session: Play) -> None:
    result, requests = session("text", '{"action": "leave"}', SEARCH, LEAVE)
    assert result.parsed is not None
    assert (result.outcome, result.parsed["errors"]) == (Outcome.OK, 1)
    assert "whether you leave is asked by itself" in prompt(requests[1])


def test_the_decision_to_stay_holds_until_something_is_done(session: Play) -> None:
    _, requests = session("text", SEARCH, STAY, "dance", SEARCH, LEAVE)
    assert ["stay in the shop" in prompt(r) for r in requests] == [False, True, False, False, True]


@pytest.mark.parametrize("acting", ["text", "schema", "tools"])
def test_a_refusal_in_words_is_a_refusal(session: Play, acting: str) -> None:
    for replies in (["I'm sorry, but I can't help with that."], [SEARCH, "I'm sorry, but I can't help with that."]):
        result, _ = session(acting, *replies)
        assert result.outcome is Outcome.REFUSED
    assert session("text", "I can't see images. " + SEARCH, LEAVE)[0].outcome is Outcome.OK


def test_nonsense_ends_as_tool_error_after_as_many_errors_in_a_row_as_are_allowed(session: Play) -> None:
    result, requests = session("text", "dance", max_errors=4)
    assert (result.outcome, len(requests), result.ended.owed) == (Outcome.TOOL_ERROR, 4, False)


@pytest.mark.parametrize(
    ("settings", "outcome", "calls"),
    [
        ({"max_turns": 3}, Outcome.TURN_LIMIT, 5),
        ({"max_tokens": 300}, Outcome.TOKEN_LIMIT, 3),
        ({"max_cost": 0.035}, Outcome.COST_LIMIT, 4),
        ({"max_seconds": 4.0}, Outcome.TIME_LIMIT, 2),
    ],
)
def test_each_cap_of_a_session_is_an_end_of_its_own_and_not_owed(
    session: Play, settings: dict[str, float], outcome: Outcome, calls: int
) -> None:
    clock = [t for n in range(20) for t in (10.0 * n, 10.0 * n + 2.0)]  # calls of two seconds, and waits between
    result, requests = session("text", SEARCH, STAY, SEARCH, STAY, SEARCH, STAY, clock=clock, **settings)
    assert (result.outcome, len(requests)) == (outcome, calls)
    assert result.parsed is not None and result.parsed["cut"] == "session"
    assert not result.ended.owed and not result.ended.cut_by_run and not result.scored
    assert "leave" not in [e["action"] for e in result.events or ()]
    assert not result_of(json.loads(json.dumps(result.row(log_samples=False)))).ended.owed


def test_leaving_with_the_call_that_reaches_a_cap_is_leaving(session: Play) -> None:
    assert session("text", SEARCH, LEAVE, max_tokens=200)[0].outcome is Outcome.OK


@pytest.mark.parametrize("outcome", [Outcome.TOKEN_LIMIT, Outcome.TIME_LIMIT, Outcome.COST_LIMIT, Outcome.CANCELLED])
def test_what_the_run_cut_is_owed(session: Play, outcome: Outcome) -> None:
    result, _ = session("text", Completion("", outcome, error="not tried again"))
    assert result.parsed is not None and result.parsed["cut"] == "run"
    assert result.ended.owed and result.ended.cut_by_run


def test_memory_holds_the_newest_lines_and_says_how_many_it_leaves_out(session: Play) -> None:
    queries = [f'{{"action": "search", "query": "coffee {n}"}}' for n in range(6)]
    replies = [r for q in queries for r in (q, STAY)]
    result, requests = session("text", *replies[:-1], LEAVE, memory_lines=2)
    seen = prompt(requests[-1])
    assert "(4 older lines are left out)" in seen
    assert [f'{n + 1}. searched "coffee {n}"' in seen for n in range(6)] == [False] * 4 + [True] * 2
    assert result.parsed is not None and result.parsed["memory_left_out"] == 4
    assert "nothing yet" in prompt(requests[0])
    _, requests = session("text", *replies[:3], LEAVE, memory_lines=0)
    assert "(2 older lines are left out)\n\nThe page" in prompt(requests[-1])


def test_a_product_seen_is_remembered_with_its_price_and_id(session: Play, data: Any) -> None:
    result, _ = session("text", SEARCH, STAY, "dance", LEAVE, max_turns=2)
    shown = (result.events or ())[0]["shown"]
    _, requests = session("text", SEARCH, STAY, json.dumps({"action": "view", "product": shown[0]}), LEAVE)
    product = data.catalog[shown[0]]
    assert f"2. viewed {product.title[:20]}" in prompt(requests[-1])
    assert f"(${product.price:.2f}) [{product.id}]" in prompt(requests[-1])


def test_of_parallel_calls_the_first_is_done_and_the_shopper_is_told(session: Play) -> None:
    two = Completion("Looking.", tool_calls=(call("search", query="coffee"), call("search", query="tea"), call("buy")))
    result, requests = session("tools", two, leaves(STAY), call("search", query="cup"), leaves(LEAVE))
    assert result.parsed is not None
    assert (result.outcome, result.parsed["calls_ignored"], result.parsed["errors"]) == (Outcome.OK, 2, 0)
    assert [e.get("query") for e in result.events or ()] == ["coffee", "cup", None]
    told = ["Only the first of your 3 calls was done" in prompt(r) for r in requests]
    assert told == [False, True, False, False]
    assert "Looking." in result.messages[2]["content"] and "[tool call] buy" in result.messages[2]["content"]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (call("serch", query="coffee"), "unknown tool 'serch': did you mean 'search'"),
        (call("checkout"), "unknown tool 'checkout'"),
        (call("search"), "search needs a query"),
        (ToolCall("1", "search", '{"query": "mu'), 'no JSON object; call it again with {"query": …}'),
        (ToolCall("1", "search", '"coffee"'), "no JSON object"),
        (call("view", product="NOPE"), "this visit has shown no product yet; search first"),
        ("I would buy a mug.", "no tool was called; call one of the tools: search"),
        (leaves(LEAVE), "stay_or_leave is not asked for now"),
        (call("leave"), "whether you leave is asked by itself"),
    ],
)
def test_a_bad_call_is_an_error_step_with_a_message_that_helps(session: Play, reply: Any, says: str) -> None:
    result, requests = session("tools", reply, call("search", query="coffee"), leaves(LEAVE))
    assert result.parsed is not None
    assert (result.outcome, result.parsed["errors"]) == (Outcome.OK, 1)
    assert says in prompt(requests[1])
    assert '{"action"' not in prompt(requests[1])


def test_a_missing_product_is_told_with_those_on_the_page(session: Play) -> None:
    result, requests = session("tools", call("search", query="coffee"), leaves(STAY), call("view"), "dance")
    shown = (result.events or ())[0]["shown"]
    assert "Not done: view needs a product" in prompt(requests[3])
    assert f"(here {shown[0]}, {shown[1]}, " in prompt(requests[3])


def test_a_text_that_is_a_json_action_counts_where_a_tool_was_to_be_called(session: Play) -> None:
    assert session("tools", SEARCH, '{"decision": "leave"}')[0].outcome is Outcome.OK


@pytest.mark.parametrize("arguments", ['{"query": "blue m', "", "{}"])
def test_a_call_cut_in_its_arguments_is_truncated(session: Play, arguments: str) -> None:
    cut = Completion("", Outcome.TRUNCATED, tool_calls=(ToolCall("1", "search", arguments),))
    assert session("tools", cut)[0].outcome is Outcome.TRUNCATED
    bare = Completion("", Outcome.TRUNCATED, tool_calls=(ToolCall("1", "back", ""),))
    assert session("tools", call("search", query="coffee"), leaves(STAY), bare)[0].outcome is Outcome.TRUNCATED


def test_a_flat_schema_has_no_alternatives_and_asks_for_every_key(session: Play) -> None:
    result, requests = session("schema", SEARCH, STAY, SEARCH, LEAVE)
    schema: Any = requests[2].reply_schema
    assert schema["type"] == "object" and not {"anyOf", "oneOf", "allOf"} & schema.keys()
    assert schema["required"] == list(schema["properties"])
    assert schema["additionalProperties"] is False
    shown = (result.events or ())[0]["shown"]
    assert schema["properties"]["product"] == {"type": ["string", "null"], "enum": [*shown[:10], None]}
    assert schema["properties"]["query"] == {"type": ["string", "null"]}
    assert schema["properties"]["action"]["enum"][0] == "search"
    first: Any = requests[0].reply_schema
    assert set(first["properties"]) == {"action", "query"}
    flat = json.dumps({"action": "view", "query": None, "product": shown[0]})
    assert session("schema", SEARCH, STAY, flat, LEAVE)[0].parsed["views"] == 1  # type: ignore[index]
