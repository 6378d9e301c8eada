"""`paars-bench compare`: what differs between runs of the same cases, how surely, and which cases flipped."""

from __future__ import annotations

from pathlib import Path

import click

from paars_bench.cli.base import Command, examples


@click.command(
    cls=Command,
    short_help="Compare runs on the cases that all scored.",
    epilog=examples(
        "paars-bench compare runs/claude runs/gpt",
        "paars-bench compare runs/old runs/new --json difference.json    with the cases that flipped, by id",
    ),
)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--dataset", metavar="NAME", help="Where their data set lies now, the same data. [as the first run has it]"
)
@click.option(
    "--json", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write it as JSON."
)
def compare(runs: tuple[Path, ...], dataset: str | None, file: Path | None) -> int:
    """Compare RUNS with the first of them, paired by shopper; no model is called."""
    from paars_bench.errors import UsageError
    from paars_bench.files import write_atomically
    from paars_bench.report.comparison import show_comparison
    from paars_bench.run import compare_runs

    compared = compare_runs(runs, dataset=dataset)
    if file is not None:
        try:
            write_atomically(file, compared)
        except OSError as error:
            raise UsageError(f"--json {file}: cannot be written ({error.strerror})") from error
    show_comparison(compared)
    return 0
