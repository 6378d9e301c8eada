"""``paars-bench validate``: does a task work on a data set, before any money is spent on it?

Prompts are rendered for real cases, no prompt may hold what the human did, and every metric must tell the humans' own
answers from answers dealt to the wrong cases (individual) or from knowing nothing (group).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, NamedTuple

from paars_bench.config.metric_options import metric_name
from paars_bench.config.spec import TaskSpec
from paars_bench.data import load_dataset
from paars_bench.data.cases import Case, CaseKind, ShoppingData
from paars_bench.data.sessions import SessionFacts
from paars_bench.errors import ConfigError, PaarsError
from paars_bench.report.engines import Engines
from paars_bench.report.scored import FEWEST_SHOPPERS, ONE_SHOPPER
from paars_bench.run.plan import make_plan
from paars_bench.run.progress import Screen
from paars_bench.run.spec import RunSpec
from paars_bench.seeds import derive
from paars_bench.tasks.ask import option_count
from paars_bench.tasks.rehearse import rehearse
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.result import Behaviour
from paars_bench.tasks.sides import Sides, human_facts

CASES = 60


class State(StrEnum):
    """How a check ended; ``too few`` and ``skipped`` say nothing against the task."""

    OK = "ok"
    TOO_FEW = "too few"
    SKIPPED = "skipped"
    WRONG = "WRONG"


class Finding(NamedTuple):
    """One check of one task: what was looked at, how it ended, and the figures or the fix."""

    task: str
    check: str
    state: State
    detail: str


def validate_tasks(specs: Sequence[TaskSpec], dataset: str) -> list[Finding]:
    """Checks tasks on a data set without a model.

    Args:
        specs: loaded tasks (their YAML is already valid).
        dataset: name of the data set, with options.

    Raises:
        PaarsError: the data set cannot be loaded.
    """
    findings: list[Finding] = []
    with Screen() as screen:
        data = load_dataset(dataset, progress=screen.stage)
        engines = Engines(screen)
    for spec in specs:
        if spec.dataset.cases not in data.kinds:
            why = f"{data.name} has no {spec.dataset.cases} cases; {data.why_not(spec.dataset.cases)}"
            findings.append(Finding(spec.task, "data", State.SKIPPED, why))
            continue
        plan = make_plan([spec], data, RunSpec(model="human", dataset=data.name, limit=CASES))
        cases = plan.cases[spec.task]
        try:
            renderer = Renderer(spec, data.catalog)
        except ConfigError as error:
            findings.append(Finding(spec.task, "prompts", State.WRONG, str(error)))
            continue
        rendered = _prompts(spec, cases, renderer)
        findings.append(rendered)
        if rendered.state is State.OK:
            findings += _metrics(spec, cases, data, renderer, plan.shoppers, engines)
    return findings


def _prompts(spec: TaskSpec, cases: Mapping[str, Case], renderer: Renderer) -> Finding:
    try:
        longest = rehearse(renderer, cases.values())
    except ConfigError as error:
        return Finding(spec.task, "prompts", State.WRONG, str(error))
    for case in cases.values():
        if case.kind is CaseKind.QUERY_PAIRS and f'"{renderer.target(case)}"' in renderer.text(case):
            why = f"case {case.case_id}: the prompt holds the human's query"
            return Finding(spec.task, "prompts", State.WRONG, why)
    return Finding(spec.task, "prompts", State.OK, f"{len(cases)} rendered, the longest {longest} characters")


def _metrics(
    spec: TaskSpec,
    cases: Mapping[str, Case],
    data: ShoppingData,
    renderer: Renderer,
    shoppers: Sequence[str],
    engines: Engines,
) -> list[Finding]:
    import numpy as np

    from paars_bench.metrics import ResamplingPlan
    from paars_bench.tasks.scoring import Scorer, measure_metric

    if len(shoppers) < FEWEST_SHOPPERS:
        return [Finding(spec.task, "metrics", State.TOO_FEW, ONE_SHOPPER)]
    plan = ResamplingPlan.make(shoppers, resamples=200, splits=10, rng=np.random.default_rng(0))
    human = [_human(spec, c, renderer) for c in cases.values()]
    dealt = _dealt(spec, human, cases)
    findings = []
    for metric in spec.metric_list:
        scorer = Scorer(plan, 0, engines.embed, engines.perplexity, with_base=False)
        try:
            best = measure_metric(scorer, spec.task, "human", metric, Sides(cases, human, 0, renderer, data.catalog))
            if metric.level == "individual":
                other = measure_metric(
                    scorer, spec.task, "dealt", metric, Sides(cases, dealt, 0, renderer, data.catalog)
                )
                state = State.OK if best["value"] > other["value"] else State.WRONG
                detail = f"humans {best['value']:z.3f}, answers dealt to other cases {other['value']:z.3f}"
            else:
                state, detail = _group_holds(best)
        except (PaarsError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            state, detail = State.WRONG, f"{type(error).__name__}: {error}"
        findings.append(Finding(spec.task, metric_name(metric), state, detail))
    return findings


def _group_holds(best: Mapping[str, Any]) -> tuple[State, str]:
    if best.get("value") is None:
        return State.TOO_FEW, str(best.get("why"))
    if "statistics" in best:
        state = State.OK if best["value"] > best["estimator"]["level"] else State.WRONG
        return state, f"humans told apart from themselves with p = {best['value']:z.3f}"
    if "human" in best:
        same = abs(best["value"] - best["human"]) < 1e-9
        return State.OK if same else State.WRONG, f"humans {best['value']:z.3f} beside humans {best['human']:z.3f}"
    reference = best["reference"]
    if reference is None or best["score"] is None:
        return State.TOO_FEW, best["score_note"]
    figures = f"humans {best['value']:z.3f}, floor {best['floor']:z.3f}, knowing nothing {reference['value']:z.3f}"
    return State.OK if best["value"] < reference["value"] else State.WRONG, figures


def _human(spec: TaskSpec, case: Case, renderer: Renderer) -> Behaviour:
    target = renderer.target(case)
    did: str | int | SessionFacts = target
    if spec.output_type == "session":
        did = human_facts(case)
    elif spec.output_type == "choose":
        did = int(target)
    return Behaviour(case.case_id, 0, case.shopper, did)


def _dealt(spec: TaskSpec, human: Sequence[Behaviour], cases: Mapping[str, Case]) -> list[Behaviour]:
    """Every case gets another case's answer; a choice among few is moved on instead, as numbers coincide by chance."""
    ring = sorted(human, key=lambda r: derive(0, "dealt", r.case_id))
    others = {r.case_id: ring[(n + 1) % len(ring)].did for n, r in enumerate(ring)}
    out = []
    for one in human:
        did = others[one.case_id]
        if isinstance(one.did, int):
            did = one.did % option_count(cases[one.case_id]) + 1
        out.append(replace(one, did=did))
    return out
