"""The ``logit`` baseline: the demo's choice model as a shopper of its own, behind the door like a language model.

It reads what an agent is asked (product, options, list, intention) and what an agent may know, never what the human
of the case did. Chance belongs to the seed and the case, so a reply is the same in whatever order cases are asked.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

from paars_bench.backbones.door import Situation
from paars_bench.backbones.logit_mind import Mind, mind_of, shop_of
from paars_bench.backbones.logit_visit import plan_visit, title_query
from paars_bench.backbones.scripted import ScriptedBackbone
from paars_bench.backbones.scripted_habits import CannotAnswer, number
from paars_bench.data.cases import CaseKind
from paars_bench.data.demo.chance import Chance
from paars_bench.data.demo.choice import choice_probabilities, examination
from paars_bench.data.demo.intentions import Need, draw_kind, need_in
from paars_bench.data.demo.queries import make_query
from paars_bench.data.demo.shop import Shop
from paars_bench.data.demo.wanted import Wanted
from paars_bench.data.schema import Catalog
from paars_bench.store import Page, StoreAction

_PLANS = 4_096  # visits kept while they are played; more than are ever asked at once
_MINDS = 1_024


class LogitBackbone(ScriptedBackbone):
    """A shopper that chooses by the multinomial logit of ``paars_bench.data.demo.choice``.

    What it keeps (the shop, shoppers, and the plans of visits under way) is made again from the situation when it is
    not there, so it decides nothing.
    """

    def __init__(self, name: str = "logit") -> None:
        super().__init__(name)
        self._shop: tuple[Catalog, Shop] | None = None
        self._minds: OrderedDict[str, Mind] = OrderedDict()
        self._plans: OrderedDict[tuple[str, int], list[StoreAction]] = OrderedDict()

    def _reply(self, situation: Situation) -> str:
        mind = self._mind(situation)
        match situation.case.kind:
            case CaseKind.QUERY_PAIRS:
                return typed_query(mind, situation, _chance(situation))
            case CaseKind.ITEM_CHOICES:
                return str(1 + chosen_item(mind, _rows(mind, situation.case.values["options"]), _chance(situation)))
            case CaseKind.RANK_CHOICES:
                shown = _rows(mind, situation.case.values["shown"])
                return str(1 + viewed_place(mind, str(situation.case.values["query"]), shown, _chance(situation)))
            case CaseKind.SESSIONS:
                return self._next_action(mind, situation).json()

    def _mind(self, situation: Situation) -> Mind:
        if self._shop is None or self._shop[0] is not situation.catalog:
            self._shop = situation.catalog, shop_of(situation.dataset, situation.catalog)
            self._minds.clear()
            self._plans.clear()
        shopper = situation.case.shopper
        if shopper not in self._minds:
            self._minds[shopper] = mind_of(situation, self._shop[1])
            if len(self._minds) > _MINDS:
                self._minds.popitem(last=False)
        return self._minds[shopper]

    def _next_action(self, mind: Mind, situation: Situation) -> StoreAction:
        page = situation.page
        if not isinstance(page, Page) or situation.shop is None:
            raise CannotAnswer("a session needs a store and its page")
        if page.problem is not None:
            raise CannotAnswer(f"the store did not do what was planned: {page.problem}")
        key = situation.case.case_id, situation.seed
        if key not in self._plans:
            self._plans[key] = plan_visit(mind, situation, _chance(situation))
            if len(self._plans) > _PLANS:
                self._plans.popitem(last=False)
        plan = self._plans[key]
        if situation.turn >= len(plan):
            raise CannotAnswer(f"the visit has {len(plan)} actions, asked for number {situation.turn + 1}")
        return plan[situation.turn]


def _chance(situation: Situation) -> Chance:
    return Chance(number("logit", situation.seed, situation.case.case_id))


def typed_query(mind: Mind, situation: Situation, chance: Chance) -> str:
    """Returns what may have been typed before a product was opened: its type, and wishes and brand that it meets."""
    product = str(situation.case.values["product"])
    (row,) = _rows(mind, [product])
    if not mind.of_demo:
        return title_query(chance, situation.catalog[product])
    shop, person = mind.shop, mind.person
    need = need_in(chance, person, draw_kind(chance), shop.category[row])
    wishes = tuple(wish for wish in need.wishes if wish in shop.features[row])
    brand = need.brand if need.brand == shop.brand[row] else ""
    return make_query(chance, person, need._replace(type=shop.type[row], wishes=wishes, brand=brand), 0)


def chosen_item(mind: Mind, rows: Sequence[int], chance: Chance) -> int:
    """Returns the place of the product bought: the chance of needing its category times a logit of what it is worth."""
    bought = {p.product for p in mind.past}
    values = []
    for row in rows:
        category = mind.shop.category[row]
        wanted = Wanted(mind.shop, mind.person, mind.seed, Need("buy", category, "", (), "", -1), bought)
        values.append(math.log(mind.person.taste[category]) + wanted.utility(row))
    return _drawn(choice_probabilities(values, -math.inf), chance)


def viewed_place(mind: Mind, query: str, rows: Sequence[int], chance: Chance) -> int:
    """Returns the place (from 0) of the product opened first: examination by place, then attraction.

    What is looked for is not told: it is taken to be of the category that most of the list is of, with the features
    that the query names.
    """
    shop, person = mind.shop, mind.person
    categories = [shop.category[row] for row in rows]
    category = max(categories, key=categories.count)
    typed = query.lower()
    wishes = sorted({w for row in rows for w in shop.features[row] if w in typed})
    need = Need("buy", category, "", tuple(wishes), "", -1)
    wanted = Wanted(shop, person, mind.seed, need, {p.product for p in mind.past})
    return wanted.noticed(chance, rows, examination(len(rows), person.patience))[0][0]


def _rows(mind: Mind, products: Sequence[str]) -> list[int]:
    missing = next((product for product in products if product not in mind.shop.row), None)
    if missing is not None:
        raise CannotAnswer(f"the catalog has no product {missing!r}")
    return [mind.shop.row[product] for product in products]


def _drawn(shares: Sequence[float], chance: Chance) -> int:
    left = chance.random()
    for place, share in enumerate(shares):
        left -= share
        if left < 0:
            return place
    return max(range(len(shares)), key=lambda place: shares[place])
