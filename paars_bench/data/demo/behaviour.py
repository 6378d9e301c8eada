"""A demo shopper's visit: search, read down the list, open some products, take one or none, go on or leave.

Every step can be made again in the store: a product viewed was in the list last shown, its rank is its place there
(absolute over pages), and what is bought was put into the cart from its page.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from paars_bench.data.demo import choice
from paars_bench.data.demo.chance import Chance
from paars_bench.data.demo.intentions import KINDS, Need, Past, sentence
from paars_bench.data.demo.people import Person
from paars_bench.data.demo.recorder import SECOND, Recorder, Row
from paars_bench.data.demo.shop import Shop
from paars_bench.data.demo.wanted import Wanted
from paars_bench.data.schema import Action

PAGE = 10
LOOKS_SPREAD = 0.8
"""Sigma of the logarithm of how many products are opened on a list."""

_MOST_NEEDS = 6
_MOST_SEARCHES = 12
_MOST_PAGES = 5
_CART_LEFT = 0.15  # sessions whose full cart is left behind
_CART_REMOVED = 0.07


class Look(NamedTuple):
    """What happened on one page of results, with what the shopper weighed: one entry per product shown.

    Attributes:
        session: id.
        need: what was looked for.
        skip: products shown on earlier pages of the list.
        products: rows in the shop, in the order shown.
        offers: what each product is to this shopper.
        opened: places (from 0) of the products opened, in order.
        taken: place of the product taken, -1 for none.
    """

    session: str
    need: Need
    skip: int
    products: list[int]
    offers: list[choice.Offer[float]]
    opened: list[int]
    taken: int


class World(NamedTuple):
    """What does not change from visit to visit.

    Attributes:
        shop: what is sold.
        search: query and number of products to skip, to the ids of one page.
        seed: of the population.
        needs: draws why a shopper comes, or comes back to the search box.
        write: draws what is typed for a need, and for the how-manieth time.
        page: products on a page.
        witness: is told every look at a page, for whoever wants to test an estimator.
    """

    shop: Shop
    search: Callable[[str, int], tuple[str, ...]]
    seed: int
    needs: Callable[[Chance, Person, Shop, list[Past]], Need]
    write: Callable[[Chance, Person, Need, int], str]
    page: int = PAGE
    witness: Callable[[Look], None] | None = None


class Visit:
    """One session of one shopper, written to a recorder as it happens.

    Args:
        world: the shop and its search.
        person: who comes.
        chance: of this person.
        past: what the person bought before; a purchase is added to it.
        recorder: where events go.
        name: id of the session.
        start: microseconds since 1970.
    """

    def __init__(
        self,
        world: World,
        person: Person,
        chance: Chance,
        past: list[Past],
        recorder: Recorder,
        name: str,
        start: int,
    ) -> None:
        self._world, self._shop, self._person, self._chance, self._past = world, world.shop, person, chance, past
        self._recorder, self._name, self._time, self._start = recorder, name, start, start
        self._cart: list[int] = []
        self._bought = {p.product for p in past}
        self._reads = choice.examination(world.page, person.patience)
        self._looks = 0.6 + 0.8 * person.patience

    def run(self, first: Need | None = None) -> int:
        """Goes through the session and returns when it ended.

        Args:
            first: why the shopper comes; None draws it and records the session with its intention in words.
        """
        need = first
        if need is None:
            need = self._draw_need()
            self._recorder.session(self._name, self._person.id, self._start, sentence(self._chance, need))
        for _ in range(_MOST_NEEDS):
            self._pursue(need)
            if self._chance.random() > self._person.basket * (1.5 if self._cart else 0.7):
                break
            need = self._draw_need()
        self._check_out()
        self._say(8, Action.LEAVE)
        return self._time

    def _draw_need(self) -> Need:
        return self._world.needs(self._chance, self._person, self._shop, self._past)

    def _pursue(self, need: Need) -> None:
        self._wanted = Wanted(self._shop, self._person, self._world.seed, need, self._bought)
        goes_on = KINDS[need.kind].goes_on * self._looks
        for attempt in range(_MOST_SEARCHES):
            query = self._world.write(self._chance, self._person, need, attempt)
            if self._search(need, query) or self._chance.random() > goes_on:
                return

    def _search(self, need: Need, query: str) -> bool:
        """Searches and goes through the pages of the list; returns whether a product was taken."""
        shown: list[str] = []  # grows with each page turned, as in the store: one search, one list
        self._say(14, Action.SEARCH, query, shown)
        page = self._world.page
        for skip in range(0, _MOST_PAGES * page, page):
            ids = self._world.search(query, skip)
            if not ids:
                return False
            if skip:
                self._wait(9)
            shown.extend(ids)
            if self._look(need, ids, skip):
                return True
            if len(ids) < page or self._chance.random() > 0.05 + 0.3 * self._person.patience**2:
                return False
        return False

    def _look(self, need: Need, ids: tuple[str, ...], skip: int) -> bool:
        """Opens products of a page and returns whether one was taken."""
        rows = [self._shop.row[i] for i in ids]
        utility = self._opened(need, rows)
        opened = list(utility)
        for place in opened:
            self._say(24, Action.VIEW, None, None, ids[place], skip + place + 1)
        taken = self._taken(need, utility)
        if self._world.witness:
            offers = [self._wanted.offer(row) for row in rows]
            self._world.witness(Look(self._name, need, skip, rows, offers, opened, taken))
        if taken < 0:
            return False
        if rows[taken] in self._cart:
            return True
        if taken != opened[-1]:  # back to the one they liked best
            self._say(24, Action.VIEW, None, None, ids[taken], skip + taken + 1)
        self._say(6, Action.CART_ADD, None, None, ids[taken])
        self._cart.append(rows[taken])
        return True

    def _opened(self, need: Need, rows: list[int]) -> dict[int, float]:
        """Returns the utilities of the places opened, in order."""
        looks = KINDS[need.kind].looks * self._looks * math.exp(LOOKS_SPREAD * self._chance.normal())
        count = int(looks + 0.5)
        if not count:
            return {}
        noticed = self._wanted.noticed(self._chance, rows, self._reads)
        return dict(noticed[:count])

    def _taken(self, need: Need, utility: dict[int, float]) -> int:
        if not utility:
            return -1
        left = self._chance.random()
        shares = choice.choice_probabilities(list(utility.values()), KINDS[need.kind].outside)
        for place, share in zip(utility, shares, strict=False):
            left -= share
            if left < 0:
                return place
        return -1

    def _check_out(self) -> None:
        if not self._cart or self._chance.random() < _CART_LEFT:
            return
        shop = self._shop
        for row in list(self._cart):
            if self._chance.random() < _CART_REMOVED:
                self._say(15, Action.CART_REMOVE, None, None, shop.catalog.ids[row])
                self._cart.remove(row)
        if self._cart:
            self._wait(40)
        for row in self._cart:
            self._record(Action.PURCHASE, None, None, shop.catalog.ids[row], None, shop.price[row])
            self._past.append(Past(shop.category[row], row))

    def _say(
        self,
        median_s: float,
        action: Action,
        query: str | None = None,
        shown: list[str] | None = None,
        product: str | None = None,
        rank: int | None = None,
    ) -> None:
        if self._time > self._start or action is not Action.SEARCH:
            self._wait(median_s)
        self._record(action, query, shown, product, rank)
        self._time += 1  # events of one session never share a time, so their order is in the log itself

    def _wait(self, median_s: float) -> None:
        """Lets time pass: whole milliseconds, far coarser than what platforms' logarithms may differ in."""
        pause = median_s * math.exp(0.95 * self._chance.normal())
        self._time += int(min(600.0, max(1.0, pause)) * 1000) * (SECOND // 1000)

    def _record(
        self,
        action: Action,
        query: str | None = None,
        shown: list[str] | None = None,
        product: str | None = None,
        rank: int | None = None,
        price: float | None = None,
    ) -> None:
        self._recorder.rows.append(
            Row(self._person.id, self._name, self._time, action, query, shown, product, rank, price)
        )
