"""How often each default 95 % interval holds the truth: simulated shoppers, each with own rates and several cases.

    python scripts/simulate_coverage.py                        # the table of docs/metrics.md, on one core
    python scripts/simulate_coverage.py --only means --simulations 100

Each cell is the share of simulations, in per cent, whose interval holds the true value. The truth of a mean is a
parameter of the simulation. That of a divergence, score or type-token ratio depends on n, so it is the mean over other
simulations of the same size (``TRUTHS`` of them). Seeds are fixed: the table can be made again.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.metrics import (
    CountBins,
    HistogramStatistic,
    Interval,
    KdeStatistic,
    ResamplingPlan,
    clustered_mean,
    diversity,
    equal_count_strata,
    evaluate_group,
    measure,
    paired_divergences,
    paired_means,
    type_token_ratio,
)
from paars_bench.metrics.histogram import Kind

SIZES = (30, 100, 400)
TRUTHS = 500
KINDS: tuple[Kind, ...] = ("kl", "js", "tv", "w1")
SCORED: tuple[Kind, ...] = ("kl", "w1")
Floats = npt.NDArray[np.float64]


class Seen(NamedTuple):
    """What one simulation gave: a value and its interval."""

    value: float | None
    ci: Interval | None


class Setting(NamedTuple):
    """One family of rows: ``simulate`` makes one simulation and returns what it saw, by row.

    ``truth`` is the true value by row, or None where it is the mean over simulations without intervals.
    """

    name: str
    simulate: Callable[[np.random.Generator, int, bool], dict[str, Seen]]
    truth: float | None
    sizes: tuple[int, ...] = SIZES


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
        found = clustered_mean(values, rows, plan_of(size, rng, splits=1), bounds=(0, 1))
        return {"": Seen(found.value, found.ci)}

    kind = "graded mean" if graded else "share"
    return Setting(f"{kind} {mean:g}, likeness {likeness:g}", simulate, mean)


def strata() -> Setting:
    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        rows = cases(rng, size)
        values = (rng.random(len(rows)) < rates(rng, 0.3, size, 0.2)[rows]) * 1.0
        found = equal_count_strata(values, rng.random(len(rows)), rows, plan_of(size, rng, splits=1), bounds=(0, 1))
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
        found = paired_means(a[keep], rows[keep], b, rows, plan_of(size, rng, splits=1))
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
                result = evaluate_group(main, main, plan)
            else:
                uniform = measure(statistic.with_agent(np.full_like(human, 3 / bins.size)), plan, spread=intervals)
                result = evaluate_group(main, statistic.human_floor(), plan, uninformed=uniform)
                seen[f"{kind} score"] = Seen(result.score, result.score_ci)
            seen[kind] = Seen(result.value, result.ci)
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


def embeddings(shift: float, name: str) -> Setting:
    """Three points a shopper about an own home, 8 dimensions; bandwidth 0.7, 150 draws."""

    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        rows, home = np.repeat(np.arange(size), 3), rng.normal(size=(size, 8))
        human, agent = (home[rows] + rng.normal(size=(3 * size, 8)) for _ in range(2))
        statistic = KdeStatistic.make(
            human, rows, agent + shift, rows, size=size, bandwidth=0.7, mc_samples=150, mc_repeats=1, rng=rng
        )
        plan = plan_of(size, rng, resamples=1, splits=200 if intervals else 20)
        measured = measure(statistic, plan, spread=intervals)
        result = evaluate_group(measured, measured, plan)
        return {"": Seen(result.value, result.ci)}

    return Setting(f"kl_kde leave_one_out, d = 8, {name}", simulate, None, (30, 100))


def ratios(vocabulary: int, words: int, name: str) -> Setting:
    """Types from a Zipf-like vocabulary, of which each shopper prefers an own part."""

    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        rows = np.repeat(np.arange(size), 3)
        own = rng.integers(0, vocabulary, size)[rows]
        share = 1 / np.arange(1, vocabulary + 1) ** 0.7
        drawn = rng.choice(vocabulary, size=(len(rows), words), p=share / share.sum())
        drawn[:, 0] = np.where(rng.random(len(rows)) < 0.3, own, drawn[:, 0])
        texts = [" ".join(f"w{t}" for t in row) for row in drawn]
        tokens = int(0.9 * len(rows) * (words if name == "words" else 1))
        unit: Any = "word" if name == "words" else "text"
        if not intervals:
            return {"": Seen(type_token_ratio(texts, tokens=tokens, unit=unit).value, None)}
        plan = plan_of(size, rng, resamples=1, splits=1)
        found = diversity(texts, rows, texts, rows, plan, tokens=tokens, unit=unit)
        return {"": Seen(found.agent.value, found.ci)}

    return Setting(f"type-token ratio, {name}", simulate, None)


def settings(only: str) -> Iterator[Setting]:
    if only in ("", "means"):
        for mean, likeness in ((0.02, 0.2), (0.25, 0.05), (0.25, 0.3), (0.5, 0.2), (0.98, 0.2)):
            yield means(mean, likeness, graded=False)
        for mean in (0.1, 0.6, 0.95):
            yield means(mean, 0.2, graded=True)
        yield strata()
        yield paired(0.0)
        yield paired(0.1)
        yield paired(0.1, graded=True)
    if only in ("", "ratios"):
        yield ratios(2000, 3, "words")
        yield ratios(200_000, 1, "whole texts, nearly all distinct")
        yield ratios(3000, 1, "whole texts, most distinct")
        yield ratios(60, 1, "whole texts, many alike")
    if only in ("", "histograms"):
        for stops, name in ((1.0, "equal populations"), (0.93, "stops x 0.93"), (0.85, "x 0.85"), (0.6, "x 0.6")):
            yield histograms(stops, name)
        yield histogram_difference(0.85, "A and B alike")
        yield histogram_difference(0.6, "B further")
    if only in ("", "embeddings"):
        yield embeddings(0.0, "equal populations")
        yield embeddings(0.5, "shifted by 0.5 in each")


def cells(setting: Setting, size: int, simulations: int) -> dict[str, str]:
    """Returns coverage by row, with how many intervals carried a note."""
    truth: dict[str, float] = {}
    if setting.truth is None:
        runs = [setting.simulate(np.random.default_rng([1, size, i]), size, False) for i in range(TRUTHS)]
        truth = {row: float(np.mean([r[row].value for r in runs])) for row in runs[0]}
    held: dict[str, list[bool]] = {}
    noted: dict[str, list[bool]] = {}
    for i in range(simulations):
        for row, seen in setting.simulate(np.random.default_rng([2, size, i]), size, True).items():
            target = truth.get(row, setting.truth)
            inside = seen.ci is not None and target is not None and seen.ci.low <= target <= seen.ci.high
            held.setdefault(row, []).append(inside)
            noted.setdefault(row, []).append(seen.ci is not None and seen.ci.note != "")
    out = {}
    for row, hits in held.items():
        share, says = float(np.mean(hits)), float(np.mean(noted[row]))
        error = 100 * math.sqrt(max(share * (1 - share), 0.5 / len(hits)) / len(hits))
        out[row] = f"{100 * share:.1f} ± {error:.1f}" + (f" ({100 * says:.0f})" if says >= 0.005 else "")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of shoppers")
    parser.add_argument("--only", default="", choices=["", "means", "ratios", "histograms", "embeddings"])
    chosen = parser.parse_args()
    began = time.perf_counter()
    heads = " | ".join(f"{size} shoppers" for size in chosen.sizes)
    print(f"| interval of | {heads} |\n|---|{'---|' * len(chosen.sizes)}")
    for setting in settings(chosen.only):
        columns = {size: cells(setting, size, chosen.simulations) for size in chosen.sizes if size in setting.sizes}
        for row in next(iter(columns.values()), {}):
            name = f"{setting.name} {row}".rstrip()
            shown = [columns[size][row] if size in columns else "–" for size in chosen.sizes]
            print(f"| {name} | " + " | ".join(shown) + " |", flush=True)
    print(
        f"\n{chosen.simulations} simulations a cell: coverage in % ± Monte-Carlo standard error "
        f"(% of the intervals that carried a note). {time.perf_counter() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
