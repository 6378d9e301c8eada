"""The shop and a visit to it: every thing a shopper does is done here, and written down as an event.

Humans and agents shop through the same ``Visit``, so their logs differ only in what they did. A bad action
changes nothing and leaves no event: it is answered with a page that says what is possible.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from paars_bench.data.schema import Action, Catalog, Event, Product
from paars_bench.errors import DataError, nearest
from paars_bench.store.actions import BadAction, StoreAction, Verb, query_problem
from paars_bench.store.pages import Listed, Page, PageKind, total_price
from paars_bench.store.search import SearchIndex
from paars_bench.store.text import LONGEST_ID, showable

_DEPARTMENTS = 8
_SUGGESTED = 5


class SessionEnd(StrEnum):
    """How a shopper left; buying alone ends nothing."""

    BOUGHT = "bought"
    LEFT = "left"


class Shop:
    """A catalog to shop in.

    Args:
        catalog: the products.
        index: of that catalog; built here if None.
        page_size: results on a page.

    Raises:
        DataError: a product id cannot be shown (empty, over 64 characters, or with spaces, brackets or
            control characters).
    """

    def __init__(self, catalog: Catalog, index: SearchIndex | None = None, *, page_size: int = 10) -> None:
        if page_size < 1:
            raise ValueError(f"page_size must be at least 1, got {page_size}")
        for pid in catalog.ids:
            if not showable(pid):
                raise DataError(
                    f"catalog: product id {pid[:80]!r} cannot be shown on a page; "
                    f"use 1 to {LONGEST_ID} printable characters without spaces, brackets or guillemets."
                )
        self.catalog = catalog
        self.index = SearchIndex.build(catalog) if index is None else index
        self.page_size = page_size

    def open(
        self, shopper: str, session: str, start: datetime, *, step_seconds: float = 20, leaves: bool = True
    ) -> Visit:
        """Lets a shopper in.

        Args:
            shopper: id written in the events.
            session: id written in the events.
            start: time of the first action.
            step_seconds: time from one action to the next, done or not.
            leaves: pages offer leaving among the tools; it can be done either way.
        """
        return Visit(self, shopper, session, start, timedelta(seconds=step_seconds), leaves=leaves)

    @cached_property
    def departments(self) -> tuple[str, ...]:
        """The widest categories with the most products, at most 8."""
        import pyarrow.compute as pc

        widest = pc.list_flatten(pc.list_slice(self.catalog.table.column("category"), 0, 1))
        counts = [(c["counts"], c["values"]) for c in pc.value_counts(widest).to_pylist() if c["values"]]
        return tuple(name for _, name in sorted(counts, key=lambda c: (-c[0], c[1]))[:_DEPARTMENTS])


class Visit:
    """One shopper in the shop, from the home page to leaving; make one with ``Shop.open``.

    Attributes:
        page: what is shown now.
        events: what was done so far, in the log schema, in order.
        errors: actions that could not be done.
        end: how the shopper left; None while still here.
    """

    def __init__(
        self, shop: Shop, shopper: str, session: str, start: datetime, step: timedelta, *, leaves: bool
    ) -> None:
        self.events: list[Event] = []
        self.errors = 0
        self.end: SessionEnd | None = None
        self._shop, self._shopper, self._session = shop, shopper, session
        self._now, self._step, self._leaves = start, step, leaves
        self._cart: dict[str, Product] = {}
        self._ranks: dict[str, int] = {}  # of every product shown so far, in the list where it was last shown
        self._query: str | None = None  # of the results to which back leads
        self._offset = 0
        self._searched = -1  # place of its event
        self.page = replace(self._home(), page_size=shop.page_size, leaves=leaves)

    def act(self, action: StoreAction | BadAction) -> Page:
        """Does one action and returns the page that follows; a bad one gives the same page with ``problem``.

        Products are those shown so far in this visit: a shopper may return to any of them.
        """
        problem = action.message if isinstance(action, BadAction) else self._obstacle(action)
        if problem is not None or isinstance(action, BadAction):
            self.errors += 1
            self.page = replace(self.page, problem=problem, notice=None)
        else:
            self.page = replace(self._do(action), page_size=self._shop.page_size, leaves=self._leaves)
        self._now += self._step
        return self.page

    def _obstacle(self, action: StoreAction) -> str | None:
        """Returns why an action cannot be done now, or None."""
        if self.end is not None:
            return "the visit is over."
        wanted = action.product
        match action.verb:
            case Verb.SEARCH:
                return query_problem(action.query or "")
            case Verb.VIEW:
                return None if wanted in self._ranks else self._not_here(wanted, self._ranks, "this visit has shown")
            case Verb.CART_ADD if wanted in self._cart:
                return f"{wanted} is in the cart already."
            case Verb.CART_ADD:
                return None if wanted in self._ranks else self._not_here(wanted, self._ranks, "this visit has shown")
            case Verb.CART_REMOVE if self._cart:
                return None if wanted in self._cart else self._not_here(wanted, self._cart, "the cart holds")
        if action.verb in self.page.possible or action.verb is Verb.LEAVE:
            return None
        return f"{action.verb} is not possible now; possible are {', '.join(self.page.possible)}."

    def _not_here(self, wanted: str | None, here: Collection[str], place: str) -> str:
        if not wanted:
            return "say which product, by its id."
        if not here:
            return f"{place} no product yet; search first."
        close = nearest(wanted, here) or list(here)[-_SUGGESTED:]
        return f"{place} no product {wanted[:LONGEST_ID]!r}; the nearest are {', '.join(close)}."

    def _do(self, action: StoreAction) -> Page:
        match action.verb:
            case Verb.SEARCH:
                self._query, self._offset, self._searched = (action.query or "").strip(), 0, len(self.events)
                self._log(Action.SEARCH, query=self._query, shown=())
                return self._results()
            case Verb.NEXT_PAGE:
                self._offset += self._shop.page_size
                return self._results()
            case Verb.BACK:
                return self._home() if self._query is None else self._results()
            case Verb.VIEW:
                return self._view(action.product or "")
            case Verb.CART_ADD | Verb.CART_REMOVE:
                return self._change_cart(action.verb, action.product or "")
            case Verb.BUY:
                return self._buy()
            case Verb.LEAVE:
                bought = any(e.action is Action.PURCHASE for e in self.events)
                self.end = SessionEnd.BOUGHT if bought else SessionEnd.LEFT
                self._log(Action.LEAVE)
                return Page(PageKind.CLOSED, cart=tuple(self._cart.values()))

    def _results(self) -> Page:
        query = self._query or ""
        found = self._shop.index.search(query, limit=self._shop.page_size, offset=self._offset)
        for rank, pid in enumerate(found.ids, self._offset + 1):
            self._ranks[pid] = rank
        search = self.events[self._searched]
        if len(search.shown or ()) <= self._offset:
            self.events[self._searched] = replace(search, shown=(search.shown or ()) + found.ids)
        return Page(
            PageKind.RESULTS,
            tuple(Listed(self._ranks[pid], self._shop.catalog[pid]) for pid in found.ids),
            tuple(self._cart.values()),
            query=query,
            total=found.total,
            more=self._offset + len(found.ids) < found.total,
        )

    def _view(self, pid: str) -> Page:
        rank = self._ranks[pid]
        self._log(Action.VIEW, product=pid, rank=rank)
        return Page(PageKind.PRODUCT, (Listed(rank, self._shop.catalog[pid]),), tuple(self._cart.values()))

    def _change_cart(self, verb: Verb, pid: str) -> Page:
        if verb is Verb.CART_ADD:
            self._cart[pid] = self._shop.catalog[pid]
            self._log(Action.CART_ADD, product=pid)
        else:
            del self._cart[pid]
            self._log(Action.CART_REMOVE, product=pid)
        inside = tuple(self._cart.values())
        notice = f"[{pid}] is {'now in' if verb is Verb.CART_ADD else 'no longer in'} your cart."
        return Page(PageKind.CART, tuple(Listed(self._ranks[p.id], p) for p in inside), inside, notice=notice)

    def _buy(self) -> Page:
        bought = tuple(self._cart.values())
        for product in bought:
            self._log(Action.PURCHASE, product=product.id, price=product.price)
        self._cart.clear()
        self._query = None
        count = f"{len(bought)} product{'s' if len(bought) > 1 else ''}"
        return replace(self._home(), notice=f"Bought: {count}, {total_price(bought)}.")

    def _home(self) -> Page:
        return Page(PageKind.HOME, cart=tuple(self._cart.values()), departments=self._shop.departments)

    def _log(
        self,
        action: Action,
        *,
        query: str | None = None,
        shown: tuple[str, ...] | None = None,
        product: str | None = None,
        rank: int | None = None,
        price: float | None = None,
    ) -> None:
        self.events.append(Event(self._shopper, self._session, self._now, action, query, shown, product, rank, price))
