"""Distinct n-grams and duplicates: what a ratio of single words cannot see.

A population that writes few sentences with many words has a good type-token ratio and a bad distinct-2; one that says
the same thing again has a high duplicate rate. All are type-token ratios of other tokens, so they fall with
size in the same way and are compared at one total, with the same interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.diversity import TypeTokenRatio, diversity, type_token_ratio
from paars_bench.metrics.resampling import Interval, ResamplingPlan, whole_number
from paars_bench.metrics.tokens import Unit

DISTINCT: Mapping[int, Unit] = {1: "word", 2: "bigram", 3: "trigram"}
"""The unit of each n of distinct-n; ``diversity`` takes it for two populations with intervals."""


class DuplicateRate(NamedTuple):
    """How many texts repeat an earlier one, after normalisation.

    Attributes:
        value: repeated / all, 0 to 1 - 1/texts; at ``at_texts`` where that is given.
        texts: texts, the empty ones not counted.
        distinct: different ones among them.
        at_texts: size of the samples the value is a mean over; None for the plain rate.
    """

    value: float
    texts: int
    distinct: int
    at_texts: int | None


class DuplicateResult(NamedTuple):
    """The agents' duplicate rate beside the humans'.

    Attributes:
        agent: of the agents.
        human: of the humans, at the same ``at_texts``.
        ci: interval of the agents' value; None where fewer than 2 shoppers are behind it.
        human_ci: of the humans' value.
    """

    agent: DuplicateRate
    human: DuplicateRate
    ci: Interval | None
    human_ci: Interval | None


def distinct_n(
    texts: Sequence[str], n: int, *, tokens: int | None = None, rng: np.random.Generator | None = None
) -> TypeTokenRatio:
    """Returns distinct n-grams / n-grams over all texts together (Li et al. 2016, distinct-1 and -2).

    Args:
        texts: queries or titles; n-grams do not run over from one to the next.
        n: 1, 2 or 3 words.
        tokens: n-grams to compare at, as in ``type_token_ratio``.
        rng: as there.

    Raises:
        ValueError: ``n`` is another, ``texts`` is one str, no text has ``n`` words, or ``tokens`` does not fit.
    """
    if n not in DISTINCT:
        raise ValueError(f"distinct-n knows n = {', '.join(map(str, DISTINCT))}, got {n}")
    return type_token_ratio(texts, tokens=tokens, rng=rng, unit=DISTINCT[n])


def duplicate_rate(
    texts: Sequence[str], *, at_texts: int | None = None, rng: np.random.Generator | None = None
) -> DuplicateRate:
    """Returns the share of texts that repeat an earlier one: same letters after NFKC, casefold and white space.

    Args:
        texts: queries, titles or whole replies; empty ones are no text.
        at_texts: compare at this many texts: the mean over random draws of that many.
        rng: draws 200 samples; without it the mean over every possible draw is computed exactly.

    Raises:
        ValueError: ``texts`` is one str, there is no text, or ``at_texts`` is no whole number, below 1 or more than
            there are.
    """
    at_texts = None if at_texts is None else whole_number(at_texts, "at_texts", least=1)
    return _rate(type_token_ratio(texts, tokens=at_texts, rng=rng, unit="text"))


def duplicates(
    agent_texts: Sequence[str],
    agent_rows: npt.ArrayLike,
    human_texts: Sequence[str],
    human_rows: npt.ArrayLike,
    plan: ResamplingPlan,
    *,
    at_texts: int | Literal["matched"] | None = "matched",
    level: float = 0.95,
) -> DuplicateResult:
    """Returns the duplicate rates of agents and humans at one number of texts, each with an interval.

    Args:
        agent_texts: of the agents.
        agent_rows: (n,) the shopper's row of each.
        human_texts: of the humans.
        human_rows: (m,) the shopper's row of each.
        plan: the run's resampling plan, whose rows those are.
        at_texts: as ``tokens`` of ``diversity``.
        level: nominal coverage of the intervals.

    Raises:
        ValueError: a side holds no text.
    """
    found = diversity(agent_texts, agent_rows, human_texts, human_rows, plan, tokens=at_texts, unit="text", level=level)
    return DuplicateResult(
        _rate(found.agent),
        _rate(found.human),
        found.ci and found.ci.of_rest(),
        found.human_ci and found.human_ci.of_rest(),
    )


def _rate(ratio: TypeTokenRatio) -> DuplicateRate:
    # every text that is not the first of its kind is a repeat
    return DuplicateRate(1 - ratio.value, ratio.tokens, ratio.types, ratio.at_tokens)
