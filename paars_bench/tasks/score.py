"""From the journal and the human side to numbers: each registered metric, its floor, interval, reference and score."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from paars_bench.config.metrics import METRICS
from paars_bench.config.spec import MetricSpec
from paars_bench.data.schema import event_of
from paars_bench.errors import ConfigError, unknown
from paars_bench.metrics import (
    CountBins,
    GroupStatistic,
    HistogramStatistic,
    Interval,
    KdeStatistic,
    Measured,
    ResamplingPlan,
    Smoothing,
    clustered_mean,
    cosine_similarity_rows,
    diversity,
    equal_count_strata,
    evaluate_group,
    measure,
)
from paars_bench.seeds import derive
from paars_bench.tasks.ask import option_count
from paars_bench.tasks.sides import Sides, agent_count, human_count, human_events, queries, viewed_titles

Row = dict[str, Any]
STRATIFIED = 1000  # cases that get a perplexity at most
_LOWER = "lower is closer to the humans"


@dataclass(slots=True)
class Scorer:
    """Everything the metrics of a run share.

    Attributes:
        plan: resampling of shoppers, the same for all metrics and conditions.
        seed: of the run.
        embed: texts to unit vectors (n, d).
        perplexity: (context, text) pairs to perplexities (n,).
        with_base: whether condition ``base`` may be the reference that scores 0. Not for a scripted baseline: it reads
            no prompt, so its ``base`` is the baseline itself and not the same agent knowing nothing.
        base: statistics of condition ``base`` by task and metric.
    """

    plan: ResamplingPlan
    seed: int
    embed: Callable[[Sequence[str]], npt.NDArray[np.float32]]
    perplexity: Callable[[Sequence[tuple[str, str]]], npt.NDArray[np.float64]]
    with_base: bool = True
    base: dict[tuple[str, str], Measured] = field(default_factory=dict)

    def score(self, task: str, condition: str, metric: MetricSpec, sides: Sides) -> Row:
        """Computes one metric of one task under one condition.

        Raises:
            ConfigError: no such metric.
        """
        compute = _COMPUTE.get(metric.metric)
        if compute is None:
            raise ConfigError(f"task {task}: {unknown('metric', metric.metric, METRICS)}")
        row = {"metric": metric_name(metric), "level": metric.level, "coverage": round(sides.coverage, 6)}
        if not sides.scored:
            return row | {"value": None, "n": 0, "why": "no scored case"}
        return row | compute(self, task, condition, metric, sides)

    def rows(self, shoppers: Sequence[str]) -> npt.NDArray[np.int64]:
        """Returns the plan's row of each shopper."""
        return self.plan.rows(shoppers)

    def rng(self, *names: str) -> np.random.Generator:
        """Returns a generator that depends on the run's seed and ``names`` only."""
        return np.random.default_rng(derive(self.seed, *names))


def metric_name(metric: MetricSpec) -> str:
    """Returns a metric's name in results, such as ``kl_histogram(searches)`` or ``kl_kde(paper)``."""
    options = metric.options
    detail = options.get("of") or (options.get("estimator") if options.get("estimator") != "leave_one_out" else None)
    return f"{metric.metric}({detail})" if detail else metric.metric


def _accuracy(scorer: Scorer, task: str, condition: str, metric: MetricSpec, sides: Sides) -> Row:
    hits = [float(str((r.parsed or {})["choice"]) == sides.target(sides.case(r))) for r in sides.scored]
    chance = float(np.mean([1 / option_count(sides.case(r)) for r in sides.scored]))
    return _mean(scorer, np.array(hits), sides) | {"reference": {"value": chance, "kind": "chance"}}


def _query_similarity(scorer: Scorer, task: str, condition: str, metric: MetricSpec, sides: Sides) -> Row:
    said = [str((r.parsed or {})["query"]) for r in sides.scored]
    typed = [sides.target(sides.case(r)) for r in sides.scored]
    values = cosine_similarity_rows(scorer.embed(said), scorer.embed(typed))
    row = _mean(scorer, values, sides, worst=-1)  # the opposite direction
    if metric.strata is None:
        return row
    kept = _sample([r.case_id for r in sides.scored])
    pairs = [(sides.catalog[sides.case(sides.scored[i]).values["product"]].title, typed[i]) for i in kept]
    by = scorer.perplexity(pairs)
    finite = np.isfinite(by)
    picked = np.array(kept)[finite]
    shoppers = scorer.rows([sides.scored[i].shopper for i in picked])
    strata = equal_count_strata(
        values[picked], by[finite], shoppers, scorer.plan, bins=metric.strata.bins, bounds=(-1, 1)
    )
    return row | {
        "strata_by": metric.strata.by,
        "strata_n": len(picked),
        "strata_left_out": {"not_sampled": len(values) - len(kept), "no_perplexity": int((~finite).sum())},
        "strata": [s._asdict() | {"ci": interval(s.ci)} for s in strata],
    }


def _sample(case_ids: Sequence[str]) -> list[int]:
    """Returns the places of the cases that are stratified: all, or the same 1,000 in every run and condition.

    Perplexity takes about 0.15 s a query on two cores: 4,000 of them would hold the first run up for ten minutes.
    """
    distinct = sorted(set(case_ids), key=lambda c: derive(0, "strata", c))
    chosen = set(distinct[:STRATIFIED])
    return [place for place, case_id in enumerate(case_ids) if case_id in chosen]


def _mean(scorer: Scorer, values: npt.NDArray[Any], sides: Sides, *, worst: float = 0) -> Row:
    rows = scorer.rows([r.shopper for r in sides.scored])
    mean = clustered_mean(values, rows, scorer.plan, failures=sides.failed, worst=worst, bounds=(worst, 1))
    return {
        "value": mean.value,
        "strict_value": mean.strict_value,
        "direction": "higher is closer to the human",
        "ci": interval(mean.ci),
        "n": mean.n,
        "clusters": mean.clusters,
        "estimator": {"mean": "over scored cases", "strict": f"failures count {worst:g}"},
    }


def _kl_histogram(scorer: Scorer, task: str, condition: str, metric: MetricSpec, sides: Sides) -> Row:
    of = str(metric.options.get("of", "rank"))
    size, start = scorer.plan.size, 1 if of == "rank" else 0
    everyone = list(sides.cases.values())
    human = {c.case_id: human_count(c, of, sides.target(c) if of == "rank" else "") for c in everyone}
    bins = CountBins.from_humans(list(human.values()), start=start)
    human_counts = bins.counts(list(human.values()), scorer.rows([c.shopper for c in everyone]), size)
    rows = scorer.rows([r.shopper for r in sides.scored])
    statistic = HistogramStatistic(
        human_counts,
        bins.counts([agent_count(r, of) for r in sides.scored], rows, size),
        smoothing=Smoothing(**metric.options.get("smoothing", {})),
        edges=bins.edges,
    )
    same_cases = statistic.with_agent(bins.counts([human[r.case_id] for r in sides.scored], rows, size))
    uniform = statistic.with_agent(_uniform(bins, of, sides, rows, size))
    nothing = "uniform over the list shown" if of == "rank" else "uniform over the bins"
    return _group(scorer, (task, metric_name(metric), condition), sides, statistic, same_cases, uniform, nothing)


def _uniform(bins: CountBins, of: str, sides: Sides, rows: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.float64]:
    """An agent that knows nothing: every rank of the list, or every bin, equally often."""
    out = np.zeros((size, bins.size))
    for result, row in zip(sides.scored, rows, strict=True):
        width = len(sides.case(result).values["shown"]) if of == "rank" else bins.size
        places = np.minimum(np.arange(width), bins.size - 1)
        np.add.at(out[row], places, 1 / width)
    return out


def _kl_kde(scorer: Scorer, task: str, condition: str, metric: MetricSpec, sides: Sides) -> Row:
    options = {k: v for k, v in metric.options.items() if k != "estimator"}
    everyone = list(sides.cases.values())
    typed = {c.case_id: sides.target(c) for c in everyone}
    said = [str((r.parsed or {})["query"]) for r in sides.scored]
    shoppers = scorer.rows([r.shopper for r in sides.scored])
    statistic = KdeStatistic.make(
        scorer.embed(list(typed.values())),
        scorer.rows([c.shopper for c in everyone]),
        scorer.embed(said),
        shoppers,
        size=scorer.plan.size,
        estimator=metric.options.get("estimator", "leave_one_out"),
        rng=scorer.rng("kl_kde", task),
        **options,
    )
    same_cases = statistic.with_agent(scorer.embed([typed[r.case_id] for r in sides.scored]), shoppers)
    ids = sides.catalog.ids
    anything = scorer.rng("uninformed", task).integers(0, len(ids), size=len(sides.scored))
    titles = [sides.catalog[ids[i]].title for i in anything]
    uninformed = statistic.with_agent(scorer.embed(titles), shoppers)
    nothing = "titles of random products of the catalog"
    return _group(scorer, (task, metric_name(metric), condition), sides, statistic, same_cases, uninformed, nothing)


def _group(
    scorer: Scorer,
    where: tuple[str, str, str],
    sides: Sides,
    statistic: GroupStatistic,
    same_cases: GroupStatistic,
    uninformed: GroupStatistic,
    uninformed_is: str,
) -> Row:
    """Evaluates a group statistic; the reference is the better of knowing nothing and of the run's own ``base``."""
    task, name, condition = where
    agents, nothing = measure(statistic, scorer.plan), measure(uninformed, scorer.plan)
    if condition == "base" and scorer.with_base:
        scorer.base[task, name] = agents
    base = scorer.base.get((task, name))
    result = evaluate_group(agents, same_cases, scorer.plan, uninformed=nothing, base=base)
    reference = result.reference
    score, score_ci, score_note = result.score, result.score_ci, result.score_note
    null_high = math.inf if result.null_high is None else result.null_high
    if score is not None and reference is not None and not reference.value > null_high:
        # Dividing by such a gap gave scores of -3,050 at 40 shoppers: it measures the noise of the floor.
        score, score_ci = None, None
        score_note = "knowing nothing lies within what human halves differ by at this n: too few cases for a score"
    strict = None if result.value is None else result.value - math.log(sides.coverage)
    return {
        "value": result.value,
        "strict_value": strict,
        "direction": _LOWER,
        "ci": interval(result.ci),
        "n": result.n_agent,
        "n_human": result.n_human,
        "clusters": result.clusters,
        "floor": result.floor,
        "null_band": [result.null_low, result.null_high],
        "reference": None if reference is None else {"value": reference.value, "kind": reference.kind},
        "uninformed": nothing.value,
        "score": score,
        "score_ci": interval(score_ci),
        "score_note": score_note,
        "full_sample_value": result.full_sample,
        "undefined": {f: getattr(result.undefined, f) for f in result.undefined.__dataclass_fields__},
        "estimator": result.estimator
        | {"uninformed": uninformed_is, "strict": "failed cases lie where no human does: value - ln(coverage)"},
    }


def _query_ttr(scorer: Scorer, task: str, condition: str, metric: MetricSpec, sides: Sides) -> Row:
    def agent(result: Any) -> list[str]:
        if result.events is None:
            return [str(result.parsed["query"])]
        return queries(event_of(e) for e in result.events)

    def human(case: Any) -> list[str]:
        return queries(human_events(case)) if "events" in case.values else [sides.target(case)]

    return _ttr(scorer, sides, agent, human)


def _product_ttr(scorer: Scorer, task: str, condition: str, metric: MetricSpec, sides: Sides) -> Row:
    def agent(result: Any) -> list[str]:
        return viewed_titles([event_of(e) for e in result.events or ()], sides.catalog)

    return _ttr(scorer, sides, agent, lambda case: viewed_titles(human_events(case), sides.catalog))


def _ttr(scorer: Scorer, sides: Sides, agent: Callable[[Any], list[str]], human: Callable[[Any], list[str]]) -> Row:
    said = [(r.shopper, text) for r in sides.scored for text in agent(r)]
    typed = [(c.shopper, text) for c in sides.cases.values() for text in human(c)]
    if not said or not typed:
        return {"value": None, "n": len(said), "why": "no text on one side"}
    result = diversity(
        [t for _, t in said],
        scorer.rows([s for s, _ in said]),
        [t for _, t in typed],
        scorer.rows([s for s, _ in typed]),
        scorer.plan,
        tokens="matched",
    )
    return {
        "value": result.agent.value,
        "direction": "nearer to the humans' is closer",
        "ci": interval(result.ci),
        "n": len(said),
        "n_human": len(typed),
        "human": result.human.value,
        "human_ci": interval(result.human_ci),
        "plain_value": result.agent.types / result.agent.tokens,
        "plain_human": result.human.types / result.human.tokens,
        "estimator": {
            "tokens": result.agent.at_tokens,
            "agent_tokens": result.agent.tokens,
            "human_tokens": result.human.tokens,
            "tokenisation": result.agent.tokenisation,
        },
    }


def interval(value: Interval | None) -> dict[str, Any] | None:
    """Returns an interval as results hold it."""
    return None if value is None else value._asdict()


_COMPUTE: Mapping[str, Callable[[Scorer, str, str, MetricSpec, Sides], Row]] = {
    "accuracy": _accuracy,
    "query_similarity": _query_similarity,
    "kl_histogram": _kl_histogram,
    "kl_kde": _kl_kde,
    "query_ttr": _query_ttr,
    "product_ttr": _product_ttr,
}
assert set(_COMPUTE) == set(METRICS), "the listed metrics are those that are computed"
