"""The rules of mining written the obvious way, row by row: what the fast code must agree with."""

from __future__ import annotations

import json

from paars_bench.data.mining_rules import MiningRules
from paars_bench.data.schema import Action, Catalog, Event, event_json


def sessions_in_order(events: list[Event]) -> list[list[Event]]:
    """Sessions by shopper, start and id, each in order of time; equal times keep the order they came in."""
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.session, []).append(event)
    ordered = [sorted(own, key=lambda e: e.time) for own in found.values()]
    return sorted(ordered, key=lambda own: (own[0].shopper, own[0].time, own[0].session))


def tested_sessions(events: list[Event], rules: MiningRules) -> list[list[Event]]:
    """The sessions that cases come from."""
    tested = []
    everything = sessions_in_order(events)
    for shopper in sorted({e.shopper for e in events}):
        own = [s for s in everything if s[0].shopper == shopper]
        cutoff = own[len(own) - max(1, int(len(own) * rules.test_share))][0].time
        if sum(s[0].time < cutoff for s in own) >= rules.min_history:
            tested += [s for s in own if s[0].time >= cutoff]
    return tested


def query_pairs(events: list[Event], shop: Catalog, rules: MiningRules) -> list[tuple]:
    cases = []
    for session in tested_sessions(events, rules):
        place = next((i for i, e in enumerate(session) if e.action is Action.SEARCH), None)
        if place is None or place + 1 == len(session):
            continue
        search, after = session[place], session[place + 1]
        seconds = (after.time - search.time).total_seconds()
        typed = bool(search.query and search.query.strip())
        if typed and after.action is Action.VIEW and seconds <= rules.view_window_s and after.product in shop:
            cases.append((search.session, search.query, after.product))
    return cases


def rank_choices(events: list[Event], shop: Catalog, rules: MiningRules) -> list[tuple]:
    cases = []
    for session in tested_sessions(events, rules):
        for number, search in enumerate(session):
            if search.action is not Action.SEARCH or not (search.query and search.query.strip()):
                continue
            view = None
            for event in session[number + 1 :]:
                if event.action is Action.SEARCH:
                    break
                if event.action is Action.VIEW:
                    view = event
                    break
            if view is None:
                continue
            whole = list(search.shown or ())
            shown = whole[: rules.most_shown]
            rank = view.rank
            if rank is None and view.product in whole:
                rank = whole.index(view.product) + 1
            if len(shown) < 2 or rank is None or not 1 <= rank <= len(shown):
                continue
            if shown[rank - 1] == view.product and all(p in shop for p in shown):
                cases.append((search.session, number, search.query, shown, rank))
    return cases


def item_answers(events: list[Event], shop: Catalog, rules: MiningRules) -> list[tuple]:
    """The purchases that item choices may come from: session, place in it and product."""
    cases, seen = [], set()
    for session in tested_sessions(events, rules):
        for number, event in enumerate(session):
            if event.action is Action.PURCHASE and event.product in shop and (event.shopper, event.product) not in seen:
                seen.add((event.shopper, event.product))
                cases.append((event.session, number, event.product))
    return cases


def foreign_products(events: list[Event], shop: Catalog, shopper: str, bought: str) -> set[str]:
    """Products that may stand beside the one bought: of a category that the shopper never viewed or bought in."""
    acted = [e for e in events if e.shopper == shopper and e.action in (Action.VIEW, Action.PURCHASE)]
    known = {shop[e.product].category for e in acted if e.product in shop}
    return {p.id for p in shop if p.category and p.category not in known and p.title != shop[bought].title}


def text_of(events: list[Event]) -> str:
    """A session as the test set holds it."""
    return json.dumps([event_json(e) for e in events], ensure_ascii=False, separators=(",", ":"))


def session_texts(events: list[Event], rules: MiningRules) -> list[tuple[str, str]]:
    return [(own[0].session, text_of(own)) for own in tested_sessions(events, rules)]
