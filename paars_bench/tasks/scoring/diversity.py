"""How many different words: of queries typed and of titles viewed (paper, Table 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from paars_bench.data.schema import event_of
from paars_bench.metrics import diversity
from paars_bench.tasks.scoring.asked import Asked, interval
from paars_bench.tasks.scoring.scorer import Row
from paars_bench.tasks.sides import human_events, queries, viewed_titles


def query_ttr(asked: Asked) -> Row:
    """Returns the type-token ratio of queries, the humans' beside it."""

    def agent(result: Any) -> list[str]:
        if result.events is None:
            return [str(result.parsed["query"])]
        return queries(event_of(e) for e in result.events)

    def human(case: Any) -> list[str]:
        return queries(human_events(case)) if "events" in case.values else [asked.sides.target(case)]

    return _ttr(asked, agent, human)


def product_ttr(asked: Asked) -> Row:
    """Returns the type-token ratio of the titles of viewed products, the humans' beside it."""
    catalog = asked.sides.catalog

    def agent(result: Any) -> list[str]:
        return viewed_titles([event_of(e) for e in result.events or ()], catalog)

    return _ttr(asked, agent, lambda case: viewed_titles(human_events(case), catalog))


def _ttr(asked: Asked, agent: Callable[[Any], list[str]], human: Callable[[Any], list[str]]) -> Row:
    scorer, sides = asked.scorer, asked.sides
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
