"""The demo's choice model as pure functions, and the chance that the demo is made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from paars_bench.data.demo.chance import Chance
from paars_bench.data.demo.choice import Offer, Weights, acclaim, choice_probabilities, examination, taste, utility

PINNED = [0.8817035384837327, 0.28917661385918414]
NUMBERS = st.floats(-50, 50, allow_nan=False)


def offers(**given):
    return Offer(**(dict.fromkeys(Offer._fields, 0.0) | given))


@given(st.lists(NUMBERS, min_size=1, max_size=20), NUMBERS)
def test_probabilities_sum_to_one_and_follow_utility(values, outside):
    chance = np.array(choice_probabilities(values, outside))
    assert chance.sum() == pytest.approx(1) and (chance >= 0).all()
    order = np.argsort([*values, outside], kind="stable")
    assert (np.diff(chance[order]) >= -1e-12).all()


@given(st.lists(NUMBERS, min_size=2, max_size=5), NUMBERS, st.floats(-20, 20))
def test_only_differences_of_utility_matter(values, outside, shift):
    one = choice_probabilities(values, outside)
    other = choice_probabilities([v + shift for v in values], outside + shift)
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_with_nothing_to_choose_nothing_is_taken():
    assert choice_probabilities([], -3.0) == [1.0]


def test_a_doubled_price_costs_the_price_weight():
    weights = Weights(price=1.5, loyalty=0, reviews=0)
    assert [utility(weights, offers(log2_price=p)) for p in (0.0, 1.0, 2.0)] == [0, -1.5, -3.0]


def test_utility_is_the_same_for_arrays_and_for_numbers():
    weights = Weights(price=1.5, loyalty=0.4, reviews=0.7)
    rng = np.random.default_rng(0)
    arrays = Offer(*rng.normal(size=(len(Offer._fields), 5)))
    one_by_one = [utility(weights, Offer(*(float(column[i]) for column in arrays))) for i in range(5)]
    np.testing.assert_allclose(utility(weights, arrays), one_by_one)


def test_reviews_count_only_with_confidence():
    assert acclaim(4.5, 1) == acclaim(4.5, 0) == 0
    assert acclaim(4.5, 1_000) == acclaim(4.5, 100_000) == 1 > acclaim(4.5, 100) > 0 > acclaim(3.5, 100)


@given(st.floats(0, 1))
def test_reading_falls_with_place_and_rises_with_patience(patience):
    chance = np.array(examination(10, patience))
    assert chance[0] == 1 and (np.diff(chance) < 0).all()
    assert (np.array(examination(10, 1.0)) >= chance).all()


def test_taste_lasts_and_is_gumbel():
    mine = np.array([taste(7, product, 0) for product in range(50_000)])
    assert taste(7, 123, 0) == mine[123]
    assert abs(mine.mean()) < 0.03 and mine.std() == pytest.approx(np.pi / np.sqrt(6), abs=0.03)
    for shopper, seed in ((8, 0), (7, 1)):
        other = [taste(shopper, product, seed) for product in range(50_000)]
        assert abs(np.corrcoef(mine, other)[0, 1]) < 0.02


MANY = 40_000


@pytest.mark.parametrize(
    ("name", "draw", "distribution"),
    [
        ("random", lambda c: c.random(), stats.uniform()),
        ("normal", lambda c: c.normal(2.0, 3.0), stats.norm(2, 3)),
        ("gumbel", lambda c: c.gumbel(), stats.gumbel_r()),
        ("gamma", lambda c: c.gamma(2.5), stats.gamma(2.5)),
        ("gamma of a small shape", lambda c: c.gamma(0.2), stats.gamma(0.2)),
        ("beta", lambda c: c.beta(1.5, 5), stats.beta(1.5, 5)),
    ],
)
def test_chance_has_the_distribution_that_it_says(name, draw, distribution):
    chance = Chance(1, 2, 3)
    assert stats.kstest([draw(chance) for _ in range(MANY)], distribution.cdf).pvalue > 0.01


@pytest.mark.parametrize("mean", [0.3, 9.0, 120.0])
def test_poisson_counts(mean):
    chance = Chance(4)
    drawn = np.array([chance.poisson(mean) for _ in range(MANY)])
    assert drawn.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / MANY))
    assert drawn.var() == pytest.approx(mean, rel=0.05)


def test_chance_belongs_to_its_key():
    assert [Chance(5, 1).random() for _ in range(2)] == [Chance(5, 1).random()] * 2
    assert Chance(5, 1).random() != Chance(5, 2).random() != Chance(1, 5).random()
    drawn = Chance(5).some_of(range(10), 10)
    assert sorted(drawn) == list(range(10)) and drawn != list(range(10))
    assert Chance(5).some_of("ab", 5) in (["a", "b"], ["b", "a"])


def test_the_bits_of_chance_never_change():
    """They are what NumPy promises to keep; with other ones every data set would be another."""
    chance = Chance(0, 1, 2)
    assert [chance.random() for _ in range(2)] == PINNED
