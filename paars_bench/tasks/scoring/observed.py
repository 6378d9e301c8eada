"""What is counted of an answer or a session, one number or many, in the same way of humans and of agents."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from paars_bench.config.metrics import COUNTED, MANY
from paars_bench.data.sessions import SessionFacts
from paars_bench.metrics import REFORMULATIONS, CountBins, reformulations, tokenise
from paars_bench.tasks.scoring.asked import Asked
from paars_bench.tasks.sides import human_facts

FILTERED = "filtered"
KINDS_OF_REFINEMENT = (*REFORMULATIONS, FILTERED)
"""How a shopper comes from one list to the next: five ways to type again, and narrowing or sorting the list."""


class Observed(NamedTuple):
    """One thing that is counted.

    Attributes:
        what: in words; where nothing else is named, of a session.
        read: from the facts of a session to its observations.
        start: the least there can be.
        tail_share: the open tail of a histogram holds at most this share of the humans (``CountBins.from_humans``).
        kinds: names, where the numbers are kinds.
        lacking: what a session needs for an observation; "" where each has exactly one.
    """

    what: str
    read: Callable[[SessionFacts], Sequence[int]]
    start: int = 0
    tail_share: float = 0.0
    kinds: tuple[str, ...] = ()
    lacking: str = ""


def refinements(facts: SessionFacts) -> list[int]:
    """Returns places in ``KINDS_OF_REFINEMENT``: of queries after the first, then of lists narrowed or sorted."""
    kinds = [KINDS_OF_REFINEMENT.index(kind) for kind in reformulations(facts.queries)]
    return kinds + [KINDS_OF_REFINEMENT.index(FILTERED)] * facts.refines


OF_SESSION: Mapping[str, Observed] = {
    "searches": Observed("searches", lambda f: (f.searches,)),
    "views": Observed("views", lambda f: (f.views,)),
    "cart_adds": Observed("cart adds", lambda f: (f.cart_adds,)),
    "purchases": Observed("purchases", lambda f: (f.purchases,)),
    "refines": Observed("refines", lambda f: (f.refines,)),
    # of the demo's people 99 in 100 stop at 36 steps and the last at 63: half of the bins would hold hardly anyone
    "steps": Observed("steps", lambda f: (f.steps,), tail_share=0.01),
    "view_rank": Observed(
        "rank of view", lambda f: f.ranks, start=1, tail_share=0.01, lacking="a view whose rank is known"
    ),
    "query_words": Observed(
        "words a query", lambda f: [len(tokenise(q)) for q in f.queries], tail_share=0.01, lacking="a query"
    ),
    "refinement": Observed(
        "next",
        refinements,
        kinds=KINDS_OF_REFINEMENT,
        lacking="a second query or a list filtered or sorted",
    ),
}
assert tuple(OF_SESSION) == COUNTED["sessions"], "what a task may name is what is counted"
assert tuple(name for name, of in OF_SESSION.items() if of.lacking) == MANY, "what may be lacking is what may be many"
RANK = Observed("rank chosen", lambda f: (), start=1)
NO_PURCHASE = Observed("no purchase", lambda f: (int(f.purchases == 0),))


class Values(NamedTuple):
    """Observations of one side.

    Attributes:
        values: (n,) integers; of 100,000 sessions there are millions, so they are small ones.
        rows: (n,) the plan's row of the shopper of each.
    """

    values: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int32]

    def marking(self, marks: npt.NDArray[np.bool_]) -> Values:
        """Returns 1 for what is marked and 0 for what is not: a share is their mean."""
        return Values(marks.astype(np.int32), self.rows)


def observed(of: str) -> Observed:
    """Returns what a metric's ``of`` counts."""
    return RANK if of == "rank" else OF_SESSION[of]


def humans_by_case(asked: Asked, of: Observed) -> dict[str, Sequence[int]]:
    """Returns the observations of the human of each case, read once for all metrics and conditions of the task."""

    def read() -> dict[str, Sequence[int]]:
        if of is RANK:
            return {i: (int(rank),) for i, rank in asked.targets.items()}
        return {i: of.read(human_facts(c)) for i, c in asked.sides.cases.items()}

    return asked.scorer.once(asked.task, ("observed", of.what), read)


def humans(asked: Asked, of: Observed) -> Values:
    """Returns what all humans of the task did."""
    return flat(humans_by_case(asked, of).values(), asked.human_rows)


def humans_of_scored(asked: Asked, of: Observed) -> Values:
    """Returns what the humans of the scored cases did: as many cases as the agents have."""
    by_case = humans_by_case(asked, of)
    return flat((by_case[r.case_id] for r in asked.sides.scored), asked.rows)


def agents(asked: Asked, of: Observed) -> Values:
    """Returns what the scored agents did, read once for all metrics of the condition."""

    def read() -> Values:
        if of is RANK:
            return flat(((r.choice,) for r in asked.sides.scored), asked.rows)
        return flat((of.read(r.facts) for r in asked.sides.scored), asked.rows)

    return asked.scorer.once(asked.task, ("observed", of.what, asked.condition, asked.sides.digest), read)


def flat(by_case: Iterable[Sequence[int]], rows: npt.NDArray[np.int64]) -> Values:
    """Returns the observations of cases one after the other, each with the row of its case."""
    joined, counts = array("i"), array("i")
    for values in by_case:
        joined.extend(values)
        counts.append(len(values))
    return Values(np.array(joined, dtype=np.int32), np.repeat(rows.astype(np.int32), counts))


def bins_of(of: Observed, values: npt.NDArray[np.int32]) -> CountBins:
    """Returns the bins: one for each kind, or for each integer of ``values`` and an open tail."""
    if of.kinds:
        return CountBins(0, len(of.kinds) - 1)
    return CountBins.from_humans(values, start=of.start, tail_share=of.tail_share)


def why_none(asked: Asked, of: Observed) -> str | None:
    """Returns why there is nothing to compare; None where both sides have an observation."""
    sides = {"human": humans(asked, of), "agent": agents(asked, of)}
    lacking = [f"no {name} session has {of.lacking}" for name, side in sides.items() if len(side.values) == 0]
    return "; ".join(lacking) or None
