"""What begins as a refusal is one; what shoppers search for is none, however it sounds."""

from __future__ import annotations

import time

import pytest

from paars_bench.config.refusal import is_refusal

REFUSALS = [
    *(
        "I'm sorry, I can't help with that",
        "I’m sorry, but I can’t assist with that request.",
        "Sorry, I can't do that.",
    ),
    *("**I'm sorry**, but I don't shop", '"I cannot provide a query"', "I cannot choose 1 of these", "I cannot help."),
    *(
        "I am unable to determine",
        "I'm not able to pick",
        "I won't be able to help you",
        "I cannot answer this question",
    ),
    *("As an AI language model, I don't have eyes", "As an AI, I cannot shop", "I'm just an AI assistant"),
    *("I don't have personal preferences", "I do not have access to the store", "I must respectfully decline"),
    *("I'm not comfortable answering", "Unfortunately, I cannot see the products", "Your request cannot be processed"),
    *("I apologize, but I need more details", "I refuse to answer"),
]
QUERIES = [
    *(
        "sorry board game",
        "can't hurt me book",
        "i can't help falling in love vinyl",
        "i'm sorry card",
        "help wanted sign",
    ),
    *("sorry not sorry shirt", "sorry i can't i have rehearsal shirt", "i can't believe it's not butter", "can opener"),
    *("i can't make you love me sheet music", "i am an ai t-shirt", "as an ai book", "unfortunately yours novel"),
    *("my apologies cd", "i cannot live without my dog mug", "i would prefer not to mug", "i do not have a dog mug"),
    *("sorry, i'm late shirt", "i can't do this anymore shirt", "i can see clearly now record", "red mug", "3", ""),
]


@pytest.mark.parametrize("reply", REFUSALS)
def test_a_refusal_is_seen(reply: str) -> None:
    assert is_refusal(reply)
    assert is_refusal(reply.upper())


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_no_refusal(query: str) -> None:
    assert not is_refusal(query)
    assert not is_refusal(query.title())


def test_only_the_beginning_counts() -> None:
    assert not is_refusal("red mug. I'm sorry, I can't help with more.")


@pytest.mark.parametrize("unit", [" ", "*", "sorry ", "i ", "I'm sorry, ", "but "])
def test_no_reply_takes_long_to_be_read(unit: str) -> None:
    started = time.perf_counter()
    assert not is_refusal(unit * 100_000)
    assert time.perf_counter() - started < 1
