"""The protocol that makes a group number readable: value, floor, reference, score and interval.

Every quantity is the same statistic under other shopper weights, so what it does wrong it does wrong
everywhere, and the differences that a score is made of are left standing. Why cross-half, and where the interval
comes from: design/estimators.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.resampling import Bools, Floats, Interval, ResamplingPlan
from paars_bench.metrics.spread import NEAR_FLOOR, Spread, spread_interval

Weights = npt.NDArray[np.generic]
NO_ROOM = "nothing that knows less lies beyond what human halves differ by at this n: too few cases for a score"

NO_HALVES = "no half-split has observations on both sides"


class GroupStatistic(Protocol):
    """A divergence between humans and agents as a function of shopper weights."""

    @property
    def n_human(self) -> int:
        """Human observations."""
        ...

    @property
    def n_agent(self) -> int:
        """Agent observations."""
        ...

    @property
    def present(self) -> Bools:
        """(S,) whether a shopper has an observation on either side."""
        ...

    def divergence(self, w_human: Weights, w_agent: Weights) -> Floats:
        """Returns (R,) divergences for (R, S) weights a side, NaN where undefined."""
        ...

    def describe(self) -> dict[str, Any]:
        """Returns what was chosen, in plain JSON.

        Two keys are read here, both optional: ``kinked``, see ``Spread``, and ``interval_note``, which every interval
        made from the statistic says of itself.
        """
        ...


class Reference(NamedTuple):
    """What scores 0: ``uninformed`` or ``base``, whichever diverges less, and its cross-half value."""

    value: float
    kind: Literal["uninformed", "base"]


@dataclass(frozen=True, slots=True)
class Undefined:
    """How many comparisons had a side without an observation, of two for each half-split.

    Attributes:
        value_splits: humans of one half against the agents of the other.
        floor_splits: the same with humans in the agents' place.
        spread_splits: both sides on one half, which the interval comes from.
    """

    value_splits: int
    floor_splits: int
    spread_splits: int


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A statistic under every weighting of a plan; measure a floor or a reference once and pass it on.

    Attributes:
        cross: (2 x splits,) D(human on one half, agent on the other), both orders.
        within: (2 x splits,) D(human and agent on one half), the first halves and then the second; empty where not
            asked for.
        full: D with every shopper once.
        n_human: human observations.
        n_agent: agent observations.
        clusters: shoppers with an observation.
        estimator: what was chosen.
    """

    cross: Floats
    within: Floats
    full: float
    n_human: int
    n_agent: int
    clusters: int
    estimator: dict[str, Any]

    @property
    def value(self) -> float:
        """Mean over the defined splits; NaN where none is."""
        defined = self.cross[np.isfinite(self.cross)]
        return float(defined.mean()) if len(defined) else float("nan")

    @property
    def spread(self) -> Spread:
        """How the divergence varies over samples of shoppers; no splits where ``within`` is empty."""
        first, second = np.split(self.within, 2)
        note = self.estimator.get("interval_note")
        kinked = bool(self.estimator.get("kinked", False))
        return Spread.of(first, second, kinked=kinked, said=(note,) if note else ())


@dataclass(frozen=True, slots=True)
class GroupResult:
    """A group metric, readable on its own.

    Attributes:
        value: mean cross-half divergence, in the statistic's unit; None where undefined.
        floor: the same with the humans in the agents' place: what a human population scores.
        null_low: 2.5 % quantile of the floor over half-splits (at the level given).
        null_high: 97.5 % quantile.
        se: standard error of the value over samples of shoppers; None without an interval.
        ci: interval of the value; None where fewer than 20 half-splits or 2 shoppers are behind it.
        reference: what scores 0; None where none was given or it is undefined.
        score: 100 at the floor, 0 at the reference, negative beyond; None with ``score_note``.
        score_se: its standard error; the reference's spread is paired with the value's, the floor is held fixed.
        score_spread: where that comes from, to be combined with the scores of other metrics of the same plan.
        score_ci: interval of the score.
        score_note: why there is no score, else "".
        full_sample: the divergence with every shopper on both sides, as the paper reports it.
        n_human: human observations.
        n_agent: agent observations.
        clusters: shoppers with an observation.
        undefined: comparisons without a value, by where they were.
        estimator: everything chosen.
    """

    value: float | None
    floor: float | None
    null_low: float | None
    null_high: float | None
    se: float | None
    ci: Interval | None
    reference: Reference | None
    score: float | None
    score_se: float | None
    score_spread: Spread | None = field(repr=False, compare=False)
    score_ci: Interval | None
    score_note: str
    full_sample: float | None
    n_human: int
    n_agent: int
    clusters: int
    undefined: Undefined
    estimator: dict[str, Any]


def measure(statistic: GroupStatistic, plan: ResamplingPlan, *, spread: bool = True) -> Measured:
    """Evaluates a statistic on half-splits and the full sample and, unless ``spread`` is False, for an interval."""
    a = plan.halves.astype(np.float32)
    one = np.ones((1, plan.size), dtype=np.float32)
    # The humans' weights are the same in both calls and all conditions: a statistic can keep what it made of them.
    human = np.concatenate([a, 1 - a, one])
    cross = statistic.divergence(human, np.concatenate([1 - a, a, one]))
    within = statistic.divergence(human, human)[:-1] if spread else np.empty(0)
    return Measured(
        cross[:-1],
        within,
        float(cross[-1]),
        statistic.n_human,
        statistic.n_agent,
        int(np.sum(statistic.present)),
        statistic.describe(),
    )


def evaluate_group(
    statistic: GroupStatistic | Measured,
    floor_statistic: GroupStatistic | Measured,
    plan: ResamplingPlan,
    *,
    uninformed: GroupStatistic | Measured | None = None,
    base: GroupStatistic | Measured | None = None,
    level: float = 0.95,
) -> GroupResult:
    """Returns a group metric with its floor, reference, score and interval.

    Args:
        statistic: humans against the agents of a condition.
        floor_statistic: the same humans against themselves (``human_floor()``). Where some agent cases
            failed, give it the humans of the scored cases in the agents' place, so that both have the same n.
        plan: the run's resampling plan.
        uninformed: humans against agents that know nothing of shopping (uniform); a candidate for 0.
        base: humans against the base condition; the other candidate. The one that diverges less is taken, of those
            that lie above the floor and the null band.
        level: nominal coverage of intervals and null band.
    """
    main = _measured(statistic, plan, spread=True)
    floor = _measured(floor_statistic, plan, spread=False)
    null = floor.cross[np.isfinite(floor.cross)]
    tails = np.quantile(null, [(1 - level) / 2, (1 + level) / 2]) if len(null) else (np.nan, np.nan)
    reference, measured = _reference(plan, uninformed, base, max(floor.value, float(tails[1])))
    spread = main.spread.saying(NEAR_FLOOR) if main.value <= tails[1] else main.spread
    scored = _score(main, spread, floor, measured)
    if scored.note == NO_ROOM and uninformed is None and base is None:
        scored = scored._replace(note="no reference was given")
    se, ci = _interval(main.value, spread, main, level)
    score_se, score_ci = _interval(scored.score, scored.spread, main, level)
    return GroupResult(
        _number(main.value),
        _number(floor.value),
        _number(tails[0]),
        _number(tails[1]),
        se,
        ci,
        reference,
        scored.score,
        score_se,
        scored.spread,
        score_ci,
        scored.note,
        _number(main.full),
        main.n_human,
        main.n_agent,
        main.clusters,
        Undefined(_undefined(main.cross), _undefined(floor.cross), _undefined(main.within)),
        main.estimator | {"splits": len(plan.halves), "protocol": "cross_half"},
    )


def _measured(statistic: GroupStatistic | Measured, plan: ResamplingPlan, *, spread: bool) -> Measured:
    return statistic if isinstance(statistic, Measured) else measure(statistic, plan, spread=spread)


def _reference(
    plan: ResamplingPlan,
    uninformed: GroupStatistic | Measured | None,
    base: GroupStatistic | Measured | None,
    human: float,
) -> tuple[Reference | None, Measured | None]:
    """Returns the candidate that diverges least, of those that lie beyond what human halves reach.

    Dividing by a gap within that gave scores of -3,050 at 40 shoppers: it measures the noise of the floor.
    """
    named: list[tuple[Literal["uninformed", "base"], GroupStatistic | Measured | None]] = [
        ("uninformed", uninformed),
        ("base", base),
    ]
    best: tuple[Reference | None, Measured | None] = (None, None)
    for kind, statistic in named:
        if statistic is None:
            continue
        measured = _measured(statistic, plan, spread=True)
        value = measured.value
        if value > human and (best[0] is None or value < best[0].value):
            best = (Reference(value, kind), measured)
    return best


class _Scored(NamedTuple):
    score: float | None
    spread: Spread | None
    note: str


def _score(main: Measured, own: Spread, floor: Measured, reference: Measured | None) -> _Scored:
    if reference is None:
        return _Scored(None, None, NO_ROOM)
    if not (np.isfinite(main.value) and np.isfinite(floor.value)):
        return _Scored(None, None, NO_HALVES)
    room = reference.value - floor.value
    share = (main.value - floor.value) / room
    if len(reference.within) != len(main.within):
        return _Scored(100 * (1 - share), None, "")
    # derivatives of the score by the value and by the reference
    spread = Spread.combined([(-100 / room, own), (100 * share / room, reference.spread)])
    return _Scored(100 * (1 - share), spread, "")


def _interval(
    value: float | None, spread: Spread | None, of: Measured, level: float
) -> tuple[float | None, Interval | None]:
    if value is None or spread is None:
        return None, None
    ci = spread_interval(value, spread, n=of.n_agent, clusters=of.clusters, level=level)
    return (None, None) if ci is None else (spread.se, ci)


def _undefined(values: Floats) -> int:
    return int(np.sum(~np.isfinite(values)))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
