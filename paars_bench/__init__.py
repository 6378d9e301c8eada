"""PAARS-Bench: measures how closely a population of LLM shoppers behaves like a population of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paars_bench.run import evaluate

__all__ = ["__version__", "evaluate"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "evaluate":  # the run room is imported when it is first used: `import paars_bench` stays fast
        from paars_bench.run import evaluate

        return evaluate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
