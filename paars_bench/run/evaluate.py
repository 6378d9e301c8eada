"""One run from its specification to its results: behind ``paars-bench run``, ``score`` and ``evaluate()``."""

from __future__ import annotations

import shlex
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from paars_bench.backbones.workers import Workers
from paars_bench.data.cases import ShoppingData
from paars_bench.errors import PaarsError
from paars_bench.report.results import exit_code
from paars_bench.run.account import Account, Stop
from paars_bench.run.config import config_of
from paars_bench.run.directory import CONFIG, CannotWriteError, cannot_write
from paars_bench.run.ended import ended_now
from paars_bench.run.estimate import estimate, say_estimate
from paars_bench.run.finishing import RunOutcome, finish, show
from paars_bench.run.loop import run_to_end
from paars_bench.run.opening import (
    announce,
    check_session_caps,
    check_spec,
    default_path,
    held_directory,
    open_both,
    open_cache,
    prepare,
    rehearse_all,
    tell_of_batches,
)
from paars_bench.run.options import spec_from
from paars_bench.run.plan import make_plan
from paars_bench.run.progress import Screen
from paars_bench.run.schedule import run_questions
from paars_bench.run.spec import RunSpec


def evaluate(model: str, tasks: Sequence[str] | str = "all", dataset: str = "demo", **options: Any) -> dict[str, Any]:
    """Runs a benchmark and returns what ``results.json`` holds; a dry run what it would ask and take.

    Args:
        model: alias, LiteLLM name, ``local``, ``local:PATH.gguf`` or a baseline.
        tasks: names, groups, tags or wildcards: ``"a,b"`` or a list.
        dataset: data set name with options, or the folder of an imported log.
        **options: as the flags of the same names:

            - ``conditions``: ``"base,persona"``, a list, or ``"all"``; as each task says
            - ``model_args``: dictionary given to the backbone
            - ``limit``: cases per task at most; all
            - ``repeats``: how often each case is asked; 1
            - ``seed``: of every draw; 0
            - ``output_path``: run folder; a new one in ``runs/``
            - ``max_concurrency``: requests in flight
            - ``max_cost``, ``max_tokens_total``, ``max_time``: US dollars, tokens, seconds; no cap
            - ``fail_on_error``: share (below 1) or number of failed cases that stops the run
            - ``use_cache``: ``"read"``, ``"write"``, ``"rw"`` or ``"refresh"`` the response cache; ``"off"``
            - ``batch``: send calls in the provider's batches, at half the price and within a day; False
            - ``executor``: call from the run (``"inline"``) or from N processes (``"process:N"``); ``"auto"``
            - ``include_path``: a folder with more task YAML, or several
            - ``log_samples``: keep prompts and replies; of models and not of baselines
            - ``dry_run``: call nothing and return ``config`` (the run resolved) and ``estimate``; False
            - ``command``: what is written down as the command

    Raises:
        PaarsError: as the command line would say it; bad input before any work is done.
    """
    spec = spec_from({"model": model, "tasks": tasks, "dataset": dataset, **options})
    return dict(evaluate_spec(spec).results)


def evaluate_spec(spec: RunSpec, started: Workers | None = None) -> RunOutcome:
    """Runs what ``spec`` asks for, resuming what its folder already holds.

    Args:
        spec: of the run.
        started: processes for the backbone, where some were started ahead.

    Raises:
        PaarsError: bad input, a backbone that cannot work, or a folder of another run.
    """
    path = spec.output_path or default_path(spec)
    go_on = f"the same command with --output_path {shlex.quote(str(path))} goes on from here"
    spec = replace(spec, output_path=path)
    with _interrupt_named(path, go_on), Screen() as screen:
        specs = check_spec(spec)
        with held_directory(path) as directory:
            cache = open_cache(spec, screen)
            opened, data = open_both(spec, screen, cache, directory.batches if spec.batch else None, started)
            plan = make_plan(specs, data, spec)
            rehearse_all(plan, data)
            backbone = opened()
            check_session_caps(plan, backbone)
            announce(spec, plan, data, backbone, screen)
            config = config_of(spec, plan, data, backbone)
            if spec.dry_run:
                work = prepare(spec, plan, data, backbone, directory, screen).work
                return _dry(config, estimate(plan, work), data, path)
            resumed = directory.claim(config)
            screen.note(f"run folder: {path}; {go_on}")
            work, todo, done = prepare(spec, plan, data, backbone, directory, screen)
            account = work.account
            if resumed:
                screen.note(f"resumed: {account.before} of {account.planned} cases were on disk")
                tell_of_batches(spec, directory, screen)
            say_estimate(plan, work)
            screen.open(account)
            with _failures_sorted(account, path, screen) as hopeless:
                run_to_end(run_questions(todo, work), work.interrupt)
            del work, todo  # the store and the prompts' histories: no number is computed from them
            if resumed:
                screen.note(
                    f"resumed: {account.before} of {account.planned} cases were on disk, {account.done} asked now"
                )
            ended = ended_now(path, account, backbone)
            if ended.not_sent:
                names = ", ".join(ended.not_sent)
                screen.note(f"not sent: {names} ({backbone.traits.litellm_model} does not take it)")
            for line in (*backbone.remarks, *(() if cache is None else cache.told())):
                screen.note(line)
            if account.usage.estimated:
                screen.note(
                    f"{account.usage.estimated:,} calls came back without a count of tokens: theirs are estimated from "
                    "the text, and caps and costs count that"
                )
            results = finish(plan, data, done, account.task_usage, directory, screen, ended)
            if hopeless:
                raise hopeless[0]
            show(results, path)
            if exit_code(results):
                screen.note(f"{results['run']['status']}: {go_on}")
            return RunOutcome(path, results, exit_code(results))


@contextmanager
def _interrupt_named(path: Path, go_on: str) -> Iterator[None]:
    """Gives a Ctrl-C the words that say where the run lies; a SIGTERM means the same."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end) if threading.current_thread() is threading.main_thread() else None
    try:
        yield
    except KeyboardInterrupt:
        kept = (path / CONFIG).exists()
        raise KeyboardInterrupt(f"interrupted; {go_on}." if kept else "interrupted; nothing was asked.") from None
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def _failures_sorted(account: Account, path: Path, screen: Screen) -> Iterator[list[PaarsError]]:
    """Turns what the workers raise into one error, handed out so that results are written before it is raised."""
    hopeless: list[PaarsError] = []
    try:
        yield hopeless
    except* CannotWriteError as group:
        raise group.exceptions[0] from None
    except* PaarsError as group:
        account.stop = Stop.FAULTS if account.stop is Stop.FAULTS else Stop.UNUSABLE
        hopeless += [e for e in group.exceptions if isinstance(e, PaarsError)]
    except* OSError as group:
        raise cannot_write(path, group.exceptions[0]) from None
    finally:
        screen.close()


def _dry(config: dict[str, Any], estimated: dict[str, Any], data: ShoppingData, path: Path) -> RunOutcome:
    from paars_bench.report.estimate_table import show_dry_run

    people = "simulated shoppers" if data.human_reference == "simulated" else "real people"
    show_dry_run(config, estimated, f"{data.name} ({people})")
    return RunOutcome(path, {"config": config, "estimate": estimated}, 0)
