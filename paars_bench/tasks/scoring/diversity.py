"""How many different words, phrases and texts: of queries typed and of titles viewed (paper, Table 4).

A ratio by itself is no measure of alignment, so each stands beside the humans' at the same total, and its gap to them
beside the gap that two halves of the humans have among themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from paars_bench.metrics import DISTINCT, DiversityResult, Interval, Unit, diversity, diversity_gap, tokenise
from paars_bench.tasks.result import Behaviour
from paars_bench.tasks.scoring.asked import Asked, between_repeats, interval
from paars_bench.tasks.scoring.scorer import Row, Scorer
from paars_bench.tasks.sides import human_facts, titles


class _Texts(NamedTuple):
    """Texts of one side, each with its shopper."""

    texts: list[str]
    shoppers: list[str]


def query_ttr(asked: Asked) -> Row:
    """Returns the type-token ratio of queries."""
    return _row(asked, _queries, "word")


def query_distinct(asked: Asked) -> Row:
    """Returns the share of distinct n-grams of queries."""
    return _row(asked, _queries, DISTINCT[asked.options.n])


def query_duplicates(asked: Asked) -> Row:
    """Returns the share of queries that repeat an earlier one."""
    return _row(asked, _queries, "text", repeated=True)


def product_ttr(asked: Asked) -> Row:
    """Returns the type-token ratio of the titles of viewed products."""
    return _row(asked, _products, "word")


def _products(asked: Asked) -> tuple[_Texts, _Texts]:
    catalog = asked.sides.catalog

    def agent(result: Behaviour) -> list[str]:
        return titles(result.facts.products, catalog)

    def human(case: Any) -> list[str]:
        return titles(human_facts(case).products, catalog)

    return _sides(asked, "products", agent, human)


def _queries(asked: Asked) -> tuple[_Texts, _Texts]:
    def agent(result: Behaviour) -> list[str]:
        return [result.did] if isinstance(result.did, str) else list(result.facts.queries)

    def human(case: Any) -> list[str]:
        return list(human_facts(case).queries) if "events" in case.values else [asked.targets[case.case_id]]

    return _sides(asked, "queries", agent, human)


def _sides(
    asked: Asked, what: str, agent: Callable[[Behaviour], list[str]], human: Callable[[Any], list[str]]
) -> tuple[_Texts, _Texts]:
    said = _texts((text, r.shopper) for r in asked.sides.scored for text in agent(r))
    return said, asked.scorer.once(asked.task, ("texts", what), lambda: _human_texts(asked, human))


def _human_texts(asked: Asked, human: Callable[[Any], list[str]]) -> _Texts:
    return _texts((text, c.shopper) for c in asked.sides.cases.values() for text in human(c))


def _texts(pairs: Iterable[tuple[str, str]]) -> _Texts:
    found = _Texts([], [])
    for text, shopper in pairs:
        found.texts.append(text)
        found.shoppers.append(shopper)
    return found


def _row(asked: Asked, read: Callable[[Asked], tuple[_Texts, _Texts]], unit: Unit, *, repeated: bool = False) -> Row:
    """Returns the row of a ratio; ``repeated`` gives 1 less the ratio: of whole texts that is the duplicate rate."""
    scorer = asked.scorer
    # one answer a case, as the humans have: a text that comes again in a repeat is no duplicate of the population's
    agent, human = read(asked.by_repeat[0])
    if not agent.texts or not human.texts:
        return {"value": None, "n": len(agent.texts), "why": "no text on one side"}
    sides = _arguments(scorer, agent, human)
    try:
        found = diversity(*sides, tokens="matched", unit=unit)
        gap = diversity_gap(*sides, unit=unit)
    except ValueError as error:  # too few texts
        return {"value": None, "n": len(agent.texts), "why": str(error)}
    return {
        "value": _read(found.agent.value, repeated),
        "direction": "nearer to the humans' is closer",
        "ci": _mirrored(found.ci, repeated),
        "n": len(agent.texts),
        "n_human": len(human.texts),
        "human": _read(found.human.value, repeated),
        "human_ci": _mirrored(found.human_ci, repeated),
        # an absolute gap is never 0, also between like and like: it is read beside its floor
        "gap": gap.value,
        "floor": gap.floor,
        "null_band": [gap.null_low, gap.null_high],
        "plain_value": _read(found.agent.types / found.agent.tokens, repeated),
        "plain_human": _read(found.human.types / found.human.tokens, repeated),
        "without_token": {"agents": _empty(agent, unit), "humans": _empty(human, unit)},
        "estimator": _estimator(found) | {"gap_at_tokens": gap.at_tokens, "splits": gap.splits, "repeat": "the first"},
        **between_repeats(_ratios_by_repeat(asked, read, unit, repeated)),
    }


def _arguments(scorer: Scorer, agent: _Texts, human: _Texts) -> Any:
    return agent.texts, scorer.rows(agent.shoppers), human.texts, scorer.rows(human.shoppers), scorer.plan


def _ratios_by_repeat(
    asked: Asked, read: Callable[[Asked], tuple[_Texts, _Texts]], unit: Unit, repeated: bool
) -> list[float | None]:
    """Measures each repeat alone, where there are several; None where one has too few texts."""
    found: list[float | None] = []
    for one in asked.by_repeat if len(asked.by_repeat) > 1 else ():
        try:
            ratio = diversity(*_arguments(asked.scorer, *read(one)), tokens="matched", unit=unit).agent.value
            found.append(_read(ratio, repeated))
        except ValueError:
            found.append(None)
    return found


def _empty(side: _Texts, unit: Unit) -> int:
    """How many texts have no token of this unit: an emoji has no word, one word has no bigram."""
    return sum(not tokenise(text, unit) for text in side.texts)


def _read(ratio: float, repeated: bool) -> float:
    return 1 - ratio if repeated else ratio


def _mirrored(ci: Interval | None, repeated: bool) -> dict[str, Any] | None:
    return interval(ci.of_rest() if ci is not None and repeated else ci)


def _estimator(found: DiversityResult) -> Row:
    return {
        "unit": found.agent.unit,
        "tokens": found.agent.at_tokens,
        "agent_tokens": found.agent.tokens,
        "human_tokens": found.human.tokens,
        "tokenisation": found.agent.tokenisation,
    }
