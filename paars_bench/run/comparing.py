"""Two runs or more on the same cases: what differs, how surely, and which cases turned from right to wrong.

Runs are compared on the cases that both scored. Their figures come from one resampling plan, so shoppers that are easy
or hard are so for both, and a difference is far surer than two intervals beside each other would say.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from paars_bench.config import TaskSpec
from paars_bench.config.metrics import METRICS
from paars_bench.data.cases import ShoppingData
from paars_bench.errors import UsageError
from paars_bench.report.engines import Engines
from paars_bench.report.scored import FEWEST_SHOPPERS, make_scorer, score_tasks, strict_json
from paars_bench.run.directory import read_config
from paars_bench.run.plan import Plan
from paars_bench.run.progress import Screen
from paars_bench.run.rescoring import ReadRun, data_of_run, opened_run
from paars_bench.tasks.render import Renderer

SCHEMA_VERSION = 1


def compare_runs(paths: Sequence[Path], *, dataset: str | None = None) -> dict[str, Any]:
    """Compares runs with the first of them.

    Args:
        paths: run folders, two or more.
        dataset: where their data set lies now; None where the first run has it.

    Returns:
        What ``paars-bench compare --json`` writes: ``runs``, ``differences``, ``flips`` and ``left_out``, lists of
        objects.

    Raises:
        UsageError: fewer than two runs, runs on other data or other versions of a task, or no case in common.
    """
    if len({p.resolve() for p in paths}) < 2:
        raise UsageError("compare needs two runs or more: paars-bench compare runs/a runs/b")
    with ExitStack() as stack:
        screen = stack.enter_context(Screen())
        data = data_of_run(paths[0], dataset, screen)
        for path in paths[1:]:
            digest = read_config(path)["identity"]["dataset_sha256"]
            if digest != data.sha256:
                raise UsageError(f"{path}: ran on other data ({digest[:12]}) than {paths[0]} ({data.sha256[:12]})")
        runs = [stack.enter_context(opened_run(p, data, screen)) for p in paths]
        engines = Engines(screen)
        compared = [_pair(runs[0], other, data, engines) for other in runs[1:]]
    return {
        "schema_version": SCHEMA_VERSION,
        "runs": [_about(r) for r in runs],
        "dataset": {"name": data.name, "sha256": data.sha256, "human_reference": data.human_reference},
        **{key: [row for pair in compared for row in pair[key]] for key in ("differences", "flips", "left_out")},
        "engines": engines.describe(),
    }


def _pair(first: ReadRun, other: ReadRun, data: ShoppingData, engines: Engines) -> dict[str, list[dict[str, Any]]]:
    """Compares one run with the first, on the cases of both."""
    from paars_bench.tasks.scoring.summary import between

    shared, left_out = _shared(first, other)

    scorers = []
    for run in (first, other):
        scorer = make_scorer(shared.shoppers, 0, engines, scripted=True)
        if scorer is None:
            raise UsageError(
                f"{first.name} and {other.name}: fewer than {FEWEST_SHOPPERS} shoppers have cases that both scored"
            )
        score_tasks(shared, data, run.done, scorer, None, say=engines.say)
        scorers.append(scorer)
    differences = [
        {"run": other.name, "against_run": first.name, **row}
        for row in between(scorers[1].kept, scorers[0].kept, scorers[0].plan)
    ]
    return {
        "differences": strict_json(differences),
        "flips": _flips(first, other, shared, data),
        "left_out": left_out,
    }


def _shared(first: ReadRun, other: ReadRun) -> tuple[Plan, list[dict[str, Any]]]:
    """Returns the plan of what both runs scored, and how much of each is left out."""
    tasks = [t for t in first.plan.specs if t in other.plan.specs]
    versions = {t: (first.plan.specs[t].version, other.plan.specs[t].version) for t in tasks}
    for task, (a, b) in versions.items():
        if a != b:
            raise UsageError(
                f"{task}: {first.name} asked version {a} and {other.name} version {b}; a new version is another task"
            )
    conditions = {t: tuple(c for c in first.plan.conditions[t] if c in other.plan.conditions[t]) for t in tasks}
    left_out = _not_in_both(first, other)
    tasks = [t for t in tasks if conditions[t]]
    repeats = min(first.plan.repeats, other.plan.repeats)
    cases: dict[str, dict[str, Any]] = {}
    for task in tasks:
        both = [i for i in first.plan.cases[task] if i in other.plan.cases[task]]
        kept = [i for i in both if _scored(first, other, task, i, conditions[task], repeats)]
        cases[task] = {i: first.plan.cases[task][i] for i in kept}
        only = (len(run.plan.cases[task]) - len(both) for run in (first, other))
        left_out.append(_left(first, other, task, "cases", (*only, len(both) - len(kept), len(kept))))
    if not any(cases.values()):
        raise UsageError(f"{first.name} and {other.name} have no task, condition and case in common that both scored")
    shoppers = [s for s in first.plan.shoppers if any(c.shopper == s for of in cases.values() for c in of.values())]
    specs = {t: _paired_metrics(first.plan.specs[t]) for t in tasks if cases[t]}
    plan = replace(
        first.plan,
        specs=specs,
        conditions={t: conditions[t] for t in specs},
        cases={t: cases[t] for t in specs},
        shoppers=shoppers,
        repeats=repeats,
    )
    return plan, left_out


def _paired_metrics(spec: TaskSpec) -> TaskSpec:
    """Returns a task with the metrics that a difference is made of: no ratios, no tests, no strata."""
    kept = [
        m.model_copy(update={"strata": None})
        for m in spec.metric_list
        if METRICS[m.metric].level == "individual" or METRICS[m.metric].scored
    ]
    return spec.model_copy(update={"metric_list": kept})


def _left(first: ReadRun, other: ReadRun, task: str, what: str, counts: tuple[int, ...]) -> dict[str, Any]:
    names = ("only_in_first", "only_in_other", "not_scored_by_both", "compared")
    return {
        "run": other.name,
        "against_run": first.name,
        "task": task,
        "what": what,
        **dict(zip(names, counts, strict=True)),
    }


def _not_in_both(first: ReadRun, other: ReadRun) -> list[dict[str, Any]]:
    """Returns the tasks, conditions and repeats that only one of two runs asked."""
    rows = []
    plans = (first.plan, other.plan)
    for task in dict.fromkeys((*first.plan.specs, *other.plan.specs)):
        asked = [p.conditions.get(task, ()) for p in plans]
        both = [c for c in asked[0] if c in asked[1]]
        only = [[c for c in mine if c not in both] for mine in asked]
        if any(only):
            named = "conditions " + ", ".join(dict.fromkeys(c for mine in only for c in mine))
            rows.append(_left(first, other, task, named, (len(only[0]), len(only[1]), 0, len(both))))
        fewer, more = sorted(p.repeats for p in plans)
        if both and fewer != more:
            only_first, only_other = (p.repeats - fewer for p in plans)
            rows.append(_left(first, other, task, "repeats", (only_first, only_other, 0, fewer)))
    return rows


def _scored(a: ReadRun, b: ReadRun, task: str, case: str, conditions: Sequence[str], repeats: int) -> bool:
    return all(
        ended is not None and ended.scored
        for run in (a, b)
        for condition in conditions
        for ended in run.done.ended(task, condition, [case], repeats)
    )


def _flips(first: ReadRun, other: ReadRun, shared: Plan, data: ShoppingData) -> list[dict[str, Any]]:
    """Returns, for tasks that choose, which cases turned from right to wrong and back; a repeat is ``case#repeat``."""
    rows = []
    for task, spec in shared.specs.items():
        if spec.output_type != "choose":
            continue
        renderer = Renderer(spec, data.catalog)
        for condition in shared.conditions[task]:
            places: dict[tuple[bool, bool], list[str]] = {}
            asked = (task, condition, shared.cases[task], shared.repeats)
            for one, two in zip(first.done.scored(*asked), other.done.scored(*asked), strict=True):
                target = renderer.target(shared.cases[task][one.case_id])
                right, right_too = (str(r.did) == target for r in (one, two))
                name = one.case_id if shared.repeats == 1 else f"{one.case_id}#{one.repeat}"
                places.setdefault((right, right_too), []).append(name)
            rows.append(
                {
                    "run": other.name,
                    "against_run": first.name,
                    "task": task,
                    "condition": condition,
                    "both_right": len(places.get((True, True), ())),
                    "both_wrong": len(places.get((False, False), ())),
                    "turned_right": places.get((False, True), []),
                    "turned_wrong": places.get((True, False), []),
                }
            )
    return rows


def _about(run: ReadRun) -> dict[str, Any]:
    return {
        "name": run.name,
        "id": run.config["id"],
        "model": run.config["model"]["name"],
        "litellm_model": run.config["model"]["litellm_model"],
        "cases": len(run.done),
        "tokens": run.done.spent.input + run.done.spent.output,
        "cost_usd": run.done.spent.cost_usd,
    }
