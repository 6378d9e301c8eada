"""What every command shares: both spellings of a flag, did-you-mean, comma lists, and durations."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import click

from paars_bench.errors import UsageError, unknown

SETTINGS: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "token_normalize_func": lambda token: token.replace("-", "_"),  # --output-path is --output_path
    "max_content_width": 100,
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Command(click.Command):
    """A command whose unknown flags are answered with the nearest one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the arguments; see ``click.Command``."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            flags = [o for p in self.get_params(ctx) for o in (*p.opts, *p.secondary_opts) if o.startswith("--")]
            see = f"{ctx.command_path} --help"
            raise click.UsageError(unknown("flag", error.option_name, flags, see=see), ctx) from error
        except click.UsageError as error:
            if "unexpected extra argument" in error.message:
                hint = f"{error.message.rstrip('.')}; several names are written together, a,b."
                raise click.UsageError(hint, ctx) from error
            raise


class Group(click.Group):
    """A group whose unknown commands are answered with the nearest one."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the arguments; none at all means ``--help``."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command; see ``click.Group``."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            see = f"{ctx.command_path} --help"
            raise click.UsageError(unknown("command", args[0], self.list_commands(ctx), see=see), ctx)
        return super().resolve_command(ctx, args)


Group.group_class = Group


def duration(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Reads seconds, or a number with ``s``, ``m`` or ``h``: a callback of click."""
    if value is None:
        return None
    found = _DURATION.fullmatch(value.strip().lower())
    if found is None or not 0 < float(found[1]) < math.inf:
        raise click.BadParameter(f"{value!r} is no time: give seconds, or 90s, 30m, 2h.", ctx, param)
    return float(found[1]) * _SECONDS[found[2]]


class Amount(click.FloatRange):
    """A finite number above 0: comparisons, by which click checks a range, let ``nan`` through."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Reads the number; see ``click.ParamType``."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no amount: give a number above 0.", param, ctx)
        return number


def examples(*lines: str) -> str:
    """Returns the end of a help text: examples, one a line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def key_values(texts: Sequence[str], flag: str) -> dict[str, str]:
    """Reads ``key=value,key=value``.

    Raises:
        UsageError: a part is no key=value, or a key stands twice.
    """
    found: dict[str, str] = {}
    for part in (p for text in texts for p in text.split(",")):
        key, equals, value = (s.strip() for s in part.partition("="))
        if not key or not equals:
            raise UsageError(f"{flag}: {part!r} is no key=value; write {flag} key=value,key=value.")
        if key in found:
            raise UsageError(f"{flag}: the key {key!r} stands twice; give it once.")
        found[key] = value
    return found


include_path: Callable[[Any], Any] = click.option(
    "--include_path",
    multiple=True,
    type=click.Path(),
    metavar="FOLDER",
    help="A folder with your own task YAML; may be given again.",
)
