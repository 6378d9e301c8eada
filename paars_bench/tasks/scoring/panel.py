"""Are these agents told apart from the humans at all? One test over statistics that each see what the others miss."""

from __future__ import annotations

from paars_bench.config.metrics import COUNTED, UNORDERED, Divergence
from paars_bench.metrics import DEFAULT_PANEL, PointSides, PoolableStatistic, permutation_test, point_statistic
from paars_bench.tasks.scoring.asked import Asked
from paars_bench.tasks.scoring.counts import counts_of
from paars_bench.tasks.scoring.observed import observed, why_none
from paars_bench.tasks.scoring.queries import said
from paars_bench.tasks.scoring.scorer import Row

LEVEL = 0.05
_KINDS: tuple[Divergence, ...] = ("kl", "w1")  # the one sees a change of shape, the other that all move the same way


def panel_test(asked: Asked) -> Row:
    """Returns the p-value of the panel and the adjusted one of each of its statistics."""
    scorer = asked.scorer
    asked = asked.by_repeat[0]  # one answer a case, as the humans have: five would be told apart by their number
    statistics, left_out = _statistics(asked)
    if not statistics:
        return {"value": None, "n": len(asked.sides.scored), "why": "; ".join(left_out.values())}
    rng = scorer.rng("panel_test", asked.task, asked.condition)
    test = permutation_test(statistics, size=scorer.plan.size, permutations=asked.options.permutations, rng=rng)
    rows = [s._asdict() for s in test.statistics]
    return {
        "value": test.p,
        "direction": "a p-value: small where the agents are told apart from the humans",
        "n": len(asked.sides.scored),
        "n_human": len(asked.sides.cases),
        "clusters": max(s.shoppers for s in test.statistics),
        "told_apart_by": [s.name for s in test.statistics if s.p_adjusted is not None and s.p_adjusted <= LEVEL],
        "statistics": rows,
        "left_out": [{"statistic": name, "why": why} for name, why in left_out.items()],
        "estimator": {"test": test.method, "permutations": test.permutations, "level": LEVEL, "repeat": "the first"},
    } | ({} if test.p is not None else {"why": "no statistic of the panel is defined"})


def _statistics(asked: Asked) -> tuple[dict[str, PoolableStatistic], dict[str, str]]:
    """Returns the statistics of the panel, and those that too few points leave out, each with the reason."""
    if not isinstance(asked.sides.scored[0].did, str):
        return _counts(asked)
    found: dict[str, PoolableStatistic] = {}
    left_out: dict[str, str] = {}
    sides = _points(asked)
    for name in DEFAULT_PANEL:
        try:
            found[name] = point_statistic(name, sides)
        except ValueError as error:
            left_out[name] = str(error)
    return found, left_out


def _counts(asked: Asked) -> tuple[dict[str, PoolableStatistic], dict[str, str]]:
    found: dict[str, PoolableStatistic] = {}
    left_out: dict[str, str] = {}
    for of in COUNTED[next(iter(asked.sides.cases.values())).kind]:
        why = why_none(asked, observed(of))
        for kind in _KINDS:
            if kind == "w1" and of in UNORDERED:
                continue
            if why is None:
                found[f"{kind}({of})"] = counts_of(asked, of, kind)
            else:
                left_out[f"{kind}({of})"] = why
    return found, left_out


def _points(asked: Asked) -> PointSides:
    scorer = asked.scorer
    return PointSides.make(
        scorer.embed(list(asked.targets.values())),
        asked.human_rows,
        scorer.embed(said(asked)),
        asked.rows,
        size=scorer.plan.size,
    )
