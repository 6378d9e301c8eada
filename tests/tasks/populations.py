"""Sessions made by hand or drawn, and their metrics as a run computes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from paars_bench.config.spec import MetricSpec, TaskSpec
from paars_bench.data.cases import Case, CaseKind
from paars_bench.data.sessions import session_facts
from paars_bench.metrics import ResamplingPlan
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.result import Behaviour
from paars_bench.tasks.scoring import Row, Scorer, measure_metric
from paars_bench.tasks.sides import Sides

Session = list[dict[str, Any]]
Population = Mapping[str, Sequence[Session]]
"""Sessions of each shopper."""

LEAVE: dict[str, Any] = {"action": "leave"}


def search(query: str) -> dict[str, Any]:
    return {"action": "search", "query": query}


def view(rank: int | None) -> dict[str, Any]:
    return {"action": "view", "product": "P", "rank": rank}


def act(action: str) -> dict[str, Any]:
    return {"action": action, "product": "P"}


def drawn(rng: np.random.Generator, shoppers: int, *, leaving: float = 0.2, buying: float = 0.4) -> Population:
    """Shoppers of four sessions: they leave after each view with one hazard, read a list from the top, and some buy."""
    words = np.array(["red", "blue", "mug", "lamp", "large", "wool"])

    def session(habit: float) -> Session:
        events: Session = []
        for _ in range(int(rng.geometric(0.5))):
            events.append(search(" ".join(rng.choice(words, size=rng.integers(1, 4), replace=False))))
        for _ in range(int(rng.geometric(min(0.95, leaving * habit))) - 1):
            events.append(view(int(rng.geometric(0.3))))
        if rng.random() < buying:
            events += [act("cart_add"), act("purchase")]
        return [*events, LEAVE]

    return {f"s{n:03d}": [session(rng.uniform(0.8, 1.2)) for _ in range(4)] for n in range(shoppers)}


def measured(
    spec: TaskSpec,
    catalog: Any,
    humans: Population,
    agents: Population,
    metrics: Sequence[Mapping[str, Any]],
    *,
    failed: int = 0,
    order: np.random.Generator | None = None,
) -> dict[str, Row]:
    """Measures metrics by name.

    Args:
        spec: of the session task.
        catalog: of products.
        humans: at least two shoppers.
        agents: as many sessions of the same shoppers.
        metrics: as ``metric_list`` holds them, ``level: group`` left out.
        failed: the last so many agents' sessions are none.
        order: in which cases and results come; as they stand without one.
    """
    cases, results = [], []
    for shopper, sessions in humans.items():
        for number, events in enumerate(sessions):
            name = f"sessions/{shopper}/{number}"
            at = datetime(2026, 1, 1, tzinfo=UTC)
            cases.append(Case(name, CaseKind.SESSIONS, shopper, name, at, {"events": events}))
            done = agents[shopper][number]
            results.append(Behaviour(name, 0, shopper, session_facts(done)))
    results = results[: len(results) - failed]
    if order is not None:
        cases = [cases[n] for n in order.permutation(len(cases))]
        results = [results[n] for n in order.permutation(len(results))]
    plan = ResamplingPlan.make(list(humans), resamples=200, splits=100, rng=np.random.default_rng(0))
    scorer = Scorer(plan, 0, embed=_never, perplexity=_never)
    sides = Sides({c.case_id: c for c in cases}, results, failed, Renderer(spec, catalog), catalog)
    rows = [measure_metric(scorer, spec.task, "base", MetricSpec(level="group", **m), sides) for m in metrics]
    return {row["metric"]: row for row in rows}


def _never(asked: Any) -> Any:
    raise AssertionError(f"sessions need no engine: {asked}")
