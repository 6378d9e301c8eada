"""The protocol that makes a group number readable: value, floor, reference, score and interval.

Every quantity is the same statistic under other shopper weights, so what it does wrong it does wrong
everywhere, and the differences that a score is made of are left standing. Why cross-half and why centred:
design/estimators.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.resampling import Bools, Floats, Interval, ResamplingPlan, quantile_interval

Weights = npt.NDArray[np.generic]
METHOD = "bootstrap of shoppers, full-sample divergence, centred on the cross-half value"


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
        """Returns what was chosen, in plain JSON."""
        ...


class Reference(NamedTuple):
    """What scores 0: ``uninformed`` or ``base``, whichever diverges less, and its cross-half value."""

    value: float
    kind: Literal["uninformed", "base"]


@dataclass(frozen=True, slots=True)
class Undefined:
    """How many replicates had nothing to compare (a half or a resample without an observation)."""

    value_splits: int
    floor_splits: int
    resamples: int
    score_resamples: int


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A statistic under every weighting of a plan; measure a floor or a reference once and pass it on.

    Attributes:
        cross: (2 x splits,) D(human on one half, agent on the other), both orders.
        full: D with every shopper once.
        boot: (resamples,) D of each resample, the same shoppers on both sides; empty where not asked for.
        n_human: human observations.
        n_agent: agent observations.
        clusters: shoppers with an observation.
        estimator: what was chosen.
    """

    cross: Floats
    full: float
    boot: Floats
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
    def centred(self) -> Floats:
        """The replicates moved so that their mean is the value: resampling itself inflates a divergence."""
        defined = self.boot[np.isfinite(self.boot)]
        return self.boot - (defined.mean() if len(defined) else np.nan) + self.value


@dataclass(frozen=True, slots=True)
class GroupResult:
    """A group metric, readable on its own.

    Attributes:
        value: mean cross-half divergence, in the statistic's unit; None where undefined.
        floor: the same with the humans in the agents' place: what a human population scores.
        null_low: 2.5 % quantile of the floor over half-splits (at the level given).
        null_high: 97.5 % quantile.
        ci: interval of the value; None where fewer than 20 resamples or 2 shoppers are behind it.
        reference: what scores 0; None where none was given or it is undefined.
        score: 100 at the floor, 0 at the reference, negative beyond; None with ``score_note``.
        score_ci: from the same resamples as ``ci``, the reference's paired with the value's.
        score_note: why there is no score, else "".
        full_sample: the divergence with every shopper on both sides, as the paper reports it.
        n_human: human observations.
        n_agent: agent observations.
        clusters: shoppers with an observation.
        undefined: replicates without a value, by where they were.
        estimator: everything chosen.
    """

    value: float | None
    floor: float | None
    null_low: float | None
    null_high: float | None
    ci: Interval | None
    reference: Reference | None
    score: float | None
    score_ci: Interval | None
    score_note: str
    full_sample: float | None
    n_human: int
    n_agent: int
    clusters: int
    undefined: Undefined
    estimator: dict[str, Any]


def measure(statistic: GroupStatistic, plan: ResamplingPlan, *, boot: bool = True) -> Measured:
    """Evaluates a statistic on half-splits, full sample and, unless ``boot`` is False, resamples."""
    a = plan.halves.astype(np.float32)
    one = np.ones((1, plan.size), dtype=np.float32)
    cross = statistic.divergence(np.concatenate([a, 1 - a]), np.concatenate([1 - a, a]))
    full = float(statistic.divergence(one, one)[0])
    replicates = statistic.divergence(plan.boot, plan.boot) if boot else np.empty(0)
    return Measured(
        cross,
        full,
        replicates,
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
        base: humans against the base condition; the other candidate. The one that diverges less is taken.
        level: nominal coverage of intervals and null band.
    """
    main = _measured(statistic, plan, boot=True)
    floor = _measured(floor_statistic, plan, boot=False)
    reference, measured = _reference(plan, uninformed, base)
    score, replicates, note = _score(main, floor, measured)
    null = floor.cross[np.isfinite(floor.cross)]
    tails = np.quantile(null, [(1 - level) / 2, (1 + level) / 2]) if len(null) else (np.nan, np.nan)
    enough = main.clusters >= 2 and np.isfinite(main.value)
    ci = _interval(main.centred, level, METHOD, main) if enough else None
    score_ci = _interval(replicates, level, METHOD, main) if enough and score is not None else None
    return GroupResult(
        _number(main.value),
        _number(floor.value),
        _number(tails[0]),
        _number(tails[1]),
        ci,
        reference,
        score,
        score_ci,
        note,
        _number(main.full),
        main.n_human,
        main.n_agent,
        main.clusters,
        Undefined(
            _undefined(main.cross),
            _undefined(floor.cross),
            _undefined(main.boot),
            _undefined(replicates) if score is not None else 0,
        ),
        main.estimator | {"splits": len(plan.halves), "resamples": len(plan.boot), "protocol": "cross_half"},
    )


def _measured(statistic: GroupStatistic | Measured, plan: ResamplingPlan, *, boot: bool) -> Measured:
    return statistic if isinstance(statistic, Measured) else measure(statistic, plan, boot=boot)


def _reference(
    plan: ResamplingPlan, uninformed: GroupStatistic | Measured | None, base: GroupStatistic | Measured | None
) -> tuple[Reference | None, Measured | None]:
    named: list[tuple[Literal["uninformed", "base"], GroupStatistic | Measured | None]] = [
        ("uninformed", uninformed),
        ("base", base),
    ]
    best: tuple[Reference | None, Measured | None] = (None, None)
    for kind, statistic in named:
        if statistic is None:
            continue
        measured = _measured(statistic, plan, boot=True)
        value = measured.value
        if np.isfinite(value) and (best[0] is None or value < best[0].value):
            best = (Reference(value, kind), measured)
    return best


def _score(main: Measured, floor: Measured, reference: Measured | None) -> tuple[float | None, Floats, str]:
    nothing = np.empty(0)
    if reference is None:
        return None, nothing, "no reference was given or it is undefined"
    if not (np.isfinite(main.value) and np.isfinite(floor.value)):
        return None, nothing, "no half-split has observations on both sides"
    if not reference.value > floor.value:
        return (
            None,
            nothing,
            "the reference does not lie above the human floor: the metric cannot tell them apart",
        )
    score = 100 * (1 - (main.value - floor.value) / (reference.value - floor.value))
    if len(main.boot) == 0 or len(reference.boot) != len(main.boot):
        return score, nothing, ""
    room = reference.centred - floor.value
    with np.errstate(invalid="ignore", divide="ignore"):
        replicates = 100 * (1 - (main.centred - floor.value) / room)
    return score, np.where(room > 0, replicates, np.nan), ""


def _interval(replicates: Floats, level: float, method: str, of: Measured) -> Interval | None:
    return quantile_interval(replicates, level=level, method=method, n=of.n_agent, clusters=of.clusters)


def _undefined(values: Floats) -> int:
    return int(np.sum(~np.isfinite(values)))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
