"""What people read: results, tables and the leaderboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paars_bench.report.leaderboard import leaderboard_add

__all__ = ["leaderboard_add"]


def __getattr__(name: str) -> Any:
    if name == "leaderboard_add":
        from paars_bench.report.leaderboard import leaderboard_add

        return leaderboard_add
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
