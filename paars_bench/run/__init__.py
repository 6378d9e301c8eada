"""Running: what is asked, in which order, under which budgets, and what is kept of it."""

from paars_bench.run.evaluate import RunOutcome, evaluate, evaluate_spec, rescore
from paars_bench.run.spec import RunSpec
from paars_bench.run.validate import Finding, State, validate_tasks

__all__ = ["Finding", "RunOutcome", "RunSpec", "State", "evaluate", "evaluate_spec", "rescore", "validate_tasks"]
