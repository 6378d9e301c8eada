"""Arguments that would give a wrong number are refused in one sentence: which, what was got, what is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from paars_bench import metrics as m
from paars_bench.metrics.resampling import sums_by_row

PLAN = m.ResamplingPlan.make([f"s{i}" for i in range(6)], resamples=40, splits=4, rng=np.random.default_rng(0))
POINTS = np.random.default_rng(1).normal(size=(40, 2))
AT = POINTS[:3]
ROWS = np.arange(40) % 6


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def w1(positions: list[float]) -> Any:
    return m.divergence_of_counts([1, 2, 3], [3, 1, 2], "w1", positions=positions)


def density(leave_out: list[float]) -> Any:
    return m.kde_log_density(POINTS, AT, 0.3, leave_out=leave_out)


def mean(rows: Any, **options: Any) -> Any:
    return m.clustered_mean([1.0, 0.0], rows, PLAN, **options)


def kde(human_rows: Any, bandwidth: float = 0.3) -> Any:
    return m.KdeStatistic.make(POINTS, human_rows, POINTS, ROWS, size=6, bandwidth=bandwidth, rng=rng())


def mmd_of(bandwidth: float) -> Any:
    return m.MmdStatistic.make(m.PointSides.unpaired(POINTS, POINTS), bandwidth=bandwidth)


def diverse(texts: Any, rows: Any = (0, 1), **options: Any) -> Any:
    return m.diversity(texts, rows, ["a b", "b c"], [0, 1], PLAN, **options)


def smoothing(kind: Any, amount: float) -> Any:
    return m.Smoothing(kind, amount)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "positions that descend": (lambda: w1([2, 1, 0]), r"positions must be finite and ascending, got \[2"),
    "positions in disorder": (lambda: w1([0, 2, 1]), "ascending"),
    "positions not finite": (lambda: w1([0, 1, np.inf]), "positions must be finite"),
    "too few positions": (lambda: w1([0, 1]), r"one for each of 3 bins, shape \(3,\), got \(2,\)"),
    "one position": (lambda: w1([5]), "one for each of 3 bins"),
    "unknown smoothing": (lambda: smoothing("eps", 1e-6), "unknown kind of smoothing 'eps': valid are add, epsilon"),
    "smoothing below 0": (lambda: smoothing("add", -0.2), "amount of smoothing .* at least 0, got -0.2"),
    "smoothing without a number": (lambda: smoothing("add", np.nan), "finite and at least 0, got nan"),
    "smoothing without end": (lambda: smoothing("epsilon", np.inf), "finite and at least 0, got inf"),
    "shares of humans": (lambda: m.histogram_kl([0.3, 0.5, 0.2], [3, 5, 2]), "human_counts must be counts, not shares"),
    "shares of agents": (lambda: m.histogram_kl([3, 5, 2], [0.3, 0.5, 0.2]), "agent_counts .* at least 2, got 1"),
    "unequal bins": (lambda: m.unreached_mass([1, 2, 3], [1, 2]), r"the same bins, got \(3,\) and \(2,\)"),
    "a point left out that is none": (lambda: density([0, 99, 1]), "leave_out must lie between 0 and 39, .* got 99"),
    "a point left out below -1": (lambda: density([0, -2, 1]), "leave_out .* got -2"),
    "half a point left out": (lambda: density([0, 0.5, 1]), "leave_out must be whole numbers, got 0.5"),
    "complex points": (lambda: m.kde_log_density(POINTS + 1j, AT, 0.3), "points must be real numbers, .* complex128"),
    "points of objects": (lambda: m.PointSides.unpaired(POINTS, POINTS.astype(object)), "agent must be real .* object"),
    "points of text": (lambda: m.kde_log_density(POINTS, AT.astype(str), 0.3), "at must be real numbers"),
    "infinite bandwidth of kde_kl": (
        lambda: m.kde_kl(POINTS, POINTS, bandwidth=np.inf, rng=rng()),
        "bandwidth must be above 0 and finite, got inf",
    ),
    "infinite bandwidth of a KDE": (lambda: kde(ROWS, np.inf), "bandwidth must be above 0 and finite, got inf"),
    "infinite bandwidth of an MMD": (lambda: mmd_of(np.inf), "bandwidth must be above 0 and finite, got inf"),
    "infinite candidate": (lambda: m.bandwidth_by_likelihood(POINTS, [0.1, np.inf], ROWS, rng()), "finite, got inf"),
    "KDE rows that are no integers": (lambda: kde(ROWS + 0.5), "human_rows must be whole numbers, got 0.5"),
    "KDE rows too large": (lambda: kde(ROWS + 1), "human_rows must lie between 0 and 5, got 6"),
    "negative row": (lambda: mean([0, -1]), "rows must be 0 or above, got -1"),
    "row of no shopper": (lambda: mean([6, 6]), "rows must lie between 0 and 5, got 6"),
    "half a row": (lambda: mean([0, 1.5]), "rows must be whole numbers, got 1.5"),
    "row without a number": (lambda: mean([0, np.nan]), "rows must be whole numbers, got nan"),
    "a mask for rows": (lambda: mean([True, False]), "rows must be whole numbers, got an array of bool"),
    "rows of replicates": (lambda: m.mean_replicates([1.0], [-1], PLAN), "rows must be 0 or above"),
    "rows of strata": (lambda: m.equal_count_strata([1.0], [2.0], [9], PLAN), "between 0 and 5, got 9"),
    "rows of sums": (lambda: sums_by_row([1.0], [-1], 6), "rows must be 0 or above, got -1"),
    "one row for two sums": (lambda: sums_by_row([1.0, 2.0], [1], 6), "one shopper for each of 2 values"),
    "rows of counts": (lambda: m.CountBins(0, 2).counts([1, 1], [0, 0.5], 2), "rows must be whole numbers, got 0.5"),
    "negative failures": (lambda: mean([0, 1], failures=-1), "failures .* at least 0, got -1"),
    "half a failure": (lambda: mean([0, 1], failures=0.5), "failures must be a whole number .* got 0.5"),
    "worst not finite": (lambda: mean([0, 1], worst=-np.inf), "worst must be finite, got -inf"),
    "one text for a ratio": (lambda: m.type_token_ratio("red shoe"), "texts must be a list of texts, .* 'red shoe'"),
    "one text for distinct-n": (lambda: m.distinct_n("red shoe", 1), "texts must be a list"),
    "one text for duplicates": (lambda: m.duplicate_rate("red shoe"), "texts must be a list"),
    "one text for diversity": (lambda: diverse("ab"), "agent_texts must be a list of texts, got one text: 'ab'"),
    "one text for a gap": (lambda: m.diversity_gap(["a"], [0], "b", [0], PLAN), "human_texts must be a list"),
    "rows of diversity": (lambda: diverse(["a", "b"], [0, 0.5]), "agent_rows must be whole numbers, got 0.5"),
    "half a token": (lambda: m.type_token_ratio(["a b c"], tokens=2.5), "tokens must be a whole number .* got 2.5"),  # type: ignore[arg-type]
    "half a token for diversity": (lambda: diverse(["a", "b"], tokens=1.5), "tokens must be a whole number"),
    "no token asked for": (lambda: m.type_token_ratio(["a b c"], tokens=0), "at least 1, got 0"),
    "half a text": (lambda: m.duplicate_rate(["a", "b"], at_texts=1.5), "at_texts must be a whole number"),  # type: ignore[arg-type]
    "no word": (lambda: m.type_token_ratio([" - "]), "unit 'word', and no text has a word"),
    "no bigram": (lambda: m.distinct_n(["a", "b"], 2), "unit 'bigram', and no text has 2 words"),
    "no trigram": (lambda: m.distinct_n(["a b"], 3), "unit 'trigram', and no text has 3 words"),
    "no text": (lambda: m.duplicate_rate(["", " "]), "unit 'text', and every text is empty"),
    "agents without a bigram": (lambda: diverse(["a", "b"], unit="bigram"), "agent_texts .* no text has 2 words"),
    "unknown unit of no texts": (lambda: m.type_token_ratio([], unit="letter"), "unknown unit 'letter'"),  # type: ignore[arg-type]
    "one agent for mmd": (lambda: m.mmd(POINTS, AT[:1], rng=rng()), "agent must be at least 2 points, .* got 1"),
    "one agent for energy": (lambda: m.energy_distance(POINTS, AT[:1], rng=rng()), "agent must be at least 2 points"),
    "one agent for spread": (lambda: m.spread_gap(POINTS, AT[:1], rng=rng()), "agent must be at least 2 points"),
}


@pytest.mark.parametrize(("call", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_nonsense_is_refused(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_what_is_unusual_and_sound_is_taken() -> None:
    assert w1([0, 10, 10]) == pytest.approx(10 * 2 / 6)
    assert density([-1, 39, 0]).shape == (3,)
    assert mean(np.array([0.0, 1.0])) == mean(np.array([0, 1], dtype=np.uint8)), "whole floats are rows"
    assert mean([0, 1], failures=np.int64(2)).coverage == 0.5
    assert m.type_token_ratio(["a b c"], tokens=np.int64(2)).value == pytest.approx(1)
    assert m.Smoothing("add", 0.0).shares(np.array([1.0, 3.0])).tolist() == [0.25, 0.75]
    assert m.kde_log_density(POINTS.astype(np.float32), AT, 0.3) == pytest.approx(
        m.kde_log_density(POINTS, AT, 0.3), abs=1e-4
    )
