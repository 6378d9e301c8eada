"""The measurements that chose the default estimator, on real human queries and real embeddings."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from paars_bench.metrics import KdeStatistic, ResamplingPlan, evaluate_group, kde_kl

Array = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def queries() -> tuple[Array, Array]:
    """Embeddings of 330 WebShop and 170 Best Buy queries, all typed by people."""
    folder = os.environ.get("PAARS_BENCH_REAL_DATA")
    if not folder:
        pytest.skip("PAARS_BENCH_REAL_DATA names no folder of real queries")
    from paars_bench.backbones.engines import embedding_engine

    webshop = json.loads((Path(folder) / "webshop_queries/goal_query_map.json").read_text())
    lines = (Path(folder) / "bestbuy_titles/query_clicked_titles.jsonl").read_text().splitlines()
    rng = np.random.default_rng(0)
    one = rng.permutation(sorted({q for many in webshop.values() for q in many}))[:330].tolist()
    two = rng.permutation(sorted({json.loads(line)["query"] for line in lines}))[:170].tolist()
    engine = embedding_engine()
    return engine.encode(one), engine.encode(two)


def test_two_halves_of_one_population_read_41_nats_as_the_paper_does_and_0_leaving_one_out(
    queries: tuple[Array, Array],
) -> None:
    both = np.concatenate(queries)
    rng = np.random.default_rng(1)
    values: dict[str, list[float]] = {"paper": [], "leave_one_out": []}
    for _ in range(4):
        order = rng.permutation(len(both))
        a, b = both[order[:250]], both[order[250:]]
        for estimator, seen in values.items():
            seen.append(kde_kl(a, b, estimator=estimator, mc_repeats=1, floor_splits=1, rng=rng).value)  # type: ignore[arg-type]
    assert np.mean(values["paper"]) == pytest.approx(41.3, abs=3)
    assert np.mean(values["leave_one_out"]) == pytest.approx(0, abs=2)


def test_other_people_lie_far_outside_the_null_band(queries: tuple[Array, Array]) -> None:
    webshop, bestbuy = queries
    size = 170
    plan = ResamplingPlan.make([f"{i:03d}" for i in range(size)], resamples=50, rng=np.random.default_rng(2))
    rows = np.arange(size)
    stat = KdeStatistic.make(webshop[:size], rows, bestbuy, rows, size=size, rng=np.random.default_rng(3))
    result = evaluate_group(stat, stat.human_floor(), plan)
    assert result.null_low is not None and result.null_high is not None and result.value is not None
    assert result.null_low < 0 < result.null_high
    assert result.value > 10
    assert result.value > result.null_high + (result.null_high - result.null_low)
