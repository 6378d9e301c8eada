"""Distinct-n, duplicate rates and the humans' own gap, against counting by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paars_bench.metrics import (
    ResamplingPlan,
    distinct_n,
    diversity,
    diversity_gap,
    duplicate_rate,
    duplicates,
    type_token_ratio,
)

TEXTS = st.lists(st.lists(st.sampled_from("abcd"), min_size=3, max_size=6).map(" ".join), min_size=2, max_size=12)


def test_distinct_n_counts_runs_inside_one_text_only() -> None:
    texts = ["Red shoe red shoe", "red SHOE!", "boot"]
    assert (distinct_n(texts, 1).types, distinct_n(texts, 1).tokens) == (3, 7)
    # red shoe, shoe red, red shoe | red shoe
    assert (distinct_n(texts, 2).value, distinct_n(texts, 2).tokens) == (0.5, 4)
    # red shoe red, shoe red shoe
    assert (distinct_n(texts, 3).value, distinct_n(texts, 3).tokens) == (1, 2)
    assert "two neighbouring words" in distinct_n(texts, 2).tokenisation


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.sampled_from([1, 2, 3]))
def test_distinct_n_is_a_share_and_its_matched_mean_is_the_mean_over_all_draws(texts: list[str], n: int) -> None:
    runs = [w[i : i + n] for w in (t.split() for t in texts) for i in range(len(w) - n + 1)]
    got = distinct_n(texts, n)
    assert got.value == pytest.approx(len({tuple(r) for r in runs}) / len(runs))
    draws = list(itertools.combinations(range(len(runs)), 2))
    pairs = np.mean([len({tuple(runs[i]), tuple(runs[j])}) / 2 for i, j in draws])
    assert distinct_n(texts, n, tokens=2).value == pytest.approx(pairs)


def test_a_repeat_is_a_repeat_after_normalisation() -> None:
    got = duplicate_rate(["Red  shoe", "red shoe ", "RED SHOE", "boot", "", "  "])
    assert (got.value, got.texts, got.distinct, got.at_texts) == (0.5, 4, 2, None)
    assert duplicate_rate(["a", "b"]).value == 0
    assert duplicate_rate(["a"] * 10).value == pytest.approx(0.9)


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_the_matched_rate_is_the_mean_over_all_draws(texts: list[str]) -> None:
    assert duplicate_rate(texts, at_texts=1).value == pytest.approx(0)
    pairs = [a == b for a, b in itertools.combinations(texts, 2)]
    assert duplicate_rate(texts, at_texts=2).value == pytest.approx(np.mean(pairs) / 2)
    assert duplicate_rate(texts[::-1]).value == duplicate_rate(texts).value


def population(shoppers: int, pool: int, seed: int) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(shoppers), 4)
    return [f"w{a} w{b} v{a * b}" for a, b in rng.integers(0, pool, (len(rows), 2))], rows


def test_repeating_agents_stand_beside_humans_at_one_number_of_texts() -> None:
    plan = ResamplingPlan.make([f"{i:03d}" for i in range(100)], resamples=2, rng=np.random.default_rng(0))
    human, h_rows = population(100, 60, 1)
    agent, a_rows = population(100, 60, 2)
    repeated = agent[:120] * 3 + agent[360:]
    got = duplicates(repeated, a_rows, human, h_rows, plan)
    assert got.agent.at_texts == got.human.at_texts == 396, "400 texts, less one shopper's"
    assert got.agent.value > 0.5 > 0.2 > got.human.value
    assert got.ci is not None and got.human_ci is not None
    assert got.ci.low <= got.agent.value <= got.ci.high and got.ci.low > got.human_ci.high
    ratio = diversity(repeated, a_rows, human, h_rows, plan, unit="text")
    assert got.agent.value == pytest.approx(1 - ratio.agent.value)
    assert ratio.ci is not None and got.ci.high == pytest.approx(1 - ratio.ci.low)


@pytest.mark.parametrize("unit", ["word", "bigram", "trigram", "text"])
def test_the_gap_of_equal_populations_lies_about_the_humans_own(unit: str) -> None:
    plan = ResamplingPlan.make([f"{i:03d}" for i in range(100)], resamples=2, splits=40, rng=np.random.default_rng(0))
    human, rows = population(100, 30, 1)
    same, _ = population(100, 30, 2)
    narrow, _ = population(100, 8, 3)
    alike, apart = (diversity_gap(a, rows, human, rows, plan, unit=unit) for a in (same, narrow))  # type: ignore[arg-type]
    assert alike.floor == apart.floor > 0
    assert alike.null_low <= alike.floor <= alike.null_high
    assert alike.value < 3 * alike.floor < apart.value and apart.agent < apart.human
    assert apart.value > apart.null_high
    own = diversity_gap(human, rows, human, rows, plan, unit=unit)  # type: ignore[arg-type]
    assert own.value == pytest.approx(own.floor) and (own.n, own.n_human, own.splits) == (400, 400, 40)


def test_the_gap_is_made_of_ratios_of_halves_at_one_total() -> None:
    plan = ResamplingPlan.make([f"{i}" for i in range(8)], resamples=2, splits=3, rng=np.random.default_rng(0))
    human, rows = population(8, 10, 1)
    agent, _ = population(8, 5, 2)
    got = diversity_gap(agent, rows, human, rows, plan)

    def ratio(texts: list[str], half: np.ndarray) -> float:
        return type_token_ratio([t for t, r in zip(texts, rows, strict=True) if half[r]], tokens=got.at_tokens).value

    assert got.at_tokens == 48, "4 shoppers of 4 texts of 3 words"
    gaps = [abs(ratio(agent, a) - ratio(human, b)) for h in plan.halves for a, b in ((h, ~h), (~h, h))]
    assert got.value == pytest.approx(np.mean(gaps))
    assert got.floor == pytest.approx(np.mean([abs(ratio(human, h) - ratio(human, ~h)) for h in plan.halves]))


def test_no_text_is_a_clear_error() -> None:
    plan = ResamplingPlan.make(["a", "b"], rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least one token"):
        duplicate_rate(["", " "])
    with pytest.raises(ValueError, match="at least one token"):
        distinct_n(["a b"], 3)
    with pytest.raises(ValueError, match="n = 1, 2, 3, got 4"):
        distinct_n(["a b c d"], 4)
    with pytest.raises(ValueError, match="a half of the shoppers holds no token"):
        diversity_gap(["a"], [0], ["b", "c"], [0, 1], plan)
    with pytest.raises(ValueError, match="unknown unit 'letter'"):
        type_token_ratio(["a"], unit="letter")  # type: ignore[arg-type]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_of_texts_and_shoppers_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    human, rows = population(10, 12, seed)
    agent, _ = population(10, 12, seed + 1)
    plan = ResamplingPlan.make([f"{i}" for i in range(10)], resamples=1, splits=4, rng=rng)
    order = rng.permutation(len(human))
    mixed, mixed_rows = [human[i] for i in order], rows[order]
    assert diversity_gap(agent, rows, mixed, mixed_rows, plan) == pytest.approx(
        diversity_gap(agent, rows, human, rows, plan)
    )
    found, same = (duplicates(agent, rows, t, r, plan).human for t, r in ((mixed, mixed_rows), (human, rows)))
    assert found == pytest.approx(same, abs=1e-12)
