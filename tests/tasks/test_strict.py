"""Failures as the worst case of a divergence."""

from __future__ import annotations

import math

import numpy as np
import pytest

from paars_bench.metrics import Smoothing, divergence_of_counts
from paars_bench.tasks.scoring.strict import strict_divergence

HUMAN = np.array([40.0, 30, 20, 10, 0])
SCORED = np.array([30.0, 30, 10, 10, 0])
FAILED = np.array([0.0, 0, 0, 0, 20])  # where no human is


@pytest.mark.parametrize(("metric", "kind"), [("kl_histogram", "kl"), ("js_histogram", "js"), ("tv_histogram", "tv")])
def test_no_failure_can_be_worse(metric: str, kind: str) -> None:
    exact = Smoothing("add", 0.0)
    value = float(divergence_of_counts(HUMAN, SCORED, kind, smoothing=exact))  # type: ignore[arg-type]
    worst = float(divergence_of_counts(HUMAN, SCORED + FAILED, kind, smoothing=exact))  # type: ignore[arg-type]
    strict = strict_divergence(metric, value, 0.8).value
    assert strict is not None
    assert strict >= worst - 1e-12
    if kind == "kl":
        assert strict == pytest.approx(worst)


def test_without_failures_the_strict_value_is_the_value() -> None:
    assert strict_divergence("energy", 0.25, 1.0).value == 0.25


def test_a_failure_has_no_place_among_embeddings() -> None:
    strict = strict_divergence("energy", 0.25, 0.5)
    assert strict.value is None
    assert "no place" in strict.how


def test_an_undefined_value_has_no_strict_one() -> None:
    assert strict_divergence("kl_kde", None, 0.5).value is None
    assert strict_divergence("kl_kde", 1.0, 0.5).value == pytest.approx(1 + math.log(2))
