"""Running: what is asked, in which order, under which budgets, and what is kept of it."""

from paars_bench.run.comparing import compare_runs
from paars_bench.run.evaluate import evaluate, evaluate_spec
from paars_bench.run.finishing import RunOutcome
from paars_bench.run.rescoring import rescore
from paars_bench.run.spec import RunSpec
from paars_bench.run.validate import Finding, State, validate_tasks

__all__ = [
    "Finding",
    "RunOutcome",
    "RunSpec",
    "State",
    "compare_runs",
    "evaluate",
    "evaluate_spec",
    "rescore",
    "validate_tasks",
]
