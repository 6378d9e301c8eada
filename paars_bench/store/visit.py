"""A visit: every thing a shopper does is done here, and written down as an event.

Humans and agents shop through the same ``Visit``, so their logs differ only in what they did. A bad action
changes nothing and leaves no event: it is answered with a page that says what is possible.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from paars_bench.data.schema import Action, Event, Product
from paars_bench.errors import nearest
from paars_bench.store.actions import BadAction, StoreAction, Verb
from paars_bench.store.fact_text import total_price
from paars_bench.store.page_text import quoted, refinement_words
from paars_bench.store.pages import Page, PageKind
from paars_bench.store.refine import NAMED, UNREFINED, Refinement
from paars_bench.store.replies import query_problem
from paars_bench.store.text import fit

if TYPE_CHECKING:
    from paars_bench.store.shop import Shop

_SUGGESTED = 5
_NAME_TOKENS = 12


class SessionEnd(StrEnum):
    """How a shopper left; buying alone ends nothing."""

    BOUGHT = "bought"
    LEFT = "left"


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
        self._ranks: dict[str, int | None] = {}  # of every product shown so far, in the list where it was last shown
        self._query: str | None = None  # of the results to which back leads
        self._refinement = UNREFINED
        self._offset = 0
        self._listing = -1  # place of the event that shows the list
        self.page = self._dressed(self._home())

    def act(self, action: StoreAction | BadAction) -> Page:
        """Does one action and returns the page that follows; a bad one gives the same page with ``problem``.

        Products are those shown so far in this visit: a shopper may return to any of them.
        """
        if isinstance(action, StoreAction):
            action = self._meant(action)
        problem = action.message if isinstance(action, BadAction) else self._obstacle(action)
        if problem is not None or isinstance(action, BadAction):
            self.errors += 1
            self.page = replace(self.page, problem=problem, notice=None)
        else:
            self.page = self._dressed(self._do(action))
        self._now += self._step
        return self.page

    def _dressed(self, page: Page) -> Page:
        shop = self._shop
        return replace(
            page,
            cart=tuple(self._cart.values()),
            page_size=shop.page_size,
            leaves=self._leaves,
            settings=shop.settings.pages,
            names=shop.names,
        )

    def _meant(self, action: StoreAction) -> StoreAction:
        """Returns an action with the ids and names of the catalog, where pages or shoppers write them otherwise."""
        if action.product is not None:
            return replace(action, product=self._shop.id_of(action.product))
        if action.refinement is None:
            return action
        named = {kind: name for kind, name in action.refinement.said() if kind in NAMED}
        known = {kind: self._shop.known(kind).get(str(name).casefold(), name) for kind, name in named.items()}
        return replace(action, refinement=action.refinement.but(known))

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
                return f"{self.page.called(wanted or '')} is in the cart already."
            case Verb.CART_ADD:
                return None if wanted in self._ranks else self._not_here(wanted, self._ranks, "this visit has shown")
            case Verb.CART_REMOVE if self._cart:
                return None if wanted in self._cart else self._not_here(wanted, self._cart, "the cart holds")
            case Verb.REFINE if Verb.REFINE in self.page.possible:
                return self._unrefinable(action.refinement or UNREFINED)
        if action.verb in self.page.possible or action.verb is Verb.LEAVE:
            return None
        return f"{action.verb} is not possible now; possible are {', '.join(self.page.possible)}."

    def _not_here(self, wanted: str | None, here: Collection[str], place: str) -> str:
        if not wanted:
            return "say which product, by its id."
        if not here:
            return f"{place} no product yet; search first."
        names = [self.page.called(pid) for pid in here]
        close = nearest(wanted, names) or names[-_SUGGESTED:]
        return f"{place} no product {quoted(wanted, _NAME_TOKENS)}; the nearest are {', '.join(close)}."

    def _unrefinable(self, wanted: Refinement) -> str | None:
        """Returns why the list cannot be narrowed so, with the nearest names of the shop, else those on the page."""
        if wanted.problem:
            return wanted.problem
        for kind, name in wanted.said():
            if kind in NAMED and str(name).casefold() not in self._shop.known(kind):
                near = self._shop.nearest(kind, str(name)) or [str(v) for v in self.page.offers.get(kind, ())]
                hint = f"the nearest are {', '.join(quoted(n, _NAME_TOKENS) for n in near)}" if near else "leave it out"
                return f"the shop has no {kind} {quoted(str(name), _NAME_TOKENS)}; {hint}."
        if wanted != self._refinement:
            return None
        how = refinement_words(wanted, _NAME_TOKENS)
        return f"these results are {how} already." if how else "these results are not narrowed or sorted."

    def _do(self, action: StoreAction) -> Page:
        match action.verb:
            case Verb.SEARCH:
                self._query, self._refinement = (action.query or "").strip(), UNREFINED
                return self._new_list(Action.SEARCH)
            case Verb.REFINE:
                self._refinement = action.refinement or UNREFINED
                return self._new_list(Action.REFINE, self._refinement.text)
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
                self._note(Action.LEAVE)
                return Page(PageKind.CLOSED)

    def _new_list(self, action: Action, refined: str | None = None) -> Page:
        self._offset, self._listing = 0, len(self.events)
        self._note(action, query=self._query, shown=(), refined=refined)
        return self._results()

    def _results(self) -> Page:
        query, shop = self._query or "", self._shop
        found = shop.index.search(query, limit=shop.page_size, offset=self._offset, refine=self._refinement)
        for rank, pid in enumerate(found.ids, self._offset + 1):
            self._ranks[pid] = rank
        listing = self.events[self._listing]
        if len(listing.shown or ()) <= self._offset:
            self.events[self._listing] = replace(listing, shown=(listing.shown or ()) + found.ids)
        page = Page(
            PageKind.RESULTS,
            tuple(shop.listed(pid, self._ranks[pid]) for pid in found.ids),
            query=query,
            refinement=self._refinement,
            total=found.total,
            more=self._offset + len(found.ids) < found.total,
        )
        return page if found.ids else self._empty(page)

    def _empty(self, page: Page) -> Page:
        """Returns a page without results with what would have some: as it is written there, not as it was found."""
        index, query = self._shop.index, self._query or ""
        other = index.suggest(query, self._refinement)
        shown = dict.fromkeys(fit(q.query, self._shop.settings.pages.query) for q in other.queries)
        works = tuple(text for text in shown if index.search(text, limit=1).total)
        return replace(page, suggestions=works, loosened=tuple((x.drop, x.total) for x in other.loosened))

    def _view(self, pid: str) -> Page:
        shop, rank = self._shop, self._ranks[pid]
        self._note(Action.VIEW, product=pid, rank=rank)
        related = shop.related(pid)
        for other in related:
            # A product that a list has shown keeps its place there: it can be chosen from either.
            self._ranks.setdefault(other, None)
        return Page(
            PageKind.PRODUCT,
            (shop.listed(pid, rank),),
            related=tuple(shop.listed(other, self._ranks[other]) for other in related),
        )

    def _change_cart(self, verb: Verb, pid: str) -> Page:
        if verb is Verb.CART_ADD:
            self._cart[pid] = self._shop.catalog[pid]
            self._note(Action.CART_ADD, product=pid)
        else:
            del self._cart[pid]
            self._note(Action.CART_REMOVE, product=pid)
        notice = f"[{self.page.called(pid)}] is {'now in' if verb is Verb.CART_ADD else 'no longer in'} your cart."
        return Page(PageKind.CART, tuple(self._shop.listed(p, self._ranks[p]) for p in self._cart), notice=notice)

    def _buy(self) -> Page:
        bought = tuple(self._cart.values())
        for product in bought:
            self._note(Action.PURCHASE, product=product.id, price=product.price)
        self._cart.clear()
        self._query = None
        count = f"{len(bought)} product{'s' if len(bought) > 1 else ''}"
        return replace(self._home(), notice=f"Bought: {count}, {total_price(bought)}.")

    def _home(self) -> Page:
        return Page(PageKind.HOME, departments=self._shop.departments)

    def _note(self, action: Action, **said: Any) -> None:
        self.events.append(Event(self._shopper, self._session, self._now, action, **said))
