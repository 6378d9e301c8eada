"""``results.json``: every number with its count, interval, floor and origin, as lists that load into a table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from paars_bench.backbones.door import Usage
from paars_bench.boundary import unforeseen
from paars_bench.data.cases import ShoppingData
from paars_bench.errors import PaarsError
from paars_bench.personas.conditions import CONDITIONS
from paars_bench.personas.history import CUT_RULE, estimate_tokens, render_history
from paars_bench.report.failures import reasons, unmeasured
from paars_bench.report.status import EXIT_BY_STATUS, outcome_of_unasked, run_status
from paars_bench.seeds import derive
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.result import CaseResult, case_key
from paars_bench.tasks.sides import Sides

if TYPE_CHECKING:
    from paars_bench.run.plan import Plan

SCHEMA_VERSION = 1
RESAMPLES = 1000
SPLITS = 20
FEWEST_SHOPPERS = 2
ONE_SHOPPER = (
    "only one shopper has cases, and a metric needs two: floors and intervals come from drawing shoppers; "
    "raise --limit or take a data set with more people"
)


def build_results(
    config: Mapping[str, Any],
    plan: Plan,
    data: ShoppingData,
    done: Mapping[str, CaseResult],
    *,
    usage: Mapping[str, Usage],
    seconds: float,
    stop: str | None,
    screen: Teller,
) -> dict[str, Any]:
    """Computes what ``results.json`` holds.

    Args:
        config: ``config.json`` of the run.
        plan: what was to be asked.
        data: the data set.
        done: results by key.
        usage: spent by role, what was asked again included.
        seconds: of every process that worked on the run.
        stop: why asking ended early, or None.
        screen: is told what takes time.
    """
    engines = Engines(screen)
    tasks = _score_tasks(plan, data, done, engines, stop, scripted=config["model"]["scripted"])
    return {
        "schema_version": SCHEMA_VERSION,
        "run": {
            "id": config["id"],
            "status": run_status(tasks, stop),
            "stop": stop,
            "command": config["command"],
            "seed": config["spec"]["seed"],
            "repeats": config["spec"]["repeats"],
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
        "failures": reasons(done.values()),
        "usage": {"by_role": {role: _usage(spent) for role, spent in usage.items()}},
    }


def exit_code(results: Mapping[str, Any]) -> int:
    """Returns the exit code that belongs to the status of a run."""
    return EXIT_BY_STATUS[results["run"]["status"]]


class Teller(Protocol):
    """Says what takes time; the screen of a run."""

    def note(self, text: str) -> None:
        """Says one line."""
        ...

    def stage(self, text: str, done: int, total: int) -> None:
        """Says how far a stage is."""
        ...


class Engines:
    """The embedding and perplexity models, loaded when a metric first needs them and named in the results."""

    def __init__(self, screen: Teller) -> None:
        self._screen = screen
        self._embedding: Any = None
        self._perplexity: Any = None
        self._vectors: dict[str, Any] = {}
        self.problem: str | None = None

    def say(self, text: str) -> None:
        """Says one line on the screen of the run."""
        self._screen.note(text)

    def embed(self, texts: Sequence[str]) -> Any:
        """Returns unit vectors of texts, (n, d); each distinct text is embedded once a run."""
        import numpy as np

        if self._embedding is None:
            from paars_bench.backbones.engines import embedding_engine

            self._embedding = embedding_engine()
            self._screen.note(f"embedding with {self._embedding.name} ({self._embedding.source})")
        # The same human queries come back for every metric and condition: embedding them was 9 tenths of scoring.
        new = sorted(set(texts) - self._vectors.keys())
        if new:
            vectors = self._embedding.encode(new, progress=partial(self._screen.stage, "embedding"))
            self._vectors |= dict(zip(new, vectors, strict=True))
        return np.stack([self._vectors[t] for t in texts])

    def perplexity(self, pairs: Sequence[tuple[str, str]]) -> Any:
        """Returns the perplexity of each (context, text), (n,); NaN where no engine can be had."""
        import numpy as np

        if self.problem is None and self._perplexity is None:
            self._open_perplexity()
        if self._perplexity is None:
            return np.full(len(pairs), math.nan)
        told = partial(self._screen.stage, "perplexity of the human queries")
        return self._perplexity.perplexity([c for c, _ in pairs], [t for _, t in pairs], progress=told)

    def _open_perplexity(self) -> None:
        from paars_bench.backbones.engines import perplexity_engine
        from paars_bench.backbones.model_file import embedded_gguf

        try:
            self._perplexity = perplexity_engine(lambda: embedded_gguf(self._screen.note))
        except PaarsError as error:
            self.problem = str(error)
            self._screen.note(f"no perplexity strata: {error}")
            return
        self._screen.note(f"perplexity with {self._perplexity.name} (kept on disk, so only the first run waits)")

    def describe(self) -> dict[str, Any]:
        """Returns the engines by name; null where no metric needed one."""

        def one(engine: Any) -> dict[str, Any] | None:
            if engine is None:
                return None
            source = getattr(engine, "source", None)
            return {"name": engine.name, "revision": engine.revision} | ({"source": source} if source else {})

        return {
            "embedding": one(self._embedding),
            "perplexity": one(self._perplexity),
            "perplexity_problem": self.problem,
        }


def _score_tasks(
    plan: Plan,
    data: ShoppingData,
    done: Mapping[str, CaseResult],
    engines: Engines,
    stop: str | None,
    *,
    scripted: bool,
) -> list[dict[str, Any]]:
    import numpy as np

    from paars_bench.metrics import ResamplingPlan
    from paars_bench.tasks.score import Scorer, metric_name

    scorer: Scorer | None = None
    if len(plan.shoppers) >= FEWEST_SHOPPERS:
        rng = np.random.default_rng(derive(plan.seed, "resampling"))
        resampling = ResamplingPlan.make(plan.shoppers, resamples=RESAMPLES, splits=SPLITS, rng=rng)
        scorer = Scorer(resampling, plan.seed, engines.embed, engines.perplexity, with_base=not scripted)
    rows = []
    for name, spec in plan.specs.items():
        renderer = Renderer(spec, data.catalog)
        for condition in plan.conditions[name]:
            found = [
                done.get(case_key(name, condition, case_id, repeat))
                for case_id in plan.cases[name]
                for repeat in range(plan.repeats)
            ]
            scored = [r for r in found if r is not None and r.scored]
            sides = Sides(plan.cases[name], scored, len(found) - len(scored), renderer, data.catalog)
            metrics: list[dict[str, Any]] = []
            for metric in spec.metric_list:
                if scorer is None:
                    break
                with unforeseen() as caught:
                    metrics.append(_strict(scorer.score(name, condition, metric, sides)))
                if caught.error is not None:  # it takes none of the others with it
                    engines.say(f"{name} under {condition}: {metric_name(metric)} not computed ({caught.words})")
                    metrics.append(unmeasured(metric_name(metric), metric.level, sides.coverage, caught.words))
            rows.append(
                {
                    "task": name,
                    "version": spec.version,
                    "condition": condition,
                    "cases_sha256": _cases_digest(plan.cases[name]),
                    "counts": _counts(found, stop),
                    "coverage": round(sides.coverage, 6),
                    "min_coverage": spec.min_coverage,
                    "metrics": metrics,
                    "why_no_metrics": None if scorer else ONE_SHOPPER,
                }
            )
    return rows


def _cases_digest(case_ids: Iterable[str]) -> str:
    """Which cases were asked, however ``--limit`` and ``--seed`` chose them."""
    import hashlib

    return hashlib.sha256("\n".join(sorted(case_ids)).encode()).hexdigest()


def _counts(found: Sequence[CaseResult | None], stop: str | None) -> dict[str, Any]:
    not_asked = outcome_of_unasked(stop)
    by_outcome = Counter(str(r.outcome if r is not None else not_asked) for r in found)
    return {
        "planned": len(found),
        "scored": sum(1 for r in found if r is not None and r.scored),
        "not_asked": sum(1 for r in found if r is None),
        "by_outcome": dict(sorted(by_outcome.items())),
    }


def _strict(value: Any) -> Any:
    """Returns strict JSON: a number that is not finite becomes null, NumPy's numbers become Python's."""
    if isinstance(value, Mapping):
        return {str(k): _strict(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


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
    import hashlib
    import json

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
