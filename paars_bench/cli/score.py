"""`paars-bench score`: what a run measured, computed again from its journal, without a model."""

from __future__ import annotations

from pathlib import Path

import click

from paars_bench.cli.base import Command, examples


@click.command(
    cls=Command,
    short_help="Compute results again, without a model.",
    epilog=examples(
        "paars-bench score runs/gpt",
        "paars-bench score runs/gpt --dataset ./mylog    where the data set's folder was moved",
    ),
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--dataset", metavar="NAME", help="Where its data set lies now, the same data. [as the run was given]")
def score(run: Path, dataset: str | None) -> int:
    """Compute the results of RUN again from its journal; no model is called."""
    from paars_bench.run import rescore

    return rescore(run, dataset=dataset).exit_code
