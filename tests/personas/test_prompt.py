"""Each condition shows its parts of the persona and nothing else."""

from __future__ import annotations

import pytest
from people import PREFERENCES, PROFILE, history

from paars_bench.personas.conditions import CONDITIONS
from paars_bench.personas.mine import Persona
from paars_bench.personas.prompt import persona_block, shared_ends

KNOWN = history("2026-05-31: bought Blue mug")
ANN = Persona(
    "shopper-ann",
    profile={k: v for k, v in PROFILE.items() if k != "reasoning"},
    preferences={k: v for k, v in PREFERENCES.items() if k != "reasoning"},
    reasoning={"profile": PROFILE["reasoning"], "preferences": PREFERENCES["reasoning"]},
)
MARKS = {
    "profile": "two adults",
    "preferences": "lasting goods",
    "reasoning": "Compares prices first.",
    "history": "bought Blue mug",
}
SHOWN = {
    "base": set(),
    "profile": {"profile"},
    "preferences": {"preferences"},
    "history": {"history"},
    "persona": {"profile", "preferences", "reasoning", "history"},
    "shuffled": {"profile", "preferences", "reasoning", "history"},
    "base_sampled": set(),
}


def test_the_conditions_are_these_seven() -> None:
    assert set(CONDITIONS) == set(SHOWN)
    assert [c.name for c in CONDITIONS.values()] == list(CONDITIONS)


@pytest.mark.parametrize("name", SHOWN)
def test_a_condition_shows_exactly_its_parts(name: str) -> None:
    text = persona_block(CONDITIONS[name], ANN, KNOWN)
    assert {part for part, mark in MARKS.items() if mark in text} == SHOWN[name]
    assert "shopper-ann" not in text


@pytest.mark.parametrize("name", ["base", "base_sampled"])
def test_base_says_nothing(name: str) -> None:
    assert persona_block(CONDITIONS[name], ANN, KNOWN) == ""


def test_every_field_is_shown_with_its_value() -> None:
    text = persona_block(CONDITIONS["persona"], ANN, KNOWN)
    for fields in (ANN.profile, ANN.preferences):
        for key, value in fields.items():
            shown = ", ".join(value) if isinstance(value, list) else value
            assert f"- {key.replace('_', ' ')}: {shown}" in text
    assert "Buys mugs for two." in text


def test_the_same_person_has_the_same_words_in_every_call() -> None:
    assert persona_block(CONDITIONS["persona"], ANN, KNOWN) == persona_block(CONDITIONS["shuffled"], ANN, KNOWN)


def test_history_and_persona_begin_with_the_same_history() -> None:
    short, long = (persona_block(CONDITIONS[name], ANN, KNOWN) for name in ("history", "persona"))
    assert long.startswith(f"{short}\n\n")
    assert shared_ends(short) == (len(short),)
    assert shared_ends(long) == (len(short), len(long))


@pytest.mark.parametrize(("name", "ends"), [("base", 0), ("profile", 1), ("preferences", 1)])
def test_a_block_without_history_is_shared_whole(name: str, ends: int) -> None:
    block = persona_block(CONDITIONS[name], ANN, KNOWN)
    assert shared_ends(block) == (len(block),) * ends


def test_only_shuffled_is_of_another_shopper_and_only_base_sampled_is_sampled() -> None:
    assert [c.name for c in CONDITIONS.values() if c.other_shopper] == ["shuffled"]
    assert [c.name for c in CONDITIONS.values() if c.sampled] == ["base_sampled"]
    assert [c.name for c in CONDITIONS.values() if c.needs_persona] == ["profile", "preferences", "persona", "shuffled"]
