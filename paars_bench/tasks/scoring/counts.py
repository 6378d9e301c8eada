"""Histograms of ranks chosen, and of searches, views and purchases a session (paper, equation 6 and Table 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
    options, rows, size = asked.options, asked.rows, asked.scorer.plan.size
    human = _human(asked, options.of)
    smoothing = ADD_HALF
    if isinstance(options, KlHistogramOptions):
        smoothing = Smoothing(options.smoothing.kind, options.smoothing.amount)
    bins = _bins(options.of, list(human.values()))
    agents = replace(_sides(asked, options.of, HISTOGRAMS[asked.metric.metric][0], bins), smoothing=smoothing)
    return Compared(
        agents,
        lambda: agents.with_agent(bins.counts([human[r.case_id] for r in asked.sides.scored], rows, size)),
        lambda: agents.with_agent(_uniform(asked, bins)),
        "uniform over the list shown" if options.of == "rank" else "uniform over the bins",
    )


def counts_of(asked: Asked, of: str, kind: Divergence) -> HistogramStatistic:
    """Returns a histogram of humans and agents with bins of both: for tests that must not know whose is whose."""
    agent = [agent_count(r, of) for r in asked.sides.scored]
    return _sides(asked, of, kind, _bins(of, [*_human(asked, of).values(), *agent]))


def _human(asked: Asked, of: str) -> dict[str, int]:
    """What the human of each case counts, read once for all metrics and conditions of the task."""
    cases, targets = asked.sides.cases, asked.targets if of == "rank" else {}
    return asked.scorer.once(
        asked.task, ("counts", of), lambda: {i: human_count(c, of, targets.get(i, "")) for i, c in cases.items()}
    )


def _bins(of: str, values: Sequence[int]) -> CountBins:
    return CountBins.from_humans(values, start=1 if of == "rank" else 0)


def _sides(asked: Asked, of: str, kind: Divergence, bins: CountBins) -> HistogramStatistic:
    size = asked.scorer.plan.size
    return HistogramStatistic(
        bins.counts(list(_human(asked, of).values()), asked.human_rows, size),
        bins.counts([agent_count(r, of) for r in asked.sides.scored], asked.rows, size),
        kind=kind,
        edges=bins.edges,
    )


def _uniform(asked: Asked, bins: CountBins) -> npt.NDArray[np.float64]:
    """An agent that knows nothing: every rank of the list, or every bin, equally often."""
    of_rank = asked.options.of == "rank"
    out = np.zeros((asked.scorer.plan.size, bins.size))
    for result, row in zip(asked.sides.scored, asked.rows, strict=True):
        width = len(asked.sides.case(result).values["shown"]) if of_rank else bins.size
        np.add.at(out[row], np.minimum(np.arange(width), bins.size - 1), 1 / width)
    return out
