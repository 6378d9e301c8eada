"""Names of the scripted baselines: cheap to import, so that listing models loads neither Arrow nor NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paars_bench.errors import UsageError, unknown

if TYPE_CHECKING:
    from paars_bench.backbones.door import Backbone

SCRIPTED: dict[str, str] = {
    "random": "draws uniformly from what is possible: the floor that knowing nothing reaches",
    "first": "takes the first option or result, types the first words of the title, buys what it views first",
    "popular": "takes the product with the most reviews, types its category",
    "logit": "chooses and shops by the demo's choice model: true weights on demo, mean ones elsewhere",
    "human": "answers what the human of the case did: the ceiling, and a test of the harness",
}
"""Every scripted baseline and what it does."""


def scripted_backbone(name: str) -> Backbone:
    """Returns a scripted baseline behind the door.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in SCRIPTED:
        raise UsageError(unknown("baseline", name, SCRIPTED))
    if name == "logit":
        from paars_bench.backbones.logit import LogitBackbone

        return LogitBackbone()
    from paars_bench.backbones.scripted import ScriptedBackbone

    return ScriptedBackbone(name)
