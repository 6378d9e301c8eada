"""Type-token ratio of queries and viewed titles (paper, Table 4).

A ratio falls as tokens grow, so two populations of different size cannot be compared by it: ``tokens``
compares them at one total. The paper does not say what its tokens are; its 0.97 for the titles humans viewed
can hardly be a ratio of words, so both units are here, and each result names its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.special import gammaln

from paars_bench.metrics.resampling import Floats, Interval, ResamplingPlan, quantile_interval

Unit = Literal["word", "text"]
TOKENISATION = {
    "word": "NFKC, casefold, runs of letters, marks and digits; in scripts without spaces every character",
    "text": "the whole text: NFKC, casefold, white space collapsed",
}
METHOD = "bootstrap of shoppers, centred on the value"
_DRAWS = 200
_BLOCK = 4_000_000  # frequencies worked on at a time: 32 MB

# Thai, Lao, Myanmar, Khmer, kana, Han: written without spaces between words.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)
# \w leaves out combining marks, which would cut Hindi, Tamil or pointed Hebrew inside a word.
_MARKS = "".join(
    re.escape(chr(c)) for c in range(0x300, 0x10000) if unicodedata.category(chr(c)) in ("Mn", "Mc")
)
_TOKEN = re.compile(rf"[{_UNSPACED}][{_MARKS}]*|(?:(?![{_UNSPACED}_])[\w{_MARKS}])+")


class TypeTokenRatio(NamedTuple):
    """A type-token ratio.

    Attributes:
        value: types / tokens, 0 to 1; at ``at_tokens`` where that is given.
        types: distinct tokens in all the texts.
        tokens: tokens in all the texts.
        at_tokens: size of the samples the value is a mean over; None for the plain ratio.
        unit: ``word`` or ``text``.
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


def tokenise(text: str, unit: Unit = "word") -> list[str]:
    """Returns the tokens of a text; ``TOKENISATION`` says the rule in words."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if unit == "text":
        whole = " ".join(folded.split())
        return [whole] if whole else []
    return _TOKEN.findall(folded)


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
        unit: ``word``, or ``text`` to count whole texts.

    Raises:
        ValueError: there is no token, ``tokens`` is below 1 or more than there are, or the unit is unknown.
    """
    if unit not in get_args(Unit):
        raise ValueError(f"unknown unit {unit!r}: valid are {', '.join(get_args(Unit))}")
    counts = Counter(token for text in texts for token in tokenise(text, unit))
    frequencies = np.array(list(counts.values()), dtype=np.int64)
    total = int(frequencies.sum())
    if total == 0:
        raise ValueError("a type-token ratio needs at least one token, and the texts hold none")
    if tokens is None:
        value = len(frequencies) / total
    elif not 1 <= tokens <= total:
        raise ValueError(f"tokens must be between 1 and the {total} there are, got {tokens}")
    elif rng is None:
        value = float(_expected_types(frequencies[None, :].astype(np.float64), tokens)[0]) / tokens
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
    """Returns the type-token ratio of agents and humans, each with an interval from resampled shoppers.

    Args:
        agent_texts: queries or titles of the agents.
        agent_rows: the shopper's row of each.
        human_texts: of the humans.
        human_rows: the shopper's row of each.
        plan: the run's resampling plan.
        tokens: ``matched`` compares at the smaller total of the two; None gives the paper's plain ratios.
        unit: ``word`` or ``text``.
        level: nominal coverage of the intervals.

    Raises:
        ValueError: a side holds no token.
    """
    if tokens == "matched":
        totals = [type_token_ratio(t, unit=unit).tokens for t in (agent_texts, human_texts)]
        size: int | None = min(totals)
    else:
        size = tokens
    sides = []
    for texts, rows in ((agent_texts, agent_rows), (human_texts, human_rows)):
        ratio = type_token_ratio(texts, tokens=size, unit=unit)
        sides.append((ratio, _interval(ratio, texts, np.asarray(rows, dtype=np.int64), plan, level)))
    return DiversityResult(sides[0][0], sides[1][0], sides[0][1], sides[1][1])


def _interval(
    ratio: TypeTokenRatio,
    texts: Sequence[str],
    rows: npt.NDArray[np.int64],
    plan: ResamplingPlan,
    level: float,
) -> Interval | None:
    clusters = len(np.unique(rows))
    if clusters < 2:
        return None
    replicates = np.concatenate(
        [_ratios(f, ratio.at_tokens) for f in _resampled(texts, rows, plan, ratio.unit)]
    )
    # Repeated shoppers add tokens and no types, so every resample reads low; only the spread is used.
    finite = replicates[np.isfinite(replicates)]
    if len(finite) == 0:
        return None
    centred = np.clip(finite - finite.mean() + ratio.value, 0, 1)
    return quantile_interval(centred, level=level, method=METHOD, n=ratio.tokens, clusters=clusters)


def _resampled(
    texts: Sequence[str], rows: npt.NDArray[np.int64], plan: ResamplingPlan, unit: Unit
) -> Iterator[Floats]:
    """Yields (r, V) token frequencies of the plan's resamples, block by block."""
    names: dict[str, int] = {}
    shopper: list[int] = []
    column: list[int] = []
    for text, row in zip(texts, rows.tolist(), strict=True):
        for token in tokenise(text, unit):
            shopper.append(row)
            column.append(names.setdefault(token, len(names)))
    table = csr_matrix((np.ones(len(column)), (shopper, column)), shape=(plan.size, len(names)))
    step = max(1, _BLOCK // max(1, len(names)))
    for start in range(0, len(plan.boot), step):
        yield np.asarray(plan.boot[start : start + step].astype(np.float64) @ table)


def _ratios(frequencies: Floats, tokens: int | None) -> Floats:
    totals = frequencies.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        if tokens is None:
            return np.asarray(np.sum(frequencies > 0, axis=1) / totals)
        # A resample of chatty shoppers can hold fewer tokens than the sample size; it is then read at what it
        # holds.
        size = np.minimum(tokens, totals)
        return np.asarray(_expected_types(frequencies, size) / size)


def _expected_types(frequencies: Floats, tokens: npt.ArrayLike) -> Floats:
    """Expected distinct types in draws without replacement: (R, V) frequencies give (R,) (hypergeometric)."""
    total = frequencies.sum(axis=1, keepdims=True)
    size = np.broadcast_to(np.asarray(tokens, dtype=np.float64), (len(frequencies),))[:, None]
    rest = total - size
    possible = frequencies <= rest  # a type more frequent than what is left out is in every draw
    safe = np.where(possible, frequencies, 0.0)
    log_missing = (
        gammaln(total - safe + 1) - gammaln(rest - safe + 1) + gammaln(rest + 1) - gammaln(total + 1)
    )
    return np.asarray(np.sum(1 - np.where(possible, np.exp(log_missing), 0.0), axis=1))
