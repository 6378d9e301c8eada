"""`paars-bench leaderboard`: runs beside each other, where they may stand beside each other."""

from __future__ import annotations

from pathlib import Path

import click

from paars_bench.cli.base import SETTINGS, Group, examples
from paars_bench.errors import escaped

DEFAULT = Path("leaderboard/leaderboard.json")


@click.group(cls=Group, context_settings=SETTINGS)
def leaderboard() -> None:
    """Keep the leaderboard."""


@leaderboard.command(
    epilog=examples(
        "paars-bench leaderboard add runs/gpt",
        "paars-bench leaderboard add runs/gpt --leaderboard team/leaderboard.json",
    )
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--leaderboard",
    "board",
    type=click.Path(path_type=Path),
    default=DEFAULT,
    show_default=True,
    metavar="FILE",
    help="The JSON to add to; made if it is not there.",
)
def add(run: Path, board: Path) -> int:
    """Add the results of RUN."""
    from paars_bench.report import leaderboard_add

    click.echo(escaped(leaderboard_add(run, board)))
    return 0
