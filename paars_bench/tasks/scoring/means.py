"""What a session holds on average, and how many sessions end without a purchase: the figures of an A/B test."""

from __future__ import annotations

from functools import partial

import numpy as np

from paars_bench.metrics import MeanGapStatistic
from paars_bench.tasks.scoring.asked import Asked, Compared, group_row
from paars_bench.tasks.scoring.beside import beside
from paars_bench.tasks.scoring.observed import (
    NO_PURCHASE,
    Observed,
    agents,
    bins_of,
    humans,
    humans_of_scored,
    observed,
    why_none,
)
from paars_bench.tasks.scoring.scorer import Row


def mean_gap(asked: Asked) -> Row:
    """Returns the gap of two means of a session; the options say of what."""
    return _row(asked, observed(asked.options.of))


def no_purchase(asked: Asked) -> Row:
    """Returns the gap of the shares of sessions without a purchase."""
    return _row(asked, NO_PURCHASE)


def _row(asked: Asked, of: Observed) -> Row:
    why = why_none(asked, of)
    if why is not None:
        return {"value": None, "n": 0, "why": why}
    row = group_row(asked, partial(_compared, of))
    shown = beside(of.what, humans(asked, of), agents(asked, of), asked.scorer.plan, share=of is NO_PURCHASE)
    return row | {"beside": [shown]}


def _compared(of: Observed, asked: Asked) -> Compared:
    human = humans(asked, of)
    made = MeanGapStatistic.make(*human, *agents(asked, of), size=asked.scorer.plan.size)
    bins = bins_of(of, human.values)
    least, most = (0, 1) if of is NO_PURCHASE else (bins.start, bins.tail)

    def nothing() -> MeanGapStatistic:
        rows = humans_of_scored(asked, of).rows
        return made.with_agent(np.full(len(rows), (least + most) / 2), rows)

    return Compared(
        made,
        lambda: made.with_agent(*humans_of_scored(asked, of)),
        nothing,
        f"uniform over {least} to {most}",
    )
