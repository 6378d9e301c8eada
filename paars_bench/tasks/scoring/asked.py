"""One question to the metrics, and the two shapes of an answer: a mean over cases, a divergence of populations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.config.metric_options import metric_name, options_of, weight_of
from paars_bench.config.metrics import MANY
from paars_bench.config.spec import MetricSpec
from paars_bench.metrics import (
    GroupResult,
    GroupStatistic,
    Interval,
    Measured,
    clustered_mean,
    evaluate_group,
    mean_of_repeats,
    measure,
    score_equivalence,
)
from paars_bench.metrics.group import NO_HALVES
from paars_bench.tasks.scoring.scorer import Kept, KeptDivergence, KeptMean, MetricKey, Row, Scorer, T
from paars_bench.tasks.scoring.strict import strict_divergence
from paars_bench.tasks.sides import Sides

LOWER = "lower is closer to the humans"
HIGHER = "higher is closer to the human"
MARGIN = 10.0
"""Points of the score within which agents count as human; named here, before any run."""


@dataclass(frozen=True)
class Asked:
    """A metric of a task under a condition, with the two sides it compares."""

    scorer: Scorer
    task: str
    condition: str
    metric: MetricSpec
    sides: Sides

    @cached_property
    def name(self) -> str:
        """The metric's name in results."""
        return metric_name(self.metric)

    @cached_property
    def options(self) -> Any:
        """Its validated options."""
        return options_of(self.metric)

    @cached_property
    def rows(self) -> npt.NDArray[np.int64]:
        """(n,) the plan's row of the shopper of each scored case."""
        return self.scorer.rows([r.shopper for r in self.sides.scored])

    @cached_property
    def by_repeat(self) -> list[Asked]:
        """The same question of each repeat alone; every repeat is a population of its own."""
        sides = self.sides.by_repeat
        return [self] if len(sides) == 1 else [replace(self, sides=s) for s in sides]

    @property
    def targets(self) -> dict[str, str]:
        """What the human of each case did, as text, rendered once for all metrics and conditions of the task."""
        sides = self.sides
        return self.scorer.once(self.task, "targets", lambda: {i: sides.target(c) for i, c in sides.cases.items()})

    @property
    def human_rows(self) -> npt.NDArray[np.int64]:
        """(n,) the plan's row of the shopper of each case, in the order of ``targets``."""
        return self.scorer.rows([c.shopper for c in self.sides.cases.values()])

    def keep(self, kept: Kept) -> None:
        """Keeps the figure for differences between conditions and for the alignment score."""
        self.scorer.kept[MetricKey(self.task, self.condition, self.name)] = kept

    def once(self, what: str, make: Callable[[], T]) -> T:
        """Returns what ``make`` returns, made once for this metric and all conditions that scored the same cases."""
        return self.scorer.once(self.task, (self.name, what, self.sides.digest), make)


class Compared(NamedTuple):
    """What a group metric compares.

    Attributes:
        agents: humans against the agents of this condition.
        humans: the same humans against the humans of the scored cases: the floor.
        nothing: the same humans against agents that know nothing of shopping.
        nothing_is: what those are, in words.
    """

    agents: GroupStatistic
    humans: Callable[[], GroupStatistic]
    nothing: Callable[[], GroupStatistic]
    nothing_is: str


def between_repeats(values: Sequence[float | None]) -> Row:
    """Returns how much a metric varies from repeat to repeat, each measured alone; nothing of a single repeat.

    That is the noise of the backbone on fixed cases. An interval is about other shoppers.
    """
    if len(values) < 2:
        return {}
    known = [v for v in values if v is not None and np.isfinite(v)]
    sd = float(np.std(known, ddof=1)) if len(known) >= 2 else None
    return {"repeats": {"k": len(values), "values": list(values), "sd": sd}}


def mean_row(asked: Asked, values: npt.NDArray[Any], *, worst: float = 0) -> Row:
    """Returns the row of a mean over cases (paper, equation 1); failures count ``worst`` in the strict value."""
    plan, rows = asked.scorer.plan, asked.rows
    mean = clustered_mean(values, rows, plan, failures=asked.sides.failed, worst=worst, bounds=(worst, 1))
    asked.keep(KeptMean(values, rows))
    return {
        "value": mean.value,
        "strict_value": mean.strict_value,
        "direction": HIGHER,
        "ci": interval(mean.ci),
        "n": mean.n,
        "clusters": mean.clusters,
        "estimator": {"mean": "over scored cases", "strict": f"failures count {worst:g}"},
        **between_repeats(_means_by_repeat(asked, values)),
    }


def _means_by_repeat(asked: Asked, values: npt.NDArray[Any]) -> list[float]:
    repeats = np.array([r.repeat for r in asked.sides.scored])
    return [float(values[repeats == repeat].mean()) for repeat in np.unique(repeats)]


def group_row(asked: Asked, compare: Callable[[Asked], Compared]) -> Row:
    """Returns the row of a divergence; 0 is the better of knowing nothing and of the run's own ``base``.

    Args:
        asked: the question.
        compare: makes the two sides of one repeat.
    """
    scorer, sides = asked.scorer, asked.sides
    compared = [compare(one) for one in asked.by_repeat]
    humans = [one.sides.humans_digest for one in asked.by_repeat]
    agents = measure(mean_of_repeats([c.agents for c in compared]), scorer.plan)
    floor: Measured = asked.once(
        "floor", lambda: measure(_of_humans(humans, [c.humans for c in compared]), scorer.plan, spread=False)
    )
    nothing: Measured = asked.once(
        "nothing", lambda: measure(_of_humans(humans, [c.nothing for c in compared]), scorer.plan)
    )
    if asked.condition == "base" and scorer.with_base:
        scorer.base[asked.task, asked.name] = agents
    base = scorer.base.get((asked.task, asked.name))
    result = evaluate_group(agents, floor, scorer.plan, uninformed=nothing, base=base)
    reference = result.reference
    once = getattr(asked.options, "of", None) not in MANY
    strict = strict_divergence(asked.metric.metric, result.value, sides.coverage, once=once)
    asked.keep(KeptDivergence(agents, result, weight_of(asked.metric)))
    return {
        "value": result.value,
        "strict_value": strict.value,
        "direction": LOWER,
        "ci": interval(result.ci),
        "se": result.se,
        "n": result.n_agent,
        "n_human": result.n_human,
        "clusters": result.clusters,
        "floor": result.floor,
        "null_band": [result.null_low, result.null_high],
        "reference": None if reference is None else {"value": reference.value, "kind": reference.kind},
        "uninformed": nothing.value,
        "score": result.score,
        "score_ci": interval(result.score_ci),
        "score_note": result.score_note,
        "equivalence": _equivalence(result),
        "spread": _spread(agents) if weight_of(asked.metric) else None,
        "full_sample_value": result.full_sample,
        "undefined": {f: getattr(result.undefined, f) for f in result.undefined.__dataclass_fields__},
        "estimator": result.estimator | {"uninformed": compared[0].nothing_is, "strict": strict.how},
        **between_repeats(_divergences_by_repeat(compared, scorer)),
    } | ({} if result.value is not None else {"why": NO_HALVES})


def _of_humans(humans: Sequence[str], makers: Sequence[Callable[[], GroupStatistic]]) -> GroupStatistic:
    """Returns the mean of what needs no agent: made once for all repeats that scored the same cases."""
    made: dict[str, GroupStatistic] = {}
    for digest, make in zip(humans, makers, strict=True):
        if digest not in made:
            made[digest] = make()
    return mean_of_repeats([made[digest] for digest in humans])


def _divergences_by_repeat(compared: Sequence[Compared], scorer: Scorer) -> list[float]:
    """Measures each repeat alone, where there are several."""
    if len(compared) < 2:
        return []
    return [measure(c.agents, scorer.plan, spread=False).value for c in compared]


def _equivalence(result: GroupResult) -> dict[str, Any] | None:
    """As close to the humans as humans are to each other, but for ``MARGIN`` points of the score?"""
    if result.score is None or result.score_ci is None:
        return None
    return score_equivalence(result, MARGIN)._asdict()


def _spread(measured: Measured) -> dict[str, Any]:
    """What a leaderboard needs to pair runs of the same cases: both parts on every half-split, to four digits."""
    spread = measured.spread
    return {name: [float(f"{v:.4g}") for v in getattr(spread, name)] for name in ("linear", "curved")}


def interval(value: Interval | None) -> dict[str, Any] | None:
    """Returns an interval as results hold it."""
    return None if value is None else value._asdict()
