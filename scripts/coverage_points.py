"""Simulated cases of ``simulate_coverage.py`` on embeddings, and those that are made of several metrics.

Points have 8 dimensions, for cost and because that many shoppers cannot fill 384: a home of its own for each shopper,
one to about three points around it, some of them a query that many people type.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from coverage_cases import Floats, Seen, Setting, plan_of, rates, sessions

from paars_bench.config.loader import load_task
from paars_bench.metrics import (
    MEMBERS,
    CountBins,
    GroupResult,
    GroupStatistic,
    HistogramStatistic,
    KdeStatistic,
    Measured,
    PointSides,
    ResamplingPlan,
    clustered_mean,
    evaluate_group,
    measure,
    point_statistic,
)
from paars_bench.report.segments import _compare, _figures
from paars_bench.tasks.scoring.scorer import KeptDivergence, MetricKey, Scorer
from paars_bench.tasks.scoring.summary import alignment

DIMENSIONS = 8
POPULAR = np.random.default_rng(0).normal(size=(20, DIMENSIONS))
SEGMENTS = ("one", "two", "three")
TASKS = ("query_generation", "session_generation", "item_selection_group")


class Agents(NamedTuple):
    """How the agents' points differ from the humans': where they lie, how far apart, and how many are popular."""

    shift: float = 0.0
    width: float = 1.0
    popular: float = 0.3


EQUAL, SLIGHT, CLEAR = Agents(), Agents(0.1, 0.93, 0.4), Agents(0.5, 0.75, 0.7)


def points(rng: np.random.Generator, rows: npt.NDArray[np.int64], home: Floats, agents: Agents = EQUAL) -> Floats:
    own = (home[rows] + 0.7 * rng.normal(size=(len(rows), DIMENSIONS))) * agents.width
    asked = rng.random(len(rows)) < agents.popular
    return np.where(asked[:, None], POPULAR[rng.integers(0, len(POPULAR), len(rows))], own) + agents.shift


def measured_with(
    agents: GroupStatistic, floor: GroupStatistic, nothing: GroupStatistic, plan: ResamplingPlan
) -> tuple[Measured, GroupResult]:
    main = measure(agents, plan)
    return main, evaluate_group(main, floor, plan, uninformed=nothing)


def panel(agents: Agents, name: str, members: tuple[str, ...] = MEMBERS) -> Setting:
    """The default two-sample statistics; agents that know nothing lie elsewhere, wider, and never repeat."""

    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        rows, home = np.repeat(np.arange(size), 1 + rng.poisson(1, size)), rng.normal(size=(size, DIMENSIONS))
        human, agent = points(rng, rows, home), points(rng, rows, home, agents)
        anything = 1 + 1.6 * rng.normal(size=human.shape)
        plan = plan_of(size, rng, resamples=1)
        seen: dict[str, Seen] = {}
        for member in members:
            options = {"directions": 8} if member == "sliced_wasserstein" else {}
            one = point_statistic(member, PointSides.make(human, rows, human, rows, size=size), **options)
            apart = (one.with_agent(agent, rows), one.human_floor(), one.with_agent(anything, rows))
            _, result = measured_with(*apart, plan)
            seen[member] = Seen(result.value, result.ci)
            # As in a run: what knows nothing scores 0 only where it lies outside the humans' null band.
            if result.reference is not None and result.null_high is not None:
                has = result.reference.value > result.null_high
                seen[f"{member} score"] = Seen(*((result.score, result.score_ci) if has else (None, None)))
        return seen

    return Setting(f"points, {name},", simulate, None, (30, 100), simulations=200, truths=0)


def kde(shift: float, name: str) -> Setting:
    """Three points a shopper about an own home; bandwidth 0.7, 150 draws."""

    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        rows, home = np.repeat(np.arange(size), 3), rng.normal(size=(size, DIMENSIONS))
        human, agent = (home[rows] + rng.normal(size=(3 * size, DIMENSIONS)) for _ in range(2))
        plan = plan_of(size, rng, resamples=1, splits=200 if intervals else 20)
        humans = density(human, rows, size, rng)
        measured = measure(humans.with_agent(agent + shift, rows), plan, spread=intervals)
        result = evaluate_group(measured, humans.human_floor(), plan)
        return {"": Seen(result.value, result.ci)}

    return Setting(f"kl_kde leave_one_out, d = 8, {name}", simulate, None, (30, 100))


def density(human: Floats, rows: npt.NDArray[np.int64], size: int, rng: np.random.Generator) -> KdeStatistic:
    return KdeStatistic.make(human, rows, human, rows, size=size, bandwidth=0.7, mc_samples=150, mc_repeats=1, rng=rng)


def run_score(stops: float, agents: Agents, name: str) -> Setting:
    """The alignment score of the built-in tasks: ``kl_kde`` and four histograms, each capped at 100."""
    folder = Path(__file__).parent.parent / "task_configs"
    specs = {task: load_task(folder / f"{task}.yaml", [folder]) for task in TASKS}
    bins = CountBins(0, 9)

    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        plan = plan_of(size, rng, resamples=1)
        rows, home = np.repeat(np.arange(size), 2), rng.normal(size=(size, DIMENSIONS))
        human = density(points(rng, rows, home), rows, size, rng)
        anything = 1 + 1.6 * rng.normal(size=(2 * size, DIMENSIONS))
        statistics: dict[tuple[str, str], tuple[GroupStatistic, GroupStatistic, GroupStatistic]] = {
            ("query_generation", "kl_kde"): (
                human.with_agent(points(rng, rows, home, agents), rows),
                human.human_floor(),
                human.with_agent(anything, rows),
            )
        }
        for task, of in (*((TASKS[1], c) for c in ("searches", "views", "purchases")), (TASKS[2], "rank")):
            rate = 0.2 + 0.6 * rng.beta(3, 3, size)
            counts = HistogramStatistic(sessions(rng, rate, bins), sessions(rng, np.minimum(1, stops * rate), bins))
            uniform = counts.with_agent(np.full_like(counts.human, 3 / bins.size))
            statistics[task, f"kl_histogram({of})"] = (counts, counts.human_floor(), uniform)
        scorer = Scorer(plan, 0, _no_engine, _no_engine)
        for (task, metric), three in statistics.items():
            kept = KeptDivergence(*measured_with(*three, plan))
            scorer.kept[MetricKey(task, "persona", metric)] = kept
        row = alignment(scorer, specs)[0]
        assert sum(t["metrics"] for t in row["tasks"]) == len(statistics)
        return {"": Seen.row(row["score"], row["ci"])}

    return Setting(f"alignment score of a run, {name}", simulate, None, simulations=200, truths=0)


def _no_engine(_: object) -> npt.NDArray[np.float32]:
    raise AssertionError("nothing is embedded here")


def segments(stops: tuple[float, float, float], name: str) -> Setting:
    """The first of three segments of ``size`` shoppers each against the other two; agents may differ in one."""
    bins = CountBins(0, 9)

    def rows_of(rng: np.random.Generator, size: int, stop: float) -> list[dict[str, object]]:
        plan = plan_of(size, rng, resamples=1)
        rate = 0.2 + 0.6 * rng.beta(3, 3, size)
        human, agent = sessions(rng, rate, bins), sessions(rng, np.minimum(1, stop * rate), bins)
        out: list[dict[str, object]] = []
        for kind in ("kl", "w1"):
            statistic = HistogramStatistic(human, agent, "kl" if kind == "kl" else "w1", edges=bins.edges)
            result = evaluate_group(statistic, statistic.human_floor(), plan)
            out.append(
                {"metric": kind, "level": "group", "value": result.value, "floor": result.floor, "se": result.se}
                | {"clusters": size, "ci": result.ci and result.ci._asdict()}
            )
        rows = np.repeat(np.arange(size), 3)
        right = (rng.random(3 * size) < rates(rng, 0.3, size, 0.2)[rows]) * 1.0
        mean = clustered_mean(right, rows, plan, bounds=(0, 1))
        out.append({"metric": "share", "level": "individual", "value": mean.value, "clusters": size})
        out[-1]["ci"] = mean.ci and mean.ci._asdict()
        return out

    def simulate(rng: np.random.Generator, size: int, intervals: bool) -> dict[str, Seen]:
        figures = [
            {"task": "", "condition": "", "segment": segment} | _figures(metric)
            for segment, stop in zip(SEGMENTS, stops, strict=True)
            for metric in rows_of(rng, size, stop)
        ]
        _compare(figures)
        return {r["metric"]: Seen.row(r["difference"], r["difference_ci"]) for r in figures[:3]}

    return Setting(f"segment against two others, {name},", simulate, None, simulations=200, truths=0)
