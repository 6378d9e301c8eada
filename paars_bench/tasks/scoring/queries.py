"""Queries as points: each against its human's (paper, Figure 2), and all of them against all (equation 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from paars_bench.metrics import (
    KdeStatistic,
    PointSides,
    PointStatistic,
    cosine_similarity_rows,
    equal_count_strata,
    point_statistic,
)
from paars_bench.seeds import derive
from paars_bench.tasks.scoring.asked import Asked, Compared, group_row, interval, mean_row
from paars_bench.tasks.scoring.scorer import Row

STRATIFIED = 1000  # cases that get a perplexity at most
NOTHING = "titles of random products of the catalog"


def query_similarity(asked: Asked) -> Row:
    """Returns the mean cosine similarity, and in equal-count bins of the human query's perplexity if asked for."""
    typed = [asked.targets[r.case_id] for r in asked.sides.scored]
    values = cosine_similarity_rows(asked.scorer.embed(said(asked)), asked.scorer.embed(typed))
    row = mean_row(asked, values, worst=-1)  # the opposite direction
    return row if asked.metric.strata is None else row | _strata(asked, values, typed)


def _strata(asked: Asked, values: npt.NDArray[np.float64], typed: Sequence[str]) -> Row:
    assert asked.metric.strata is not None
    scorer, sides = asked.scorer, asked.sides
    kept = _sample([r.case_id for r in sides.scored])
    pairs = [(sides.catalog[sides.case(sides.scored[i]).values["product"]].title, typed[i]) for i in kept]
    by = scorer.perplexity(pairs)
    finite = np.isfinite(by)
    picked = np.array(kept)[finite]
    shoppers = scorer.rows([sides.scored[i].shopper for i in picked])
    strata = equal_count_strata(
        values[picked], by[finite], shoppers, scorer.plan, bins=asked.metric.strata.bins, bounds=(-1, 1)
    )
    return {
        "strata_by": asked.metric.strata.by,
        "strata_n": len(picked),
        "strata_left_out": {"not_sampled": len(values) - len(kept), "no_perplexity": int((~finite).sum())},
        "strata": [s._asdict() | {"ci": interval(s.ci)} for s in strata],
    }


def _sample(case_ids: Sequence[str]) -> list[int]:
    """Returns the places of the cases that are stratified: all, or the same 1,000 in every run and condition.

    Perplexity takes about 0.08 s a query on one core: 4,000 of them would hold the first run up for five minutes.
    """
    distinct = sorted(set(case_ids), key=lambda c: derive(0, "strata", c))
    chosen = set(distinct[:STRATIFIED])
    return [place for place, case_id in enumerate(case_ids) if case_id in chosen]


def kl_kde(asked: Asked) -> Row:
    """Returns the KL of query embeddings under kernel densities."""
    options = asked.options

    def humans(points: Any, rows: Any) -> KdeStatistic:
        return KdeStatistic.make(
            points,
            rows,
            points,
            rows,
            size=asked.scorer.plan.size,
            bandwidth=options.bandwidth,
            estimator=options.estimator,
            mc_samples=options.mc_samples,
            mc_repeats=options.mc_repeats,
            rng=asked.scorer.rng("kl_kde", asked.task),
        )

    return _compared_points(asked, humans)


def points(asked: Asked) -> Row:
    """Returns a two-sample statistic of query embeddings; the metric's name says which."""
    name, options = asked.metric.metric, asked.options.model_dump()

    def humans(at: Any, rows: Any) -> PointStatistic:
        sides = PointSides.make(at, rows, at, rows, size=asked.scorer.plan.size)
        return point_statistic(name, sides, **options)

    return _compared_points(asked, humans)


def _compared_points(asked: Asked, humans: Any) -> Row:
    """Returns the row of a group metric on embeddings.

    ``humans`` makes the statistic of the humans against themselves from their points and rows; ``with_agent`` then
    puts the agents, and those who know nothing, in their place.
    """
    scorer, typed = asked.scorer, asked.targets

    def made() -> Any:
        try:
            return humans(scorer.embed(list(typed.values())), asked.human_rows)
        except ValueError as error:  # too few humans for this statistic
            return str(error)

    human = scorer.once(asked.task, (asked.name, "human side"), made)
    if isinstance(human, str):
        return {"value": None, "n": len(asked.sides.scored), "why": human}
    return group_row(asked, partial(_compared, human, typed))


def _compared(human: Any, typed: Mapping[str, str], asked: Asked) -> Compared:
    scorer, sides, rows = asked.scorer, asked.sides, asked.rows

    def nothing() -> Any:
        ids = sides.catalog.ids
        anything = scorer.rng("uninformed", asked.task).integers(0, len(ids), size=len(sides.scored))
        return human.with_agent(scorer.embed([sides.catalog[ids[i]].title for i in anything]), rows)

    return Compared(
        human.with_agent(scorer.embed(said(asked)), rows),
        lambda: human.with_agent(scorer.embed([typed[r.case_id] for r in sides.scored]), rows),
        nothing,
        NOTHING,
    )


def said(asked: Asked) -> list[str]:
    """Returns the queries of the scored agents, in order."""
    return [str(r.did) for r in asked.sides.scored]
