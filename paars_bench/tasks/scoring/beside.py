"""Humans beside agents in figures that a person reads: two means, their difference, and an interval of each."""

from __future__ import annotations

from paars_bench.metrics import ResamplingPlan, clustered_mean, paired_means, share_difference_interval
from paars_bench.tasks.scoring.asked import interval
from paars_bench.tasks.scoring.observed import Values
from paars_bench.tasks.scoring.scorer import Row


def beside(what: str, human: Values, agent: Values, plan: ResamplingPlan, *, share: bool = False) -> Row:
    """Returns the means of both sides over all their observations, and agents less humans, paired by shopper.

    Args:
        what: is counted, in words.
        human: of every human of the task.
        agent: of every scored agent.
        plan: the run's resampling plan.
        share: whether the values are 0 and 1.

    Returns:
        A row; a side without an observation has no mean, and then there is no difference.
    """
    humans, agents = (clustered_mean(*side, plan, bounds=(0, 1) if share else None) for side in (human, agent))
    paired = paired_means(*agent, *human, plan)
    ci = share_difference_interval(*agent, *human, plan) if share else paired.ci
    return {
        "what": what,
        "humans": humans.value,
        "humans_ci": interval(humans.ci),
        "agents": agents.value,
        "agents_ci": interval(agents.ci),
        "difference": paired.difference,
        "difference_ci": interval(ci),
        "p": paired.p,
        "n_human": humans.n,
        "n": agents.n,
    }
