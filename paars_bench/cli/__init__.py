"""The command line. Nothing heavy is imported at start, so that `--help` and `ls` answer at once."""

from __future__ import annotations

from paars_bench.cli.app import main

__all__ = ["main"]
