"""Which segment each shopper is in: by what the data set knows, by what a run mined, or by the history itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from paars_bench.data.cases import ShoppingData
from paars_bench.errors import UsageError, unknown
from paars_bench.outcomes import Outcome
from paars_bench.personas.mine import PREFERENCE_FIELDS, PROFILE_FIELDS, Persona

LEVELS = ("low", "middle", "high")


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Shoppers by segment.

    Attributes:
        by: what they are told apart by, as typed.
        of: segment of each shopper that has one.
        unknown: shoppers that have none.
    """

    by: str
    of: Mapping[str, str]
    unknown: int


def segmentation(
    by: str, data: ShoppingData, shoppers: Sequence[str], personas: Iterable[Persona] = ()
) -> Segmentation:
    """Puts shoppers into segments.

    Args:
        by: a field of what the data set knows of its people (``age_range``), ``activity`` (thirds by the events of
            their history), ``category`` (the one most often viewed or bought in it), or a field of the personas that
            the run mined (``profile.age_range``, ``preferences.price_sensitivity``).
        data: the data set.
        shoppers: those of the run.
        personas: mined by the run.

    Raises:
        UsageError: there is nothing of that name; the nearest is named.
    """
    mined = {p.shopper: p for p in personas if p.outcome is Outcome.OK}
    choices = _choices(data, shoppers, mined)
    if by not in choices:
        raise UsageError(f"--by {unknown('segment', by, choices)}")
    found = choices[by]()
    of = {s: found[s] for s in shoppers if found.get(s)}
    return Segmentation(by, of, len(shoppers) - len(of))


def _choices(
    data: ShoppingData, shoppers: Sequence[str], mined: Mapping[str, Persona]
) -> dict[str, Callable[[], Mapping[str, str]]]:
    truths = {s: data.truth(s) for s in shoppers}
    choices: dict[str, Callable[[], Mapping[str, str]]] = {
        "activity": lambda: _activity(data, shoppers),
        "category": lambda: _category(data, shoppers),
    }
    for key in sorted({k for t in truths.values() for k in t}):
        choices[key] = partial(_known, truths, key)
    for part, fields in (("profile", PROFILE_FIELDS), ("preferences", PREFERENCE_FIELDS)) if mined else ():
        for name in fields:
            choices[f"{part}.{name}"] = partial(_mined, mined, part, name)
    return choices


def _known(truths: Mapping[str, Mapping[str, str]], key: str) -> dict[str, str]:
    return {s: t.get(key, "") for s, t in truths.items()}


def _mined(mined: Mapping[str, Persona], part: str, name: str) -> dict[str, str]:
    return {s: _word(getattr(m, part).get(name)) for s, m in mined.items()}


def _word(value: Any) -> str:
    return str(value[0] if isinstance(value, list) and value else value or "").strip().casefold()


def _activity(data: ShoppingData, shoppers: Sequence[str]) -> dict[str, str]:
    events = np.array([len(data.background(s).events) for s in shoppers])
    cuts = np.quantile(events, [1 / 3, 2 / 3])
    return {s: LEVELS[place] for s, place in zip(shoppers, np.searchsorted(cuts, events), strict=True)}


def _category(data: ShoppingData, shoppers: Sequence[str]) -> dict[str, str]:
    found = {}
    for shopper in shoppers:
        seen = [e.product for e in data.background(shopper).events if e.product in data.catalog]
        counts = Counter(data.catalog[p].category[0] for p in seen if p and data.catalog[p].category)
        # the most frequent, and of equals the first in the alphabet: the same on every machine
        found[shopper] = min(counts, key=lambda c: (-counts[c], c), default="")
    return found
