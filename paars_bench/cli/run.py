"""`paars-bench run`: flags into one ``RunSpec``, nothing else."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from paars_bench.backbones.cache_use import CacheUse
from paars_bench.backbones.executor import started_ahead
from paars_bench.cli.base import Amount, Command, duration, examples, include_path, key_values
from paars_bench.errors import UsageError
from paars_bench.names import names


@click.command(
    cls=Command,
    epilog=examples(
        "paars-bench --model local --tasks all",
        "paars-bench --model claude --tasks individual --conditions all --max_cost 5",
        "paars-bench --model openai/my-model --model_args api_base=http://localhost:8000/v1,api_key=x",
        "paars-bench --model random --dataset completejourney --tasks item_selection_individual --limit 1000",
        "paars-bench --model gpt --tasks 'item_*' --output_path runs/gpt --dry_run",
    ),
)
@click.option("--model", metavar="NAME", help="Alias, LiteLLM name, local, local:PATH.gguf, or a baseline.")
@click.option("--tasks", multiple=True, metavar="NAMES", help="Tasks, groups, tags or wildcards: a,b. [all]")
@click.option("--dataset", default="demo", show_default=True, metavar="NAME", help="Data set: NAME:option=value.")
@click.option("--conditions", multiple=True, metavar="NAMES", help="Conditions, or all. [as each task says]")
@click.option("--model_args", multiple=True, metavar="K=V,…", help="Given to the backbone: api_base, timeout, …")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Cases per task at most.")
@click.option("--repeats", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Asks per case.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Of every draw.")
@click.option("--output_path", type=click.Path(path_type=Path), metavar="FOLDER", help="Run folder. [new in runs/]")
@click.option("--max_concurrency", type=click.IntRange(min=1), metavar="N", help="Requests in flight at most.")
@click.option(
    "--max_cost",
    type=Amount(),
    metavar="USD",
    help="Stop before more is spent.",
)
@click.option("--max_tokens_total", type=click.IntRange(min=1), metavar="N", help="Stop before more tokens are used.")
@click.option("--max_time", callback=duration, metavar="TIME", help="Stop after this long: seconds, 30m, 2h.")
@click.option(
    "--fail_on_error",
    type=Amount(),
    metavar="X",
    help="Stop once this share (below 1) or number (from 1) of cases failed.",
)
@click.option(
    "--use_cache",
    type=click.Choice([str(use) for use in CacheUse]),
    default=str(CacheUse.OFF),
    show_default=True,
    help="Take replies from the response cache, leave them there, or both.",
)
@click.option("--batch", is_flag=True, help="Send calls in the provider's batches: half the price, up to a day.")
@click.option(
    "--executor",
    default="auto",
    show_default=True,
    metavar="WHERE",
    help="Call from the run (inline) or from N processes of its own (process:N).",
)
@click.option("--log_samples/--no_log_samples", default=None, help="Keep prompts and replies. [of models]")
@include_path
@click.option("--dry_run", is_flag=True, help="Resolve, render and count, but call nothing.")
def run(model: str | None, tasks: tuple[str, ...], conditions: tuple[str, ...], **flags: Any) -> int:
    """Run tasks on a model and measure how human it is.

    A run writes to its folder as it goes; the same command on the same --output_path resumes it.
    """
    if not model:
        raise UsageError("--model is missing: try `--model local`, or see `paars-bench ls models`.")
    raw_args = flags.pop("model_args")
    asked = {
        "model": model,
        "tasks": names(tasks, "--tasks") or ("all",),
        "conditions": names(conditions, "--conditions") or None,
        "model_args": key_values(raw_args, "--model_args"),
        "include_path": tuple(Path(p) for p in flags.pop("include_path")),
        "use_cache": CacheUse(flags.pop("use_cache")),
        "command": _command_line(click.get_current_context().find_root().obj, raw_args),
        **flags,
    }
    started = started_ahead(asked)
    from paars_bench.run import RunSpec, evaluate_spec  # after the checks: this import takes seconds

    return evaluate_spec(RunSpec(**asked), started).exit_code


def _command_line(words: list[str], raw_args: tuple[str, ...]) -> str:
    """The command as typed, for the record, its keys hidden."""
    from paars_bench.backbones.redact import public_args

    for raw in raw_args:
        public = ",".join(f"{k}={v}" for k, v in public_args(key_values([raw], "--model_args")).items())
        words = [word.replace(raw, public) for word in words]
    return shlex.join(["paars-bench", *words])
