"""Asking one case: prompt, reply, answer, outcome. A reply without a valid answer is data, not a wrong answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from paars_bench.backbones.door import Backbone, Completion, Request, Situation
from paars_bench.config.filters import apply_filters
from paars_bench.config.spec import TaskSpec
from paars_bench.data.cases import Case, CaseKind
from paars_bench.data.schema import Catalog
from paars_bench.outcomes import Outcome
from paars_bench.tasks.render import Renderer, prompt_sha256
from paars_bench.tasks.result import CaseResult
from paars_bench.tasks.shop import play

SAMPLING_TEMPERATURE = 0.7
# Backbones that can be held to any schema answer with a JSON string: a small model otherwise writes an essay.
_ONE_LINE = {"type": "string", "minLength": 1, "maxLength": 80}


class Question(NamedTuple):
    """One question of a plan: a case under a condition, for the n-th time."""

    spec: TaskSpec
    condition: str
    sampled: bool
    case: Case
    repeat: int
    seed: int


class Asker(NamedTuple):
    """What every question of one task needs.

    Attributes:
        renderer: of the task's prompts.
        catalog: of the data set.
        open_shop: gives the store, opened when the first session needs it.
    """

    renderer: Renderer
    catalog: Catalog
    open_shop: Callable[[int], Any]


async def ask(question: Question, head: str, backbone: Backbone, asker: Asker) -> CaseResult:
    """Asks one question and returns how it ended.

    Args:
        question: what is asked.
        head: the stable head of the prompt (``persona_block``).
        backbone: who answers.
        asker: renderer, catalog and store.
    """
    params = request_params(question)
    if question.spec.output_type == "session":
        shop = asker.open_shop(question.spec.session.page_size)
        return await play(question, head, params, backbone, asker.renderer, shop)
    case = question.case
    messages = asker.renderer.messages(head, case)
    options = option_count(case) if question.spec.output_type == "choose" else None
    schema = {"type": "integer", "enum": list(range(1, options + 1))} if options else _ONE_LINE
    reply = await backbone.complete(
        Request(
            messages,
            params=params,
            reply_schema=schema,
            situation=Situation(case, asker.catalog, question.seed),
        )
    )
    result = blank_result(question, Outcome.OK)
    result = replace(
        result,
        messages=messages,
        prompt_sha256=prompt_sha256(messages),
        reply=reply.text,
        usage=reply.usage,
        latency_ms=reply.latency_ms,
        attempts=reply.attempts,
        cached=reply.cached,
        error=reply.error,
    )
    return _judged(result, reply, question.spec, options)


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


def option_count(case: Case) -> int:
    """Returns among how many items a choice is made."""
    return len(case.values["options" if case.kind is CaseKind.ITEM_CHOICES else "shown"])


def _unquoted(text: str) -> str:
    """Returns what a JSON string says; any other text as it is."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


def _judged(result: CaseResult, reply: Completion, spec: TaskSpec, options: int | None) -> CaseResult:
    if reply.outcome not in (Outcome.OK, Outcome.TRUNCATED):
        return replace(result, outcome=reply.outcome)
    answer = apply_filters(_unquoted(reply.text), spec.filter_list, n_options=options)
    # A reply cut at max_tokens still answers if its answer was complete: a number, or a first line with more after it.
    complete = reply.outcome is Outcome.OK or options or "\n" in reply.text.strip()
    if not complete:
        return replace(result, outcome=Outcome.TRUNCATED)
    if not answer:
        failed = Outcome.UNPARSEABLE if reply.outcome is Outcome.OK else Outcome.TRUNCATED
        return replace(result, outcome=failed)
    if options is None:
        return replace(result, parsed={"query": answer})
    if not answer.isdigit() or not 1 <= int(answer) <= options:
        return replace(result, outcome=Outcome.UNPARSEABLE, error=f"no number from 1 to {options}")
    return replace(result, parsed={"choice": int(answer)})
