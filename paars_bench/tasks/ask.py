"""Asking one case: prompt, reply, answer, outcome. A reply without a valid answer is data, not a wrong answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from paars_bench.backbones.door import Backbone, Completion, Request, paid_of
from paars_bench.config.choice import is_whole_before_more
from paars_bench.config.filters import apply_filters
from paars_bench.config.refusal import is_refusal
from paars_bench.config.spec import TaskSpec
from paars_bench.data.cases import Case, CaseKind
from paars_bench.outcomes import Outcome
from paars_bench.tasks.question import Asker, Question, blank_result, request_params
from paars_bench.tasks.render import prompt_sha256
from paars_bench.tasks.result import CaseResult
from paars_bench.tasks.shop import play

# Backbones that can be held to any schema answer with a JSON string: a small model otherwise writes an essay.
_ONE_LINE = {"type": "string", "minLength": 1, "maxLength": 80}
_DIGITS = 9  # of a choice; Python refuses to read a number of thousands


async def ask(question: Question, head: str, backbone: Backbone, asker: Asker) -> CaseResult:
    """Asks one question that has one reply, and returns how it ended.

    Args:
        question: of a task that generates or chooses.
        head: the stable head of the prompt (``persona_block``).
        backbone: who answers.
        asker: renderer and catalog.
    """
    case = question.case
    messages = asker.renderer.messages(head, case) if asker.told else []
    options = option_count(case) if question.spec.output_type == "choose" else None
    schema = {"type": "integer", "enum": list(range(1, options + 1))} if options else _ONE_LINE
    reply = await backbone.complete(
        Request(
            messages,
            params=request_params(question),
            draw=question.seed,
            reply_schema=schema,
            stable=(asker.renderer.stable(head),) if asker.told else (),
            situation=asker.situation(question),
        )
    )
    result = blank_result(question, Outcome.OK)
    result = replace(
        result,
        messages=messages,
        prompt_sha256=prompt_sha256(messages) if messages else "",
        reply=reply.text,
        usage=reply.usage,
        paid=paid_of([reply]),
        latency_ms=reply.latency_ms,
        attempts=reply.attempts,
        cached=reply.cached,
        error=reply.error,
    )
    return _judged(result, reply, question.spec, options)


def option_count(case: Case) -> int:
    """Returns among how many items a choice is made."""
    return len(case.values["options" if case.kind is CaseKind.ITEM_CHOICES else "shown"])


def _unquoted(text: str) -> str:
    """Returns what a JSON string says; any other text as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # ten thousand brackets are a reply too
        return text
    return value if isinstance(value, str) else text


def _had_ended(text: str, options: int | None) -> bool:
    """Says whether a reply that was cut at max_tokens had ended its answer: a query's line, or a choice's statement."""
    return is_whole_before_more(text) if options else "\n" in text.strip()


def _judged(result: CaseResult, reply: Completion, spec: TaskSpec, options: int | None) -> CaseResult:
    if reply.outcome not in (Outcome.OK, Outcome.TRUNCATED):
        return replace(result, outcome=reply.outcome)
    text = _unquoted(reply.text)
    answer = apply_filters(text, spec.filter_list, n_options=options)
    if is_refusal(text) and not (options and answer):  # who declines and still states a choice has chosen
        return replace(result, outcome=Outcome.REFUSED)
    if reply.outcome is Outcome.TRUNCATED and not (answer and _had_ended(text, options)):
        return replace(result, outcome=Outcome.TRUNCATED)
    if not answer:
        return replace(result, outcome=Outcome.UNPARSEABLE)
    if options is None:
        return replace(result, parsed={"query": answer})
    if not answer.isdecimal() or len(answer) > _DIGITS or not 1 <= int(answer) <= options:
        return replace(result, outcome=Outcome.UNPARSEABLE, error=f"no number from 1 to {options}")
    return replace(result, parsed={"choice": int(answer)})


ASK: Mapping[str, Callable[[Question, str, Backbone, Asker], Awaitable[CaseResult]]] = {
    "generate": ask,
    "choose": ask,
    "session": play,
}
"""How a question is asked, by the ``output_type`` of its task."""
