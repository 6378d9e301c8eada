"""The baselines by name: cheap to import, so that listing models loads neither Arrow nor NumPy."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

from paars_bench.errors import UsageError, unknown

if TYPE_CHECKING:
    from paars_bench.backbones.door import Backbone

_SCRIPTED = "paars_bench.backbones.scripted:ScriptedBackbone"


class Baseline(NamedTuple):
    """What a baseline does, in words, and the ``module:class`` that is made with its name."""

    meaning: str
    made_by: str = _SCRIPTED


SCRIPTED: dict[str, Baseline] = {
    "random": Baseline("draws uniformly from what is possible: what knowing nothing reaches"),
    "first": Baseline("takes the first option or result, types the first words of the title, buys what it views first"),
    "popular": Baseline("takes the product with the most reviews, types its category"),
    "logit": Baseline(
        "chooses and shops by the demo's choice model: true weights on demo, mean ones elsewhere",
        "paars_bench.backbones.logit:LogitBackbone",
    ),
    "human": Baseline("answers what the human of the case did: the ceiling, and a test of the harness"),
}
"""Every baseline: a name stands here and nowhere else, and ``--model`` and ``ls models`` know it."""


def scripted_backbone(name: str) -> Backbone:
    """Returns a scripted baseline behind the door.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in SCRIPTED:
        raise UsageError(unknown("baseline", name, SCRIPTED))
    module, _, made_by = SCRIPTED[name].made_by.partition(":")
    made: Backbone = getattr(importlib.import_module(module), made_by)(name)
    return made
