"""`paars-bench data`: anyone's log in, checked, described and mined."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paars_bench.cli.base import SETTINGS, Group, examples, key_values
from paars_bench.errors import DataError, UsageError

if TYPE_CHECKING:
    from paars_bench.data.importing.columns import ColumnMap
    from paars_bench.data.importing.importer import Sources
    from paars_bench.data.mined import MinedData

PARTIAL = 2


@click.group(
    cls=Group,
    context_settings=SETTINGS,
    epilog=examples(
        "paars-bench data validate log.csv --catalog products.csv --column shopper=user_id --column time=ts",
        "paars-bench data import log.csv --catalog products.csv --columns columns.yaml --sessions 30m --to mylog",
        "paars-bench data describe demo",
        "paars-bench data mine mylog",
        "paars-bench --model local --dataset ./mylog --limit 5",
    ),
)
def data() -> None:
    """Bring your own log: import, validate, describe, mine."""


def _reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds what `import` and `validate` share."""
    for option in reversed(
        (
            click.argument("log", nargs=-1, required=True, metavar="LOG…"),
            click.option("--catalog", metavar="SOURCE", help="The products. [the log's own title column]"),
            click.option("--shoppers", metavar="SOURCE", help="What is truly known of the shoppers."),
            click.option(
                "--columns",
                "columns_file",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="YAML that maps columns; paars_bench/data/README.md shows one.",
            ),
            click.option(
                "--column", multiple=True, metavar="OURS=THEIRS", help="A column of the log; may be repeated."
            ),
            click.option("--action", metavar="ACTION", help="Of every row, where no column says: purchase for orders."),
            click.option("--sessions", metavar="HOW", help="column, day, or a gap such as 30m. [column]"),
            click.option("--encoding", metavar="NAME", help="Of CSV and JSON lines. [utf-8]"),
            click.option("--delimiter", metavar="CHAR", help="Of CSV. [a comma; a tab in .tsv]"),
        )
    ):
        command = option(command)
    return command


def _what(options: dict[str, Any]) -> tuple[Sources, ColumnMap]:
    from paars_bench.data.importing.columns import read_columns
    from paars_bench.data.importing.importer import Sources

    columns = read_columns(
        options["columns_file"],
        key_values(options["column"], "--column") if options["column"] else {},
        action=options["action"],
        sessions=options["sessions"],
        encoding=options["encoding"],
        delimiter=options["delimiter"],
    )
    return Sources(tuple(options["log"]), options["catalog"], options["shoppers"]), columns


@data.command(
    name="import",
    short_help="Read a log into a data set folder.",
    epilog=examples(
        "paars-bench data import log.csv --catalog products.csv --to mylog",
        "paars-bench data import logs/ --columns columns.yaml --sessions 30m --to mylog",
        "paars-bench data import s3://shop/log.parquet --catalog s3://shop/items.parquet --to mylog",
    ),
)
@_reading
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Made here.")
@click.option("--name", metavar="NAME", help="Of the data set. [the folder's]")
@click.option("--simulated", is_flag=True, help="Its shoppers are no real people; every result will say so.")
@click.option("--licence", metavar="TEXT", default="not stated", help="Of the source.")
@click.option("--citation", metavar="TEXT", default="not stated", help="Of the source.")
def import_(folder: Path, name: str | None, simulated: bool, licence: str, citation: str, **options: Any) -> int:
    """Read LOG (CSV, JSON lines, Parquet; file, folder or URL) into a data set folder.

    What is sound is loaded; every row that breaks a rule is kept in quarantine.jsonl with its place. Exit code 0 if
    no row does, else 2.
    """
    sources, columns = _what(options)
    from paars_bench.cli.data_tables import import_lines
    from paars_bench.data.importing.importer import import_log
    from paars_bench.data.importing.written import Described
    from paars_bench.run.progress import Screen

    about = Described(name or folder.resolve().name, "simulated" if simulated else "real", licence, citation)
    with Screen() as screen:
        imported = import_log(sources, columns, folder, about, progress=screen.stage)
    click.echo(import_lines(imported))
    if len(imported.defects):
        click.echo(f"every defect with its row: {folder / 'quarantine.jsonl'}")
    click.echo(f"written to {folder}; next: paars-bench data mine {folder}")
    return PARTIAL if len(imported.defects) else 0


@data.command(
    short_help="Check a log without loading it.",
    epilog=examples(
        "paars-bench data validate log.csv --catalog products.csv",
        "paars-bench data validate log.jsonl --columns columns.yaml --quarantine bad.jsonl",
    ),
)
@_reading
@click.option("--quarantine", type=click.Path(path_type=Path), metavar="FILE", help="Write every defect there.")
def validate(quarantine: Path | None, **options: Any) -> int:
    """Say what `import` would load of LOG, and where each rule is broken; nothing is written but --quarantine.

    Exit code 0 if no row breaks a rule, 2 if some do, 1 if nothing sound is left.
    """
    sources, columns = _what(options)
    from paars_bench.cli.data_tables import import_lines
    from paars_bench.data.importing.importer import nothing_sound, read_log
    from paars_bench.run.progress import Screen

    if quarantine is not None and quarantine.exists():
        raise UsageError(f"--quarantine {quarantine}: is already there; name another file")
    with Screen() as screen:
        imported = read_log(sources, columns, quarantine=quarantine, progress=screen.stage)
    click.echo(import_lines(imported))
    if not imported.log.events.num_rows:
        raise DataError(nothing_sound(imported))
    return PARTIAL if len(imported.defects) else 0


def _named(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the data set that `describe` and `mine` are about, with or without the flag that other commands have."""
    command = click.option("--dataset", "flag", metavar="NAME|FOLDER", help="The same, as other commands take it.")(
        command
    )
    return click.argument("dataset", required=False, metavar="NAME|FOLDER")(command)


def _one(dataset: str | None, flag: str | None) -> str:
    if (dataset is None) == (flag is None):
        raise UsageError("name one data set or folder, such as demo; see `paars-bench ls datasets`.")
    return dataset or flag or ""


@data.command(
    short_help="Show what a data set or a log of agents holds.",
    epilog=examples(
        "paars-bench data describe demo",
        "paars-bench data describe --dataset completejourney",
        "paars-bench data describe runs/first/agent_log",
    ),
)
@_named
def describe(dataset: str | None, flag: str | None) -> int:
    """Show the figures of a data set by name, of an imported folder, or of a log of sessions in the store.

    Such a log is the agent_log of a run, or what `paars-bench shop` left.
    """
    dataset = _one(dataset, flag)
    from paars_bench.cli.data_tables import about_lines, figure_lines
    from paars_bench.data.agent_folder import is_agent_log, read_agent_log
    from paars_bench.data.shop_log import awaits_sessions

    if awaits_sessions(Path(dataset)):
        click.echo(f"{dataset}: no session is recorded there yet; `paars-bench shop` adds one when it ends")
        return 0
    if is_agent_log(Path(dataset)):
        log = read_agent_log(Path(dataset))
        click.echo(f"{dataset}: sessions in the store")
    else:
        from paars_bench.data import load_dataset
        from paars_bench.run.progress import Screen

        with Screen() as screen:
            loaded = load_dataset(dataset, progress=screen.stage)
        log = loaded.log
        click.echo(about_lines(loaded))
    click.echo(figure_lines(log))
    return 0


@data.command(
    short_help="Show how many cases each rule keeps.",
    epilog=examples("paars-bench data mine demo", "paars-bench data mine mylog --to mylog_cases"),
)
@_named
@click.option("--to", "folder", type=click.Path(path_type=Path), metavar="FOLDER", help="Write the cases as Parquet.")
def mine(dataset: str | None, flag: str | None, folder: Path | None) -> int:
    """Make the test sets of the paper and show what each rule kept and dropped."""
    dataset = _one(dataset, flag)
    from paars_bench.cli.data_tables import funnel_table
    from paars_bench.data import load_dataset
    from paars_bench.run.progress import Screen

    if folder is not None and folder.exists():
        raise UsageError(f"--to {folder}: is already there; name another folder")
    with Screen() as screen:
        loaded = load_dataset(dataset, progress=screen.stage)
    if loaded.about.imported:
        click.echo(funnel_table("import", loaded.about.imported) + "\n")
    for kind, steps in loaded.mined.funnels.items():
        click.echo(funnel_table(str(kind), steps) + "\n")
    if not loaded.kinds:
        click.echo("no case can be made of it")
    if folder is not None:
        _write_cases(loaded, folder)
        click.echo(f"written to {folder}")
    return 0


def _write_cases(loaded: MinedData, folder: Path) -> None:
    import pyarrow.parquet as pq

    try:
        folder.mkdir(parents=True)
        for kind, cases in loaded.mined.cases.items():
            pq.write_table(cases, folder / f"{kind}.parquet")
    except OSError as error:
        raise UsageError(f"--to {folder}: cannot be written ({error.strerror or error})") from error
