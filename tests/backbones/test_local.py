"""The embedded model answers within a schema, and the same with a warm prompt cache as with a cold one."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paars_bench.backbones.door import Backbone, Completion, Request
from paars_bench.backbones.open import open_backbone
from paars_bench.outcomes import Outcome

pytest.importorskip("xllamacpp", reason="the extra `local` is not installed: pip install 'paars-bench[local]'")
pytestmark = pytest.mark.slow

CONTEXT = 384
MUGS = [{"role": "user", "content": "Products:\n1. tent\n2. blue mug\n3. lamp\n4. desk\nWhich would you drink from?"}]
CHOICE = {"type": "integer", "enum": [1, 2, 3, 4]}
QUERY = {
    "type": "object",
    "properties": {"query": {"type": "string", "minLength": 1, "maxLength": 12}},
    "required": ["query"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def local() -> Iterator[Backbone]:
    """The file that ``PAARS_BENCH_GGUF`` names, else the embedded model, fetched on first use."""
    given = os.environ.get("PAARS_BENCH_GGUF")
    door = open_backbone(f"local:{given}" if given else "local", {"n_ctx": str(CONTEXT)}, note=lambda _: None)
    yield door
    asyncio.run(door.aclose())


def ask(door: Backbone, messages: list[dict[str, Any]], max_tokens: int = 8, **request: Any) -> Completion:
    params = {"temperature": 0, "max_tokens": max_tokens, "seed": 1}
    return asyncio.run(door.complete(Request(messages, params=params, **request)))


def test_what_it_is_stands_in_its_traits(local: Backbone) -> None:
    traits = local.traits
    assert (traits.context_tokens, traits.reply_schema, traits.scripted) == (CONTEXT, True, False)
    assert len(traits.details["file_sha256"]) == 64
    assert Path(traits.details["file"]).suffix == ".gguf"
    assert traits.details["engine"].startswith("llama.cpp")


def test_a_choice_stays_within_its_range_and_costs_nothing(local: Backbone) -> None:
    reply = ask(local, MUGS, 3, reply_schema=CHOICE)
    assert reply.outcome is Outcome.OK
    assert reply.text in ("1", "2", "3", "4")
    assert reply.usage.input > 20
    assert 1 <= reply.usage.output <= 2  # nothing after the answer but its end
    assert reply.usage.cost_usd == 0.0


@pytest.mark.parametrize("values", [['a "quoted" \\ café', "plain"], [True]])
def test_a_reply_of_listed_values_is_one_of_them(local: Backbone, values: list[Any]) -> None:
    reply = ask(local, MUGS, 16, reply_schema={"enum": values})
    assert reply.outcome is Outcome.OK
    assert json.loads(reply.text) in values


def test_an_object_reply_is_json_of_its_schema(local: Backbone) -> None:
    reply = ask(
        local, [{"role": "user", "content": "Reply with the words you would search for."}], 40, reply_schema=QUERY
    )
    assert reply.outcome is Outcome.OK
    value = json.loads(reply.text)
    assert list(value) == ["query"]
    assert 1 <= len(value["query"]) <= 12


def test_a_prompt_beyond_the_context_is_an_overflow(local: Backbone) -> None:
    reply = ask(local, [{"role": "user", "content": "mug " * CONTEXT * 2}])
    assert (reply.text, reply.outcome, reply.attempts) == ("", Outcome.CONTEXT_OVERFLOW, 1)
    assert reply.error


def test_a_reply_cut_at_its_cap_is_truncated(local: Backbone) -> None:
    reply = ask(local, [{"role": "user", "content": "Tell a long story about a shop."}], 4)
    assert reply.outcome is Outcome.TRUNCATED
    assert reply.usage.output == 4


def test_a_parameter_that_llama_cpp_is_not_given_is_recorded(local: Backbone) -> None:
    request = Request(MUGS, params={"max_tokens": 2, "logit_bias": {"1": 5}})
    asyncio.run(local.complete(request))
    assert set(vars(local)["not_sent"]) == {"logit_bias"}


def test_a_reply_does_not_depend_on_what_was_cached(local: Backbone) -> None:
    first = ask(local, MUGS)
    again = ask(local, MUGS)
    longer = [*MUGS, {"role": "assistant", "content": first.text}, {"role": "user", "content": "Why?"}]
    beginning = ask(local, longer, 2)
    assert first.text
    assert again.text == first.text
    assert (again.usage.cached, beginning.usage.cached > 20) == (0, True)
