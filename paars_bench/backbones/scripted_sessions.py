"""How the scripted baselines shop: the next action from the page, the turn and the case alone.

``human`` replays the session of the case through the store's tools, which tests that the store can be shopped
in as people did and that the loop adds nothing of its own: a session recorded through a visit replays to the
same events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from paars_bench.backbones.door import Situation
from paars_bench.backbones.scripted_habits import (
    CannotAnswer,
    bestseller,
    category_query,
    generator,
    most_reviewed,
    random_query,
    words,
)
from paars_bench.data.schema import Action
from paars_bench.data.sessions import session_rows
from paars_bench.store import Page, PageKind, Refinement, StoreAction, Verb

_SHOWS_A_LIST = (Verb.SEARCH, Verb.NEXT_PAGE, Verb.REFINE)
_LEAVE = StoreAction(Verb.LEAVE)


def next_action(name: str, situation: Situation) -> StoreAction:
    """Returns what a baseline does on the page of a situation.

    Raises:
        CannotAnswer: there is no page, or the human session cannot be replayed in this store.
    """
    page = situation.page
    if not isinstance(page, Page):
        raise CannotAnswer("a session needs a store page")
    match name:
        case "random":
            return _drawn(situation, page)
        case "human":
            return _replayed(situation, page)
        case "popular":
            return _bought_at_once(situation, page, _bestselling, most_reviewed([x.product for x in page.listed]))
        case _:
            return _bought_at_once(situation, page, _intended, 0)


def _bestselling(situation: Situation) -> str:
    return category_query(bestseller(situation.catalog))


def _intended(situation: Situation) -> str:
    """Returns the last three words of the intention; of the first product's category where there is none."""
    intention = words(str(situation.case.values.get("intention") or ""))
    if intention:
        return " ".join(intention[-3:])
    if not len(situation.catalog):
        raise CannotAnswer("the catalog is empty")
    return category_query(situation.catalog[situation.catalog.ids[0]])


def _drawn(situation: Situation, page: Page) -> StoreAction:
    rng = generator("random", situation)
    verb = page.possible[int(rng.integers(len(page.possible)))]
    if verb is Verb.SEARCH:
        return StoreAction(verb, query=random_query(situation.catalog, rng))
    if verb is Verb.REFINE:
        return StoreAction(verb, refinement=page.refinements[int(rng.integers(len(page.refinements)))])
    targets = page.targets(verb)
    return StoreAction(verb, product=targets[int(rng.integers(len(targets)))] if targets else None)


def _bought_at_once(situation: Situation, page: Page, wish: Callable[[Situation], str], choice: int) -> StoreAction:
    """Searches once, views one result, buys it and leaves; leaves at once where the search finds nothing."""
    match page.kind:
        case PageKind.HOME if situation.turn == 0:
            return StoreAction(Verb.SEARCH, query=wish(situation))
        case PageKind.RESULTS if page.listed:
            return StoreAction(Verb.VIEW, product=page.listed[choice].product.id)
        case PageKind.PRODUCT:
            return StoreAction(Verb.CART_ADD, product=page.listed[0].product.id)
        case PageKind.CART:
            return StoreAction(Verb.BUY)
        case _:
            return _LEAVE


def _replayed(situation: Situation, page: Page) -> StoreAction:
    if page.problem is not None:
        raise CannotAnswer(f"the human session does not replay in this store: {page.problem}")
    plan = replay_plan(session_rows(situation.case.values["events"]), page.page_size)
    if situation.turn >= len(plan):
        raise CannotAnswer(f"the human session has {len(plan)} actions, asked for number {situation.turn + 1}")
    return plan[situation.turn]


def replay_plan(events: Sequence[Mapping[str, Any]], page_size: int) -> list[StoreAction]:
    """Returns the store actions that leave the same searches, views and purchases behind.

    Result pages are turned right after the search or refinement, as far as its shown list goes. The store sells
    what is in the cart, one of each: a product bought without being put there is added first, what is not bought
    yet is taken out, and a second piece of the same product is not added again.

    Args:
        events: of one session, in order, as rows of the log schema. They are read as they are: the plan is made
            anew at every turn, and making ``Event`` objects would take half of a session's time.
        page_size: results on a page of the store.

    Raises:
        CannotAnswer: a list was narrowed or sorted in words that the store does not know.
    """
    plan: list[StoreAction] = []
    cart: dict[str, None] = {}
    ordered = 0  # purchases that the last order holds already
    for place, event in enumerate(events):
        item = event.get("product")
        match event["action"]:
            case Action.SEARCH:
                plan.append(StoreAction(Verb.SEARCH, query=event.get("query") or ""))
                plan += _turned(event, page_size)
            case Action.REFINE:
                if plan and plan[-1].verb not in _SHOWS_A_LIST:
                    plan.append(StoreAction(Verb.BACK))  # only a list that is shown can be narrowed
                plan.append(StoreAction(Verb.REFINE, refinement=_refinement(event.get("refined") or "")))
                plan += _turned(event, page_size)
            case Action.VIEW:
                plan.append(StoreAction(Verb.VIEW, product=item))
            case Action.CART_ADD if item is not None and item not in cart:
                cart[item] = None
                plan.append(StoreAction(Verb.CART_ADD, product=item))
            case Action.CART_REMOVE if item in cart:
                del cart[item]
                plan.append(StoreAction(Verb.CART_REMOVE, product=item))
            case Action.PURCHASE if place >= ordered:
                bought = _one_order(events, place)
                ordered = place + len(bought)
                plan += [StoreAction(Verb.CART_REMOVE, product=p) for p in cart if p not in bought]
                plan += [StoreAction(Verb.CART_ADD, product=p) for p in bought if p not in cart]
                plan.append(StoreAction(Verb.BUY))
                cart.clear()
            case Action.LEAVE:
                break
    return [*plan, _LEAVE]


def _turned(event: Mapping[str, Any], page_size: int) -> list[StoreAction]:
    pages = -(-len(event.get("shown") or ()) // page_size)
    return [StoreAction(Verb.NEXT_PAGE)] * (pages - 1)


def _refinement(text: str) -> Refinement:
    try:
        return Refinement.of(text)
    except ValueError as error:
        raise CannotAnswer(f"the human narrowed a list in words the store does not know: {error}") from None


def _one_order(events: Sequence[Mapping[str, Any]], start: int) -> list[str]:
    """Returns the products of consecutive purchases from ``start`` until one repeats."""
    bought: list[str] = []
    for event in events[start:]:
        if event["action"] != Action.PURCHASE or event["product"] in bought:
            break
        bought.append(event["product"])
    return bought
