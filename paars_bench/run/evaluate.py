"""One run from its specification to its results: behind ``paars-bench run``, ``score`` and ``evaluate()``."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from paars_bench.backbones.aliases import resolve
from paars_bench.backbones.door import Backbone, Usage
from paars_bench.backbones.open import open_backbone
from paars_bench.backbones.redact import public_args
from paars_bench.config import TaskIndex, TaskSpec
from paars_bench.data import load_dataset
from paars_bench.data.cases import ShoppingData
from paars_bench.data.registry import parse_spec
from paars_bench.errors import PaarsError, UsageError
from paars_bench.outcomes import POLICY
from paars_bench.report.results import build_results, exit_code
from paars_bench.run.agent_log import write_agent_log
from paars_bench.run.directory import RESULTS, RunDirectory, cannot_write, read_config
from paars_bench.run.environment import environment
from paars_bench.run.heads import Heads, history_budget, load_personas
from paars_bench.run.journal import JsonLines
from paars_bench.run.loop import run_to_end
from paars_bench.run.plan import Plan, choose_conditions, make_plan
from paars_bench.run.progress import Screen
from paars_bench.run.schedule import Account, Work, run_questions
from paars_bench.run.spec import RunSpec
from paars_bench.store import Shop
from paars_bench.tasks.ask import Asker
from paars_bench.tasks.check import check_metrics
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.result import CaseResult, case_key, result_of

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run left: its folder, its results and the exit code of the command."""

    path: Path
    results: Mapping[str, Any]
    exit_code: int


def evaluate(model: str, tasks: Sequence[str] | str = "all", dataset: str = "demo", **options: Any) -> dict[str, Any]:
    """Runs a benchmark and returns what ``results.json`` holds.

    Args:
        model: alias, LiteLLM name, ``local`` or a baseline.
        tasks: names, groups, tags or wildcards.
        dataset: data set name with options.
        **options: the other fields of ``RunSpec``.

    Raises:
        PaarsError: as the command line would say it; bad input before any work is done.
    """
    chosen = tuple(tasks.split(",")) if isinstance(tasks, str) else tuple(tasks)
    return dict(evaluate_spec(RunSpec(model=model, tasks=chosen, dataset=dataset, **options)).results)


def evaluate_spec(spec: RunSpec) -> RunOutcome:
    """Runs what ``spec`` asks for, resuming what its folder already holds.

    Raises:
        PaarsError: bad input, a backbone that cannot work, or a folder of another run.
    """
    with Screen() as screen:
        specs = _check(spec)
        path = spec.output_path or _default_path(spec)
        made = [p for p in (path, *path.parents) if not p.exists()]
        directory = RunDirectory(path)
        try:
            return _run(replace(spec, output_path=path), specs, directory, screen)
        finally:
            directory.close()
            _forget_if_empty(path, made)


def _check(spec: RunSpec) -> list[TaskSpec]:
    """Refuses what can be refused before any work: names, numbers, keys."""
    for name, low in (("limit", 1), ("repeats", 1), ("max_concurrency", 1), ("seed", 0)):
        value = getattr(spec, name)
        if value is not None and value < low:
            raise UsageError(f"--{name} {value}: needs a whole number of {low} or more")
    tokens = spec.model_args.get("history_tokens")
    if tokens is not None and not tokens.isdigit():
        raise UsageError(f"--model_args history_tokens={tokens}: needs a whole number, such as 800")
    resolve(spec.model)
    specs = TaskIndex(include_path=spec.include_path).select(spec.tasks)
    for task in specs:
        choose_conditions(task, spec.conditions)
        check_metrics(task)
    parse_spec(spec.dataset)
    return specs


def _run(spec: RunSpec, specs: Sequence[TaskSpec], directory: RunDirectory, screen: Screen) -> RunOutcome:
    backbone, data = _open(spec, screen)
    plan = make_plan(specs, data, spec)
    _announce(plan, data, screen)
    if spec.dry_run:
        from paars_bench.report.tables import show_plan

        show_plan(plan, data, backbone)
        return RunOutcome(directory.path, {}, 0)
    config = _config(spec, plan, data, backbone)
    resumed = directory.claim(config)
    config = read_config(directory.path)  # of the first process: its run id and start stay
    account, done = _ask_all(spec, plan, data, backbone, directory, screen)
    if resumed:
        screen.note(f"resumed: {account.before} of {account.planned} cases were on disk, {account.done} asked now")
    screen.note(f"scoring {len(done)} cases")
    ended = _ended(directory, account, backbone)
    if ended.not_sent:
        screen.note(f"not sent: {', '.join(ended.not_sent)} ({backbone.traits.litellm_model} does not take it)")
    finished = _finish(config, plan, data, done, account.task_usage, directory, screen, ended)
    directory.write_results(finished)
    _show(finished, directory.path)
    return RunOutcome(directory.path, finished, exit_code(finished))


def _open(spec: RunSpec, screen: Screen) -> tuple[Backbone, ShoppingData]:
    """Opens the backbone and the data set, side by side where both take half a minute on a fresh machine."""
    if resolve(spec.model).kind != "local":  # a missing key is said before anything is built
        backbone = open_backbone(spec.model, spec.model_args, screen.note)
        return backbone, load_dataset(spec.dataset, progress=screen.stage)
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        loading = pool.submit(load_dataset, spec.dataset, progress=screen.stage)
        return open_backbone(spec.model, spec.model_args, screen.note), loading.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _ask_all(
    spec: RunSpec,
    plan: Plan,
    data: ShoppingData,
    backbone: Backbone,
    directory: RunDirectory,
    screen: Screen,
) -> tuple[Account, dict[str, CaseResult]]:
    done, spent, damaged = load_journal(directory.journal)
    planned = {case_key(q.spec.task, q.condition, q.case.case_id, q.repeat) for q in plan.questions()}
    kept = {k: r for k, r in done.items() if k in planned and not POLICY[r.outcome].owed}
    account = Account(planned=len(plan), before=len(kept), task_usage=sum(spent, Usage()))
    heads = Heads(
        data,
        backbone,
        directory.personas,
        budget=history_budget(backbone.traits.context_tokens, spec.model_args.get("history_tokens")),
        donors=plan.donors,
        seed=spec.seed,
        pay=account.add,
    )
    heads.resume()
    for usage in (*spent, *heads.spent):
        account.add(usage)
    if damaged or heads.damaged:
        screen.note(f"{damaged + heads.damaged} torn or damaged lines on disk: their cases are asked again")
    shops: dict[int, Shop] = {}

    def open_shop(page_size: int) -> Shop:
        if page_size not in shops:
            shops[page_size] = Shop(data.catalog, page_size=page_size)
        return shops[page_size]

    def keep(result: CaseResult) -> None:
        done[result.key] = result
        screen.tell(result)

    askers = {name: Asker(Renderer(s, data.catalog), data.catalog, open_shop) for name, s in plan.specs.items()}
    work = Work(spec, backbone, heads, askers, directory.journal, account, keep)
    todo = (q for q in plan.questions() if case_key(q.spec.task, q.condition, q.case.case_id, q.repeat) not in kept)
    screen.open(account)
    try:
        run_to_end(run_questions(todo, work), account.interrupt)
    except* PaarsError as group:
        raise group.exceptions[0] from None
    except* OSError as group:
        raise cannot_write(directory.path, group.exceptions[0]) from None
    finally:
        screen.close()
    return account, {k: r for k, r in done.items() if k in planned}


class Journaled(NamedTuple):
    """What a journal holds: the last result of every case, what all its lines spent, how many lines were damaged."""

    done: dict[str, CaseResult]
    spent: list[Usage]
    damaged: int


def load_journal(journal: JsonLines) -> Journaled:
    """Reads a journal; a case that was owed and asked again spent twice and counts once."""
    loaded = journal.load()
    done: dict[str, CaseResult] = {}
    spent: list[Usage] = []
    damaged = loaded.damaged
    for row in loaded.rows:
        try:
            result = result_of(row)
        except (KeyError, TypeError, ValueError):  # JSON, but no line of a journal
            damaged += 1
            continue
        done[result.key] = result
        spent.append(result.usage)
    return Journaled(done, spent, damaged)


def rescore(path: Path) -> RunOutcome:
    """Computes the results of a run again from its journal, without a model.

    Raises:
        PaarsError: not a run, or its data set is not the same any more.
    """
    with Screen() as screen:
        config = read_config(path)
        directory = RunDirectory(path)
        try:
            spec = _spec_of(config["spec"])
            specs = [TaskSpec.model_validate(t) for t in config["tasks"]]
            data = load_dataset(spec.dataset, progress=screen.stage)
            if data.sha256 != config["identity"]["dataset_sha256"]:
                raise UsageError(
                    f"{path}: was made on {spec.dataset} with digest {config['identity']['dataset_sha256'][:12]}, "
                    f"which is now {data.sha256[:12]}; score it with the version that made it"
                )
            plan = make_plan(specs, data, spec)
            done, spent, _ = load_journal(directory.journal)
            finished = _finish(config, plan, data, done, sum(spent, Usage()), directory, screen, _ended(directory))
            directory.write_results(finished)
        finally:
            directory.close()
        _show(finished, path)
        return RunOutcome(path, finished, exit_code(finished))


def _finish(
    config: Mapping[str, Any],
    plan: Plan,
    data: ShoppingData,
    done: Mapping[str, CaseResult],
    spent: Usage,
    directory: RunDirectory,
    screen: Screen,
    ended: Ended,
) -> dict[str, Any]:
    write_agent_log(directory.path, done.values())
    personas = load_personas(directory.personas)
    return build_results(
        {**config, "model": {**config["model"], "not_sent": dict(ended.not_sent)}},
        plan,
        data,
        done,
        usage={"task": spent, "persona": sum(personas.spent, Usage())},
        seconds=ended.seconds,
        stop=ended.stop,
        screen=screen,
    )


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


def _announce(plan: Plan, data: ShoppingData, screen: Screen) -> None:
    people = "simulated shoppers" if data.human_reference == "simulated" else "real people"
    screen.note(f"data set {data.name} ({people}), {len(plan.shoppers)} shoppers, {len(plan)} cases planned")
    for task, why in plan.unsupported.items():
        screen.note(f"not run: {task} ({why})")


def _default_path(spec: RunSpec) -> Path:
    name = "".join(c if c.isalnum() else "-" for c in f"{spec.model}-{spec.dataset}")[:60]
    return Path("runs") / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{name}"


def _forget_if_empty(path: Path, made: Sequence[Path]) -> None:
    """A run that was refused leaves none of the folders it made behind."""
    if not made or any(p.name != ".lock" for p in path.iterdir()):
        return
    (path / ".lock").unlink(missing_ok=True)
    for folder in made:  # the deepest first
        if any(folder.iterdir()):
            return
        folder.rmdir()


def _config(spec: RunSpec, plan: Plan, data: ShoppingData, backbone: Backbone) -> dict[str, Any]:
    public = asdict(spec) | {
        "model_args": public_args(spec.model_args),
        "output_path": str(spec.output_path),
        "include_path": [str(p) for p in spec.include_path],
    }
    traits = backbone.traits
    tasks = [json.loads(s.model_dump_json()) for s in plan.specs.values()]
    return {
        "schema_version": SCHEMA_VERSION,
        "id": f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": spec.command,
        "spec": public,
        "identity": {
            "model": traits.litellm_model,
            "model_details": {k: v for k, v in traits.details.items() if k in ("file_sha256",)},
            "model_args": public_args(spec.model_args),
            "dataset": data.name,
            "dataset_sha256": data.sha256,
            "tasks": {t["task"]: _digest(t) for t in tasks},
            "conditions": {t: list(c) for t, c in plan.conditions.items()},
            "limit": spec.limit,
            "repeats": spec.repeats,
            "seed": spec.seed,
            "history_tokens": history_budget(traits.context_tokens, spec.model_args.get("history_tokens")),
        },
        "model": {
            "name": traits.name,
            "litellm_model": traits.litellm_model,
            "scripted": traits.scripted,
            "params": public_args(spec.model_args),
            "context_tokens": traits.context_tokens,
            "tools": traits.tools,
            **traits.details,
        },
        "tasks": tasks,
        "unsupported": dict(plan.unsupported),
        "environment": environment(),
    }


def _spec_of(public: Mapping[str, Any]) -> RunSpec:
    names = {k: v for k, v in public.items() if k in RunSpec.__dataclass_fields__}
    names["tasks"] = tuple(names["tasks"])
    names["conditions"] = tuple(names["conditions"]) if names["conditions"] is not None else None
    names["output_path"] = Path(names["output_path"])
    names["include_path"] = tuple(Path(p) for p in names["include_path"])
    return RunSpec(**names)


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _show(results: Mapping[str, Any], path: Path) -> None:
    from paars_bench.report.tables import show_results

    show_results(results, path)
