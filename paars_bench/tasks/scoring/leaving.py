"""The hazard of leaving by step: P(leaves after t steps | still there after t steps), humans beside agents.

Only sessions that ended by leaving are behaviour, so nothing is censored: a session cut by a cap or a fault is a failed
case and no long one.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from paars_bench.metrics import CountBins, hazards_of_counts
from paars_bench.tasks.scoring.asked import Asked, Compared, group_row
from paars_bench.tasks.scoring.beside import beside
from paars_bench.tasks.scoring.counts import compared_counts, statistic_of
from paars_bench.tasks.scoring.observed import OF_SESSION, Values, agents, humans
from paars_bench.tasks.scoring.scorer import Row

LEAST_AT_RISK = 20
"""Human sessions that must still be there for a step to have a hazard; what comes later is the open tail."""
_STEPS = OF_SESSION["steps"]


def hazard_gap(asked: Asked) -> Row:
    """Returns the mean absolute difference of the hazards, both curves, and who stays beyond their last step."""
    human, agent = humans(asked, _STEPS), agents(asked, _STEPS)
    if len(human.values) < LEAST_AT_RISK:
        why = f"{len(human.values)} human sessions, and a step needs {LEAST_AT_RISK} that are still there"
        return {"value": None, "n": len(agent.values), "why": why}
    bins = _bins(human)
    row = group_row(asked, partial(_compared, bins))
    humans_there, agents_there = (_at_risk(side, bins) for side in (human, agent))
    row["estimator"] |= {
        "weights": "human sessions still there",
        "least_at_risk": LEAST_AT_RISK,
        "human_steps_unreached": float(humans_there[agents_there == 0].sum() / humans_there.sum()),
    }
    plan = asked.scorer.plan
    curve = [{"step": t, **beside("leaves", _at(human, t), _at(agent, t), plan, share=True)} for t in bins.edges[:-1]]
    human_tail, agent_tail = (side.marking(side.values >= bins.tail) for side in (human, agent))
    tail = beside("sessions beyond the last step, share", human_tail, agent_tail, plan, share=True)
    return row | {"curve": curve, "tail": {"from_step": bins.tail, **tail}}


def _at_risk(side: Values, bins: CountBins) -> npt.NDArray[np.float64]:
    """How many are still there at each step; the open tail is none."""
    left = np.bincount(np.minimum(side.values, bins.tail), minlength=bins.size)
    return hazards_of_counts(left).at_risk[:-1]


def _at(side: Values, step: int) -> Values:
    """Whether they leave now, of those who are still there."""
    there = side.values >= step
    still = Values(side.values[there], side.rows[there])
    return still.marking(still.values == step)


def _bins(human: Values) -> CountBins:
    allowed = (LEAST_AT_RISK - 0.5) / len(human.values)  # half a session, so that rounding down cannot lose one
    return CountBins.from_humans(human.values, tail_share=allowed)


def _compared(bins: CountBins, asked: Asked) -> Compared:
    made = statistic_of(asked, _STEPS, "hazard", bins)
    return compared_counts(asked, _STEPS, made, bins, asked.scorer.plan.size)
