"""Task YAML in, validated specs out. This import is cheap: pydantic loads when a task is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paars_bench.config.index import TaskIndex

if TYPE_CHECKING:
    from paars_bench.config.spec import TaskSpec

__all__ = ["TaskIndex", "TaskSpec"]


def __getattr__(name: str) -> Any:
    if name == "TaskSpec":
        from paars_bench.config.spec import TaskSpec

        return TaskSpec
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
