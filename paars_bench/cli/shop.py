"""`paars-bench shop`: a person shops through the very tools that agents get, and leaves the same log."""

from __future__ import annotations

from pathlib import Path

import click

from paars_bench.cli.base import Command, examples
from paars_bench.errors import UsageError


@click.command(
    cls=Command,
    short_help="Shop in a data set's shop yourself.",
    epilog=examples(
        "paars-bench shop                                   the demo's shop, on an errand of your own",
        "paars-bench shop --as S00003                       the errand of one of the demo's shoppers",
        "paars-bench shop --dataset ./mylog --intention 'a gift for a cook'",
        "paars-bench shop --store store.yaml --to mine      another ranking, another folder",
        "paars-bench shop --bring /tmp/paars-bench-shop-x --to mine   a session that was kept elsewhere",
        "printf 'coffee\\n1\\nadd\\nbuy\\nq\\n' | paars-bench shop --as S00003",
    ),
)
@click.option("--dataset", default="demo", show_default=True, metavar="NAME", help="Data set: NAME:option=value.")
@click.option("--as", "shopper", metavar="SHOPPER", help="Run an errand of this shopper of the data set.")
@click.option("--intention", metavar="TEXT", help="Why you come, in your own words; it is recorded.")
@click.option("--store", type=click.Path(path_type=Path), metavar="FILE", help="YAML of store settings. [as shipped]")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), metavar="FOLDER", help="Of the log. [shop-sessions/DATASET]"
)
@click.option(
    "--bring",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Add the sessions of this folder to those of --to, and do not shop.",
)
def shop(
    dataset: str,
    shopper: str | None,
    intention: str | None,
    store: Path | None,
    folder: Path | None,
    bring: Path | None,
) -> int:
    """Shop in the terminal, page by page; `?` lists what you can type, `q` leaves.

    The session is added to a log in the schema of the agents' logs. One that is broken off (Ctrl-D, Ctrl-C, a closed
    terminal) is kept without an end. Where the log cannot be written, the session is kept elsewhere; --bring adds it.
    """
    if bring is not None:
        if folder is None or any((shopper, intention, store, dataset != "demo")):
            raise UsageError(f"--bring {bring}: goes with --to FOLDER and nothing else.")
        return _bring(bring, folder)
    from paars_bench.cli.shop_session import Errand, open_errand, shop_in_terminal

    asked = Errand(dataset, shopper, intention, store, folder)
    return shop_in_terminal(open_errand(asked))


def _bring(source: Path, folder: Path) -> int:
    from paars_bench.cli.shop_kept import bring

    click.echo(bring(source, folder))
    return 0
