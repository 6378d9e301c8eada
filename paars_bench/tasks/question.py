"""One question of a plan, and what asking it needs and leaves, whatever its task."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from paars_bench.backbones.door import Completion, Situation
from paars_bench.config.spec import TaskSpec
from paars_bench.config.store_settings import StoreSettings
from paars_bench.data.cases import Background, Case
from paars_bench.data.schema import Catalog
from paars_bench.outcomes import Outcome
from paars_bench.store import Page, Shop
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.result import CaseResult, case_key

SAMPLING_TEMPERATURE = 0.7


class Question(NamedTuple):
    """One question of a plan: a case under a condition, for the n-th time."""

    spec: TaskSpec
    condition: str
    sampled: bool
    case: Case
    repeat: int
    seed: int

    @property
    def key(self) -> str:
        """As ``CaseResult.key`` of its result."""
        return case_key(self.spec.task, self.condition, self.case.case_id, self.repeat)


class Asker(NamedTuple):
    """What every question of one task needs.

    Attributes:
        renderer: of the task's prompts.
        catalog: of the data set.
        open_shop: gives the store with such settings, opened when the first session needs it.
        dataset: name with every option, for scripted baselines.
        background: gives what an agent may know of a shopper, for scripted baselines.
        told: prompts are written, for a model that reads them or to be kept.
        next_call: is told the reply to a call of a session, and says how the session ends if it may make no other.
        clock: seconds from any start.
    """

    renderer: Renderer
    catalog: Catalog
    open_shop: Callable[[StoreSettings], Shop]
    dataset: str = ""
    background: Callable[[str], Background] | None = None
    next_call: Callable[[Completion], Awaitable[Outcome | None]] | None = None
    clock: Callable[[], float] = time.monotonic
    told: bool = True

    def situation(
        self, question: Question, page: Page | None = None, turn: int = 0, shop: Shop | None = None
    ) -> Situation:
        """Returns what a scripted baseline may see of a question."""
        return Situation(question.case, self.catalog, question.seed, page, turn, shop, self.dataset, self.background)


def request_params(question: Question) -> dict[str, Any]:
    """Returns the parameters of a question's calls, in LiteLLM's names."""
    params = {"seed": question.seed, **question.spec.generation_kwargs}
    if question.sampled and not params.get("temperature"):
        params["temperature"] = SAMPLING_TEMPERATURE
    return params


def blank_result(question: Question, outcome: Outcome, error: str | None = None) -> CaseResult:
    """Returns a result without a reply: the start of one, or of a question that could not be asked."""
    return CaseResult(
        case_id=question.case.case_id,
        task=question.spec.task,
        condition=question.condition,
        repeat=question.repeat,
        shopper=question.case.shopper,
        outcome=outcome,
        error=error,
    )
