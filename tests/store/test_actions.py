from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.store import (
    TOOLS,
    BadAction,
    Refinement,
    Shop,
    Sort,
    StoreAction,
    Verb,
    Visit,
    action_schema,
    actions_text,
    parse_action,
    parse_tool_call,
    tool_schemas,
)

VIEW = StoreAction(Verb.VIEW, product="M01")
_words = st.text(min_size=1, max_size=100).map(str.strip).filter(bool)


@given(_words)
def test_a_written_action_reads_back(query: str) -> None:
    action = StoreAction(Verb.SEARCH, query=query)
    assert parse_action(action.json()) == action
    assert parse_action(f"Sure {{ok}}:\n```json\n{action.json()}\n```\nDone.") == action
    assert parse_tool_call("search", json.dumps({"query": query})) == action


@pytest.mark.parametrize(
    "reply",
    [
        '{"action": "view", "product": "M01"}',
        '{"action": "View", "product": "[M01]", "why": "cheap"}',
        'I think {"a": 1} so {"action":"view","product":" M01 "} and then {"action":"leave"}',
        '{"name": "view", "arguments": {"product": "M01"}}',
        '{"name": "view", "arguments": "{\\"product\\": \\"M01\\"}"}',
        '{"tool": "view", "parameters": {"product": "M01"}}',
    ],
)
def test_understands_the_ways_models_write(reply: str) -> None:
    assert parse_action(reply) == VIEW


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({}, Refinement()),
        ({"category": None, "brand": "", "sort": "relevance"}, Refinement()),
        ({"max_price": "$1,049.99"}, Refinement(max_price=1049.99)),
        ({"min_price": "-0.0"}, Refinement(min_price=0)),
        (
            {"brand": " Acme ", "min_rating": 4, "sort": "rating"},
            Refinement(brand="Acme", min_rating=4.0, sort=Sort.RATING),
        ),
    ],
)
def test_filters_are_read_as_models_write_them(written: dict[str, Any], read: Refinement) -> None:
    action = StoreAction(Verb.REFINE, refinement=read)
    assert parse_action(json.dumps({"action": "refine", **written})) == action
    assert parse_tool_call("refine", json.dumps(written)) == action
    assert parse_action(action.json()) == action


def test_a_numeric_id_needs_no_quotes() -> None:
    assert parse_action('{"action": "view", "product": 12345}') == StoreAction(Verb.VIEW, product="12345")


@pytest.mark.parametrize(
    ("reply", "hint"),
    [
        ("", "empty"),
        ("I would buy it.", "no JSON object"),
        ("[1, 2]", "no JSON object"),
        ('{"action": "serach", "query": "x"}', "did you mean 'search'"),
        ('{"action": null}', "no name"),
        ('{"action": "view"}', "needs a product"),
        ('{"action": "search", "query": "  "}', "needs a query"),
        ('{"action": "search", "query": ["a"]}', "needs a query"),
        ('{"action": "view", "product": true}', "needs a product"),
        ('{"name": "view", "arguments": [1]}', "no JSON object"),
        (json.dumps({"action": "search", "query": "x" * 301}), "301 characters"),
        ('{"action": "search", "query": "cut off', "no JSON object"),
        ('{"action": "refine", "max_price": "cheap"}', "give highest price as a number, such as 20"),
        ('{"action": "refine", "max_price": "1_0"}', "max_price is '1_0'; give highest price as a number"),
        ('{"action": "refine", "price": 20}', "'max_price'"),
        ('{"action": "refine", "sort": "pirce_low"}', "did you mean 'price_low'"),
        ('{"action": "refine", "category": ["Mugs"]}', "give a category's name"),
        ('{"action": "refine", "max_price": true}', "as a number"),
        ('{"action": "search", "query": "half \\ud83d"}', "half a character"),
    ],
)
def test_a_bad_reply_is_told_what_would_do(reply: str, hint: str) -> None:
    read = parse_action(reply)
    assert isinstance(read, BadAction)
    assert hint in read.message


HOSTILE = ["{" * 50_000, '{"a":' * 50_000, '{"action":' + "[" * 50_000, "\x00\ud800{"]


@pytest.mark.parametrize("reply", HOSTILE)
def test_hostile_replies_are_bad_actions(reply: str) -> None:
    assert isinstance(parse_action(reply), BadAction)
    assert isinstance(parse_tool_call("view", reply), BadAction)


@given(st.text())
def test_any_text_parses_to_something(reply: str) -> None:
    assert isinstance(parse_action(reply), StoreAction | BadAction)
    assert isinstance(parse_tool_call(reply, reply), StoreAction | BadAction)


def test_unknown_tool_and_malformed_arguments() -> None:
    unknown = parse_tool_call("checkout", "{}")
    assert isinstance(unknown, BadAction)
    assert "buy" in unknown.message
    assert isinstance(parse_tool_call("view", '{"product": '), BadAction)
    assert parse_tool_call("leave", "") == StoreAction(Verb.LEAVE)


def test_every_tool_is_in_every_form() -> None:
    schemas = {t["function"]["name"]: t["function"]["parameters"] for t in tool_schemas()}
    assert set(schemas) == {t.verb for t in TOOLS} == set(Verb)
    for tool in TOOLS:
        assert list(schemas[tool.verb]["properties"]) == [a.name for a in tool.arguments]
        assert schemas[tool.verb]["required"] == [a.name for a in tool.arguments if not a.optional]
        form = '{"leave": true}' if tool.verb is Verb.LEAVE else f'- "{tool.verb}": '
        assert form in actions_text()


def test_leaving_is_offered_first_or_not_at_all() -> None:
    assert tool_schemas()[0]["function"]["name"] == "leave"
    assert "leave" not in {t["function"]["name"] for t in tool_schemas(leaving=False)}
    assert "leave" not in actions_text(leaving=False)


def test_the_table_of_the_docs_is_the_definition() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "store.md").read_text("utf-8")
    assert "\n".join(["| tool | does |", "|---|---|", *(f"| `{t.call}` | {t.does} |" for t in TOOLS)]) in docs


def _valid(schema: dict[str, Any]) -> list[StoreAction]:
    """Every action the schema admits, with one query for the free text."""
    actions = []
    for branch in schema["anyOf"]:
        fields = branch["properties"]
        assert branch["required"] == list(fields)
        assert branch["additionalProperties"] is False
        if fields == {"leave": {"const": True}}:
            actions.append(parse_action('{"leave": true}'))
            continue
        assert next(iter(fields.items())) == ("leave", {"const": False}), "leaving is asked for first"
        for name in fields["action"]["enum"]:
            if name == "refine":
                given = {k: v for k, v in fields.items() if k not in ("leave", "action")}
                kept = {k: v["const"] for k, v in given.items() if "const" in v}
                more = [{k: value} for k, v in given.items() for value in v.get("enum", ())] or [{}]
                written = [parse_tool_call("refine", json.dumps(kept | one)) for one in more]
                actions += [a for a in written if isinstance(a, StoreAction)]
                assert len(actions) >= len(written)
            elif "product" in fields:
                actions += [StoreAction(Verb(name), product=p) for p in fields["product"]["enum"]]
            elif "query" in fields:
                assert re.search(fields["query"]["pattern"], "mug")
                assert not re.search(fields["query"]["pattern"], "  ")
                actions.append(StoreAction(Verb(name), query="mug"))
            else:
                actions.append(StoreAction(Verb(name)))
    return actions


def test_leaving_is_a_decision_of_its_own() -> None:
    assert parse_action('{"leave": true}') == StoreAction(Verb.LEAVE)
    assert parse_action('{"leave": false, "action": "buy"}') == StoreAction(Verb.BUY)
    assert parse_action('{"action": "leave"}') == StoreAction(Verb.LEAVE)


def _replay(shop: Shop, done: list[StoreAction]) -> Visit:
    visit = shop.open("s", "s/1", datetime(2026, 3, 1, tzinfo=UTC))
    for action in done:
        visit.act(action)
    return visit


def test_what_the_schema_admits_can_be_done(shop: Shop) -> None:
    trail: list[StoreAction] = []
    for step in (
        None,
        StoreAction(Verb.SEARCH, query="mouse"),
        StoreAction(Verb.REFINE, refinement=Refinement(max_price=30, sort=Sort.PRICE_HIGH)),
        StoreAction(Verb.REFINE, refinement=Refinement(brand="acme", max_price=30, sort=Sort.PRICE_HIGH)),
        StoreAction(Verb.NEXT_PAGE),
        StoreAction(Verb.CART_ADD, product="M12"),
        StoreAction(Verb.VIEW, product="M12"),
        StoreAction(Verb.BACK),
        StoreAction(Verb.BUY),
    ):
        trail += [step] if step else []
        page = _replay(shop, trail).page
        assert page.problem is None
        valid = _valid(action_schema(page))
        assert {a.verb for a in valid} == set(page.possible)
        for action in valid:
            after = _replay(shop, trail)
            assert after.act(parse_action(action.json())).problem is None, action
