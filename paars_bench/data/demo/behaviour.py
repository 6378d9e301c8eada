"""A demo shopper's visit: search, read down the list, open some products, take one or none, go on or leave.

Every step can be made again in the store: a product viewed was in the list last shown, its rank is its place there
(absolute over pages), and what is bought was put into the cart from its page.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.data.demo import choice
from paars_bench.data.demo.intentions import KINDS, Need, Past, draw_need, sentence
from paars_bench.data.demo.people import Person
from paars_bench.data.demo.queries import make_query
from paars_bench.data.demo.recorder import SECOND, Recorder
from paars_bench.data.demo.shop import Shop
from paars_bench.data.schema import Action

PAGE = 10
Search = Callable[[str, int], tuple[str, ...]]
"""Query and number of products to skip, to the ids of one page."""

_MOST_NEEDS = 6
_MOST_SEARCHES = 12
_MOST_PAGES = 5
_CART_LEFT = 0.15  # sessions whose full cart is left behind
_CART_REMOVED = 0.07


class World(NamedTuple):
    """What does not change from visit to visit."""

    shop: Shop
    search: Search
    seed: int


class Visit:
    """One session of one shopper, written to a recorder as it happens.

    Args:
        world: the shop and its search.
        person: who comes.
        rng: of this person.
        past: what the person bought before; a purchase is added to it.
        recorder: where events go.
        name: id of the session.
        start: microseconds since 1970.
    """

    def __init__(
        self,
        world: World,
        person: Person,
        rng: np.random.Generator,
        past: list[Past],
        recorder: Recorder,
        name: str,
        start: int,
    ) -> None:
        self.world, self.person, self.rng, self.past = world, person, rng, past
        self.recorder, self.name, self.time, self.start = recorder, name, start, start
        self.cart: list[int] = []
        self.number = int(person.id[1:])
        self.bought = {p.product for p in past}

    def run(self) -> int:
        """Goes through the session and returns when it ended."""
        need = draw_need(self.rng, self.person, self.world.shop, self.past)
        self.recorder.session(self.name, self.person.id, self.start, sentence(self.rng, need))
        for _ in range(_MOST_NEEDS):
            self._pursue(need)
            if self.rng.random() > self.person.basket * (1.5 if self.cart else 0.7):
                break
            need = draw_need(self.rng, self.person, self.world.shop, self.past)
        self._check_out()
        self._say(Action.LEAVE, median_s=8)
        return self.time

    def _pursue(self, need: Need) -> None:
        kind = KINDS[need.kind]
        for attempt in range(_MOST_SEARCHES):
            query = make_query(self.rng, self.person, need, attempt)
            if self._search(need, query):
                return
            if self.rng.random() > kind.goes_on * (0.6 + 0.8 * self.person.patience):
                return

    def _search(self, need: Need, query: str) -> bool:
        """Searches and goes through the pages of the list; returns whether a product was taken."""
        shown: list[str] = []  # grows with each page turned, as in the store: one search, one list
        self._say(Action.SEARCH, median_s=14, query=query, shown=shown)
        for skip in range(0, _MOST_PAGES * PAGE, PAGE):
            ids = self.world.search(query, skip)
            if not ids:
                return False
            if skip:
                self._wait(9)
            shown.extend(ids)
            if self._look(need, ids, skip):
                return True
            if len(ids) < PAGE or self.rng.random() > 0.05 + 0.3 * self.person.patience**2:
                return False
        return False

    def _look(self, need: Need, ids: tuple[str, ...], skip: int) -> bool:
        """Opens products of a page and returns whether one was taken."""
        rows = np.array([self.world.shop.row[i] for i in ids], np.int64)
        utility = self._utilities(need, rows)
        opened = self._opened(need, utility)
        for place in opened:
            self._view(rows, place, skip)
        taken = self._taken(need, utility, opened)
        if taken is None:
            return False
        if int(rows[taken]) in self.cart:
            return True
        if taken != opened[-1]:
            self._view(rows, taken, skip)  # back to the one they liked best
        self._say(Action.CART_ADD, median_s=6, product=ids[taken])
        self.cart.append(int(rows[taken]))
        return True

    def _utilities(self, need: Need, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        shop, person = self.world.shop, self.person
        gift = need.kind == "gift"
        favourite = person.favourite[need.category] if need.product < 0 else need.brand
        wished = set(need.wishes) | ({person.wish[need.category]} if not gift else set())
        offers = choice.Offers(
            match=(shop.category[rows] == need.category).astype(float),
            stars=shop.stars[rows],
            fame=shop.fame[rows],
            log_price=shop.log_price[rows],
            favourite=np.array([bool(favourite) and shop.brand[r] == favourite for r in rows], float),
            wishes=np.array([len(wished & shop.features[r]) for r in rows], float),
            familiar=np.array([r in self.bought for r in rows.tolist()], float),
            taste=choice.taste(self.number, rows, self.world.seed) * (0.3 if gift else 1.0),
        )
        return choice.utilities(choice.Weights(person.price, person.loyalty, person.reviews), offers)

    def _opened(self, need: Need, utility: npt.NDArray[np.float64]) -> list[int]:
        """Returns the places opened, in order: read with position bias, then the attractive ones first."""
        read = np.flatnonzero(self.rng.random(len(utility)) < choice.examination(len(utility), self.person.patience))
        looks = KINDS[need.kind].looks * (0.6 + 0.8 * self.person.patience)
        count = min(int(looks * math.exp(0.8 * self.rng.standard_normal()) + 0.5), len(read))
        noisy = 0.8 * utility[read] + self.rng.gumbel(size=len(read))
        return [int(read[i]) for i in np.argsort(-noisy, kind="stable")[:count]]

    def _taken(self, need: Need, utility: npt.NDArray[np.float64], opened: list[int]) -> int | None:
        if not opened:
            return None
        chance = choice.choice_probabilities(utility[opened], KINDS[need.kind].outside)
        drawn = int(np.searchsorted(np.cumsum(chance), self.rng.random()))
        return opened[drawn] if drawn < len(opened) else None

    def _view(self, rows: npt.NDArray[np.int64], place: int, skip: int) -> None:
        product = self.world.shop.catalog.ids[int(rows[place])]
        self._say(Action.VIEW, median_s=24, product=product, rank=skip + place + 1)

    def _check_out(self) -> None:
        if not self.cart or self.rng.random() < _CART_LEFT:
            return
        shop = self.world.shop
        for row in list(self.cart):
            if self.rng.random() < _CART_REMOVED:
                self._say(Action.CART_REMOVE, median_s=15, product=shop.catalog.ids[row])
                self.cart.remove(row)
        self.time += int(40 * math.exp(0.6 * self.rng.standard_normal()) * SECOND) if self.cart else 0
        for row in self.cart:
            self._record(Action.PURCHASE, product=shop.catalog.ids[row], price=shop.price[row])
            self.past.append(Past(int(shop.category[row]), row))

    def _say(self, action: Action, *, median_s: float, **values: object) -> None:
        if self.time > self.start or action is not Action.SEARCH:
            self._wait(median_s)
        self._record(action, **values)
        self.time += 1  # events of one session never share a time, so their order is in the log itself

    def _wait(self, median_s: float) -> None:
        pause = median_s * math.exp(0.95 * self.rng.standard_normal())
        self.time += int(min(600.0, max(1.0, pause)) * SECOND)

    def _record(self, action: Action, **values: object) -> None:
        self.recorder.event(self.person.id, self.name, self.time, action, **values)
