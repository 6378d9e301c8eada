"""The one way in: which command is meant, and how every end becomes one line and an exit code."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence

import click

from paars_bench import __version__
from paars_bench.boundary import unforeseen
from paars_bench.cli.base import SETTINGS, Group, examples
from paars_bench.cli.compare import compare
from paars_bench.cli.data import data
from paars_bench.cli.doctor import doctor
from paars_bench.cli.leaderboard import leaderboard
from paars_bench.cli.ls import ls
from paars_bench.cli.run import run
from paars_bench.cli.score import score
from paars_bench.cli.shop import shop
from paars_bench.cli.validate import validate
from paars_bench.errors import PaarsError, printable

PROGRAM = "paars-bench"
_OWN_FLAGS = ("-h", "--help", "--version")
_COLLECT = (50_000, 10, 10)  # objects made between two collections: of the default 700, a third of an import is spent
INTERRUPTED = 130


class App(Group):
    """The command; flags without a command mean ``run``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the arguments; see ``click.Group``."""
        if args and args[0].startswith("-") and args[0] not in _OWN_FLAGS:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=App,
    context_settings=SETTINGS,
    epilog=examples(
        f"{PROGRAM} --model local --tasks all         an embedded model: no key, no server",
        f"{PROGRAM} --model claude --tasks individual --conditions base,persona --limit 100",
        f"{PROGRAM} --model random --tasks all        what knowing nothing scores",
        f"{PROGRAM} shop                              shop yourself, through the tools that agents get",
        f"{PROGRAM} ls tasks",
        f"{PROGRAM} run --help                        every flag of a run",
    ),
)
@click.version_option(__version__, prog_name=PROGRAM)
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error, with any command.")
def app(debug: bool) -> None:
    """Measure how closely a population of LLM shoppers behaves like a population of people.

    Flags without a command mean `run`. Exit codes: 0 complete, 1 usage or configuration, 2 partial, 3 budget
    reached, 4 failed, 130 interrupted.
    """


for _command in (run, ls, validate, score, compare, leaderboard, data, shop, doctor):
    app.add_command(_command)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code.

    Args:
        argv: the words after the program's name; None takes those of this process.
    """
    _never_fail_to_write()
    gc.set_threshold(*_COLLECT)
    given = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in given or bool(os.environ.get("PAARS_BENCH_DEBUG"))
    with unforeseen(*((Exception,) if debug else ())) as caught:
        try:
            words = [a for a in given if a != "--debug"]
            code = app.main(words, prog_name=PROGRAM, standalone_mode=False, obj=words)
            return code if isinstance(code, int) else 0
        except PaarsError as error:
            _say(str(error))
            return error.exit_code
        except click.ClickException as error:
            _say(error.format_message())
            return 1
        except (click.Abort, KeyboardInterrupt) as error:
            _say(str(error.__cause__ or error) or _interrupted(given))  # a run names its folder in what it raises
            return INTERRUPTED
    _say(f"unexpected {caught.words} (--debug shows the traceback; please report it)")
    return PaarsError.exit_code


def _never_fail_to_write() -> None:
    """A terminal that cannot show a dash or a foreign title shows a question mark, and the command goes on."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _interrupted(given: Sequence[str]) -> str:
    command = next((a for a in given if a != "--debug"), "")
    if command == "run" or command.startswith("-"):
        return "interrupted; a run goes on from here when the same command is given the same --output_path."
    return "interrupted; give the same command again to start it over."


def _say(message: str) -> None:
    click.echo("error: " + printable(message), err=True)
