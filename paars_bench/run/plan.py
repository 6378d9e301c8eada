"""What will be asked: every task, condition, case and repeat, ordered so that one shopper's calls lie close together.

Providers bill a repeated prompt prefix at a tenth and llama.cpp skips it: history and persona are that prefix. It can
be read once the call that brought it was answered, so of many calls in flight the first of each prefix goes ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from paars_bench.config.spec import TaskSpec
from paars_bench.data import iter_cases
from paars_bench.data.cases import Case, CaseKind, ShoppingData
from paars_bench.errors import UsageError, unknown
from paars_bench.personas.conditions import CONDITIONS
from paars_bench.run.spec import RunSpec
from paars_bench.seeds import derive
from paars_bench.tasks.question import Question
from paars_bench.tasks.result import CaseResult, case_key

_MOST = 10**8  # questions: nine bytes of each are kept


class Calls(NamedTuple):
    """How many calls a plan takes, without retries."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The questions of a run.

    Attributes:
        specs: tasks the data set supports, by name.
        unsupported: tasks it does not support, with the reason.
        conditions: of each task.
        cases: of each task, by case id, in the order of their shoppers.
        shoppers: everyone with a case, in the order they are worked through.
        donors: whose persona each shopper gets under ``shuffled``: never its own, everyone gives once.
        repeats: how often each case is asked.
        seed: of the run.
    """

    specs: Mapping[str, TaskSpec]
    unsupported: Mapping[str, str]
    conditions: Mapping[str, tuple[str, ...]]
    cases: Mapping[str, Mapping[str, Case]]
    shoppers: Sequence[str]
    donors: Mapping[str, str]
    repeats: int
    seed: int

    def __len__(self) -> int:
        return sum(len(self.cases[t]) * len(self.conditions[t]) for t in self.specs) * self.repeats

    def calls(self, *, scripted: bool) -> Calls:
        """Returns how many calls the whole plan takes; unless ``scripted``, each persona is mined with two of them."""
        asked = {t: len(self.cases[t]) * len(self.conditions[t]) * self.repeats for t in self.specs}
        each = {
            t: s.session.calls(scripted=scripted) if s.output_type == "session" else (1, 1)
            for t, s in self.specs.items()
        }
        needing = {t for t in self.specs if any(CONDITIONS[c].needs_persona for c in self.conditions[t])}
        shoppers = {c.shopper for t in needing for c in self.cases[t].values()} if not scripted else set()
        if any(CONDITIONS[c].other_shopper for t in needing for c in self.conditions[t]):
            shoppers |= {self.donors[s] for s in shoppers}
        personas = 2 * len(shoppers)
        least, most = (sum(asked[t] * each[t][end] for t in self.specs) for end in (0, 1))
        return Calls(least + personas, most + personas)

    def holds(self, result: CaseResult) -> bool:
        """Says whether a result names one of these questions."""
        return (
            result.condition in self.conditions.get(result.task, ())
            and result.case_id in self.cases[result.task]
            and 0 <= result.repeat < self.repeats
        )

    def questions(self, owed: Callable[[Question], bool] | None = None, *, ahead: int = 0) -> Iterator[Question]:
        """Yields every question: by whose persona it tells, then condition, then task.

        Args:
            owed: which questions to yield; all.
            ahead: by how many questions the first of each prefix goes before the others that share it.
        """
        groups = ([q for q in group if owed is None or owed(q)] for group in self._by_prefix())
        return _first_ahead(filter(None, groups), ahead)

    def _by_prefix(self) -> Iterator[list[Question]]:
        """Yields questions whose prompts begin alike: tools, which only sessions have, stand before the shopper."""
        by_shopper: dict[str, dict[str, list[Case]]] = {}
        for task, cases in self.cases.items():
            for case in cases.values():
                by_shopper.setdefault(case.shopper, {}).setdefault(task, []).append(case)
        receivers = {donor: shopper for shopper, donor in self.donors.items()}
        for shopper in self.shoppers:
            for name, condition in CONDITIONS.items():
                asked = by_shopper.get(receivers[shopper] if condition.other_shopper else shopper, {})
                for sessions in (False, True):
                    yield [
                        self._question(task, name, case, repeat)
                        for task, cases_here in asked.items()
                        if name in self.conditions[task] and (self.specs[task].output_type == "session") is sessions
                        for case in cases_here
                        for repeat in range(self.repeats)
                    ]

    def _question(self, task: str, condition: str, case: Case, repeat: int) -> Question:
        seed = derive(self.seed, case_key(task, condition, case.case_id, repeat))
        return Question(self.specs[task], condition, CONDITIONS[condition].sampled, case, repeat, seed)


def _first_ahead(groups: Iterable[Sequence[Question]], ahead: int) -> Iterator[Question]:
    """Yields the groups one after another, but of each the first question so many before the second."""
    others: deque[Question] = deque()
    for first, *rest in groups:
        while len(others) > ahead:
            yield others.popleft()
        yield first
        others += rest
    yield from others


def make_plan(specs: Sequence[TaskSpec], data: ShoppingData, spec: RunSpec) -> Plan:
    """Chooses the questions of a run.

    Raises:
        UsageError: no task is supported, a condition is unknown, ``shuffled`` has one shopper only, or there are more
            questions than memory holds.
    """
    supported = [s for s in specs if s.dataset.cases in data.kinds]
    unsupported = {
        s.task: f"{data.name} has no {s.dataset.cases} cases; {data.why_not(s.dataset.cases)}"
        for s in specs
        if s not in supported
    }
    if not supported:
        have = f"{', '.join(sorted(data.kinds))} cases" if data.kinds else "no cases at all"
        raise UsageError(
            f"--dataset {data.name} supports none of the tasks {', '.join(unsupported)}: it has {have}; "
            f"`paars-bench data mine {spec.dataset}` says what each rule dropped"
        )
    conditions = {s.task: choose_conditions(s, spec.conditions) for s in supported}
    cases = _choose_cases(supported, data, spec)
    shoppers = list(dict.fromkeys(c.shopper for chosen in cases.values() for c in chosen.values()))
    shoppers.sort(key=lambda s: derive(spec.seed, "shopper", s))
    if len(shoppers) < 2 and any("shuffled" in c for c in conditions.values()):
        raise UsageError("--conditions shuffled needs at least two shoppers; raise --limit to 2 or more")
    ring = sorted(shoppers, key=lambda s: derive(spec.seed, "shuffled", s))
    donors = dict(zip(ring, [*ring[1:], *ring[:1]], strict=True))
    by_name = {s.task: s for s in supported}
    asked = sum(len(cases[t]) * len(conditions[t]) for t in by_name) * spec.repeats
    if asked > _MOST:
        raise UsageError(
            f"--repeats {spec.repeats}: makes {asked:,} questions, and a run has {_MOST:,} at most; "
            f"repeat less or lower --limit"
        )
    return Plan(by_name, unsupported, conditions, cases, shoppers, donors, spec.repeats, spec.seed)


def choose_conditions(spec: TaskSpec, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Returns the conditions of one task, in their fixed order.

    Raises:
        UsageError: a name is not a condition.
    """
    if wanted is None:
        return tuple(c for c in CONDITIONS if c in spec.conditions)
    for name in wanted:
        if name != "all" and name not in CONDITIONS:
            raise UsageError(unknown("condition", name, [*CONDITIONS, "all"], see="paars-bench ls conditions"))
    return tuple(c for c in CONDITIONS if "all" in wanted or c in wanted)


def _choose_cases(specs: Sequence[TaskSpec], data: ShoppingData, spec: RunSpec) -> dict[str, dict[str, Case]]:
    """Returns each task's cases; under a limit, one of each shopper first, and the same shoppers for every task."""
    grouped: dict[CaseKind, dict[str, list[Case]]] = {}
    for kind in {s.dataset.cases for s in specs}:
        by_shopper: dict[str, list[Case]] = {}
        for case in iter_cases(data, kind):
            by_shopper.setdefault(case.shopper, []).append(case)
        grouped[kind] = by_shopper
    everyone: dict[str, Any] = {s: None for by in grouped.values() for s in by}
    order = sorted(
        everyone,
        key=lambda s: (-sum(s in by for by in grouped.values()), derive(spec.seed, "shopper", s)),
    )
    return {s.task: _first(grouped[s.dataset.cases], order, spec) for s in specs}


def _first(by_shopper: Mapping[str, list[Case]], order: Sequence[str], spec: RunSpec) -> dict[str, Case]:
    present = [s for s in order if s in by_shopper]
    if spec.limit is None:
        return {c.case_id: c for s in present for c in by_shopper[s]}
    ranked = {
        s: sorted(by_shopper[s], key=lambda c: derive(spec.seed, "case", c.case_id)) for s in present[: spec.limit]
    }
    chosen: list[Case] = []
    for turn in range(max(map(len, ranked.values()), default=0)):
        chosen += [cases[turn] for cases in ranked.values() if turn < len(cases)]
    return {c.case_id: c for c in chosen[: spec.limit]}
