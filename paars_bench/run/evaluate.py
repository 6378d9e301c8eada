"""One run from its specification to its results: behind ``paars-bench run``, ``score`` and ``evaluate()``."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from paars_bench.backbones.door import Backbone, Usage
from paars_bench.backbones.gateway import BackboneUnusable
from paars_bench.data import load_dataset
from paars_bench.data.cases import ShoppingData
from paars_bench.errors import DataError, PaarsError, UsageError
from paars_bench.report.results import build_results, exit_code
from paars_bench.run.agent_log import write_agent_log
from paars_bench.run.directory import CONFIG, RESULTS, RunDirectory, cannot_write, read_config
from paars_bench.run.heads import load_personas
from paars_bench.run.journal import load_journal
from paars_bench.run.loop import run_to_end
from paars_bench.run.opening import (
    announce,
    check_spec,
    config_of,
    default_path,
    held_directory,
    open_both,
    prepare,
    rehearse_all,
)
from paars_bench.run.options import spec_from
from paars_bench.run.plan import Plan, make_plan
from paars_bench.run.progress import Screen
from paars_bench.run.recorded import spec_of, tasks_of
from paars_bench.run.schedule import Account, Stop, run_questions
from paars_bench.run.spec import RunSpec
from paars_bench.tasks.result import CaseResult


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run left: its folder, its results and the exit code of the command."""

    path: Path
    results: Mapping[str, Any]
    exit_code: int


def evaluate(model: str, tasks: Sequence[str] | str = "all", dataset: str = "demo", **options: Any) -> dict[str, Any]:
    """Runs a benchmark and returns what ``results.json`` holds; a dry run returns nothing.

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
            - ``include_path``: a folder with more task YAML, or several
            - ``log_samples``: keep prompts and replies; True
            - ``dry_run``: resolve and count, but call nothing; False
            - ``command``: what is written down as the command

    Raises:
        PaarsError: as the command line would say it; bad input before any work is done.
    """
    spec = spec_from({"model": model, "tasks": tasks, "dataset": dataset, **options})
    return dict(evaluate_spec(spec).results)


def evaluate_spec(spec: RunSpec) -> RunOutcome:
    """Runs what ``spec`` asks for, resuming what its folder already holds.

    Raises:
        PaarsError: bad input, a backbone that cannot work, or a folder of another run.
    """
    path = spec.output_path or default_path(spec)
    go_on = f"the same command with --output_path {shlex.quote(str(path))} goes on from here"
    spec = replace(spec, output_path=path)
    with _interrupt_named(path, go_on), Screen() as screen:
        specs = check_spec(spec)
        with held_directory(path) as directory:
            backbone, data = open_both(spec, screen)
            plan = make_plan(specs, data, spec)
            rehearse_all(plan, data)
            announce(spec, plan, data, backbone, screen)
            if spec.dry_run:
                return _dry(plan, data, backbone, path)
            resumed = directory.claim(config_of(spec, plan, data, backbone))
            screen.note(f"run folder: {path}; {go_on}")
            work, todo, done = prepare(spec, plan, data, backbone, directory, screen)
            account = work.account
            if resumed:
                screen.note(f"resumed: {account.before} of {account.planned} cases were on disk")
            screen.open(account)
            with _failures_sorted(account, path, screen) as hopeless:
                run_to_end(run_questions(todo, work), work.interrupt)
            if resumed:
                screen.note(
                    f"resumed: {account.before} of {account.planned} cases were on disk, {account.done} asked now"
                )
            ended = _ended(directory, account, backbone)
            if ended.not_sent:
                names = ", ".join(ended.not_sent)
                screen.note(f"not sent: {names} ({backbone.traits.litellm_model} does not take it)")
            results = _finish(plan, data, done, account.task_usage, directory, screen, ended)
            if hopeless:
                raise hopeless[0]
            _show(results, path)
            if exit_code(results):
                screen.note(f"{results['run']['status']}: {go_on}")
            return RunOutcome(path, results, exit_code(results))


@contextmanager
def _interrupt_named(path: Path, go_on: str) -> Iterator[None]:
    """Gives a Ctrl-C the words that say where the run lies."""
    try:
        yield
    except KeyboardInterrupt:
        kept = (path / CONFIG).exists()
        raise KeyboardInterrupt(f"interrupted; {go_on}." if kept else "interrupted; nothing was asked.") from None


@contextmanager
def _failures_sorted(account: Account, path: Path, screen: Screen) -> Iterator[list[BackboneUnusable]]:
    """Turns what the workers raise into one error; what makes every case hopeless is handed out, to be raised last."""
    hopeless: list[BackboneUnusable] = []
    try:
        yield hopeless
    except* BackboneUnusable as group:
        account.stop = Stop.UNUSABLE
        hopeless += [e for e in group.exceptions if isinstance(e, BackboneUnusable)]
    except* PaarsError as group:
        raise group.exceptions[0] from None
    except* OSError as group:
        raise cannot_write(path, group.exceptions[0]) from None
    finally:
        screen.close()


def _dry(plan: Plan, data: ShoppingData, backbone: Backbone, path: Path) -> RunOutcome:
    from paars_bench.report.tables import show_plan

    show_plan(plan, data, backbone)
    return RunOutcome(path, {}, 0)


def rescore(path: Path, *, dataset: str | None = None) -> RunOutcome:
    """Computes the results of a run again from its journal, without a model.

    Args:
        path: of the run.
        dataset: where its data set lies now; None where the run has it.

    Raises:
        PaarsError: not a run, or its data set is not the same any more.
    """
    with Screen() as screen:
        config = read_config(path)
        with held_directory(path) as directory:
            spec = spec_of(path, config["spec"])
            specs = tasks_of(path, config["tasks"])
            data = _same_data(path, spec.dataset, dataset, config["identity"]["dataset_sha256"], screen)
            plan = make_plan(specs, data, spec)
            rehearse_all(plan, data)
            journaled = load_journal(directory.journal)
            done = {k: r for k, r in journaled.done.items() if plan.holds(r)}
            results = _finish(plan, data, done, sum(journaled.spent, Usage()), directory, screen, _ended(directory))
        _show(results, path)
        return RunOutcome(path, results, exit_code(results))


def _same_data(path: Path, made_on: str, now: str | None, digest: str, screen: Screen) -> ShoppingData:
    try:
        data = load_dataset(now or made_on, progress=screen.stage)
    except DataError as error:
        if now is not None:
            raise
        place = f"where it was moved, name its new place: paars-bench score {path} --dataset FOLDER"
        raise DataError(f"{str(error).rstrip('.')}; {place}") from error
    if data.sha256 != digest:
        raise UsageError(
            f"{path}: was made on {made_on} with digest {digest[:12]}, and {now or 'it'} now has {data.sha256[:12]}; "
            f"score it with the data and the version that made it"
        )
    return data


def _finish(
    plan: Plan,
    data: ShoppingData,
    done: Mapping[str, CaseResult],
    spent: Usage,
    directory: RunDirectory,
    screen: Screen,
    ended: Ended,
) -> dict[str, Any]:
    """Writes the agents' log and ``results.json``, also of a run that is not complete."""
    screen.note(f"scoring {len(done)} cases")
    write_agent_log(directory.path, done.values())
    personas = load_personas(directory.personas)
    config = read_config(directory.path)  # of the first process: its run id and start stay
    results = build_results(
        {**config, "model": {**config["model"], "not_sent": dict(ended.not_sent)}},
        plan,
        data,
        done,
        usage={"task": spent, "persona": sum(personas.spent, Usage())},
        seconds=ended.seconds,
        stop=ended.stop,
        screen=screen,
    )
    directory.write_results(results)
    return results


class Ended(NamedTuple):
    """How asking ended: seconds of every process, why it stopped early, and parameters the provider did not take."""

    seconds: float
    stop: str | None
    not_sent: Mapping[str, str]


def _ended(directory: RunDirectory, account: Account | None = None, backbone: Backbone | None = None) -> Ended:
    """Adds this process to what earlier ones wrote; without one (scoring again) their words stand."""
    before = _results_on_disk(directory.path)
    seconds = float(before.get("run", {}).get("seconds") or 0.0)
    not_sent = before.get("model", {}).get("not_sent", {})
    if account is None or backbone is None:
        return Ended(seconds, before.get("run", {}).get("stop"), not_sent)
    seconds += time.monotonic() - account.started
    return Ended(seconds, account.stop and str(account.stop), {**not_sent, **backbone.not_sent})


def _results_on_disk(path: Path) -> dict[str, Any]:
    file = path / RESULTS
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _show(results: Mapping[str, Any], path: Path) -> None:
    from paars_bench.report.tables import show_results

    show_results(results, path)
