"""`paars-bench validate`: everything that can be found wrong before a model is paid."""

from __future__ import annotations

from pathlib import Path

import click

from paars_bench.cli.base import Command, examples, include_path
from paars_bench.cli.table import table
from paars_bench.names import names


@click.command(
    cls=Command,
    short_help="Check tasks and data, without a model.",
    epilog=examples(
        "paars-bench validate",
        "paars-bench validate --tasks my_task --include_path my_tasks",
        "paars-bench validate --dataset completejourney --tasks individual",
    ),
)
@click.option("--tasks", multiple=True, metavar="NAMES", help="Tasks, groups, tags or wildcards: a,b. [all]")
@click.option("--dataset", default="demo", show_default=True, metavar="NAME", help="Data set: NAME:option=value.")
@include_path
def validate(tasks: tuple[str, ...], dataset: str, include_path: tuple[str, ...]) -> int:
    """Check task YAML and a data set, and render prompts, without a model.

    At most 60 cases of each task are looked at. Exit code 1 if anything is wrong.
    """
    from paars_bench.config import TaskIndex
    from paars_bench.errors import ConfigError
    from paars_bench.run import Finding, State, validate_tasks

    index = TaskIndex(tuple(Path(p) for p in include_path))
    specs, findings = [], []
    for name in index.matching(names(tasks, "--tasks") or ("all",)):
        try:
            specs += index.select([name])
        except ConfigError as error:
            findings.append(Finding(name, "yaml", State.WRONG, str(error)))
    findings += validate_tasks(specs, dataset) if specs else []
    rows = [(f.task, f.check, str(f.state), f.detail) for f in findings]
    click.echo(table(("TASK", "CHECK", "", "DETAIL"), rows))
    wrong = sum(f.state is State.WRONG for f in findings)
    few = sum(f.state is State.TOO_FEW for f in findings)
    note = f", {few} with too few cases to tell" if few else ""
    click.echo(f"{len(findings)} checks, {wrong} wrong{note}")
    return 1 if wrong else 0
