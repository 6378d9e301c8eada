"""The permutation test of a panel holds its level, and finds what differs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paars_bench.metrics import (
    EnergyStatistic,
    HistogramStatistic,
    KdeStatistic,
    PanelTest,
    PointSides,
    SpreadStatistic,
    panel_statistics,
    permutation_test,
)
from paars_bench.metrics.permutation import permutation_p, step_down

Array = npt.NDArray[np.float64]


def compared(seed: int, *, shift: float = 0.0, scale: float = 1.0, permutations: int = 99) -> PanelTest:
    """Shoppers of 1 to 4 points with a home of their own; agents sit near their shopper's home."""
    rng = np.random.default_rng(seed)
    size, d = 40, 3
    home = rng.normal(size=(size, d))
    counts = rng.integers(1, 5, size)
    rows = np.repeat(np.arange(size), counts)
    human, agent = (home[rows] + rng.normal(size=(len(rows), d)) for _ in range(2))
    sides = PointSides.make(human, rows, shift + scale * agent, rows, size=size)
    panel = {"energy": EnergyStatistic.make(sides), "spread": SpreadStatistic.make(sides)}
    return permutation_test(panel, size=size, permutations=permutations, rng=rng)


def test_false_alarms_of_the_panel_and_of_each_member_stay_at_the_level() -> None:
    results = [compared(seed) for seed in range(200)]
    each = np.array([[s.p for s in r.statistics] for r in results], dtype=float)
    assert np.all(np.mean(each <= 0.1, axis=0) < 0.16)  # 0.1 and three standard errors
    assert np.mean([r.p <= 0.1 for r in results if r.p is not None]) < 0.16
    assert np.mean(each[:, 0] <= 0.5) == pytest.approx(0.5, abs=0.12), "and not far below"


def test_a_shift_and_a_narrowing_are_found_by_the_member_that_sees_them() -> None:
    shifted, narrow = compared(1, shift=1.0), compared(1, scale=0.4)
    assert [s.p for s in (shifted.statistics[0], narrow.statistics[1])] == pytest.approx([0.01, 0.01])
    # two statistics: about two of 100 rows have the least p there can be
    for found, member in ((shifted, 0), (narrow, 1)):
        assert found.p == found.statistics[member].p_adjusted and found.p is not None and found.p <= 0.02
    seen = narrow.statistics[1]
    assert seen.value is not None and seen.expected is not None and seen.value > seen.expected
    assert (seen.name, seen.shoppers, seen.undefined, narrow.permutations) == ("spread", 40, 0, 99)


def test_the_same_seed_gives_the_same_swaps_and_one_plan_serves_all() -> None:
    assert compared(3) == compared(3)
    rng = np.random.default_rng(4)
    rows = np.arange(30)
    sides = PointSides.make(rng.normal(size=(30, 2)), rows, rng.normal(size=(30, 2)), rows, size=30)
    twice = {"one": EnergyStatistic.make(sides), "two": EnergyStatistic.make(sides)}
    result = permutation_test(twice, size=30, permutations=99, rng=rng)
    one, two = result.statistics
    assert one.p == two.p == one.p_adjusted == result.p, "a copy costs nothing, since it moves with the first"


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.booleans())
def test_p_is_one_plus_those_as_extreme_over_one_plus_all(seed: int, two_sided: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 8, (50, 3)).astype(float)
    got = permutation_p(values, two_sided)
    for b in (0, 17):
        for j in range(3):
            upper = (np.sum(values[:, j] >= values[b, j])) / 50
            lower = (np.sum(values[:, j] <= values[b, j])) / 50
            assert got[b, j] == pytest.approx(min(1, 2 * min(upper, lower)) if two_sided else upper)
    nudged = values * (1 + 1e-14 * rng.random(values.shape))
    assert permutation_p(nudged, two_sided) == pytest.approx(got), "rounding makes no order"


@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_adjusted_p_is_step_down_min_p(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = permutation_p(rng.normal(size=(60, 4)))
    got = step_down(p)
    order = np.argsort(p[0])
    last = 0.0
    for place, j in enumerate(order):
        rivals = p[:, order[place:]].min(axis=1)
        last = max(last, float(np.mean(rivals <= p[0, j] + 1e-12)))
        assert got[j] == pytest.approx(last)
    assert np.all(got >= p[0] - 1e-12) and np.all(got <= 4 * p[0] + 1e-12)


def test_undefined_swaps_count_against_a_finding_and_an_undefined_value_has_no_p() -> None:
    values = np.array([[5.0], [1.0], [np.nan], [2.0]])
    assert permutation_p(values)[0, 0] == pytest.approx(2 / 4)
    counts = np.zeros((6, 2))
    counts[0] = 1
    stat = HistogramStatistic(counts, np.roll(counts, 1, axis=0))
    result = permutation_test({"kl": stat}, size=6, permutations=19, rng=np.random.default_rng(0))
    (row,) = result.statistics
    assert result.p is None and row.p is None and row.value is None and row.shoppers == 0


def test_shoppers_with_one_side_only_are_left_out() -> None:
    rng = np.random.default_rng(5)
    human, agent = rng.normal(size=(20, 2)), rng.normal(size=(15, 2))
    sides = PointSides.make(human, np.arange(20), agent, np.arange(15), size=20)
    kept = PointSides.make(human[:15], np.arange(15), agent, np.arange(15), size=20)
    one, two = (
        permutation_test({"e": EnergyStatistic.make(s)}, size=20, permutations=39, rng=np.random.default_rng(6))
        for s in (sides, kept)
    )
    assert one.statistics[0].shoppers == 15
    assert one.statistics[0].value == pytest.approx(two.statistics[0].value) and one.p == two.p


def test_histograms_and_kernel_densities_are_permuted_too() -> None:
    rng = np.random.default_rng(7)
    size, rows = 60, np.arange(60)
    counts = rng.multinomial(3, [0.6, 0.3, 0.1], size=size).astype(float)
    other = rng.multinomial(3, [0.1, 0.3, 0.6], size=size).astype(float)
    human = rng.normal(size=(size, 4))
    kde = KdeStatistic.make(human, rows, human + 1.5, rows, size=size, bandwidth=0.7, mc_samples=200, rng=rng)
    alike = KdeStatistic.make(human, rows, rng.normal(size=(size, 4)), rows, size=size, bandwidth=0.7, rng=rng)
    panel = {"ranks": HistogramStatistic(counts, other), "kde": kde, "alike": alike}
    result = permutation_test(panel, size=size, permutations=99, rng=rng, two_sided=["kde", "alike"])
    ranks, shifted, same = result.statistics
    assert ranks.p == pytest.approx(0.01) and shifted.p == pytest.approx(0.02) and shifted.two_sided
    assert same.p is not None and same.p > 0.02


def test_what_is_asked_wrongly_is_said() -> None:
    rng = np.random.default_rng(8)
    rows = np.arange(9)
    panel = panel_statistics(PointSides.make(rng.normal(size=(9, 2)), rows, rng.normal(size=(9, 2)), rows, size=9))
    with pytest.raises(ValueError, match="at least one statistic"):
        permutation_test({}, size=9, rng=rng)
    with pytest.raises(ValueError, match="two_sided names kde"):
        permutation_test(panel, size=9, rng=rng, two_sided=["kde"])
    with pytest.raises(ValueError, match="over 9 shoppers, the test over 8"):
        permutation_test(panel, size=8, rng=rng)
