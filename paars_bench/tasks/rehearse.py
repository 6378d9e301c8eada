"""Renders what a task asks before anything is asked: a template that fails on real cases must not fail on paid ones."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from paars_bench.data.cases import Case
from paars_bench.errors import ConfigError
from paars_bench.tasks.ask import option_count
from paars_bench.tasks.render import Renderer

PROMPTS = 60  # prompts rendered of a task; targets are short, so every one is


def rehearse(renderer: Renderer, cases: Iterable[Case]) -> int:
    """Renders system text and text of the first cases and the target of all, and returns the longest text's length.

    Args:
        renderer: of the task.
        cases: of its kind.

    Raises:
        ConfigError: with task, key and reason, where a template cannot be rendered or its text is no prompt or target.
    """
    chosen = list(cases)
    longest = 0
    for case in islice(chosen, PROMPTS):
        more = {"tools": "(tools)", "leaving": renderer.spec.session.leaving}
        renderer.system("")
        text = renderer.text(case, **(more if renderer.spec.output_type == "session" else {}))
        if not text:
            raise ConfigError(f"{renderer.spec.task}: doc_to_text: is empty for case {case.case_id}.")
        longest = max(longest, len(text))
    for case in chosen:
        _check_target(renderer, case)
    return longest


def _check_target(renderer: Renderer, case: Case) -> None:
    where = f"{renderer.spec.task}: doc_to_target"
    target = renderer.target(case)
    if renderer.spec.output_type == "generate" and not target:
        raise ConfigError(f"{where}: is empty for case {case.case_id}; it says what the human did.")
    if renderer.spec.output_type == "choose":
        options = option_count(case)
        if target not in map(str, range(1, options + 1)):
            raise ConfigError(
                f"{where}: is {target[:40]!r} for case {case.case_id}; of a choice it is a number from 1 to {options}."
            )
