"""Type-token ratios: plain, at matched totals, in any script."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paars_bench.metrics import ResamplingPlan, diversity, tokenise, type_token_ratio
from paars_bench.metrics.intervals import wilson_ends


def test_plain_ratio_is_types_over_tokens() -> None:
    got = type_token_ratio(["Red shoe", "red BOOT"])
    assert (got.value, got.types, got.tokens, got.at_tokens) == (0.75, 3, 4, None)
    assert type_token_ratio(["Red  shoe", "red shoe ", "boot"], unit="text").value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Men's T-shirt_XL 12.5oz", ["men", "s", "t", "shirt", "xl", "12", "5oz"]),
        ("हिन्दी किताब", ["हिन्दी", "किताब"]),
        ("日本語カメラ 4K", ["日", "本", "語", "カ", "メ", "ラ", "4k"]),
        ("кофе-машина", ["кофе", "машина"]),
        ("cafe\u0301", ["caf\u00e9"]),
        ("حذاء رياضي", ["حذاء", "رياضي"]),
        (" .,!? ", []),
    ],
)
def test_tokens_of_many_scripts(text: str, tokens: list[str]) -> None:
    assert tokenise(text) == tokens


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=60), st.integers(0, 2**32))
def test_the_exact_mean_over_draws_is_what_draws_average(words: list[str], seed: int) -> None:
    size = max(1, len(words) // 2)
    exact = type_token_ratio(words, tokens=size).value
    drawn = type_token_ratio(words, tokens=size, rng=np.random.default_rng(seed)).value
    assert drawn == pytest.approx(exact, abs=0.12)
    assert type_token_ratio(words, tokens=len(words)).value == pytest.approx(type_token_ratio(words).value)
    assert type_token_ratio(words, tokens=1).value == pytest.approx(1)


def test_matched_totals_undo_the_fall_with_size() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in rng.zipf(1.5, 8000)]
    small, large = words[:500], words
    assert type_token_ratio(small).value > 1.5 * type_token_ratio(large).value
    matched = type_token_ratio(large, tokens=500).value
    assert matched == pytest.approx(type_token_ratio(small).value, rel=0.15)


def test_agents_stand_beside_humans_with_intervals() -> None:
    rng = np.random.default_rng(0)
    plan = ResamplingPlan.make([str(i) for i in range(80)], resamples=200, rng=rng)
    rows = np.repeat(np.arange(80), 3)
    human = [f"w{a} w{b}" for a, b in rng.integers(0, 300, (240, 2))]
    agent = [f"w{a} w{b}" for a, b in rng.integers(0, 40, (240, 2))]
    got = diversity(agent, rows, human, rows, plan)
    assert got.agent.at_tokens == got.human.at_tokens == 474, "480 tokens, less one shopper's"
    assert got.agent.value < got.human.value
    assert got.ci is not None and got.human_ci is not None
    assert got.agent.value < 0.5 and "unreliable" in got.ci.note, "40 types, of which hardly one is one shopper's"
    assert "unreliable" not in got.human_ci.note
    assert got.ci.low - 1e-9 <= got.agent.value <= got.ci.high + 1e-9 < got.human_ci.low
    plain = diversity(agent, rows, human[:100], rows[:100], plan, tokens=None)
    assert plain.agent.at_tokens is None and plain.human.tokens == 200


def test_no_token_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match="at least one token"):
        type_token_ratio(["", " - "])
    plan = ResamplingPlan.make(["a", "b"], rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least one token"):
        diversity(["a"], [0], ["-"], [0], plan)
    with pytest.raises(ValueError, match="between 1 and the 2"):
        type_token_ratio(["a b"], tokens=3)


@pytest.mark.parametrize("tokens", [None, 150])
def test_the_jackknife_leaves_out_whole_shoppers(tokens: int | None) -> None:
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 12, 120)
    texts = [f"w{a} w{b}" for a, b in rng.zipf(1.4, (120, 2))]
    plan = ResamplingPlan.make([str(i) for i in range(15)], resamples=1, rng=rng)
    got = diversity(texts, rows, texts, rows, plan, tokens=tokens)
    ratios = [
        type_token_ratio([t for t, r in zip(texts, rows, strict=True) if r != s], tokens=tokens).value
        for s in range(12)
    ]
    spread = np.sqrt(11 / 12 * np.sum((np.array(ratios) - np.mean(ratios)) ** 2))
    assert got.ci is not None and got.ci.clusters == 12
    ends = wilson_ends(got.agent.value, float(spread), 12, 0.95)
    assert (got.ci.low, got.ci.high) == pytest.approx(ends)
    assert got.ci.high - got.ci.low == pytest.approx(2 * 2.2010 * spread, rel=0.1)


def test_a_ratio_of_one_is_not_said_to_be_certain() -> None:
    plan = ResamplingPlan.make([str(i) for i in range(30)], resamples=1, splits=1, rng=np.random.default_rng(0))
    texts, rows = [f"query {i}" for i in range(90)], np.repeat(np.arange(30), 3)
    got = diversity(texts, rows, texts, rows, plan, unit="text")
    assert got.agent.value == 1 and got.ci is not None
    assert got.ci.high == 1 and 0.8 < got.ci.low < 0.95 and "no spread" in got.ci.note


def test_types_that_come_back_often_make_the_interval_conservative() -> None:
    plan = ResamplingPlan.make([str(i) for i in range(60)], resamples=1, splits=1, rng=np.random.default_rng(0))
    rows = np.repeat(np.arange(60), 10)
    texts = [f"w{i}" for i in np.random.default_rng(5).zipf(1.6, 600)]
    got = diversity(texts, rows, texts, rows, plan)
    assert got.agent.value < 0.5 and got.ci is not None
    assert "conservative" in got.ci.note and "unreliable" not in got.ci.note


def test_intervals_of_a_ratio_near_one_hold_the_truth() -> None:
    plan = ResamplingPlan.make([str(i) for i in range(30)], resamples=1, splits=1, rng=np.random.default_rng(0))
    rows, found = np.repeat(np.arange(30), 3), []
    for seed in range(120):
        texts = [f"q{i}" for i in np.random.default_rng(seed).integers(0, 2200, 90)]
        found.append(diversity(texts, rows, texts, rows, plan, tokens=80, unit="text"))
    truth = np.mean([f.agent.value for f in found])
    assert truth > 0.97 and not any("conservative" in f.ci.note for f in found if f.ci is not None)
    assert np.mean([f.ci is not None and f.ci.low <= truth <= f.ci.high for f in found]) >= 0.9
