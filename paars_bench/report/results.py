"""``results.json``: every number with its count, interval, floor and origin, as lists that load into a table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from paars_bench.backbones.door import Usage
from paars_bench.data.cases import ShoppingData
from paars_bench.personas.conditions import CONDITIONS
from paars_bench.personas.history import CUT_RULE, estimate_tokens, render_history
from paars_bench.report.engines import Engines, Teller
from paars_bench.report.failures import reasons
from paars_bench.report.scored import make_scorer, score_tasks, strict_json
from paars_bench.report.segmenting import Segmentation
from paars_bench.report.segments import FEWEST, score_segments
from paars_bench.report.status import EXIT_BY_STATUS, run_status

if TYPE_CHECKING:
    from paars_bench.run.finished import Finished
    from paars_bench.run.plan import Plan

SCHEMA_VERSION = 1


def build_results(
    config: Mapping[str, Any],
    plan: Plan,
    data: ShoppingData,
    done: Finished,
    *,
    usage: Mapping[str, Usage],
    seconds: float,
    stop: str | None,
    screen: Teller,
    segmented: Sequence[Segmentation] = (),
    fewest: int = FEWEST,
) -> dict[str, Any]:
    """Computes what ``results.json`` holds.

    Args:
        config: ``config.json`` of the run.
        plan: what was to be asked.
        data: the data set.
        done: what is finished.
        usage: spent by role, what was asked again included.
        seconds: of every process that worked on the run.
        stop: why asking ended early, or None.
        screen: is told what takes time.
        segmented: ways to tell shoppers apart, each of which gets every metric by segment.
        fewest: shoppers that a segment needs.
    """
    from paars_bench.tasks.scoring.summary import alignment, differences

    engines = Engines(screen)
    scorer = make_scorer(plan.shoppers, plan.seed, engines, scripted=config["model"]["scripted"])
    tasks = score_tasks(plan, data, done, scorer, stop, say=engines.say)
    segments = score_segments(plan, data, done, engines, segmented, scripted=config["model"]["scripted"], fewest=fewest)
    return {
        "schema_version": SCHEMA_VERSION,
        "run": {
            "id": config["id"],
            "status": run_status(tasks, stop),
            "stop": stop,
            "command": config["command"],
            "seed": plan.seed,
            "repeats": plan.repeats,
            "started": config["started"],
            "seconds": round(seconds, 3),
            "config_sha256": _config_digest(config),
        },
        "environment": config["environment"],
        "model": config["model"],
        "dataset": {
            "name": data.name,
            "revision": data.revision,
            "sha256": data.sha256,
            "human_reference": data.human_reference,
            "licence": data.licence,
            "shoppers": len(plan.shoppers),
            "cases": sum(len(c) for c in plan.cases.values()),
        },
        "history": _history(plan, data, int(config["identity"]["history_tokens"])),
        "engines": engines.describe(),
        "unsupported": [{"task": t, "why": why} for t, why in plan.unsupported.items()],
        "tasks": tasks,
        "differences": strict_json(differences(scorer)) if scorer else [],
        "alignment": strict_json(alignment(scorer, plan.specs)) if scorer else [],
        "segments": segments.rows,
        "segments_left_out": segments.left_out,
        "failures": reasons(done.failed()),
        "usage": {"by_role": {role: _usage(spent) for role, spent in usage.items()}},
    }


def exit_code(results: Mapping[str, Any]) -> int:
    """Returns the exit code that belongs to the status of a run."""
    return EXIT_BY_STATUS[results["run"]["status"]]


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input": usage.input,
        "cached": usage.cached,
        "output": usage.output,
        "reasoning": usage.reasoning,
        "estimated_calls": usage.estimated,
        # Sums of prices depend on their order in the last digits, and that order on who answered first.
        "cost_usd": None if usage.cost_usd is None else round(usage.cost_usd, 9),
    }


def _config_digest(config: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(config["identity"], sort_keys=True).encode()).hexdigest()


def _history(plan: Plan, data: ShoppingData, budget: int) -> dict[str, Any] | None:
    """Returns how much of the shoppers' histories fitted into the prompts; None where no condition shows any."""
    if not any("history" in CONDITIONS[c].parts for names in plan.conditions.values() for c in names):
        return None
    shown = [
        render_history(data.background(s), data.catalog, budget=budget, count_tokens=estimate_tokens)
        for s in plan.shoppers
    ]
    return {
        "rule": CUT_RULE,
        "budget_tokens": budget,
        "shoppers": len(shown),
        "shoppers_cut": sum(h.shown < h.events for h in shown),
        "events": sum(h.events for h in shown),
        "events_shown": sum(h.shown for h in shown),
    }
