"""Each two-sample statistic against a peer or brute force, and what all of them must keep to."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel
from sklearn.neighbors import NearestNeighbors

from paars_bench.metrics import (
    MEMBERS,
    EnergyStatistic,
    MmdStatistic,
    NeighbourStatistic,
    PointSides,
    PointStatistic,
    RepeatStatistic,
    ResamplingPlan,
    SlicedStatistic,
    SpreadStatistic,
    TwoSample,
    energy_distance,
    evaluate_group,
    knn_kl,
    mmd,
    panel_statistics,
    repeat_gap,
    sliced_wasserstein,
    spread_gap,
)
from paars_bench.metrics.pairwise import median_distance
from paars_bench.metrics.repeats import equal_points

Array = npt.NDArray[np.float64]
UNBIASED = ("mmd", "energy", "knn_kl", "knn_kl_reverse")  # may lie below 0
PLAIN: dict[str, Callable[..., TwoSample]] = {
    "mmd": mmd,
    "energy": energy_distance,
    "sliced_wasserstein": sliced_wasserstein,
    "knn_kl": knn_kl,
    "spread_gap": spread_gap,
    "repeat_gap": repeat_gap,
}


def sides_of(seed: int, *, size: int = 12, n: int = 40, m: int = 45, d: int = 4, shift: float = 0.3) -> PointSides:
    rng = np.random.default_rng(seed)
    human, agent = rng.normal(size=(n, d)), rng.normal(shift, 0.8, size=(m, d))
    return PointSides.make(human, rng.integers(0, size, n), agent, rng.integers(0, size, m), size=size)


def weights(seed: int, size: int, rows: int = 5) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    one, two = rng.integers(0, 3, (rows, size)), rng.integers(0, 3, (rows, size))
    one[0] = two[0] = 1
    return one.astype(float), two.astype(float)


def mean_over_pairs(table: Array, one: npt.NDArray[np.int64], two: npt.NDArray[np.int64], a: Array, b: Array) -> float:
    """Over pairs of points of different shoppers, one weighted pair after another."""
    pairs = [
        (table[i, j], a[one[i]] * b[two[j]])
        for i in range(len(one))
        for j in range(len(two))
        if one[i] != two[j] and a[one[i]] * b[two[j]] > 0
    ]
    return float(np.average([v for v, _ in pairs], weights=[w for _, w in pairs]))


@pytest.mark.parametrize("name", ["mmd", "energy", "spread"])
def test_pair_statistics_equal_a_loop_over_pairs(name: str) -> None:
    s = sides_of(0)
    h = 0.9
    stat: PointStatistic = {
        "mmd": lambda: MmdStatistic.make(s, bandwidth=h),
        "energy": lambda: EnergyStatistic.make(s),
        "spread": lambda: SpreadStatistic.make(s),
    }[name]()
    function = (lambda x, y: rbf_kernel(x, y, gamma=1 / (2 * h * h))) if name == "mmd" else euclidean_distances
    w_h, w_a = weights(1, s.size)
    got = stat.divergence(w_h, w_a)
    for r in range(len(w_h)):
        human = mean_over_pairs(function(s.human, s.human), s.human_rows, s.human_rows, w_h[r], w_h[r])
        agent = mean_over_pairs(function(s.agent, s.agent), s.agent_rows, s.agent_rows, w_a[r], w_a[r])
        between = mean_over_pairs(function(s.human, s.agent), s.human_rows, s.agent_rows, w_h[r], w_a[r])
        expected = {
            "mmd": human + agent - 2 * between,
            "energy": 2 * between - human - agent,
            "spread": abs(agent - human) / (agent + human),
        }[name]
        assert got[r] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_energy_distance_agrees_with_scipy_in_one_dimension() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=60), rng.normal(0.5, 2, size=80)
    within = [euclidean_distances(v[:, None]).mean() for v in (x, y)]
    unbiased = [v * n / (n - 1) for v, n in zip(within, (60, 80), strict=True)]
    biased = scipy_stats.energy_distance(x, y) ** 2
    got = energy_distance(x[:, None], y[:, None], rng=rng)
    assert got.value == pytest.approx(biased + sum(within) - sum(unbiased))
    assert (got.n, got.n_agent, got.floor_n) == (60, 80, 30)
    assert abs(got.floor) < got.value


def test_mmd_is_unbiased_however_many_points_a_shopper_has() -> None:
    """Six points of each person, near one another: with their pairs counted the mean would be 0.2, not 0."""
    rng = np.random.default_rng(3)
    values = []
    for _ in range(200):
        home = [rng.normal(size=(20, 3)) for _ in range(2)]
        rows = np.repeat(np.arange(20), 6)
        human, agent = (h[rows] + 0.1 * rng.normal(size=(120, 3)) for h in home)
        stat = MmdStatistic.make(PointSides.make(human, rows, agent, rows, size=20), bandwidth=1.0)
        values.append(stat.divergence(np.ones((1, 20)), np.ones((1, 20)))[0])
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))
    assert np.std(values) < 0.1


def test_the_median_bandwidth_is_the_humans_and_is_recorded() -> None:
    rng = np.random.default_rng(4)
    human = rng.normal(size=(300, 5))
    distance = euclidean_distances(human)[np.triu_indices(300, 1)]
    got = mmd(human, human + 5, rng=rng).estimator
    assert got["bandwidth"] == pytest.approx(np.median(distance), rel=1e-4)
    assert "median" in got["bandwidth_by"]
    assert mmd(human, human + 5, bandwidth=2.0, rng=rng).estimator["bandwidth"] == 2.0
    assert median_distance(np.array([[0.0], [0.0], [3.0]])) == pytest.approx(3, rel=1e-5), "of points that differ"


def test_sliced_wasserstein_is_the_mean_of_scipys_over_its_directions() -> None:
    s = sides_of(5)
    stat = SlicedStatistic.make(s, directions=7, seed=3)
    w_h, w_a = weights(6, s.size)
    got = stat.divergence(w_h, w_a)
    for r in range(len(w_h)):
        each = [
            scipy_stats.wasserstein_distance(s.human @ axis, s.agent @ axis, w_h[r, s.human_rows], w_a[r, s.agent_rows])
            for axis in stat.directions
        ]
        assert got[r] == pytest.approx(np.mean(each))
    assert np.linalg.norm(stat.directions, axis=1) == pytest.approx(1)


def knn_brute(s: PointSides, k: int, components: int, w_h: Array, w_a: Array, least: float) -> float:
    pca = PCA(components).fit(s.human)
    x, y = pca.transform(s.human), pca.transform(s.agent)
    gaps, mass = [], []
    for i, row in enumerate(s.human_rows):
        if not w_h[row]:
            continue
        others_h = np.repeat(x, np.where(s.human_rows == row, 0, w_h[s.human_rows]).astype(int), axis=0)
        others_a = np.repeat(y, np.where(s.agent_rows == row, 0, w_a[s.agent_rows]).astype(int), axis=0)
        near, far = (
            max(NearestNeighbors(n_neighbors=k).fit(p).kneighbors(x[i : i + 1])[0][0, -1], least)
            for p in (others_h, others_a)
        )
        gaps.append(components * np.log(far / near) + np.log(len(others_a) / len(others_h)))
        mass.append(w_h[row])
    return float(np.average(gaps, weights=mass))


@pytest.mark.parametrize("k", [1, 3])
def test_knn_kl_is_the_formula_over_repeated_points(k: int) -> None:
    s = sides_of(7, n=60, m=70, d=6)
    stat = NeighbourStatistic.make(s, k=k, components=3)
    w_h, w_a = weights(8, s.size)
    got = stat.divergence(w_h, w_a)
    expected = [knn_brute(s, k, 3, w_h[r], w_a[r], stat.ruler.resolution) for r in range(len(w_h))]
    assert got == pytest.approx(expected)
    turned = PointSides.make(s.agent, s.agent_rows, s.human, s.human_rows, size=s.size)
    reverse = NeighbourStatistic.make(s, k=k, components=6, reverse=True)
    forward = NeighbourStatistic.make(turned, k=k, components=6)  # all components: the projection is a rotation
    assert reverse.divergence(w_h, w_a) == pytest.approx(
        [knn_brute(turned, k, 6, w_a[r], w_h[r], reverse.ruler.resolution) for r in range(len(w_h))]
    )
    assert forward.ruler.resolution != reverse.ruler.resolution


def test_knn_lists_that_end_too_soon_are_carried_on_exactly() -> None:
    """One shopper in 40 keeps weight, so the 8 nearest seldom have any."""
    s = sides_of(9, size=400, n=400, m=400)
    stat = NeighbourStatistic.make(s, k=1, components=4)
    w_h, w_a = np.zeros((3, 400)), np.zeros((3, 400))
    for r in range(3):
        w_h[r, r::40] = w_a[r, r::40] = 1
    assert np.isfinite(stat.divergence(w_h, w_a)).all()
    expected = [knn_brute(s, 1, 4, w_h[r], w_a[r], stat.ruler.resolution) for r in range(3)]
    assert stat.divergence(w_h, w_a) == pytest.approx(expected)


def test_knn_kl_approaches_the_kl_of_two_gaussians() -> None:
    rng = np.random.default_rng(10)
    human, agent = rng.normal(size=(4000, 2)), rng.normal(size=(4000, 2)) * 1.5
    true = 2 * (np.log(1.5) + 1 / (2 * 1.5**2) - 0.5)
    got = knn_kl(human, agent, components=2, rng=rng)
    assert got.value == pytest.approx(true, abs=0.06)
    assert abs(got.floor) < 0.06


def test_repeat_rate_is_the_mean_over_draws_of_the_smaller_size() -> None:
    rng = np.random.default_rng(11)
    human, agent = np.arange(12.0)[:, None], np.array([0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11.0])[:, None]
    stat = RepeatStatistic.make(PointSides.unpaired(human, agent))
    drawn = []
    for _ in range(4000):
        some = rng.permutation(agent[:, 0])[:12]
        drawn.append(np.mean([np.sum(some == v) > 1 for v in some]))
    one = np.ones((1, 27))
    assert stat.divergence(one, one)[0] == pytest.approx(np.mean(drawn), abs=0.01)
    assert stat.describe()["human_repeat_rate"] == 0
    doubled = stat.divergence(2 * one, 2 * one)
    assert doubled == pytest.approx(stat.divergence(one, one)), "a shopper drawn twice repeats nobody"


def test_points_of_one_text_from_two_batches_are_equal_and_near_ones_are_not() -> None:
    rng = np.random.default_rng(12)
    x = rng.normal(size=(50, 384))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    noisy = x[:10] + 1e-7 * rng.normal(size=(10, 384)) / 20
    label = equal_points(np.concatenate([x, noisy, x[:5] + 1e-3]))
    assert label[50:60].tolist() == label[:10].tolist()
    assert len(np.unique(label)) == 55


@pytest.mark.parametrize("name", MEMBERS)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_order_of_shoppers_and_of_points_does_not_matter(name: str, seed: int) -> None:
    s = sides_of(seed, n=70, m=60)
    rng = np.random.default_rng(seed)
    names, one, two = rng.permutation(s.size), rng.permutation(70), rng.permutation(60)
    place = np.argsort(names)
    moved = PointSides.make(s.human[one], place[s.human_rows[one]], s.agent[two], place[s.agent_rows[two]], size=s.size)
    w_h, w_a = weights(seed % 99, s.size)
    (before,), (after,) = (panel_statistics(x, [name]).values() for x in (s, moved))
    assert after.divergence(w_h[:, names], w_a[:, names]) == pytest.approx(before.divergence(w_h, w_a), rel=1e-6)


@pytest.mark.parametrize("name", MEMBERS)
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), far=st.sampled_from([0.0, 1.0, 1e3]))
def test_finite_on_any_support_and_not_negative_where_it_says_so(name: str, seed: int, far: float) -> None:
    (stat,) = panel_statistics(sides_of(seed, size=30, n=120, m=120, shift=far), [name]).values()
    value = stat.divergence(*weights(seed % 99, 30))
    assert np.isfinite(value).all()
    assert name in UNBIASED or (value >= 0).all()
    json.dumps(stat.describe(), allow_nan=False)


@pytest.mark.parametrize("name", MEMBERS)
def test_humans_against_themselves_read_nothing_and_others_more(name: str) -> None:
    rng = np.random.default_rng(13)
    rows = np.repeat(np.arange(80), 2)
    human = rng.normal(size=(160, 4))
    agent = np.where(rng.random((160, 1)) < 0.4, rng.normal(size=(1, 4)), 0.3 * rng.normal(size=(160, 4)) + 0.5)
    (stat,) = panel_statistics(PointSides.make(human, rows, agent, rows, size=80), [name]).values()
    one = np.ones((1, 80))
    assert stat.human_floor().divergence(one, one)[0] == pytest.approx(0, abs=1e-9)
    plan = ResamplingPlan.make([f"{i:03d}" for i in range(80)], resamples=60, rng=rng)
    result = evaluate_group(stat, stat.human_floor(), plan)
    assert result.value is not None and result.null_high is not None
    assert result.value > result.null_high
    again = stat.with_agent(agent, rows)
    assert again.divergence(one, one) == pytest.approx(stat.divergence(one, one), rel=1e-9)


@pytest.mark.parametrize("name", MEMBERS)
def test_pooled_with_the_labels_as_they_are_is_the_statistic_itself(name: str) -> None:
    s = sides_of(14, n=70, m=60)
    (stat,) = panel_statistics(s, [name]).values()
    pooled = stat.pooled(np.random.default_rng(0))
    one = np.ones((1, s.size))
    human = np.concatenate([one, 0 * one], axis=1)
    if name == "mmd":
        pooled = MmdStatistic.make(s, bandwidth=1.0).pooled(np.random.default_rng(0))
        stat = MmdStatistic.make(s, bandwidth=1.0)
    near = 0.5 if name.startswith("knn") else 1e-9  # its ruler is set by all points there
    assert pooled.divergence(human, 1 - human)[0] == pytest.approx(stat.divergence(one, one)[0], abs=near)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_side_without_weight_is_undefined(name: str) -> None:
    (stat,) = panel_statistics(sides_of(15), [name]).values()
    one = np.ones((1, 12))
    assert np.isnan(stat.divergence(0 * one, one)).all() and np.isnan(stat.divergence(one, 0 * one)).all()


def test_fewer_than_k_neighbours_are_undefined_and_never_a_number() -> None:
    stat = NeighbourStatistic.make(sides_of(19, size=30, n=30, m=30), k=5)
    few = np.zeros((1, 30))
    few[0, :4] = 1
    assert np.isnan(stat.divergence(few, few)).all()


@pytest.mark.parametrize("name", PLAIN)
def test_plain_arrays_have_value_floor_and_n_and_say_what_is_wrong(name: str) -> None:
    rng = np.random.default_rng(16)
    human, function = rng.normal(size=(60, 3)), PLAIN[name]
    got = function(human, np.repeat(human[:1] + 2, 30, axis=0), rng=rng)
    assert got.value > got.floor and got.n == 60 and got.n_agent == 30
    with pytest.raises(ValueError, match="human must be"):
        function(np.zeros((0, 3)), human, rng=rng)
    with pytest.raises(ValueError, match="agent must be"):
        function(human, np.zeros((0, 3)), rng=rng)
    with pytest.raises(ValueError, match="dimensions"):
        function(human, np.zeros((5, 2)), rng=rng)
    with pytest.raises(ValueError, match="at least"):
        function(human[:3], human, rng=rng)


def test_agents_that_all_say_one_thing_are_finite_everywhere() -> None:
    rng = np.random.default_rng(17)
    rows = np.arange(100)
    sides = PointSides.make(rng.normal(size=(100, 8)), rows, np.ones((100, 8)), rows, size=100)
    one = np.ones((1, 100))
    for name, stat in panel_statistics(sides, MEMBERS).items():
        assert np.isfinite(stat.divergence(one, one)).all(), name
        json.dumps(stat.describe(), allow_nan=False)


def test_humans_who_all_say_one_thing_set_no_scale() -> None:
    same = PointSides.unpaired(np.ones((20, 3)), np.random.default_rng(0).normal(size=(20, 3)))
    with pytest.raises(ValueError, match="bandwidth must be given"):
        MmdStatistic.make(same)
    with pytest.raises(ValueError, match="distance above 0"):
        NeighbourStatistic.make(same)


def test_an_unknown_member_is_named() -> None:
    with pytest.raises(ValueError, match="unknown statistic mmd2: valid are mmd"):
        panel_statistics(sides_of(0), ["mmd2"])


@pytest.mark.slow
def test_five_thousand_points_a_side_stay_under_a_gigabyte() -> None:
    rng = np.random.default_rng(18)
    n, size = 5000, 3000
    human, agent = rng.standard_normal((2, n, 384))
    sides = PointSides.make(human, rng.integers(0, size, n), agent, rng.integers(0, size, n), size=size)
    w = rng.multinomial(size, np.full(size, 1 / size), size=50).astype(np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, stat in panel_statistics(sides, MEMBERS).items():
        assert np.isfinite(stat.divergence(w, w)).all(), name
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20 < 1.0
