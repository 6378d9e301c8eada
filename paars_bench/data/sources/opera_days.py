"""From what a person did in a browser to the events of the log: one session for each person and day.

The source cuts a session at every purchase, so that each has none or one. Here a session is a user-day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from paars_bench.data.mining_rules import Funnel
from paars_bench.data.schema import Action, Event, SessionInfo
from paars_bench.data.sources.opera_actions import Act
from paars_bench.data.sources.opera_cells import Item
from paars_bench.data.sources.opera_pages import result_slug
from paars_bench.data.sources.opera_products import Products

DAY_OFFSET = timedelta(hours=-5)
"""Days are of UTC-5 all year: US Eastern standard time, where most of the participants live. A day of UTC would end at
8 in their evening. A fixed offset needs no table of time zones, so a day is the same on every machine."""

_BOUGHT = ("buy_now", "check_out", "set_up_now")
"""Last parts of the names of buttons that end in a checkout; ``set_up_now`` starts a subscription."""

_PASSING = frozenset({"scroll", "tab_activate"})


class Behaviour(NamedTuple):
    """What the log holds of the source."""

    events: list[Event]
    sessions: list[SessionInfo]


def day_of(time: datetime) -> date:
    """Returns the day that a time belongs to, see ``DAY_OFFSET``."""
    return (time + DAY_OFFSET).date()


def behaviour(acts: Iterable[Act], products: Products, steps: Funnel, *, pages: bool = True) -> Behaviour:
    """Makes the sessions of acts that are sorted by user and time.

    Args:
        acts: of all users.
        products: made of the same acts.
        steps: gets the counts.
        pages: whether the source has result pages. Without, a run of search clicks is a search without a query.
    """
    made = Behaviour([], [])
    counts: Counter[str] = Counter()
    for (user, day), own in groupby(acts, lambda act: (act.user, day_of(act.time))):
        name = f"{user}_{day.isoformat()}"
        several = list(own)
        made.sessions.append(SessionInfo(name, user, several[0].time))
        made.events.extend(_Day(user, name, products, counts, pages=pages).events_of(several))
    _count(counts, len(made.sessions), steps, pages=pages)
    return made


def _count(counts: Counter[str], sessions: int, steps: Funnel, *, pages: bool) -> None:
    steps.start("sessions: people and days", sessions)
    steps.start("runs of search clicks and typing", counts["runs"])
    if pages:
        steps.start("searches: result pages with a new term", counts["searches"])
        steps.keep("the list shown is known", counts["searches"], counts["listed"])
        steps.start("result pages without a term, no search", counts["no term"])
    else:
        steps.start("searches: runs, none with a query", counts["searches"])
    steps.start("views: product clicks", counts["views"])
    steps.keep("the product is known", counts["views"], counts["known"])
    steps.keep("in the result list, at a known rank", counts["known"], counts["ranked"])
    steps.start("purchase clicks", counts["purchase clicks"])
    steps.keep("not into the cart", counts["purchase clicks"], counts["purchase clicks"] - counts["cart"])
    steps.start("of them by a button that the source does not name", counts["nameless"])
    steps.start("ends of the source's sessions", counts["ends"])
    steps.keep("the last act of the day, so the shopper left", counts["ends"], counts["left"])


class _Day:
    """One person's day."""

    def __init__(self, user: str, session: str, products: Products, counts: Counter[str], *, pages: bool) -> None:
        self._user, self._session = user, session
        self._products, self._counts, self._pages = products, counts, pages
        self._events: list[Event] = []
        self._searches: dict[str, int] = {}  # term to the place of its search in _events
        self._search: int | None = None  # the search whose results are on the page
        self._page: list[str] = []  # ids of the page's list
        self._submitted: datetime | None = None  # the last act of submitting a search that had no result page yet
        self._running = False  # whether the act before was part of submitting a search

    def events_of(self, acts: list[Act]) -> Iterator[Event]:
        """Yields the events of a day's acts, in order."""
        for act in acts:
            self._see(act)
        if acts[-1].kind == "terminate":
            self._counts["left"] += 1
            self._add(Action.LEAVE, acts[-1].time)
        yield from self._events

    def _see(self, act: Act) -> None:
        if self._pages and act.places is not None:
            self._result_page(act)
        if act.searches:
            self._submit(act)
        elif act.kind not in _PASSING:
            self._running = False
        if act.kind == "terminate":
            self._counts["ends"] += 1
        elif act.click == "product_link":
            self._view(act)
        elif act.click == "purchase":
            self._purchase(act)
        elif act.click == "quantity" and act.target.endswith("delete"):
            self._add(Action.CART_REMOVE, act.time, product=self._products.id_of(act.item))

    def _submit(self, act: Act) -> None:
        """Notes that a search is being submitted: a click on the box, on the button and typing are one search."""
        self._submitted = act.time
        self._counts["runs"] += not self._running
        if not self._pages and not self._running:
            self._counts["searches"] += 1
            self._search = self._add(Action.SEARCH, act.time)
        self._running = True

    def _result_page(self, act: Act) -> None:
        """Sees a result page: a search where its term is new, else the same list again or more of it."""
        ids = self._products.listed(act)
        same_list = bool(ids) and ids == self._page
        self._page = ids
        if act.term is None:
            self._counts["no term"] += 1
            self._search = None
            return
        known = self._searches.get(act.term)
        if known is not None and (known == self._search or self._submitted is None):
            self._search = known  # the page as it was, turned or filtered, or gone back to
            before = self._events[known].shown or ()
            grown = before + tuple(i for i in ids if i not in before)
            self._events[known] = replace(self._events[known], shown=grown or None)
        elif not same_list:  # a term over the list of another was typed, not submitted
            self._counts["searches"] += 1
            self._counts["listed"] += bool(ids)
            time = self._submitted or act.time
            self._search = self._add(Action.SEARCH, time, query=act.term, shown=tuple(ids) or None)
            self._searches[act.term] = self._search
            self._submitted = None

    def _view(self, act: Act) -> None:
        product = self._products.id_of(act.item)
        rank = None
        if act.element == "search_results":  # a carousel's or the cart's products have no rank
            product, rank = self._placed(act, product)
        self._counts["views"] += 1
        self._counts["known"] += product is not None
        self._counts["ranked"] += rank is not None
        self._add(Action.VIEW, act.time, product=product, rank=rank)

    def _placed(self, act: Act, product: str | None) -> tuple[str | None, int | None]:
        """Returns the product clicked as the list names it, and its place from 1 in all that the search showed."""
        if act.places is None:
            return product, None
        shown = self._page if self._search is None else list(self._events[self._search].shown or ())
        if product not in shown:
            clicked = result_slug(act.target)
            slugs = [place.slug for place in act.places]
            if clicked not in slugs:
                return product, None
            product = self._products.place_id(act, slugs.index(clicked))
        return product, shown.index(product) + 1 if product in shown else None

    def _purchase(self, act: Act) -> None:
        """Tells what a click of purchase intent is: into the cart, or on the way to paying."""
        self._counts["purchase clicks"] += 1
        button = act.target.rsplit(".", 1)[-1]
        bought: tuple[Item | None, ...] = act.bought or (act.item or act.page_item,)
        into_cart = button.endswith("add_to_cart")
        self._counts["cart"] += into_cart
        self._counts["nameless"] += not into_cart and not button.endswith(_BOUGHT)
        for item in bought:
            product = self._products.id_of(item)
            if into_cart:
                self._add(Action.CART_ADD, act.time, product=product)
            else:
                self._add(Action.PURCHASE, act.time, product=product, price=item.price if item else None)

    def _add(
        self,
        action: Action,
        time: datetime,
        *,
        product: str | None = None,
        rank: int | None = None,
        price: float | None = None,
        query: str | None = None,
        shown: tuple[str, ...] | None = None,
    ) -> int:
        """Adds an event and returns its place; what was submitted before another event belongs to no later page."""
        if self._events and time < self._events[-1].time:
            time = self._events[-1].time
        self._events.append(
            Event(self._user, self._session, time, action, query, shown, product, rank, price),
        )
        self._submitted = None if action is not Action.SEARCH else self._submitted
        return len(self._events) - 1
