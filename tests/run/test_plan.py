"""What is asked, of whom and in what order: fixed by the seed, whatever else is in the data or in the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import groupby
from typing import Any

import pyarrow.compute as pc
import pytest
from fake_runs import DATA
from hypothesis import given, settings
from hypothesis import strategies as st

from paars_bench.config import TaskIndex, TaskSpec
from paars_bench.data import load_dataset
from paars_bench.data.cases import CaseKind
from paars_bench.errors import UsageError
from paars_bench.personas.conditions import CONDITIONS
from paars_bench.run import RunSpec
from paars_bench.run.plan import Plan, make_plan
from paars_bench.tasks.question import Question


class Part:
    """A data set cut down to some of its shoppers or kinds."""

    def __init__(self, shoppers: Sequence[str] | None = None, kinds: frozenset[CaseKind] | None = None) -> None:
        whole = data()
        self.name, self.catalog = whole.name, whole.catalog
        self.kinds = whole.kinds if kinds is None else kinds
        self._whole, self._shoppers = whole, shoppers

    def cases(self, kind: CaseKind) -> Any:
        import datasets

        table = self._whole.case_table(kind)
        if self._shoppers is not None:
            import pyarrow as pa

            table = table.filter(pc.is_in(table.column("shopper"), pa.array(self._shoppers)))
        return datasets.Dataset(table)

    def why_not(self, kind: CaseKind) -> str:
        return f"{kind} were cut off"


@cache
def data() -> Any:
    return load_dataset(DATA)


@cache
def specs() -> tuple[TaskSpec, ...]:
    return tuple(TaskIndex().select(("all",)))


def plan(part: Any = None, tasks: Sequence[TaskSpec] | None = None, **options: Any) -> Plan:
    return make_plan(tasks or specs(), part or data(), replace(RunSpec("random"), **options))


@pytest.mark.parametrize("limit", [1, 2, 7, 12])
def test_a_limit_gives_each_task_that_many_cases_of_the_same_shoppers(limit: int) -> None:
    made = plan(limit=limit)
    for cases in made.cases.values():
        assert len(cases) == limit
        assert len({c.shopper for c in cases.values()}) == limit
    assert len(made.shoppers) == limit


def test_a_limit_over_the_shoppers_takes_more_of_each(limit: int = 50) -> None:
    made = plan(limit=limit)
    for cases in made.cases.values():
        per_shopper = [sum(c.shopper == s for c in cases.values()) for s in made.shoppers]
        assert sum(per_shopper) == limit
        assert len(made.shoppers) == 20


def test_no_limit_asks_every_case() -> None:
    made = plan()
    for name, spec in made.specs.items():
        assert len(made.cases[name]) == data().case_table(spec.dataset.cases).num_rows
    assert len(made) == len(list(made.questions()))


def test_a_smaller_limit_asks_a_part_of_the_larger() -> None:
    small, large = plan(limit=5), plan(limit=12)
    for name, cases in small.cases.items():
        assert set(cases) <= set(large.cases[name])


@given(seed=st.integers(0, 2**31 - 1), limit=st.integers(1, 25))
@settings(max_examples=15, deadline=None)
def test_the_same_seed_gives_the_same_plan_and_questions_have_their_own_seeds(seed: int, limit: int) -> None:
    one, two = plan(seed=seed, limit=limit), plan(seed=seed, limit=limit)
    assert list(one.questions()) == list(two.questions())
    seeds = [q.seed for q in one.questions()]
    assert len(set(seeds)) == len(seeds)


def test_another_seed_asks_others() -> None:
    assert set(plan(seed=0, limit=5).shoppers) != set(plan(seed=1, limit=5).shoppers)


def test_more_shoppers_and_more_tasks_change_no_question() -> None:
    def seeds(made: Plan) -> dict[tuple[str, str, str, int], int]:
        return {(q.spec.task, q.condition, q.case.case_id, q.repeat): q.seed for q in made.questions()}

    whole = seeds(plan())
    fewer = seeds(plan(Part(shoppers=data().shoppers[:7])))
    alone = seeds(plan(tasks=specs()[:1], repeats=1))
    assert fewer
    assert fewer.items() <= whole.items()
    assert alone.items() <= whole.items()


def test_repeats_are_asked_apart() -> None:
    made = plan(limit=3, repeats=4)
    asked = list(made.questions())
    assert len(asked) == len(made) == len(list(plan(limit=3).questions())) * 4
    assert {q.repeat for q in asked} == {0, 1, 2, 3}


@pytest.mark.parametrize("limit", [2, 3, 10, None])
def test_under_shuffled_everyone_gets_another_persona_and_gives_once(limit: int | None) -> None:
    made = plan(limit=limit, conditions=("shuffled",))
    assert set(made.donors) == set(made.donors.values()) == set(made.shoppers)
    assert all(shopper != donor for shopper, donor in made.donors.items())


def test_shuffled_needs_two_shoppers() -> None:
    with pytest.raises(UsageError, match="at least two shoppers"):
        plan(limit=1, conditions=("base", "shuffled"))


def test_all_conditions_are_the_seven() -> None:
    made = plan(limit=2, conditions=("all",))
    assert len(CONDITIONS) == 7
    for conditions in made.conditions.values():
        assert conditions == tuple(CONDITIONS)
    assert {q.condition for q in made.questions()} == set(CONDITIONS)


def test_without_conditions_each_task_says_its_own() -> None:
    assert set(plan(limit=2).conditions.values()) == {("base", "persona")}


def test_an_unknown_condition_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="'persona'"):
        plan(conditions=("persoan",))


def test_unsupported_tasks_are_listed_and_the_others_asked() -> None:
    made = plan(Part(kinds=frozenset({CaseKind.ITEM_CHOICES})))
    assert list(made.specs) == ["item_selection_individual"]
    assert set(made.unsupported) == {s.task for s in specs()} - set(made.specs)
    assert all("cases; " in why and "were cut off" in why for why in made.unsupported.values())


def test_no_supported_task_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"supports none of the tasks .* no cases at all.*data mine"):
        plan(Part(kinds=frozenset()))


def test_the_calls_of_one_shopper_lie_together() -> None:
    asked = list(plan(limit=10, conditions=("base", "history")).questions())
    shoppers = [s for s, _ in groupby(asked, key=lambda q: q.case.shopper)]
    assert len(shoppers) == len(set(shoppers))
    pairs = [p for p, _ in groupby(asked, key=lambda q: (q.case.shopper, q.condition))]
    assert len(pairs) == len(set(pairs))


def test_whoever_hears_of_the_same_persona_is_asked_one_after_another() -> None:
    made = plan(limit=10, conditions=("persona", "shuffled"))
    heads = [made.donors[q.case.shopper] if q.condition == "shuffled" else q.case.shopper for q in made.questions()]
    assert len([h for h, _ in groupby(heads)]) == len(set(heads)) == len(made.shoppers)


def beginning(question: Question) -> tuple[str, str, bool]:
    """What the prompts of questions that begin alike have in common: a session's begin with the tools."""
    return question.case.shopper, question.condition, question.spec.output_type == "session"


@pytest.mark.parametrize("repeats", [1, 3])
def test_prompts_that_begin_alike_are_asked_one_after_another(repeats: int) -> None:
    asked = plan(conditions=("history", "persona"), repeats=repeats).questions()
    found = [b for b, _ in groupby(asked, key=beginning)]
    assert len(found) == len(set(found)) == 20 * 2 * 2


@pytest.mark.parametrize("ahead", [1, 12, 10_000])
def test_the_first_of_each_beginning_goes_ahead_and_nothing_else_changes(ahead: int) -> None:
    made = plan(conditions=("history", "persona"))
    groups = [list(group) for _, group in groupby(made.questions(), key=beginning)]
    asked = list(made.questions(ahead=ahead))
    place = {q.key: n for n, q in enumerate(asked)}
    assert len(place) == len(asked) == len(made)
    firsts, others = [g[0] for g in groups], [q for g in groups for q in g[1:]]
    assert [q for q in asked if q in firsts] == firsts
    assert [q for q in asked if q in others] == others
    waited = [place[g[1].key] - place[g[0].key] for g in groups if len(g) > 1]
    assert sum(gap > ahead for gap in waited) >= len(waited) - ahead  # at the start there is nobody to go ahead of


def test_of_what_is_owed_too_the_first_of_each_beginning_goes_ahead() -> None:
    made = plan(conditions=("persona",))
    owed = [q for n, q in enumerate(made.questions()) if n % 3]
    asked = list(made.questions(lambda q: q in owed, ahead=10_000))
    firsts = [next(group) for _, group in groupby(owed, key=beginning)]
    assert asked[: len(firsts)] == firsts
    assert len(asked) == len(owed)


def test_only_the_sampled_control_is_asked_at_another_temperature() -> None:
    asked = plan(limit=2, conditions=("all",)).questions()
    assert {q.condition for q in asked if q.sampled} == {"base_sampled"}
