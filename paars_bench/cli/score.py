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
        "paars-bench score runs/gpt --full                          every divergence, not only those that count",
        "paars-bench score runs/gpt --by age_range --by activity    every metric by segment of shoppers",
        "paars-bench score runs/gpt --by profile.income             by what the run's personas say",
        "paars-bench score runs/gpt --dataset ./mylog    where the data set's folder was moved",
    ),
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--dataset", metavar="NAME", help="Where its data set lies now, the same data. [as the run was given]")
@click.option(
    "--by",
    metavar="FIELD",
    multiple=True,
    help="Also compute every metric by segment of shoppers: a field of what the data set knows of its people, "
    "activity, category, or profile.FIELD and preferences.FIELD of the run's personas. May be repeated.",
)
@click.option(
    "--min_shoppers",
    metavar="N",
    type=click.IntRange(min=2),
    default=20,
    show_default=True,
    help="Shoppers that a segment needs.",
)
@click.option("--full", is_flag=True, help="Also print the divergences that do not count in the score.")
def score(run: Path, dataset: str | None, by: tuple[str, ...], min_shoppers: int, full: bool) -> int:
    """Compute the results of RUN again from its journal; no model is called."""
    from paars_bench.run import rescore

    return rescore(run, dataset=dataset, by=by, min_shoppers=min_shoppers, full=full).exit_code
