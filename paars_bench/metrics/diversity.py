"""Type-token ratio of queries and viewed titles (paper, Table 4).

A ratio falls as tokens grow, so two populations of different size cannot be compared by it: ``tokens``
compares them at one total. The paper does not say what its tokens are; its 0.97 for the titles humans viewed
can hardly be a ratio of words, so both units are here, and each result names its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.intervals import NO_SPREAD, jackknife_se, shopper_notes, wilson_ends
from paars_bench.metrics.resampling import Floats, Interval, ResamplingPlan, checked_rows, whole_number
from paars_bench.metrics.tokens import TOKENISATION, Unit, check_any_token, check_texts, tokenise

METHOD = "jackknife over shoppers, Wilson score at the effective number of tokens, t quantiles"
_DRAWS = 200
OFTEN = 0.5
"""Ratios below it, and all of words and n-grams, hold types that come back: there it held the truth in 98 to 100 %."""
CONSERVATIVE = "conservative: where types come back, leaving shoppers out overstates the spread"
FEW_OWN = 10
"""With fewer types that one shopper alone has, it held the truth in 38 to 100 %: the jackknife sees only those."""
UNRELIABLE = f"unreliable: fewer than {FEW_OWN} types are one shopper's alone, and the spread comes from those"


class TypeTokenRatio(NamedTuple):
    """A type-token ratio.

    Attributes:
        value: types / tokens, 0 to 1; at ``at_tokens`` where that is given.
        types: distinct tokens in all the texts.
        tokens: tokens in all the texts.
        at_tokens: size of the samples the value is a mean over; None for the plain ratio.
        unit: what a token is, see ``tokens.Unit``.
        tokenisation: what counts as a token, in words.
    """

    value: float
    types: int
    tokens: int
    at_tokens: int | None
    unit: Unit
    tokenisation: str


class DiversityResult(NamedTuple):
    """The agents' type-token ratio beside the humans'.

    Attributes:
        agent: of the agents.
        human: of the humans, at the same ``at_tokens``.
        ci: interval of the agents' value; None where fewer than 2 shoppers are behind it.
        human_ci: of the humans' value.
    """

    agent: TypeTokenRatio
    human: TypeTokenRatio
    ci: Interval | None
    human_ci: Interval | None


def type_token_ratio(
    texts: Sequence[str],
    *,
    tokens: int | None = None,
    rng: np.random.Generator | None = None,
    unit: Unit = "word",
) -> TypeTokenRatio:
    """Returns the type-token ratio of all texts together.

    Args:
        texts: queries or titles.
        tokens: compare at this many tokens: the mean ratio over random draws of that many, without
            replacement. None gives the paper's plain ratio.
        rng: draws 200 samples; without it the mean over every possible draw is computed exactly.
        unit: ``word``, ``bigram`` or ``trigram`` of words, or ``text`` to count whole texts.

    Raises:
        ValueError: ``texts`` is one str, there is no token, ``tokens`` is no whole number, below 1 or more than there
            are, or the unit is unknown.
    """
    check_texts(texts, "texts")
    tokens = None if tokens is None else whole_number(tokens, "tokens", least=1)
    counts = Counter(token for text in texts for token in tokenise(text, unit))
    frequencies = np.array(list(counts.values()), dtype=np.int64)
    total = int(frequencies.sum())
    check_any_token(total, unit, "texts")
    if tokens is None:
        value = len(frequencies) / total
    elif tokens > total:
        raise ValueError(f"tokens must be between 1 and the {total} there are, got {tokens}")
    elif rng is None:
        expected = float(_drawn(frequencies.astype(np.float64), np.array(float(total)), tokens).sum())
        value = min(1.0, expected / tokens)  # rounding can leave it 2e-15 above 1
    else:
        drawn = rng.multivariate_hypergeometric(frequencies, tokens, size=_DRAWS)
        value = float(np.mean(np.sum(drawn > 0, axis=1))) / tokens
    return TypeTokenRatio(value, len(frequencies), total, tokens, unit, TOKENISATION[unit])


def diversity(
    agent_texts: Sequence[str],
    agent_rows: npt.ArrayLike,
    human_texts: Sequence[str],
    human_rows: npt.ArrayLike,
    plan: ResamplingPlan,
    *,
    tokens: int | Literal["matched"] | None = "matched",
    unit: Unit = "word",
    level: float = 0.95,
) -> DiversityResult:
    """Returns the type-token ratio of agents and humans, each with an interval.

    Args:
        agent_texts: queries or titles of the agents.
        agent_rows: the shopper's row of each.
        human_texts: of the humans.
        human_rows: the shopper's row of each.
        plan: the run's resampling plan, whose rows those are.
        tokens: ``matched`` compares at the smaller of the two totals, less its most talkative shopper (a
            jackknife leaves each out once); None gives the paper's plain ratios.
        unit: as in ``type_token_ratio``.
        level: nominal coverage of the intervals.

    Raises:
        ValueError: a side is one str or holds no token, a row is not one of the plan's, or ``tokens`` does not fit.
    """
    sides = [
        (texts, np.asarray(rows), _table(texts, rows, plan.size, unit, side))
        for side, texts, rows in (("agent", agent_texts, agent_rows), ("human", human_texts, human_rows))
    ]
    size = min(_room(table) for _, _, table in sides) if tokens == "matched" else tokens
    ratios = [type_token_ratio(texts, tokens=size, unit=unit) for texts, _, _ in sides]
    intervals = [
        _interval(ratio, table, len(np.unique(rows)), level)
        for ratio, (_, rows, table) in zip(ratios, sides, strict=True)
    ]
    return DiversityResult(ratios[0], ratios[1], intervals[0], intervals[1])


def _table(texts: Sequence[str], rows: npt.ArrayLike, size: int, unit: Unit, side: str) -> Any:
    """Returns the sparse (S, V) frequencies of each type in each shopper's texts."""
    from scipy.sparse import csr_matrix

    check_texts(texts, f"{side}_texts")
    index = checked_rows(rows, len(texts), size, f"{side}_rows")
    names: dict[str, int] = {}
    shopper: list[int] = []
    column: list[int] = []
    for text, row in zip(texts, index.tolist(), strict=True):
        for token in tokenise(text, unit):
            shopper.append(row)
            column.append(names.setdefault(token, len(names)))
    check_any_token(len(names), unit, f"{side}_texts")
    table = csr_matrix((np.ones(len(column)), (shopper, column)), shape=(size, len(names)))
    table.sum_duplicates()
    return table


def _room(table: Any) -> int:
    # with one shopper left out there must still be enough tokens to draw
    per_shopper = np.asarray(table.sum(axis=1)).ravel()
    return max(1, int(per_shopper.sum() - per_shopper.max()))


def _interval(ratio: TypeTokenRatio, table: Any, clusters: int, level: float) -> Interval | None:
    """Jackknife over shoppers; resampling them with replacement repeats types and reads too narrow."""
    if clusters < 2:
        return None
    left_out = _ratios_without(table, ratio.at_tokens)
    if len(left_out) < 2:  # one shopper has all the tokens
        return None
    se = jackknife_se(left_out, float(left_out.mean()))
    low, high = wilson_ends(ratio.value, se, clusters, level)
    notes = [*shopper_notes(clusters), *([NO_SPREAD] if se == 0 else [])]
    if int(np.sum((table > 0).sum(axis=0) == 1)) < FEW_OWN:
        notes.append(UNRELIABLE)
    elif ratio.unit != "text" or ratio.value < OFTEN:
        notes.append(CONSERVATIVE)
    return Interval(low, high, level, METHOD, ratio.tokens, clusters, "; ".join(notes))


def _ratios_without(table: Any, tokens: int | None) -> Floats:
    """Returns the ratio without each shopper that has a token."""
    per_shopper = np.asarray(table.sum(axis=1)).ravel()
    frequency = np.asarray(table.sum(axis=0)).ravel()
    totals = per_shopper.sum() - per_shopper
    entries = table.tocoo()
    before, after = frequency[entries.col], frequency[entries.col] - entries.data
    if tokens is None:
        gone = np.bincount(entries.row, weights=after == 0, minlength=len(totals))
        types = np.asarray(len(frequency) - gone, dtype=np.float64)
        sizes = totals
    else:
        sizes = np.minimum(tokens, totals)
        # few distinct frequencies: one column each, then the types that a shopper uses are put right
        distinct, times = np.unique(frequency, return_counts=True)
        types = _drawn(distinct[None, :], totals[:, None], sizes[:, None]) @ times
        at, size = totals[entries.row], sizes[entries.row]
        change = _drawn(after, at, size) - _drawn(before, at, size)
        types = types + np.bincount(entries.row, weights=change, minlength=len(totals))
    used = (per_shopper > 0) & (sizes > 0)
    return np.asarray(types[used] / sizes[used])


def _drawn(frequency: Floats, total: Floats, size: npt.ArrayLike) -> Floats:
    """Hypergeometric: probability that a type is in ``size`` of ``total`` tokens, drawn without replacement."""
    from scipy.special import gammaln

    rest = total - np.asarray(size, dtype=np.float64)
    possible = frequency <= rest  # a type more frequent than what is left out is in every draw
    safe = np.where(possible, frequency, 0.0)
    log_missing = gammaln(total - safe + 1) - gammaln(rest - safe + 1) + gammaln(rest + 1) - gammaln(total + 1)
    return np.asarray(1 - np.where(possible, np.exp(log_missing), 0.0))
