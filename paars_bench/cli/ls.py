"""`paars-bench ls`: what can be named after a flag, from tables that load no data and no model."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from paars_bench.cli.base import SETTINGS, Group, examples, include_path
from paars_bench.cli.table import table
from paars_bench.errors import escaped


@click.group(
    cls=Group,
    context_settings=SETTINGS,
    epilog=examples("paars-bench ls tasks", "paars-bench ls tasks --include_path my_tasks", "paars-bench ls models"),
)
def ls() -> None:
    """List tasks, groups, data sets, models, conditions or metrics."""


def _warn(problems: Sequence[str]) -> None:
    for problem in problems:
        click.echo(f"warning: {escaped(problem)}", err=True)


@ls.command(epilog=examples("paars-bench ls tasks", "paars-bench ls tasks --include_path my_tasks"))
@include_path
def tasks(include_path: tuple[str, ...]) -> int:
    """List what --tasks takes."""
    from paars_bench.config import TaskIndex

    index = TaskIndex(include_path)
    broken = index.problems(deep=True)
    rows = []
    for entry in index.entries:
        if entry.document is None or entry.group or entry.problem:
            continue
        v = entry.document.values
        rows.append((entry.name, v["dataset"]["cases"], ", ".join(entry.tags), str(v.get("description", ""))))
    click.echo(table(("TASK", "CASES", "TAGS", "WHAT IT ASKS"), rows))
    _warn(broken)
    return 0


@ls.command(epilog=examples("paars-bench ls groups"))
@include_path
def groups(include_path: tuple[str, ...]) -> int:
    """List the groups and tags that --tasks takes."""
    from paars_bench.config import TaskIndex

    index = TaskIndex(include_path)
    broken = index.problems(deep=True)
    sound = set(index.names())
    rows = [(g, ", ".join(t for t in members if t in sound)) for g, members in index.groups().items()]
    click.echo(table(("GROUP", "TASKS"), rows))
    _warn(broken)
    return 0


@ls.command(epilog=examples("paars-bench ls datasets"))
def datasets() -> int:
    """List what --dataset takes."""
    from paars_bench.data import list_datasets

    rows: list[tuple[str, ...]] = []
    for info in list_datasets():
        missing = "" if info.installed else f" (first: pip install 'paars-bench[{info.extra}]')"
        options = ", ".join(info.options)
        rows.append((info.name, info.human_reference, ", ".join(info.kinds), options, info.summary + missing))
    own = "a log of your own, made by `paars-bench data import`; `paars-bench data describe FOLDER` says what it can do"
    rows.append(("FOLDER", "", "", "", own))
    click.echo(table(("DATASET", "HUMANS", "CASES", "OPTIONS", "WHAT IT IS"), rows))
    return 0


@ls.command(epilog=examples("paars-bench ls models"))
def models() -> int:
    """List what --model takes: any LiteLLM name works beside these."""
    from paars_bench.backbones.aliases import aliases
    from paars_bench.backbones.baselines import SCRIPTED

    rows = [
        ("local", "", "", "SmolLM2-135M-Instruct in this process: no key, no server"),
        ("local:PATH.gguf", "", "", "any GGUF model in this process"),
        *((name, "", "", f"baseline: {b.meaning}") for name, b in SCRIPTED.items()),
    ]
    for name, alias in aliases().items():
        state = "" if alias.key_env is None else "set" if os.environ.get(alias.key_env) else "not set"
        rows.append((name, alias.key_env or "", state, alias.litellm_model))
    rows.append(("PROVIDER/MODEL", "", "", "any other name of LiteLLM, passed on as it is"))
    click.echo(table(("MODEL", "KEY", "", "WHAT IT IS"), rows))
    return 0


@ls.command(epilog=examples("paars-bench ls conditions"))
def conditions() -> int:
    """List what --conditions takes."""
    from paars_bench.personas.conditions import CONDITIONS

    rows = [(c.name, c.meaning) for c in CONDITIONS.values()]
    click.echo(table(("CONDITION", "WHAT THE PROMPT HOLDS OF THE SHOPPER"), [*rows, ("all", "all of these")]))
    return 0


@ls.command(epilog=examples("paars-bench ls metrics"))
def metrics() -> int:
    """List what a task's metric_list takes."""
    from paars_bench.config.metrics import METRICS

    rows = [(name, m.level, m.says) for name, m in METRICS.items()]
    click.echo(table(("METRIC", "LEVEL", "WHAT IT MEASURES"), rows))
    return 0
