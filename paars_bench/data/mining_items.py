"""The 1-of-4 choice (paper, section 4.3): an item bought, among random items outside the shopper's interests."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from paars_bench.data.case_tables import CASES, common_columns
from paars_bench.data.cases import CaseKind
from paars_bench.data.mining_draws import Words, hashed, permuted
from paars_bench.data.mining_index import Bools, Ints, LogIndex
from paars_bench.data.mining_rules import Funnel, MiningRules, case_number
from paars_bench.data.mining_split import TestPeriod
from paars_bench.data.schema import Action

_CHUNK = 50_000  # cases at a time, so that their draws stay below 100 MB
_LOOK = 8  # products of a pool looked at first; nine cases in ten need no more
_ORDER = 1 << 32  # salts from here on order the options; the pool uses smaller ones


def mine_item_choices(index: LogIndex, period: TestPeriod, rules: MiningRules, funnel: Funnel) -> pa.Table:
    """Mines purchases of the test period, each product once per shopper, with distractors.

    Interests are the categories of everything the shopper ever viewed or bought, in the test period too: a
    distractor must look foreign whenever the case lies.
    """
    bought = np.flatnonzero(index.is_action(Action.PURCHASE) & period.sessions[index.session])
    funnel.start("purchases in these sessions", len(bought))
    known = bought[index.product[bought] >= 0]
    funnel.keep("product bought is in the catalog", len(bought), len(known))
    chosen = _once_per_shopper(index, known)
    funnel.keep("first purchase of the product in the test period", len(known), len(chosen))
    if rules.item_cap is not None:
        few = _capped(index, chosen, rules)
        funnel.keep(f"among {rules.item_cap} a shopper, chosen by seed", len(chosen), len(few))
        chosen = few
    interests = Interests(index)
    parts = [_cases(index, interests, chosen[low : low + _CHUNK], rules) for low in range(0, len(chosen), _CHUNK)] or [
        CASES[CaseKind.ITEM_CHOICES].empty_table()
    ]
    table = pa.concat_tables(parts)
    funnel.keep(f"{rules.distractors} distractors outside the interests exist", len(chosen), table.num_rows)
    return table


class Interests:
    """Which categories each shopper ever viewed or bought in."""

    def __init__(self, index: LogIndex) -> None:
        self._width = int(index.category.max(initial=0)) + 1
        touched = np.flatnonzero(index.is_action(Action.VIEW, Action.PURCHASE) & (index.product >= 0))
        category = index.category[index.product[touched]]
        keys = index.owner[index.session[touched]] * self._width + category
        self._keys = np.unique(keys[category >= 0])

    def hold(self, shoppers: Ints, categories: Ints) -> Bools:
        """Says which categories lie inside their shopper's interests; both of one shape."""
        if not len(self._keys):
            return np.zeros(categories.shape, bool)
        keys = shoppers * self._width + categories
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.asarray((self._keys[place] == keys) & (categories >= 0))


def _once_per_shopper(index: LogIndex, events: Ints) -> Ints:
    key = index.owner[index.session[events]] * (len(index.log.catalog) + 1) + index.product[events]
    first: Ints = np.sort(np.unique(key, return_index=True)[1])
    return np.asarray(events[first])


def _capped(index: LogIndex, events: Ints, rules: MiningRules) -> Ints:
    assert rules.item_cap is not None
    ids = _common(index, events)[0].to_pylist()
    draw = np.array([case_number(rules.seed, f"cap/{case_id}") for case_id in ids], np.uint64)
    owner = index.owner[index.session[events]]
    order = np.lexsort((draw, owner))
    first = np.searchsorted(owner[order], owner[order])
    kept = order[np.arange(len(order)) - first < rules.item_cap]
    return events[np.sort(kept)]


def _common(index: LogIndex, events: Ints) -> list[pa.Array | pa.ChunkedArray]:
    return common_columns(CaseKind.ITEM_CHOICES, index.log.sessions, index.session[events], index.number(events))


def _cases(index: LogIndex, interests: Interests, events: Ints, rules: MiningRules) -> pa.Table:
    """Returns the cases of some purchases that have enough distractors."""
    common = pa.table(_common(index, events), names=CASES[CaseKind.ITEM_CHOICES].names[:5])
    words = np.array([case_number(rules.seed, c) for c in common.column("case_id").to_pylist()], np.uint64)
    foreign = _distractors(index, interests, events, words, rules)
    full = (foreign >= 0).all(axis=1)
    options = np.concatenate([index.product[events][:, None], foreign], axis=1)[full]
    width = options.shape[1]
    order = np.argsort(hashed(words[full][:, None], _ORDER + np.arange(width, dtype=np.uint64)), axis=1, kind="stable")
    flat = np.take_along_axis(options, order, axis=1).reshape(-1)
    ids = index.log.catalog.table.column("id").combine_chunks().take(pa.array(flat))
    lists = pa.ListArray.from_arrays(pa.array(np.arange(len(options) + 1, dtype=np.int32) * width), ids)
    answer = pa.array(np.argmin(order, axis=1).astype(np.int32))
    columns = [*common.filter(pa.array(full)).columns, lists, answer]
    return pa.table(columns, schema=CASES[CaseKind.ITEM_CHOICES])


def _distractors(index: LogIndex, interests: Interests, events: Ints, words: Words, rules: MiningRules) -> Ints:
    """Returns the first foreign products of each case's pool, -1 where it has too few: ``(cases, distractors)``.

    The pool is the first ``rules.pool`` products of the case's own random order of the catalog. A product without a
    category may lie inside an interest, and one of the same title looks like the answer: they are no distractors.
    """
    found = np.full((len(events), rules.distractors), -1, np.int64)
    count = np.zeros(len(events), np.int64)
    owner, bought = index.owner[index.session[events]], index.title[index.product[events]]
    pool = min(rules.pool, len(index.log.catalog))
    owed = np.arange(len(events))
    low, look = 0, _LOOK
    while low < pool and len(owed):
        drawn = permuted(words[owed], np.arange(low, min(pool, low + look)), len(index.log.catalog))
        category = index.category[drawn]
        inside = interests.hold(np.broadcast_to(owner[owed][:, None], drawn.shape), category)
        good = (category >= 0) & ~inside & (index.title[drawn] != bought[owed][:, None])
        place = count[owed][:, None] + np.cumsum(good, axis=1) - 1
        row, column = np.nonzero(good & (place < rules.distractors))
        found[owed[row], place[row, column]] = drawn[row, column]
        count[owed] += good.sum(axis=1)
        owed = owed[count[owed] < rules.distractors]
        low, look = low + look, min(2 * look, 128)
    return found
