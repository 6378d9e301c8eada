"""Every task under every condition: what was planned, what was scored, and its metrics."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from paars_bench.boundary import unforeseen
from paars_bench.config.metric_options import metric_name
from paars_bench.data.cases import ShoppingData
from paars_bench.outcomes import CaseEnd
from paars_bench.report.engines import Engines
from paars_bench.report.failures import unmeasured
from paars_bench.report.status import outcome_of_unasked
from paars_bench.seeds import derive
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.sides import Sides

if TYPE_CHECKING:
    from paars_bench.run.finished import Finished
    from paars_bench.run.plan import Plan
    from paars_bench.tasks.scoring import Scorer

FEWEST_SHOPPERS = 2
ONE_SHOPPER = (
    "only one shopper has cases, and a metric needs two: floors and intervals come from drawing shoppers; "
    "raise --limit or take a data set with more people"
)


def make_scorer(shoppers: Sequence[str], seed: int, engines: Engines, *, scripted: bool) -> Scorer | None:
    """Returns what the metrics of a run share; None where fewer than two shoppers have cases."""
    import numpy as np

    from paars_bench.metrics import ResamplingPlan
    from paars_bench.tasks.scoring import Scorer

    if len(shoppers) < FEWEST_SHOPPERS:
        return None
    rng = np.random.default_rng(derive(0, "resampling"))
    resampling = ResamplingPlan.make(shoppers, rng=rng)
    return Scorer(resampling, seed, engines.embed, engines.perplexity, with_base=not scripted)


def score_tasks(
    plan: Plan,
    data: ShoppingData,
    done: Finished,
    scorer: Scorer | None,
    stop: str | None,
    *,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Measures a run and returns a row for each task and condition, its metrics inside.

    Args:
        plan: what was to be asked.
        data: the data set.
        done: what is finished; sessions are read back as facts, one task and condition at a time.
        scorer: what the metrics share; without one there are counts and no metrics.
        stop: why asking ended early, or None.
        say: is told of a metric that could not be computed.
    """
    from paars_bench.tasks.scoring import measure_metric

    rows = []
    for name, spec in plan.specs.items():
        renderer = Renderer(spec, data.catalog)
        digest = _cases_digest(plan.cases[name])
        for condition in plan.conditions[name]:
            found = done.ended(name, condition, plan.cases[name], plan.repeats)
            scored = done.scored(name, condition, plan.cases[name], plan.repeats)
            sides = Sides(plan.cases[name], scored, len(found) - len(scored), renderer, data.catalog)
            metrics: list[dict[str, Any]] = []
            for metric in spec.metric_list if scorer else ():
                assert scorer is not None
                with unforeseen() as caught:
                    metrics.append(measure_metric(scorer, name, condition, metric, sides))
                if caught.error is not None:  # it takes none of the others with it
                    say(f"{name} under {condition}: {metric_name(metric)} not computed ({caught.words})")
                    metrics.append(unmeasured(metric_name(metric), metric.level, sides.coverage, caught.words))
            rows.append(
                {
                    "task": name,
                    "version": spec.version,
                    "condition": condition,
                    "cases_sha256": digest,
                    "counts": _counts(found, stop),
                    "coverage": round(sides.coverage, 6),
                    "min_coverage": spec.min_coverage,
                    "metrics": strict_json(metrics),
                    "why_no_metrics": None if scorer else ONE_SHOPPER,
                }
            )
    return rows


def _cases_digest(case_ids: Iterable[str]) -> str:
    """Which cases were asked, however ``--limit`` and ``--seed`` chose them."""
    return hashlib.sha256("\n".join(sorted(case_ids)).encode()).hexdigest()


def _counts(found: Sequence[CaseEnd | None], stop: str | None) -> dict[str, Any]:
    not_asked = outcome_of_unasked(stop)
    by_outcome = Counter(str(ended.outcome if ended is not None else not_asked) for ended in found)
    return {
        "planned": len(found),
        "scored": sum(ended is not None and ended.scored for ended in found),
        "not_asked": found.count(None),
        "cut": sum(ended is not None and ended.cut_by_run for ended in found),
        "by_outcome": dict(sorted(by_outcome.items())),
    }


def strict_json(value: Any) -> Any:
    """Returns strict JSON: a number that is not finite becomes null, NumPy's numbers become Python's."""
    if isinstance(value, Mapping):
        return {str(k): strict_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [strict_json(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
