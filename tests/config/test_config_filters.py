"""From replies, such as models really give, to answers."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.config.filters import FILTERS, apply_filters
from paars_bench.config.spec import FilterSpec


def steps(*names: str, **options: object) -> list[FilterSpec]:
    return [FilterSpec(filter=n, **options) for n in names]


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("3", "3"),
        (" 2.\n", "2"),
        ("Option 4 looks best", "4"),
        ("**1**", "1"),
        ("I'd take 7, no, 2", None),
        ("The $3 one is good", None),
        ("rated 4.5 of 5; I choose 1", "1"),
        ("1,200 reviews", None),
        ("12", None),
        ("0", None),
        ("none of them", None),
        ("", None),
        ("٣", "3"),
        ("9" * 10_000, None),
    ],
)
def test_number_of_four(reply: str, answer: str | None) -> None:
    assert apply_filters(reply, steps("number"), n_options=4) == answer


@given(st.text(), st.integers(1, 50))
def test_a_number_is_always_an_option(reply: str, n: int) -> None:
    answer = apply_filters(reply, steps("number"), n_options=n)
    assert answer is None or 1 <= int(answer) <= n


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ('\n\n"usb c cable"\nI hope this helps', "usb c cable"),
        ("“蓝牙耳机”", "蓝牙耳机"),
        ("'\"nested\"'", "nested"),
        ('5" nails', '5" nails'),
        ("\n \n", None),
        ('""', None),
    ],
)
def test_a_query(reply: str, answer: str | None) -> None:
    assert apply_filters(reply, steps("first_line", "strip_quotes")) == answer


@given(st.text())
def test_a_query_is_one_line_without_blanks_around(reply: str) -> None:
    answer = apply_filters(reply, steps("first_line", "strip_quotes"))
    assert answer is None or (answer == answer.strip() and len(answer.splitlines()) == 1)
    if answer is not None:
        assert apply_filters(answer, steps("first_line", "strip_quotes")) == answer


@given(st.text())
def test_nothing_is_never_an_answer(reply: str) -> None:
    for name in FILTERS:
        options = {"pattern": ".*"} if name == "regex" else {}
        answer = apply_filters(reply, steps(name, **options), n_options=3)
        assert answer is None or answer.strip()


def test_no_filters_keep_the_reply_as_it_is() -> None:
    assert apply_filters(" a b\n", []) == " a b\n"
    assert apply_filters(" \n", []) is None


def test_regex_gives_the_match_or_its_group() -> None:
    assert apply_filters("Query: Red Mug", steps("regex", pattern="(?i)red \\w+")) == "Red Mug"
    named = steps("regex", pattern="(?P<key>\\w+): (?P<value>.+)", group="value")
    assert apply_filters("Query: Red Mug", named) == "Red Mug"
    assert apply_filters("nothing", named) is None


def test_a_hostile_pattern_takes_linear_time() -> None:
    start = time.perf_counter()
    assert apply_filters("a" * 100_000 + "b", steps("regex", pattern="(?:a+)+$")) is None
    assert time.perf_counter() - start < 2
