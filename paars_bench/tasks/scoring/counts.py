"""Histograms of ranks chosen, and of what a session holds (paper, equation 6 and Table 2)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from paars_bench.config.metric_options import KlHistogramOptions
from paars_bench.config.metrics import HISTOGRAMS, Divergence
from paars_bench.metrics import ADD_HALF, CountBins, HistogramStatistic, Smoothing
from paars_bench.tasks.scoring.asked import Asked, Compared, group_row
from paars_bench.tasks.scoring.beside import beside
from paars_bench.tasks.scoring.observed import (
    RANK,
    Observed,
    agents,
    bins_of,
    humans,
    humans_of_scored,
    observed,
    why_none,
)
from paars_bench.tasks.scoring.scorer import Row


def histogram(asked: Asked) -> Row:
    """Returns a divergence of histograms; the metric's name says which."""
    of = observed(asked.options.of)
    why = why_none(asked, of)
    if why is not None:
        return {"value": None, "n": 0, "why": why}
    row = group_row(asked, _compared)
    if of.kinds:
        row["estimator"]["kinds"] = list(of.kinds)
        row["beside"] = [_share(asked, of, place) for place in range(len(of.kinds))]
    return row


def _share(asked: Asked, of: Observed, place: int) -> Row:
    """How often one kind comes, of all observations of a side."""
    human, agent = (s.marking(s.values == place) for s in (humans(asked, of), agents(asked, of)))
    return beside(f"{of.what} {of.kinds[place]}", human, agent, asked.scorer.plan, share=True)


def _compared(asked: Asked) -> Compared:
    options, size = asked.options, asked.scorer.plan.size
    of = observed(options.of)
    smoothing = ADD_HALF
    if isinstance(options, KlHistogramOptions):
        smoothing = Smoothing(options.smoothing.kind, options.smoothing.amount)
    bins = bins_of(of, humans(asked, of).values)
    made = replace(statistic_of(asked, of, HISTOGRAMS[asked.metric.metric][0], bins), smoothing=smoothing)
    return compared_counts(asked, of, made, bins, size)


def compared_counts(asked: Asked, of: Observed, made: HistogramStatistic, bins: CountBins, size: int) -> Compared:
    """Returns a histogram of agents beside that of humans in their place and of agents that know nothing."""
    return Compared(
        made,
        lambda: made.with_agent(bins.counts(*humans_of_scored(asked, of), size)),
        lambda: made.with_agent(_uniform(asked, of, bins)),
        "uniform over the list shown" if of is RANK else f"uniform over the {'kinds' if of.kinds else 'bins'}",
    )


def counts_of(asked: Asked, of: str, kind: Divergence) -> HistogramStatistic:
    """Returns a histogram of humans and agents with bins of both: for tests that must not know whose is whose."""
    seen = observed(of)
    both = np.concatenate([humans(asked, seen).values, agents(asked, seen).values])
    return statistic_of(asked, seen, kind, bins_of(seen, both))


def statistic_of(asked: Asked, of: Observed, kind: Divergence, bins: CountBins) -> HistogramStatistic:
    """Returns a histogram of humans and agents in these bins."""
    size = asked.scorer.plan.size
    # the humans of twenty repeats are one array: counts by shopper are the largest thing that a metric holds
    human = asked.scorer.once(
        asked.task, ("counts", of.what, bins.edges), lambda: bins.counts(*humans(asked, of), size)
    )
    return HistogramStatistic(human, bins.counts(*agents(asked, of), size), kind=kind, edges=bins.edges)


def _uniform(asked: Asked, of: Observed, bins: CountBins) -> npt.NDArray[np.float64]:
    """An agent that knows nothing: every rank of the list, or every bin, equally often, as often as humans do it."""
    size = asked.scorer.plan.size
    if of is not RANK:
        often = np.bincount(humans_of_scored(asked, of).rows, minlength=size)
        return np.repeat(often[:, None] / bins.size, bins.size, axis=1)
    out = np.zeros((size, bins.size))
    for result, row in zip(asked.sides.scored, asked.rows, strict=True):
        width = len(asked.sides.case(result).values["shown"])
        np.add.at(out[row], np.minimum(np.arange(width), bins.size - 1), 1 / width)
    return out
