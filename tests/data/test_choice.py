"""The demo's choice model as a pure function."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.data.demo.choice import Offers, Weights, choice_probabilities, examination, taste, utilities

NUMBERS = st.floats(-50, 50, allow_nan=False)


def offers(**given):
    blank = {name: np.zeros(3) for name in Offers._fields}
    return Offers(**(blank | {k: np.array(v, float) for k, v in given.items()}))


@given(st.lists(NUMBERS, min_size=1, max_size=20), NUMBERS)
def test_probabilities_sum_to_one_and_follow_utility(utility, outside):
    chance = choice_probabilities(np.array(utility), outside)
    assert chance.sum() == pytest.approx(1) and (chance >= 0).all()
    order = np.argsort([*utility, outside], kind="stable")
    assert (np.diff(chance[order]) >= -1e-12).all()


@given(st.lists(NUMBERS, min_size=2, max_size=5), NUMBERS, st.floats(-20, 20))
def test_only_differences_of_utility_matter(utility, outside, shift):
    one = choice_probabilities(np.array(utility), outside)
    other = choice_probabilities(np.array(utility) + shift, outside + shift)
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_a_doubled_price_costs_the_price_weight():
    u = utilities(Weights(price=1.5, loyalty=0, reviews=0), offers(log_price=[0, np.log(2), np.log(4)]))
    np.testing.assert_allclose(u, [0, -1.5, -3.0])


def test_reviews_count_only_with_confidence():
    weights = Weights(price=0, loyalty=0, reviews=1)
    u = utilities(weights, offers(stars=[0.5, 0.5, -0.5], fame=[0, 3, 3]))
    assert u[0] == 0 and u[1] > 0 > u[2]


@given(st.floats(0, 1))
def test_reading_falls_with_place_and_rises_with_patience(patience):
    chance = examination(10, patience)
    assert chance[0] == 1 and (np.diff(chance) < 0).all()
    assert (examination(10, 1.0) >= chance).all()


def test_taste_lasts_and_is_gumbel():
    products = np.arange(100_000)
    once, again = taste(7, products, 0), taste(7, products[::-1], 0)[::-1]
    np.testing.assert_array_equal(once, again)
    assert abs(once.mean()) < 0.02 and once.std() == pytest.approx(np.pi / np.sqrt(6), abs=0.02)
    assert abs(np.corrcoef(once, taste(8, products, 0))[0, 1]) < 0.02
    assert abs(np.corrcoef(once, taste(7, products, 1))[0, 1]) < 0.02
