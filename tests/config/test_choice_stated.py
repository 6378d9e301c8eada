"""A choice is what a reply states as its answer; a number that merely occurs in it is none."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.config.choice import is_whole_before_more, stated_choice

STATED = {
    **dict.fromkeys(["3", " 3\n", "3.", "3)", "(3)", "#3", "# 3", "- 3", "**3**", "“3”", "`3`", "٣", "No. 3"], 3),
    **dict.fromkeys(["Option 3", "option #3.", "Answer: 3", "**Answer:** 3", "Final answer: Option 3", "[3]"], 3),
    **dict.fromkeys(['{"choice": 3}', '{"choice": "3", "why": "rated 4.5"}', '```json\n{"choice": 3}\n```'], 3),
    **dict.fromkeys(["3. Red mug, pack of 2", "3 - Red mug", "3 (Red mug)", "3 because it is rated 4 of 5"], 3),
    **dict.fromkeys(["Option 3: Red mug", "Option 3 looks best", "Product 3 is the best choice"], 3),
    **dict.fromkeys(["I would buy 3 because it is red", "I'd go with #3.", "The shopper would buy option 3."], 3),
    **dict.fromkeys(["My choice is option 3.", "The answer is 3", "I think\n3", "There are 4 products.\n\n3"], 3),
    "rated 4.5 of 5; I choose 1": 1,
}
SILENT = [
    *("", "none of them", "0", "7", "12", "-1", "1,200 reviews", "4.5", "$3", "3 stars", "3 of these"),
    *("I cannot choose 1 of these", "Of these 4 products I would", "None of the 4.", "I choose 1 product"),
    *("1 or 3", "1, 3", "1 and 3", "1/3", "1-3", "1 2", "Option 1 and option 3", "1. Blue mug\n2. Red mug"),
    *("Not option 1", "I would not pick option 2", "If I choose 1, it breaks", "I need to choose 1.", "1 is too small"),
    *("I'd take 7, no, 2", "I would buy option 3 because option 1 is small", "Option 1 is too small, so the red mug"),
    *('{"a": 1, "b": 2}', '{"choice": 7}', '{"choice": true}', '{"choice": 2.5}', "I choose 2.5", "9" * 5_000),
]


@pytest.mark.parametrize(("reply", "choice"), STATED.items())
def test_a_number_said_as_the_answer_is_the_choice(reply: str, choice: int) -> None:
    assert stated_choice(reply, 4) == choice


@pytest.mark.parametrize("reply", SILENT)
def test_a_number_that_only_occurs_is_no_choice(reply: str) -> None:
    assert stated_choice(reply, 4) is None


@given(st.integers(1, 50), st.sampled_from(["{}", "**{}**", "Option {}", "Answer: {}.", '{{"choice": {}}}']))
def test_every_option_can_be_said(number: int, form: str) -> None:
    assert stated_choice(form.format(number), 50) == number
    assert stated_choice(form.format(number), number - 1) is None


@pytest.mark.parametrize(
    ("reply", "whole"),
    [
        ("2\nbecause", True),
        ("3 because it", True),
        ("Answer: 3, the red", True),
        ("3", False),
        ("**3**", False),
        ("I would buy 3", False),
        ("3. Red mug", False),
        ("Option 1: Blue mug", False),
    ],
)
def test_a_cut_reply_had_ended_its_answer_where_more_follows(reply: str, whole: bool) -> None:
    assert stated_choice(reply, 4) is not None
    assert is_whole_before_more(reply) is whole


@pytest.mark.parametrize("unit", ["(", "#", " ", "option ", "my answer is ", "1 ", '"', "[", "-", "I would "])
def test_no_reply_takes_long(unit: str) -> None:
    started = time.perf_counter()
    for length in (200, 1_999 // len(unit), 100_000):
        stated_choice(unit * length + "1", 4)
    assert time.perf_counter() - started < 2
