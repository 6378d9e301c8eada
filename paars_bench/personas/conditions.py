"""The conditions of Table 3 and two controls: what of a shopper's persona a prompt holds.

``shuffled`` gives another shopper's whole persona (right mixture, wrong person). ``base_sampled`` is ``base`` at the
sampling temperature of sessions, so that a gain in diversity can be told from mere randomness.
"""

from __future__ import annotations

from typing import NamedTuple


class Condition(NamedTuple):
    """Which parts of the persona are shown, whose, and whether temperature is matched to sessions."""

    name: str
    parts: tuple[str, ...]
    other_shopper: bool
    sampled: bool
    meaning: str

    @property
    def needs_persona(self) -> bool:
        """Whether a mined persona is part of the prompt (history alone needs none)."""
        return bool({"profile", "preferences"} & set(self.parts))


_ALL = ("profile", "preferences", "reasoning", "history")
CONDITIONS: dict[str, Condition] = {
    c.name: c
    for c in (
        Condition("base", (), False, False, "nothing about the shopper"),
        Condition("profile", ("profile",), False, False, "the consumer profile"),
        Condition("preferences", ("preferences",), False, False, "the shopping preferences"),
        Condition("history", ("history",), False, False, "the shopping history"),
        Condition("persona", _ALL, False, False, "profile, preferences, their reasoning and the history"),
        Condition("shuffled", _ALL, True, False, "the whole persona of another shopper"),
        Condition("base_sampled", (), False, True, "base at the sampling temperature of sessions"),
    )
}
