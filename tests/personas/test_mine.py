"""Two calls make a persona; a reply that cannot be one ends as an outcome that says why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from people import PREFERENCES, PROFILE, Says, answer_to, history, well

from paars_bench.backbones.door import Completion, Request, Usage
from paars_bench.outcomes import Outcome
from paars_bench.personas.history import History
from paars_bench.personas.mine import PREFERENCE_FIELDS, PROFILE_FIELDS, Persona, mine_persona, persona_of


def mined(answer: Callable[[Request], Completion], known: History | None = None) -> tuple[Persona, Says]:
    door = Says(answer)
    return asyncio.run(mine_persona("ann", known or history(), door, seed=5)), door


def text_of(request: Request) -> str:
    return "\n".join(m["content"] for m in request.messages)


def without(fields: dict[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in fields.items() if k != key}


def test_two_calls_the_second_given_the_profile() -> None:
    persona, door = mined(well)
    first, second = door.asked
    assert "Blue mug" in text_of(first)
    assert "Blue mug" in text_of(second)
    assert "two adults" not in text_of(first)
    assert "two adults" in text_of(second)
    assert (persona.shopper, persona.outcome, persona.error) == ("ann", Outcome.OK, None)
    assert dict(persona.profile) == without(PROFILE, "reasoning")
    assert dict(persona.preferences) == without(PREFERENCES, "reasoning")


def test_the_second_prompt_begins_as_the_first_so_that_a_cache_serves_it() -> None:
    _, door = mined(well, history("2026-05-31: bought {curly} mug %s"))
    first, second = (text_of(r) for r in door.asked)
    end = first.index("</history>") + len("</history>")
    assert "{curly} mug %s" in first
    assert first[:end] == second[:end]


def test_reasoning_comes_first_and_is_kept() -> None:
    persona, door = mined(well)
    assert persona.reasoning == {"profile": "Buys mugs for two.", "preferences": "Compares prices first."}
    for request, fields in zip(door.asked, (PROFILE_FIELDS, PREFERENCE_FIELDS), strict=True):
        assert request.reply_schema is not None
        assert list(request.reply_schema["properties"]) == ["reasoning", *fields]
        assert request.reply_schema["required"] == ["reasoning", *fields]


def test_mining_is_paid_as_persona_greedy_and_seeded() -> None:
    _, door = mined(well)
    assert [r.role for r in door.asked] == ["persona", "persona"]
    assert [(r.params["temperature"], r.params["seed"]) for r in door.asked] == [(0, 5), (0, 5)]


def test_usage_is_of_both_calls_also_where_the_second_fails() -> None:
    paid = Usage(10, 1, 5, 0, 0.25)
    persona, _ = mined(lambda r: Completion(json.dumps(answer_to(r)), usage=paid))
    assert persona.usage == Usage(20, 2, 10, 0, 0.5)
    half, _ = mined(lambda r: Completion(json.dumps(PROFILE), usage=paid))
    assert half.outcome is Outcome.UNPARSEABLE
    assert half.usage == Usage(20, 2, 10, 0, 0.5)


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "Sure! Here it is:\n```json\n{}\n```\nHope this helps :}}",
        '<think>a set {{1, 2}} and {{"a": 1}}</think>{}',
        "{} {{and more}}",
        "{}{}",
    ],
)
def test_prose_around_the_object_is_tolerated(around: str) -> None:
    def answer(request: Request) -> Completion:
        said = json.dumps(answer_to(request))
        return Completion(around.format(said, said))

    persona, _ = mined(answer)
    assert (persona.outcome, persona.error) == (Outcome.OK, None)
    assert persona.profile["interests"] == ["tea", "reading"]


def test_fields_nobody_asked_for_are_left_out() -> None:
    persona, _ = mined(lambda r: Completion(json.dumps({**answer_to(r), "name": "Ann"})))
    assert "name" not in persona.profile
    assert "name" not in persona.preferences


@pytest.mark.parametrize("key", ["reasoning", *PROFILE_FIELDS, *PREFERENCE_FIELDS])
def test_a_missing_field_is_named(key: str) -> None:
    in_profile = key == "reasoning" or key in PROFILE_FIELDS
    broken = without(PROFILE if in_profile else PREFERENCES, key)

    def answer(request: Request) -> Completion:
        return Completion(json.dumps(broken if (answer_to(request) is PROFILE) == in_profile else answer_to(request)))

    persona, door = mined(answer)
    assert persona.outcome is Outcome.UNPARSEABLE
    assert key in (persona.error or "")
    assert (dict(persona.profile), dict(persona.preferences)) == ({}, {})
    assert len(door.asked) == (1 if in_profile else 2)


@pytest.mark.parametrize("value", [None, {}, {"a": 1}, [], [None], [["x"]], "", "  "])
def test_a_field_without_words_is_named(value: Any) -> None:
    persona, _ = mined(lambda r: Completion(json.dumps({**answer_to(r), "household": value})))
    assert persona.outcome is Outcome.UNPARSEABLE
    assert "household" in (persona.error or "")


@pytest.mark.parametrize("value", [None, ["a", "b"], 3, {"a": "b"}])
def test_reasoning_that_is_no_text_is_named(value: Any) -> None:
    persona, _ = mined(lambda r: Completion(json.dumps({**answer_to(r), "reasoning": value})))
    assert persona.outcome is Outcome.UNPARSEABLE
    assert "reasoning" in (persona.error or "")


@given(st.text(max_size=200) | st.text('{}[]",:a1 ', max_size=60))
def test_any_reply_ends_in_an_outcome(text: str) -> None:
    persona, door = mined(lambda _: Completion(text))
    assert (persona.outcome, len(door.asked)) == (Outcome.UNPARSEABLE, 1)
    assert persona.error


def test_nesting_without_end_is_unparseable() -> None:
    persona, _ = mined(lambda _: Completion('{"a":' * 3000))
    assert persona.outcome is Outcome.UNPARSEABLE


@pytest.mark.parametrize(
    "outcome", [Outcome.PROVIDER_ERROR, Outcome.REFUSED, Outcome.TRUNCATED, Outcome.CONTEXT_OVERFLOW]
)
@pytest.mark.parametrize("failing", [1, 2])
def test_what_the_provider_did_is_the_outcome(outcome: Outcome, failing: int) -> None:
    def answer(request: Request) -> Completion:
        fails = (answer_to(request) is PROFILE) == (failing == 1)
        return Completion("{", outcome, error="it said no") if fails else well(request)

    persona, door = mined(answer)
    assert (persona.outcome, persona.error) == (outcome, "it said no")
    assert len(door.asked) == failing


def test_a_failure_without_words_has_some() -> None:
    persona, _ = mined(lambda _: Completion("", Outcome.TRUNCATED))
    assert "truncated" in (persona.error or "")


@pytest.mark.parametrize(
    ("known", "says"),
    [(History("", 0, 0, 0, 500), "no history"), (History("", 12, 0, 0, 7), "budget of 7 tokens")],
)
def test_without_history_nothing_is_asked_or_made_up(known: History, says: str) -> None:
    persona, door = mined(well, known)
    assert door.asked == []
    assert persona.outcome is not Outcome.OK
    assert says in (persona.error or "")


def test_what_was_cut_of_the_history_is_recorded() -> None:
    persona, _ = mined(well, History("2026-05-31: bought Blue mug", 40, 1, 9, 12))
    assert (persona.history["events"], persona.history["shown"], persona.history["budget"]) == (40, 1, 12)


@pytest.mark.parametrize("answer", [well, lambda _: Completion("", Outcome.REFUSED)])
def test_a_persona_survives_its_line_of_json(answer: Callable[[Request], Completion]) -> None:
    persona, _ = mined(answer)
    assert persona_of(json.loads(json.dumps(persona.row()))) == persona
