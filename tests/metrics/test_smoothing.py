"""How much of a KL is its epsilon, against the definition and SciPy."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import rel_entr

from paars_bench.metrics import (
    EPSILONS,
    KINDS,
    CountBins,
    EpsilonPoint,
    HistogramStatistic,
    ResamplingPlan,
    Smoothing,
    divergence_of_counts,
    epsilon_row,
    evaluate_group,
    histogram_kl,
    nats_a_decade,
    unreached_mass,
)

PAIRS = st.integers(2, 9).flatmap(
    lambda k: st.tuples(*[st.lists(st.integers(0, 50), min_size=k, max_size=k).filter(any)] * 2)
)


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.sampled_from([Smoothing(), Smoothing("epsilon", 1e-6), Smoothing("epsilon", 1e-12)]))
def test_kl_agrees_with_scipys_rel_entr(pair: tuple[list[int], list[int]], smoothing: Smoothing) -> None:
    p, q = (smoothing.shares(np.array(side, dtype=float)) for side in pair)
    assert p.sum() == pytest.approx(1) and q.sum() == pytest.approx(1)
    assert divergence_of_counts(*pair, "kl", smoothing=smoothing) == pytest.approx(rel_entr(p, q).sum(), abs=1e-12)
    assert divergence_of_counts(*pair, "kl_reverse", smoothing=smoothing) == pytest.approx(
        rel_entr(q, p).sum(), abs=1e-12
    )


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_the_row_is_finite_and_its_slope_is_the_mass_that_no_agent_reached(pair: tuple[list[int], list[int]]) -> None:
    row = epsilon_row(*pair)
    assert [p.epsilon for p in row] == pytest.approx([10.0**-k for k in range(3, 13)])
    assert all(np.isfinite(p.value) and p.value >= 0 for p in row)
    assert nats_a_decade(row) == pytest.approx(np.log(10) * unreached_mass(*pair), abs=1e-6)


def test_one_pair_reads_4_to_20_nats_and_the_bounded_kinds_do_not_move() -> None:
    human, agent = [50, 30, 15, 5], [0, 0, 60, 40]
    row = epsilon_row(human, agent)
    assert row[0].value < 6 < 20 < row[-1].value
    assert nats_a_decade(row) == pytest.approx(0.8 * np.log(10), abs=1e-6)
    shared = epsilon_row(human, [40, 40, 10, 10])
    assert shared[0].value == pytest.approx(shared[-1].value, abs=2e-3) and abs(nats_a_decade(shared)) < 1e-9
    for kind in ("js", "tv", "w1"):
        first, last = (histogram_kl(human, agent, kind=kind, smoothing=Smoothing("epsilon", e)) for e in (1e-3, 1e-12))  # type: ignore[arg-type]
        assert first.value == last.value and first.epsilon_row == ()


def test_the_row_stands_beside_every_kl_in_plain_json() -> None:
    human = np.array([[3.0, 1, 0], [0, 2, 1]])
    agent = np.array([[4.0, 0, 0], [0, 0, 2]])
    for kind in KINDS:
        told = json.loads(json.dumps(HistogramStatistic(human, agent, kind, edges=(0, 1, 2)).describe()))
        assert told["edges"] == [0, 1, 2] and told["human_mass_unreached"] == pytest.approx(3 / 7)
        assert ("epsilon_row" in told) == (kind in ("kl", "kl_reverse"))
    told = HistogramStatistic(human, agent, "kl_reverse").describe()
    assert [p["value"] for p in told["epsilon_row"]] == [p.value for p in epsilon_row([4, 0, 2], [3, 3, 1])]
    told = HistogramStatistic(human, agent).describe()
    assert len(told["epsilon_row"]) == len(EPSILONS)
    assert told["nats_a_decade"] == pytest.approx(np.log(10) * 3 / 7, abs=1e-6)
    assert histogram_kl([3, 3, 1], [4, 0, 2]).epsilon_row == tuple(epsilon_row([3, 3, 1], [4, 0, 2]))
    assert "epsilon_row" not in HistogramStatistic(human, np.zeros((2, 3))).describe()


@settings(max_examples=40, deadline=None)
@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_bins_does_not_matter_to_what_knows_no_order(
    pair: tuple[list[int], list[int]], random: np.random.Generator
) -> None:
    order = list(range(len(pair[0])))
    random.shuffle(order)  # type: ignore[arg-type]
    moved = tuple([side[i] for i in order] for side in pair)
    for kind in ("kl", "kl_reverse", "js", "tv"):
        assert divergence_of_counts(*moved, kind) == pytest.approx(divergence_of_counts(*pair, kind), abs=1e-12)


def test_the_order_of_shoppers_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    human, agent = rng.poisson(2, (2, 40)), rng.poisson(3, (2, 40))
    plan = ResamplingPlan.make([f"{i:02d}" for i in range(40)], resamples=50, rng=rng)
    bins = CountBins.from_humans(human.ravel())
    results = []
    for order in (np.arange(40), rng.permutation(40)):
        rows = np.tile(order, 2)
        sides = [bins.counts(side[:, order].ravel(), rows, 40) for side in (human, agent)]
        stat = HistogramStatistic(sides[0], sides[1], edges=bins.edges)
        results.append(evaluate_group(stat, stat.human_floor(), plan))
    assert results[0] == results[1]


def test_what_has_no_row_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match="without any count"):
        epsilon_row([0, 0], [1, 1])
    with pytest.raises(ValueError, match="same bins"):
        epsilon_row([1, 0], [1, 1, 1])
    with pytest.raises(ValueError, match="above 0"):
        epsilon_row([1, 0], [1, 1], epsilons=[0.1, 0])
    with pytest.raises(ValueError, match="two epsilons"):
        nats_a_decade([EpsilonPoint(0.1, 1), EpsilonPoint(0.1, 1)])
    with pytest.raises(ValueError, match="without any human"):
        unreached_mass([0, 0], [1, 1])
