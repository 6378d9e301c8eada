"""The survey of Open e-commerce 1.0: which answers are loaded as truth, under which name, and which never are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from paars_bench.data.mining_rules import Funnel
from paars_bench.data.sources.rows import NOT_ANSWERED, read_text

SHOPPER = "Survey ResponseID"

LOADED = {
    "Q-demos-age": "age",
    "Q-demos-education": "education",
    "Q-demos-income": "income",
    "Q-demos-gender": "gender",
    "Q-demos-state": "state",
    "Q-amazon-use-howmany": "people_sharing_the_account",
    "Q-amazon-use-hh-size": "household_size",
    "Q-amazon-use-how-oft": "order_frequency",
}
"""Questions whose answers a mined profile can be compared with, and their names in the truth."""

OPINIONS = {
    "Q-sell-YOUR-data": "may_amazon_sell_your_data",
    "Q-sell-consumer-data": "may_companies_sell_consumer_data",
    "Q-small-biz-use": "may_small_businesses_use_data",
    "Q-census-use": "may_census_use_data",
    "Q-research-society": "may_researchers_use_data",
}
"""Questions on what purchase data may be used for."""

SENSITIVE = {
    "Q-demos-hispanic": "ethnic origin",
    "Q-demos-race": "race",
    "Q-sexual-orientation": "sexual orientation",
    "Q-substance-use-cigarettes": "substance use",
    "Q-substance-use-marijuana": "substance use",
    "Q-substance-use-alcohol": "substance use",
    "Q-personal-diabetes": "health",
    "Q-personal-wheelchair": "health",
    "Q-life-changes": "life changes",
}
"""Questions whose answers are left out on import, and what makes them sensitive: privacy law protects such kinds most
(GDPR, article 9), or they tell of a loss or a birth. No measure needs them; what is never loaded reaches no prompt."""


def read_survey(dataset: str, file: Path, present: set[str], steps: Funnel) -> dict[str, dict[str, str]]:
    """Reads what is truly known of people: their answers by readable name.

    A question that is in none of the three lists is not loaded either, and is counted.

    Args:
        dataset: as given to ``--dataset``, for errors.
        file: ``survey.csv``.
        present: the people who have a purchase.
        steps: told how many people and answers were kept.

    Raises:
        DataError: the file cannot be read, or has no column for the person or for a question on demographics.
    """
    rows = read_text(dataset, file, (SHOPPER, *LOADED), steps, "people in the survey", others=True)
    facts: dict[str, dict[str, str]] = {}
    for row in rows.to_pylist():
        name = row.pop(SHOPPER)
        if name in present:
            facts.setdefault(name, row)
    steps.keep("with a purchase kept, first row of each", rows.num_rows, len(facts))
    answers = [(name, question, a) for name, row in facts.items() for question, a in row.items() if a is not None]
    steps.start("answers of these people", len(answers))
    rules: tuple[tuple[str, Callable[[str, str], bool]], ...] = (
        (f"not sensitive ({', '.join(dict.fromkeys(SENSITIVE.values()))})", lambda q, a: q not in SENSITIVE),
        ("to a question that is known", lambda q, a: q in _NAMES),
        ("that says something (not 'Prefer not to say')", lambda q, a: a not in NOT_ANSWERED),
    )
    for rule, good in rules:
        kept = [(name, q, a) for name, q, a in answers if good(q, a)]
        steps.keep(rule, len(answers), len(kept))
        answers = kept
    truth: dict[str, dict[str, str]] = {}
    for name, question, answer in answers:
        truth.setdefault(name, {})[_NAMES[question]] = answer
    return truth


_NAMES = LOADED | OPINIONS
