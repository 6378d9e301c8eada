"""`paars-bench doctor`: what this machine has and can reach, and the fix for what it lacks."""

from __future__ import annotations

import click

from paars_bench.cli.base import Command, examples


@click.command(
    cls=Command,
    short_help="Show what works on this machine, and fixes.",
    epilog=examples("paars-bench doctor"),
)
def doctor() -> int:
    """Show what is installed, which keys, models and hubs are reachable, and the fix for each.

    Exit code 1 only if something that every run needs is broken.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from paars_bench.cli.doctor_checks import State, all_checks

    looks = {State.OK: "[green]ok[/]", State.NOTE: "[yellow]note[/]", State.BROKEN: "[red]BROKEN[/]"}
    checks = all_checks()
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for header in ("CHECK", "", "FOUND"):
        shown.add_column(header, overflow="fold", no_wrap=header != "FOUND")
    for check in checks:
        shown.add_row(check.name, looks[check.state], escape(check.found))
        if check.fix:
            shown.add_row("", "", f"[dim]→ {escape(check.fix)}[/]")
    Console(highlight=False, markup=True).print(shown)
    broken = [c.name for c in checks if c.state is State.BROKEN]
    if broken:
        click.echo(f"broken: {', '.join(broken)}")
        return 1
    return 0
