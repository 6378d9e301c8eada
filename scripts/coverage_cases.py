"""Simulated cases of ``simulate_coverage.py``: means, shares, histograms, type-token ratios and their differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.metrics import (
    CountBins,
    HistogramStatistic,
    Interval,
    MeanGapStatistic,
    ResamplingPlan,
    Unit,
    clustered_mean,
    diversity,
    equal_count_strata,
    evaluate_group,
    measure,
    paired_divergences,
    paired_means,
    share_difference_interval,
    type_token_ratio,
)
from paars_bench.metrics.histogram import Kind

SIZES = (30, 100, 400)
KINDS: tuple[Kind, ...] = ("kl", "js", "tv", "w1", "hazard")
SCORED: tuple[Kind, ...] = ("kl", "w1")
Floats = npt.NDArray[np.float64]


class Seen(NamedTuple):
    """What one simulation gave: a value and its interval; None where the figure is not defined there."""

    value: float | None
    ci: Interval | None

    @classmethod
    def row(cls, value: float | None, ci: Mapping[str, Any] | None) -> Seen:
        """Takes an interval as results hold it."""
        return cls(value, ci and Interval(**({"method": "", "n": 0, "clusters": 0} | dict(ci))))


class Setting(NamedTuple):
    """One family of rows: ``simulate`` makes one simulation and returns what it saw, by row.

    ``truth`` is the true value by row, or None where it is the mean over ``truths`` simulations without intervals, or,
    where those are 0, over the other simulations. ``simulations`` is the most that are made of it, for cost.
    """

    name: str
    simulate: Callable[[np.random.Generator, int, bool], dict[str, Seen]]
    truth: float | None
    sizes: tuple[int, ...] = SIZES
    simulations: int = 10_000
    truths: int = 500


def plan_of(size: int, rng: np.random.Generator, *, resamples: int = 1000, splits: int = 200) -> ResamplingPlan:
    return ResamplingPlan.make([f"{i:05d}" for i in range(size)], resamples=resamples, splits=splits, rng=rng)


def cases(rng: np.random.Generator, size: int) -> npt.NDArray[np.int64]:
    """One case a shopper and about two more."""
    return np.repeat(np.arange(size), 1 + rng.poisson(2, size))


def rates(rng: np.random.Generator, mean: float, size: int, likeness: float) -> Floats:
    """Own rates of shoppers, beta distributed; ``likeness`` is the correlation of two cases of a shopper."""
    amount = (1 - likeness) / likeness
    return rng.beta(mean * amount, (1 - mean) * amount, size)


def means(mean: float, likeness: float, *, graded: bool) -> Setting:
    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        rows = cases(rng, size)
        rate = rates(rng, mean, size, likeness)[rows]
        values = rng.beta(4 * rate + 1e-9, 4 * (1 - rate) + 1e-9) if graded else (rng.random(len(rows)) < rate) * 1.0
        plan = plan_of(size, rng, resamples=1000 if graded else 1, splits=1)  # of shares, none is used
        found = clustered_mean(values, rows, plan, bounds=(0, 1))
        return {"": Seen(found.value, found.ci)}

    kind = "graded mean" if graded else "share"
    return Setting(f"{kind} {mean:g}, likeness {likeness:g}", simulate, mean)


def share_difference(gap: float) -> Setting:
    """Humans who do something in 30 % of their cases, and agents who know their shopper and do it less often."""

    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        rows = cases(rng, size)
        rate = rates(rng, 0.3, size, 0.2)[rows]
        plan = plan_of(size, rng, resamples=1, splits=1)
        agents, humans = ((rng.random(len(rows)) < r) * 1.0 for r in (rate * (1 - gap / 0.3), rate))
        ci = share_difference_interval(agents, rows, humans, rows, plan)
        return {"": Seen(float(agents.mean() - humans.mean()), ci)}

    return Setting(f"difference of shares beside each other, {gap:g}", simulate, -gap)


def strata() -> Setting:
    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        rows = cases(rng, size)
        values = (rng.random(len(rows)) < rates(rng, 0.3, size, 0.2)[rows]) * 1.0
        plan = plan_of(size, rng, resamples=1, splits=1)
        found = equal_count_strata(values, rng.random(len(rows)), rows, plan, bounds=(0, 1))
        return {f"{place + 1}": Seen(found[place].value, found[place].ci) for place in (0, 4)}

    return Setting("share 0.3 in stratum", simulate, 0.3)


def paired(gap: float, *, graded: bool = False) -> Setting:
    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        rows = cases(rng, size)
        rate = rates(rng, 0.3, size, 0.2)[rows]
        a, b = (rng.random(len(rows)) < rate) * 1.0, (rng.random(len(rows)) < rate * (1 - gap / 0.3)) * 1.0
        if graded:
            a, b = a * rng.beta(3, 1, len(rows)), b * rng.beta(3, 1, len(rows))
        keep = rng.random(len(rows)) < 0.95  # some cases fail under one condition
        found = paired_means(a[keep], rows[keep], b, rows, plan_of(size, rng, resamples=1, splits=1))
        return {"": Seen(found.difference, found.ci)}

    name = "graded difference" if graded else "difference of shares"
    return Setting(f"{name}, {gap:g}", simulate, gap * (0.75 if graded else 1))


def sessions(rng: np.random.Generator, rate: Floats, bins: CountBins) -> Floats:
    rows = np.repeat(np.arange(len(rate)), 3)
    return bins.counts(rng.geometric(rate[rows]) - 1, rows, len(rate))


def histograms(stops: float, name: str) -> Setting:
    """Three sessions a shopper, geometric counts; agents know their shopper's rate and stop ``stops`` as often."""
    bins = CountBins(0, 9)

    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        rate = 0.2 + 0.6 * rng.beta(3, 3, size)
        human, agent = sessions(rng, rate, bins), sessions(rng, np.minimum(1, stops * rate), bins)
        plan = plan_of(size, rng, resamples=1, splits=200 if intervals else 20)
        seen: dict[str, Seen] = {}
        for kind in KINDS:
            statistic = HistogramStatistic(human, agent, kind, edges=bins.edges)
            main = measure(statistic, plan, spread=intervals)
            if kind not in SCORED:
                result = evaluate_group(main, statistic.human_floor(), plan)
            else:
                uniform = measure(statistic.with_agent(np.full_like(human, 3 / bins.size)), plan, spread=intervals)
                result = evaluate_group(main, statistic.human_floor(), plan, uninformed=uniform)
                seen[f"{kind} score"] = Seen(result.score, result.score_ci)
            seen[kind] = Seen(result.value, result.ci)
        for what, values in (("mean", np.arange(bins.size)), ("share of none", np.arange(bins.size) == 0)):
            gap = MeanGapStatistic(*(np.stack([side @ values, side.sum(axis=1)], axis=1) for side in (human, agent)))
            result = evaluate_group(measure(gap, plan, spread=intervals), gap.human_floor(), plan)
            seen[f"gap of the {what}"] = Seen(result.value, result.ci)
        return seen

    return Setting(f"histogram, {name}", simulate, None)


def histogram_difference(stops: float, name: str) -> Setting:
    bins = CountBins(0, 9)

    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        rate = 0.2 + 0.6 * rng.beta(3, 3, size)
        human = sessions(rng, rate, bins)
        plan = plan_of(size, rng, resamples=1, splits=200 if intervals else 20)
        seen: dict[str, Seen] = {}
        a, b = sessions(rng, 0.85 * rate, bins), sessions(rng, np.minimum(1, stops * rate), bins)
        for kind in SCORED:
            both = [measure(HistogramStatistic(human, x, kind), plan, spread=intervals) for x in (a, b)]
            found = paired_divergences(*both)
            seen[kind] = Seen(found.difference, found.ci)
        return seen

    return Setting(f"paired histogram difference, {name}", simulate, None)


def ratios(vocabulary: int, words: int, unit: Unit, name: str) -> Setting:
    """Types from a Zipf-like vocabulary, of which each shopper prefers an own part."""

    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        rows = np.repeat(np.arange(size), 3)
        own = rng.integers(0, vocabulary, size)[rows]
        share = 1 / np.arange(1, vocabulary + 1) ** 0.7
        drawn = rng.choice(vocabulary, size=(len(rows), words), p=share / share.sum())
        drawn[:, 0] = np.where(rng.random(len(rows)) < 0.3, own, drawn[:, 0])
        texts = [" ".join(f"w{t}" for t in row) for row in drawn]
        tokens = int(0.9 * len(rows) * {"word": words, "bigram": words - 1, "text": 1}[unit])
        if not intervals:
            return {"": Seen(type_token_ratio(texts, tokens=tokens, unit=unit).value, None)}
        plan = plan_of(size, rng, resamples=1, splits=1)
        found = diversity(texts, rows, texts, rows, plan, tokens=tokens, unit=unit)
        return {"": Seen(found.agent.value, found.ci)}

    return Setting(f"type-token ratio of {name}", simulate, None)
