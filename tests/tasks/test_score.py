"""From answers to the numbers of ``query_generation``, with embeddings and perplexities made by hand."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

from paars_bench.config import TaskSpec
from paars_bench.data import iter_cases
from paars_bench.metrics import ResamplingPlan
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.result import Behaviour
from paars_bench.tasks.scoring import Row, Scorer, measure_metric
from paars_bench.tasks.sides import Sides

ODD = "nothing alike"  # stands at a right angle to every other text
CASES = 12


def similarity(data: Any, spec: TaskSpec, *, odd: int, failed: int, unknown: int = 0) -> Row:
    """Scores 12 cases: the first ``odd`` agents say something else, the last ``failed`` have no answer."""
    kind = spec.dataset.cases
    cases = {c.case_id: c for c in islice(iter_cases(data.cases(kind), kind), 0, 10 * CASES, 10)}
    renderer = Renderer(spec, data.catalog)
    results = [
        Behaviour(c.case_id, 0, c.shopper, said)
        for n, c in enumerate(cases.values())
        for said in [ODD if n < odd else renderer.target(c)]
    ]
    shoppers = [c.shopper for c in cases.values()]
    scorer = Scorer(
        ResamplingPlan.make(shoppers, resamples=50, rng=np.random.default_rng(0)),
        seed=0,
        embed=lambda texts: np.array([[0, 1] if t == ODD else [1, 0] for t in texts], dtype=np.float32),
        perplexity=lambda pairs: np.array([np.nan if n < unknown else float(n) for n in range(len(pairs))]),
    )
    sides = Sides(cases, results[: CASES - failed], failed, renderer, data.catalog)
    return measure_metric(scorer, spec.task, "base", spec.metric_list[0], sides)


def test_a_failure_counts_as_the_opposite_direction_in_the_strict_value_alone(
    data: Any, specs: dict[str, TaskSpec]
) -> None:
    row = similarity(data, specs["query_generation"], odd=3, failed=2)
    assert row["value"] == pytest.approx(7 / 10)
    assert row["strict_value"] == pytest.approx((7 - 2) / CASES)
    assert (row["coverage"], row["n"]) == (pytest.approx(10 / CASES, abs=1e-6), 10)


def test_strata_hold_every_case_with_a_perplexity_and_count_the_rest(data: Any, specs: dict[str, TaskSpec]) -> None:
    row = similarity(data, specs["query_generation"], odd=2, failed=0, unknown=2)
    assert [s["n"] for s in row["strata"]] == [2, 2, 2, 2, 2]
    assert [s["value"] for s in row["strata"]] == [1, 1, 1, 1, 1], "those without a perplexity were the odd ones"
    assert row["strata_left_out"] == {"not_sampled": 0, "no_perplexity": 2}


@pytest.mark.parametrize(("task", "chance"), [("item_selection_individual", 0.25), ("item_selection_group", None)])
def test_accuracy_stands_beside_what_chance_reaches(
    data: Any, specs: dict[str, TaskSpec], task: str, chance: float | None
) -> None:
    spec = specs[task]
    cases = {c.case_id: c for c in islice(iter_cases(data.cases(spec.dataset.cases), spec.dataset.cases), 0, None, 10)}
    if chance is None:
        chance = sum(1 / len(c.values["shown"]) for c in cases.values()) / len(cases)
    results = [Behaviour(c.case_id, 0, c.shopper, 1) for c in cases.values()]
    plan = ResamplingPlan.make([c.shopper for c in cases.values()], resamples=50, rng=np.random.default_rng(0))
    scorer = Scorer(plan, 0, embed=lambda texts: np.ones((len(texts), 1)), perplexity=lambda pairs: np.ones(len(pairs)))
    (metric,) = (m for m in spec.metric_list if m.metric == "accuracy")
    row = measure_metric(
        scorer, task, "base", metric, Sides(cases, results, 0, Renderer(spec, data.catalog), data.catalog)
    )
    assert row["reference"] == {"value": pytest.approx(chance), "kind": "chance"}
