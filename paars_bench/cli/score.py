"""`paars-bench score`: what a run measured, computed again from its journal, without a model."""

from __future__ import annotations

from pathlib import Path

import click

from paars_bench.cli.base import Command, examples


@click.command(
    cls=Command,
    short_help="Compute results again, without a model.",
    epilog=examples("paars-bench score runs/gpt"),
)
@click.argument("run", type=click.Path(path_type=Path))
def score(run: Path) -> int:
    """Compute the results of RUN again from its journal; no model is called."""
    from paars_bench.run import rescore

    return rescore(run).exit_code
