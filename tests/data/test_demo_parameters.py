"""The demo's true parameters: an estimator that sees only choices finds them again, and nothing else holds them."""

from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize import minimize

from paars_bench.data.demo import build, true_looks, true_parameters
from paars_bench.data.demo.choice import Offer
from paars_bench.data.schema import Action

SIZE = {"shoppers": 60, "seed": 3, "products": 1_500}
KINDS = ("browse", "compare", "reorder", "gift", "buy")


@pytest.fixture(scope="module")
def looks():
    return true_looks(**SIZE)


@pytest.fixture(scope="module")
def truth():
    return true_parameters(**SIZE)


@pytest.fixture(scope="module")
def data():
    return build(**SIZE)


class ChoiceSets(NamedTuple):
    """Products opened on a page and the outside option, as one flat list of alternatives.

    Attributes:
        x: attributes, shape (alternatives, parameters).
        first: first alternative of each set; the last of each set is the outside option.
        taken: alternative taken in each set.
    """

    x: np.ndarray
    first: np.ndarray
    taken: np.ndarray


def choice_sets(looks, weights) -> ChoiceSets:
    """Attributes times the shopper's own weight where shoppers differ, so that the true coefficient is 1."""
    x, first, taken = [], [], []
    for look in looks.to_pylist():
        if not look["opened"]:
            continue
        w = weights[look["shopper"]]
        first.append(len(x))
        for place in look["opened"]:
            if place == look["taken"]:
                taken.append(len(x))
            a = {name: look[name][place] for name in Offer._fields}
            own = (-w["price"] * a["log2_price"], w["loyalty"] * a["favourite"], w["reviews"] * a["acclaim"])
            x.append((*own, a["match"], a["wishes"], a["familiar"], a["taste"], *[0.0] * len(KINDS)))
        if look["taken"] < 0:
            taken.append(len(x))
        x.append((*[0.0] * 7, *(float(kind == look["kind"]) for kind in KINDS)))
    return ChoiceSets(np.array(x), np.array(first), np.array(taken))


def fit(sets: ChoiceSets) -> tuple[np.ndarray, np.ndarray]:
    """Returns the maximum-likelihood estimate of a multinomial logit and its standard errors."""
    member = np.repeat(np.arange(len(sets.first)), np.diff([*sets.first, len(sets.x)]))

    def shares(b):
        u = sets.x @ b
        weight = np.exp(u - np.maximum.reduceat(u, sets.first)[member])
        return weight / np.add.reduceat(weight, sets.first)[member]

    def loss(b):
        p = shares(b)
        expected = np.add.reduceat(p[:, None] * sets.x, sets.first)
        return -np.log(p[sets.taken]).sum(), -(sets.x[sets.taken] - expected).sum(0)

    found = minimize(loss, np.zeros(sets.x.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-4})
    p = shares(found.x)
    centred = sets.x - np.add.reduceat(p[:, None] * sets.x, sets.first)[member]
    information = (p[:, None] * centred).T @ centred
    return found.x, np.sqrt(np.diag(np.linalg.inv(information)))


def true_coefficients(truth):
    shared = truth.shoppers.slice(0, 1).to_pylist()[0]
    outside = [truth.kinds[kind].outside for kind in KINDS]
    return np.array([1, 1, 1, shared["match"], shared["wish"], shared["familiar"], truth.taste_weight, *outside])


def weights_of(truth):
    return {row["id"]: row for row in truth.shoppers.to_pylist()}


def test_maximum_likelihood_finds_the_weights_of_the_choice_model(looks, truth):
    estimate, error = fit(choice_sets(looks, weights_of(truth)))
    true = true_coefficients(truth)
    z = (estimate - true) / error
    assert len(z) == 12 and (error < 0.5 * true).all(), "too few choices to tell anything"
    assert np.abs(z).max() < 3.0, z  # the largest of 12 normal numbers is above 3 once in 31
    assert np.abs(z).mean() < 1.2, z


def test_the_wrong_shoppers_weights_are_found_out(looks, truth):
    weights = list(weights_of(truth).values())
    others = {row["id"]: other for row, other in zip(weights, [*weights[1:], weights[0]], strict=True)}
    estimate, error = fit(choice_sets(looks, others))
    assert (estimate[0] - 1) / error[0] < -4  # the price coefficient


def first_views(looks, truth):
    """Returns the place of the first view of each full page, exp of the utilities weighed, and patience."""
    weights = weights_of(truth)
    places, attraction, patience = [], [], []
    for look in looks.to_pylist():
        if not look["opened"] or len(look["products"]) < 10:
            continue
        w = weights[look["shopper"]]
        a = {name: np.array(look[name]) for name in Offer._fields}
        u = w["match"] * a["match"] - w["price"] * a["log2_price"] + w["loyalty"] * a["favourite"]
        u = u + w["reviews"] * a["acclaim"] + w["wish"] * a["wishes"] + w["familiar"] * a["familiar"]
        places.append(look["opened"][0])
        attraction.append(np.exp(truth.notice_weight * (u + truth.taste_weight * a["taste"])))
        patience.append(w["patience"])
    return np.array(places), np.array(attraction), np.array(patience)


def test_the_first_views_tell_how_far_down_a_list_is_read(looks, truth):
    """Sums over every set of places that may have been read; among those, the first view is a logit."""
    place, attraction, patience = first_views(looks, truth)
    sets = np.array([[1, *((n >> k) & 1 for k in range(9))] for n in range(512)], float)
    chosen = attraction[np.arange(len(place)), place][:, None] * sets.T[place] / (attraction @ sets.T)
    rank = np.log(np.arange(2, 11))

    def loss(b):
        log_read = -np.maximum(b[0] - b[1] * patience, 1e-6)[:, None] * rank
        log_skip = np.log1p(-np.exp(log_read))
        chance = np.exp(log_read @ sets[:, 1:].T + log_skip @ (1 - sets[:, 1:]).T)
        return -np.log((chance * chosen).sum(1)).sum()

    found = minimize(loss, [1.0, 0.5], method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-3})
    error = np.sqrt(np.diag(np.linalg.inv(_hessian(loss, found.x))))
    assert (error < 0.3).all(), error
    assert np.abs((found.x - truth.examination) / error).max() < 3.0, (found.x, error)


def _hessian(f, x, step=0.02):
    e = np.eye(len(x)) * step
    return np.array(
        [[(f(x + a + b) - f(x + a - b) - f(x - a + b) + f(x - a - b)) / (4 * step**2) for a in e] for b in e]
    )


def test_the_looks_are_those_of_the_log(looks, data):
    opened = [look["products"][p] for look in looks.to_pylist() for p in look["opened"]]
    events = data.log.events.to_pylist()
    viewed = [e["product"] for e in events if e["action"] == Action.VIEW]
    back = sum(look["taken"] >= 0 and look["taken"] != look["opened"][-1] for look in looks.to_pylist())
    assert len(opened) < len(viewed) <= len(opened) + back
    assert set(opened) == set(viewed)
    cart = [e["product"] for e in events if e["action"] == Action.CART_ADD]
    taken = [look["products"][look["taken"]] for look in looks.to_pylist() if look["taken"] >= 0]
    assert set(cart) == set(taken)


def test_the_parameters_belong_to_the_shoppers_of_the_data(data, truth):
    assert truth.shoppers.column("id").to_pylist() == data.log.shoppers.column("id").to_pylist()
    for row in truth.shoppers.to_pylist():
        assert sum(row["taste"]) == pytest.approx(1) and len(row["taste"]) == len(truth.categories)
        assert (row["price"] > 2.0) == (data.truth(row["id"])["price_sensitivity"] == "high")
    assert sum(kind.share for kind in truth.kinds.values()) == pytest.approx(1)


def test_the_parameters_are_in_no_table_of_the_data(data, truth):
    """What is in no table can be in no prompt: personas and questions are made from these tables alone."""
    log, mined = data.log, data.mined
    tables = [log.events, log.catalog.table, log.sessions, log.shoppers, mined.split, *mined.cases.values()]
    everything = "\n".join(str(value) for t in tables for column in t.columns for value in column.to_pylist())
    for row in truth.shoppers.to_pylist()[:20]:
        for name in ("price", "loyalty", "reviews", "patience"):
            assert repr(row[name])[:10] not in everything
