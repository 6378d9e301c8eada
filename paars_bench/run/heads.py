"""The head of each prompt: who the shopper is, under one condition. Personas are mined once and kept on disk."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping
from typing import NamedTuple

from paars_bench.backbones.door import Backbone, Usage
from paars_bench.data.cases import Case, CaseKind, ShoppingData
from paars_bench.data.hiding import Titles
from paars_bench.outcomes import POLICY, Outcome
from paars_bench.personas.conditions import CONDITIONS, Condition
from paars_bench.personas.history import History, render_history
from paars_bench.personas.mine import Persona, mine_persona, persona_of
from paars_bench.personas.prompt import persona_block
from paars_bench.run.directory import cannot_write
from paars_bench.run.journal import Damage, JsonLines
from paars_bench.seeds import derive

HISTORY_CAP = 8000
_HISTORY_SHARE = 5  # a fifth of the context: the rest is for the persona, the task's pages and the reply


def history_budget(context_tokens: int, wanted: str | None) -> int:
    """Returns how many tokens of history a prompt may hold: as asked, else a fifth of the context, at most 8,000."""
    if wanted is not None:
        return int(wanted)
    return min(HISTORY_CAP, context_tokens // _HISTORY_SHARE)


class Head(NamedTuple):
    """The head of a prompt, or why there is none."""

    text: str
    outcome: Outcome = Outcome.OK
    error: str | None = None


class Heads:
    """Makes prompt heads.

    Args:
        data: gives backgrounds and titles.
        backbone: mines the personas.
        store: ``personas.jsonl`` of the run; None where nothing is written down.
        budget: tokens of history in a prompt.
        donors: whose persona each shopper gets under ``shuffled``.
        seed: of the run.
        pay: is told of every persona that was mined, by earlier processes too.
    """

    def __init__(
        self,
        data: ShoppingData,
        backbone: Backbone,
        store: JsonLines | None,
        *,
        budget: int,
        donors: Mapping[str, str],
        seed: int,
        pay: Callable[[Persona], None],
    ) -> None:
        self._data, self._backbone, self._store = data, backbone, store
        self._budget, self._donors, self._seed = budget, donors, seed
        self._mined: dict[str, Persona] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._histories: dict[str, History] = {}
        self._titles = Titles(data.catalog)
        self._pay = pay
        self.damaged = Damage()

    def resume(self) -> int:
        """Reads the personas on disk and returns how many there are."""
        if self._store is None:
            return 0
        loaded = load_personas(self._store)
        self.damaged = loaded.damaged
        for persona in loaded.personas:
            self._pay(persona)
        self._mined = {p.shopper: p for p in loaded.personas if not POLICY[p.outcome].owed}
        return len(self._mined)

    def mined_by(self, stand_in: Backbone) -> Heads:
        """Returns heads of the same shoppers, whose other personas ``stand_in`` mines for nobody to keep."""
        other = copy.copy(self)
        other._backbone, other._store, other._pay = stand_in, None, lambda _: None
        other._mined, other._locks = dict(self._mined), {}
        return other

    def whose(self, condition_name: str, case: Case) -> str:
        """Returns whose persona and history a case gets under a condition."""
        return self._donors[case.shopper] if CONDITIONS[condition_name].other_shopper else case.shopper

    async def head(self, condition_name: str, case: Case) -> Head:
        """Returns the head of a case's prompt under a condition; mines the persona if that is still owed."""
        condition = CONDITIONS[condition_name]
        if not condition.parts:
            return Head(persona_block(condition, None, None))
        who = self.whose(condition_name, case)
        persona = None
        if self._mines(condition):
            persona = await self._persona(who)
            if persona.outcome is not Outcome.OK:
                why = f"the persona of {who} could not be mined: {persona.error}"
                return Head("", persona.outcome, why)
        history = self._history(who)
        if condition.other_shopper:
            history = self._render(who, hide=products_asked(case))
        return Head(persona_block(condition, persona, history))

    def owes(self, condition_name: str, case: Case) -> bool:
        """Says whether a persona must still be mined before a case can be asked under a condition."""
        condition = CONDITIONS[condition_name]
        return self._mines(condition) and self.whose(condition_name, case) not in self._mined

    def _mines(self, condition: Condition) -> bool:
        return bool(condition.parts) and condition.needs_persona and not self._backbone.traits.scripted

    async def _persona(self, shopper: str) -> Persona:
        lock = self._locks.setdefault(shopper, asyncio.Lock())
        async with lock:
            if shopper not in self._mined:
                persona = await mine_persona(
                    shopper,
                    self._history(shopper),
                    self._backbone,
                    seed=derive(self._seed, "persona", shopper),
                )
                self._keep(persona)
            return self._mined[shopper]

    def _keep(self, persona: Persona) -> None:
        if self._store is not None:
            try:
                self._store.append(persona.row())
            except OSError as error:
                raise cannot_write(self._store.path.parent, error) from error
        self._mined[persona.shopper] = persona
        self._pay(persona)

    def _history(self, shopper: str) -> History:
        if shopper not in self._histories:
            if len(self._histories) > 512:  # one shopper's calls lie together, so a few suffice
                self._histories.clear()
            self._histories[shopper] = self._render(shopper)
        return self._histories[shopper]

    def _render(self, shopper: str, hide: tuple[str, ...] = ()) -> History:
        background = self._data.background(shopper)
        if hide:
            background = background._replace(events=self._titles.hidden(hide).without(background.events))
        return render_history(
            background, self._data.catalog, budget=self._budget, count_tokens=self._backbone.count_tokens
        )


class Stored(NamedTuple):
    """What ``personas.jsonl`` holds: every line's persona, what they all spent, and which lines are damaged."""

    personas: list[Persona]
    spent: list[Usage]
    damaged: Damage


def load_personas(store: JsonLines) -> Stored:
    """Reads ``personas.jsonl``; a persona that was owed and mined again stands twice, the later line counts."""
    personas: list[Persona] = []
    damaged = store.each(lambda row, _: personas.append(persona_of(row)))
    return Stored(personas, [p.usage for p in personas], damaged)


def products_asked(case: Case) -> tuple[str, ...]:
    """The products a case asks about: another shopper's history must not name them either."""
    match case.kind:
        case CaseKind.QUERY_PAIRS:
            return (case.values["product"],)
        case CaseKind.ITEM_CHOICES:
            return tuple(case.values["options"])
        case CaseKind.RANK_CHOICES:
            return tuple(case.values["shown"])
        case CaseKind.SESSIONS:
            return ()
