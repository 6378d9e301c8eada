"""The 1-of-4 choice (paper, section 4.3): an item bought, among random items outside the shopper's interests."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from paars_bench.data.cases import CaseKind
from paars_bench.data.mining_index import Ints, LogIndex
from paars_bench.data.mining_rules import Funnel, MiningRules, case_generator, case_number
from paars_bench.data.schema import Action


def mine_item_choices(
    index: LogIndex, test: npt.NDArray[np.bool_], rules: MiningRules, funnel: Funnel
) -> list[dict[str, Any]]:
    """Mines purchases of the test period, each product once per shopper, with distractors.

    Interests are the categories of everything the shopper ever viewed or bought, in the test period too: a
    distractor must look foreign whenever the case lies.
    """
    bought = np.flatnonzero(index.is_action(Action.PURCHASE) & test[index.session])
    funnel.start("purchases in these sessions", len(bought))
    known = bought[index.product[bought] >= 0]
    funnel.keep("product bought is in the catalog", len(bought), len(known))
    distinct = _once_per_shopper(index, known)
    funnel.keep("first purchase of the product in the test period", len(known), len(distinct))
    chosen = distinct
    if rules.item_cap is not None:
        chosen = _capped(index, distinct, rules)
        funnel.keep(f"among {rules.item_cap} a shopper, chosen by seed", len(distinct), len(chosen))
    rows = [row for row in _rows(index, chosen, rules) if row is not None]
    funnel.keep(f"{rules.distractors} distractors outside the interests exist", len(chosen), len(rows))
    return rows


def interests(index: LogIndex, shopper: int) -> Ints:
    """Returns the codes of the categories that a shopper ever viewed or bought in, ascending."""
    low, high = index.event_range(shopper)
    products = index.product[low:high][np.isin(index.action[low:high], index.codes(Action.VIEW, Action.PURCHASE))]
    return np.unique(index.category[products[products >= 0]])


def _once_per_shopper(index: LogIndex, events: Ints) -> Ints:
    key = index.owner[index.session[events]] * (len(index.log.catalog) + 1) + index.product[events]
    first: Ints = np.sort(np.unique(key, return_index=True)[1])
    return np.asarray(events[first])


def _capped(index: LogIndex, events: Ints, rules: MiningRules) -> Ints:
    assert rules.item_cap is not None
    draw = np.array([case_number(rules.seed, f"cap/{_case_id(index, int(e))}") for e in events], np.uint64)
    owner = index.owner[index.session[events]]
    order = np.lexsort((draw, owner))
    first = np.searchsorted(owner[order], owner[order])
    kept = order[np.arange(len(order)) - first < rules.item_cap]
    return events[np.sort(kept)]


def _case_id(index: LogIndex, event: int) -> str:
    session = int(index.session[event])
    return f"{CaseKind.ITEM_CHOICES}/{index.session_names[session]}/{event - int(index.first_event[session])}"


def _rows(index: LogIndex, events: Ints, rules: MiningRules) -> list[dict[str, Any] | None]:
    rows: list[dict[str, Any] | None] = []
    known: Ints = np.empty(0, np.int64)
    shopper = -1
    for event in events.tolist():
        owner = int(index.owner[index.session[event]])
        if owner != shopper:
            shopper, known = owner, interests(index, owner)
        rows.append(_row(index, event, known, rules))
    return rows


def _row(index: LogIndex, event: int, known: Ints, rules: MiningRules) -> dict[str, Any] | None:
    case_id = _case_id(index, event)
    rng = case_generator(rules.seed, case_id)
    size = len(index.log.catalog)
    pool = rng.choice(size, min(rules.pool, size), replace=False)
    category = index.category[pool]
    # A product without a category may lie inside an interest, so it is no distractor.
    foreign = pool[(category >= 0) & ~np.isin(category, known) & (pool != index.product[event])]
    if len(foreign) < rules.distractors:
        return None
    options = np.concatenate([[index.product[event]], foreign[: rules.distractors]])
    order = rng.permutation(len(options))
    session = int(index.session[event])
    return {
        "case_id": case_id,
        "kind": str(CaseKind.ITEM_CHOICES),
        "shopper": index.shopper_names[index.owner[session]],
        "session": index.session_names[session],
        "time": index.start_time(session),
        "options": [index.log.catalog.ids[i] for i in options[order]],
        "answer": int(np.flatnonzero(order == 0)[0]),
    }
