"""Histograms of ranks chosen, and of searches, views and purchases a session (paper, equation 6 and Table 2)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from paars_bench.config.metric_options import KlHistogramOptions
from paars_bench.config.metrics import HISTOGRAMS, Divergence
from paars_bench.metrics import ADD_HALF, CountBins, HistogramStatistic, Smoothing
from paars_bench.tasks.scoring.asked import Asked, Compared, group_row
from paars_bench.tasks.scoring.scorer import Row
from paars_bench.tasks.sides import agent_count, human_count


def histogram(asked: Asked) -> Row:
    """Returns a divergence of histograms; the metric's name says which."""
    return group_row(asked, _compared)


def _compared(asked: Asked) -> Compared:
    scorer, sides, options = asked.scorer, asked.sides, asked.options
    size, of = scorer.plan.size, options.of
    everyone = list(sides.cases.values())
    human = {c.case_id: human_count(c, of, sides.target(c) if of == "rank" else "") for c in everyone}
    bins = CountBins.from_humans(list(human.values()), start=1 if of == "rank" else 0)
    rows = asked.rows
    smoothing = ADD_HALF
    if isinstance(options, KlHistogramOptions):
        smoothing = Smoothing(options.smoothing.kind, options.smoothing.amount)
    agents = HistogramStatistic(
        bins.counts(list(human.values()), scorer.rows([c.shopper for c in everyone]), size),
        bins.counts([agent_count(r, of) for r in sides.scored], rows, size),
        kind=HISTOGRAMS[asked.metric.metric][0],
        smoothing=smoothing,
        edges=bins.edges,
    )
    return Compared(
        agents,
        lambda: agents.with_agent(bins.counts([human[r.case_id] for r in sides.scored], rows, size)),
        lambda: agents.with_agent(_uniform(asked, bins)),
        "uniform over the list shown" if of == "rank" else "uniform over the bins",
    )


def counts_of(asked: Asked, of: str, kind: Divergence) -> HistogramStatistic:
    """Returns a histogram of humans and agents with bins of both: for tests that must not know whose is whose."""
    sides, size = asked.sides, asked.scorer.plan.size
    everyone = list(sides.cases.values())
    human = [human_count(c, of, sides.target(c) if of == "rank" else "") for c in everyone]
    agent = [agent_count(r, of) for r in sides.scored]
    bins = CountBins.from_humans([*human, *agent], start=1 if of == "rank" else 0)
    rows = asked.scorer.rows([c.shopper for c in everyone])
    return HistogramStatistic(
        bins.counts(human, rows, size), bins.counts(agent, asked.rows, size), kind=kind, edges=bins.edges
    )


def _uniform(asked: Asked, bins: CountBins) -> npt.NDArray[np.float64]:
    """An agent that knows nothing: every rank of the list, or every bin, equally often."""
    out = np.zeros((asked.scorer.plan.size, bins.size))
    for result, row in zip(asked.sides.scored, asked.rows, strict=True):
        width = len(asked.sides.case(result).values["shown"]) if asked.options.of == "rank" else bins.size
        np.add.at(out[row], np.minimum(np.arange(width), bins.size - 1), 1 / width)
    return out
