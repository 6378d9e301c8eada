"""How one reply becomes an answer or a typed failure, and what a prompt may hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from says import Says

from paars_bench.backbones.door import Completion, Request, Traits, Usage
from paars_bench.config import TaskSpec
from paars_bench.data import iter_cases
from paars_bench.data.cases import Case
from paars_bench.outcomes import Outcome
from paars_bench.store import Shop
from paars_bench.tasks.ask import ASK, option_count
from paars_bench.tasks.line import result_of
from paars_bench.tasks.question import SAMPLING_TEMPERATURE, Asker, Question, request_params
from paars_bench.tasks.render import Renderer, prompt_sha256
from paars_bench.tasks.result import CaseResult

Ask = Callable[..., tuple[CaseResult, list[Request]]]
CHOICE, QUERY, SESSION = "item_selection_individual", "query_generation", "session_generation"


TRAITS = Traits("says", "says/1", False, 32_000, tools=False, reply_schema=True)


def first(data: Any, spec: TaskSpec) -> Case:
    return next(iter(iter_cases(data.cases(spec.dataset.cases), spec.dataset.cases)))


@pytest.fixture
def asked(data: Any, specs: dict[str, TaskSpec]) -> Ask:
    def run(task: str, *replies: str | Completion, head: str = "", sampled: bool = False) -> Any:
        spec = specs[task]
        said = (r if isinstance(r, Completion) else Completion(r, usage=Usage(3, 0, 1)) for r in replies)
        backbone = Says(TRAITS, *said)
        question = Question(spec, "base", sampled, first(data, spec), 0, seed=11)
        asker = Asker(
            Renderer(spec, data.catalog), data.catalog, lambda settings: Shop(data.catalog, settings=settings)
        )
        return asyncio.run(ASK[spec.output_type](question, head, backbone, asker)), backbone.requests

    return run


@pytest.mark.parametrize(
    ("reply", "choice"),
    [("3", 3), (" 2\n", 2), ('"4"', 4), ("Option 1", 1), ("2.", 2), ("I would buy 3 because it is red", 3)],
)
def test_a_number_is_found(asked: Ask, reply: str, choice: int) -> None:
    result, _ = asked(CHOICE, reply)
    assert (result.outcome, result.parsed) == (Outcome.OK, {"choice": choice})
    assert result.reply == reply


@pytest.mark.parametrize(
    "reply",
    ["7", "0", "-1", "none of them", "1000000", "…", "²", "Ⅲ", '{"a": 1}x', "1 or 3", "Of these 4 products", "3 stars"],
)
def test_what_is_no_option_is_unparseable_and_not_wrong(asked: Ask, reply: str) -> None:
    result, _ = asked(CHOICE, reply)
    assert (result.outcome, result.parsed) == (Outcome.UNPARSEABLE, None)


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.TRUNCATED])
@pytest.mark.parametrize("task", [CHOICE, QUERY])
@pytest.mark.parametrize("reply", ["I'm sorry, I can't help with that.", '"As an AI, I do not shop"'])
def test_a_refusal_in_words_is_no_behaviour(asked: Ask, task: str, reply: str, outcome: Outcome) -> None:
    result, _ = asked(task, Completion(reply, outcome))
    assert (result.outcome, result.parsed, result.reply) == (Outcome.REFUSED, None, reply)


def test_who_declines_and_still_chooses_has_chosen(asked: Ask) -> None:
    assert asked(CHOICE, "I cannot choose 1 of these")[0].outcome is Outcome.REFUSED
    assert asked(CHOICE, "I can't see images, but I would buy 2.")[0].parsed == {"choice": 2}


@pytest.mark.parametrize("reply", ["[" * 20_000, "9" * 5_000, "\u00b2" * 3])
@pytest.mark.parametrize("task", [CHOICE, QUERY])
def test_a_reply_made_to_break_a_parser_ends_a_case_and_no_run(asked: Ask, task: str, reply: str) -> None:
    result, _ = asked(task, reply)
    assert result.outcome in (Outcome.OK, Outcome.UNPARSEABLE) and (task == QUERY or result.parsed is None)


@given(reply=st.text(max_size=60))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("task", [CHOICE, QUERY])
def test_any_reply_ends_in_an_answer_or_a_failure(asked: Ask, task: str, reply: str) -> None:
    result, _ = asked(task, reply)
    assert (result.parsed is not None) == (result.outcome is Outcome.OK)
    if result.parsed and task == CHOICE:
        assert 1 <= result.parsed["choice"] <= 4
    if result.parsed and task == QUERY:
        assert result.parsed["query"].strip()
        assert "\n" not in result.parsed["query"]


@pytest.mark.parametrize(
    ("reply", "query"),
    [
        ("red mug", "red mug"),
        ('"red mug"', "red mug"),
        ("red mug\nbecause it is red", "red mug"),
        ('"caf\\u00e9 cups"', "café cups"),
    ],
)
def test_a_query_is_the_first_line_without_quotes(asked: Ask, reply: str, query: str) -> None:
    assert asked(QUERY, reply)[0].parsed == {"query": query}


@pytest.mark.parametrize(
    ("task", "text", "outcome"),
    [
        (CHOICE, "2\nbecause", Outcome.OK),  # its line was whole
        (CHOICE, "3 because it is", Outcome.OK),
        (CHOICE, "2", Outcome.TRUNCATED),  # it may have become "2 of these"
        (CHOICE, "I would buy 2", Outcome.TRUNCATED),
        (CHOICE, "1. The blue mug", Outcome.TRUNCATED),  # the first of a list, perhaps
        (CHOICE, "1. The blue mug\n2. The red", Outcome.TRUNCATED),
        (CHOICE, "Of these 4 products I would", Outcome.TRUNCATED),
        (CHOICE, "I think", Outcome.TRUNCATED),
        (QUERY, "red mug\nbecause", Outcome.OK),  # the first line was whole
        (QUERY, "red mu", Outcome.TRUNCATED),
        (QUERY, "", Outcome.TRUNCATED),
    ],
)
def test_a_reply_cut_at_max_tokens_counts_if_its_answer_was_complete(
    asked: Ask, task: str, text: str, outcome: Outcome
) -> None:
    assert asked(task, Completion(text, Outcome.TRUNCATED))[0].outcome is outcome


@pytest.mark.parametrize("task", [CHOICE, QUERY, SESSION])
@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.OK, Outcome.TRUNCATED}))
def test_what_a_backbone_failed_at_is_never_parsed(asked: Ask, task: str, outcome: Outcome) -> None:
    result, _ = asked(task, Completion("1", outcome, error="why"))
    assert (result.outcome, result.error) == (outcome, "why")
    assert task == SESSION or result.parsed is None


def test_a_result_comes_back_from_its_journal_line(asked: Ask) -> None:
    for task, reply in ((CHOICE, "2"), (QUERY, "tea"), (SESSION, '{"action": "leave"}')):
        result, _ = asked(task, reply)
        line = json.loads(json.dumps(result.row(log_samples=True)))
        again = result_of(line)
        assert again.key == result.key
        assert json.loads(json.dumps(again.row(log_samples=True))) == line


def test_a_choice_is_asked_for_with_exactly_its_numbers(asked: Ask) -> None:
    _, (request,) = asked(CHOICE, "1")
    assert request.reply_schema == {"type": "integer", "enum": [1, 2, 3, 4]}
    assert request.situation is not None


def test_the_stable_head_comes_before_the_task(asked: Ask, specs: dict[str, TaskSpec]) -> None:
    one, (request,) = asked(CHOICE, "1", head="HEAD OF THE SHOPPER")
    two, (other,) = asked(QUERY, "x", head="HEAD OF THE SHOPPER")
    assert [m["role"] for m in request.messages] == ["system", "user"]
    assert request.messages[0] == other.messages[0]
    assert request.messages[0]["content"].endswith("HEAD OF THE SHOPPER")
    assert one.prompt_sha256 == prompt_sha256(list(request.messages)) != two.prompt_sha256


@pytest.mark.parametrize(("task", "base"), [(CHOICE, 0), (QUERY, 0), (SESSION, 0.7)])
def test_only_the_sampled_control_raises_a_temperature_of_zero(
    data: Any, specs: dict[str, TaskSpec], task: str, base: float
) -> None:
    for sampled, expected in ((False, base), (True, SAMPLING_TEMPERATURE)):
        question = Question(specs[task], "base", sampled, first(data, specs[task]), 0, seed=5)
        params = request_params(question)
        assert (params["temperature"], params["seed"]) == (expected, 5)


def test_no_prompt_holds_what_the_human_did(data: Any, specs: dict[str, TaskSpec]) -> None:
    """Changing the human's answer, and nothing else, leaves every prompt as it is and moves the target."""
    from dataclasses import replace

    truths = {QUERY: ("query", "zzz qqq"), CHOICE: ("answer", None), "item_selection_group": ("rank", None)}
    for task, (key, value) in truths.items():
        renderer = Renderer(specs[task], data.catalog)
        kind = specs[task].dataset.cases
        for case in list(iter_cases(data.cases(kind), kind))[:50]:
            count = 0 if value else option_count(case)
            first_place = 1 if key == "rank" else 0
            new = value or (case.values[key] - first_place + 1) % count + first_place
            other = replace(case, values={**case.values, key: new})
            assert renderer.messages("", case) == renderer.messages("", other)
            assert renderer.target(case) != renderer.target(other)


def test_every_option_is_shown_with_its_number(data: Any, specs: dict[str, TaskSpec]) -> None:
    renderer = Renderer(specs[CHOICE], data.catalog)
    kind = specs[CHOICE].dataset.cases
    for case in list(iter_cases(data.cases(kind), kind))[:30]:
        text = renderer.text(case)
        places = [text.find(data.catalog[p].title[:40]) for p in case.values["options"]]
        assert -1 not in places
        assert len(places) == 4
        assert renderer.target(case) == str(case.values["answer"] + 1)
