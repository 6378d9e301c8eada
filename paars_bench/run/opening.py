"""From a specification to a run that can be asked: every refusal, and every file, comes before the first call."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from paars_bench.backbones.aliases import resolve
from paars_bench.backbones.batch_log import BatchLog
from paars_bench.backbones.cache_use import CacheUse
from paars_bench.backbones.door import Backbone
from paars_bench.backbones.executor import processes_for
from paars_bench.backbones.open import open_backbone
from paars_bench.backbones.redact import Redactor, secrets_of
from paars_bench.backbones.remote import RemoteBackbone, Starting
from paars_bench.backbones.response_cache import ResponseCache
from paars_bench.backbones.workers import Workers
from paars_bench.config import TaskIndex, TaskSpec
from paars_bench.config.store_settings import StoreSettings
from paars_bench.data import load_dataset
from paars_bench.data.cases import ShoppingData
from paars_bench.data.registry import parse_spec
from paars_bench.errors import UsageError
from paars_bench.run.account import Account, failed
from paars_bench.run.budget import PERSONA
from paars_bench.run.directory import LEFT_BEHIND, RunDirectory
from paars_bench.run.finished import Finished
from paars_bench.run.heads import Heads, history_budget
from paars_bench.run.journal import Damage, JsonLines
from paars_bench.run.plan import Plan, choose_conditions
from paars_bench.run.progress import Screen
from paars_bench.run.schedule import Work
from paars_bench.run.spec import RunSpec
from paars_bench.store import SearchIndex, Shop
from paars_bench.store.search_folder import IN_MEMORY, open_index
from paars_bench.tasks.question import Asker, Question
from paars_bench.tasks.rehearse import rehearse
from paars_bench.tasks.render import Renderer

_AHEAD = 4  # questions for each call in flight: two calls of mining, the first call, and one to spare


def check_spec(spec: RunSpec) -> list[TaskSpec]:
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
    if spec.batch:
        _check_batch(spec, specs)
    for task in specs:
        choose_conditions(task, spec.conditions)
    parse_spec(spec.dataset)
    return specs


def _check_batch(spec: RunSpec, specs: Sequence[TaskSpec]) -> None:
    """Refuses what cannot go in batches.

    Raises:
        UsageError: a task of many calls, a model that is no provider's, or a cap that could not act.
    """
    sessions = [s.task for s in specs if s.output_type == "session"]
    if sessions:
        others = [s.task for s in specs if s.output_type != "session"]
        fix = f"--tasks {','.join(others)}, or leave --batch out" if others else "leave --batch out"
        raise UsageError(
            f"--batch: {', '.join(sessions)} asks call after call, each after the reply before, and a batch takes up "
            f"to a day; {fix}"
        )
    if resolve(spec.model).kind != "litellm":
        raise UsageError(f"--batch: {spec.model} is no provider's model; leave --batch out")
    for name in ("max_cost", "max_tokens_total"):
        if getattr(spec, name) is not None:
            raise UsageError(
                f"--batch: thousands of calls are sent before one has said what it used, so --{name} could not act; "
                f"bound the run by --limit (--dry_run counts its calls), and leave --{name} or --batch out"
            )


@contextmanager
def held_directory(path: Path) -> Iterator[RunDirectory]:
    """Holds a run directory; a run that was refused leaves none of the folders it made behind."""
    made = [p for p in (path, *path.parents) if not p.exists()]
    try:
        directory = RunDirectory(path)
    except KeyboardInterrupt:  # an error leaves nothing of ours: the folder may be another process's, just begun
        _forget_if_empty(path, made)
        raise
    try:
        yield directory
    finally:
        directory.close()
        _forget_if_empty(path, made)


def _forget_if_empty(path: Path, made: Sequence[Path]) -> None:
    if not made or not path.is_dir() or any(p.name not in LEFT_BEHIND for p in path.iterdir()):
        return
    for name in LEFT_BEHIND:
        (path / name).unlink(missing_ok=True)
    for folder in made:  # the deepest first
        if any(folder.iterdir()):
            return
        folder.rmdir()


def default_path(spec: RunSpec) -> Path:
    """Returns the folder of a run whose user named none."""
    name = "".join(c if c.isalnum() else "-" for c in f"{spec.model}-{spec.dataset}")[:60]
    mark = secrets.token_hex(3)  # two runs of the same second are two runs
    return Path("runs") / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{mark}-{name}"


def open_cache(spec: RunSpec, screen: Screen) -> ResponseCache | None:
    """Returns the response cache of a run; None where it uses none, or where no model is asked."""
    if spec.use_cache is CacheUse.OFF:
        return None
    if resolve(spec.model).kind == "scripted":
        screen.note(f"--use_cache {spec.use_cache}: {spec.model} is a baseline, whose answers are not kept")
        return None
    return ResponseCache(spec.use_cache, screen.note)


def open_both(
    spec: RunSpec,
    screen: Screen,
    cache: ResponseCache | None,
    batches: JsonLines | None = None,
    started: Workers | None = None,
) -> tuple[Callable[[], Backbone], ShoppingData]:
    """Opens the backbone and the data set, side by side where both take long.

    Args:
        spec: of the run.
        screen: is told what takes time.
        cache: of replies; None where none is used.
        batches: where is written down what was sent in batches; None where nothing is.
        started: processes for the backbone, where some were started ahead.

    Returns:
        What waits for the backbone, where that takes longer than the data set, and the data set.
    """
    processes = _processes(spec, cache, batches)
    if processes:
        starting = Starting(spec.model, spec.model_args, screen.note, started or Workers(processes))
        return (lambda: _affordable(spec, starting.wait())), _loaded(spec, screen, starting.look)
    if spec.model != "local":  # a missing key or file is said before anything is built
        backbone = open_backbone(
            spec.model, spec.model_args, screen.note, will_call=not spec.dry_run, cache=cache, batches=batches
        )
        _affordable(spec, backbone)
        return (lambda: backbone), load_dataset(spec.dataset, progress=screen.stage)
    with ThreadPoolExecutor(max_workers=1) as pool:
        opening = pool.submit(open_backbone, spec.model, spec.model_args, screen.note, cache=cache)
        return opening.result, _loaded(spec, screen, lambda: opening.result() if opening.done() else None)


def _loaded(spec: RunSpec, screen: Screen, look: Callable[[], object]) -> ShoppingData:
    """Loads the data set; ``look`` raises where the backbone cannot be had, which ends the building of the data too."""

    def stage(text: str, done: int, total: int) -> None:
        look()
        screen.stage(text, done, total)

    return load_dataset(spec.dataset, progress=stage)


def _processes(spec: RunSpec, cache: ResponseCache | None, batches: JsonLines | None) -> int:
    """Returns how many processes call the model; 0: the run does.

    Raises:
        UsageError: processes were asked for and have no part in this run.
    """
    resolved = resolve(spec.model)
    if resolved.kind != "litellm" or spec.dry_run or cache is not None or batches is not None:
        if spec.executor.startswith("process") and not spec.dry_run:
            why = "--use_cache" if cache else "--batch" if batches else spec.model
            raise UsageError(
                f"--executor {spec.executor}: with {why} the run itself has the replies; leave --executor out"
            )
        processes_for(spec.executor, "", {}, None)
        return 0
    return processes_for(spec.executor, resolved.litellm_model, spec.model_args, spec.max_concurrency)


def _affordable(spec: RunSpec, backbone: Backbone) -> Backbone:
    """Refuses a cap on the money of the run that could never act."""
    if spec.max_cost is not None:
        _check_priced(backbone, f"--max_cost {spec.max_cost:g}", "--max_tokens_total N")
    return backbone


def rehearse_all(plan: Plan, data: ShoppingData) -> None:
    """Renders what the tasks of a plan ask, without a model.

    Raises:
        ConfigError: with task, key and reason, where a template fails on a case of the plan.
    """
    for name, spec in plan.specs.items():
        rehearse(Renderer(spec, data.catalog), plan.cases[name].values())


def check_session_caps(plan: Plan, backbone: Backbone) -> None:
    """Refuses a cap on the money of a session that could never act.

    Raises:
        UsageError: naming the task, where LiteLLM knows no price of the model.
    """
    for name, spec in plan.specs.items():
        if spec.output_type == "session" and spec.session.max_cost is not None:
            _check_priced(backbone, f"{name}: session.max_cost {spec.session.max_cost:g}", "session.max_tokens")


def _check_priced(backbone: Backbone, cap: str, instead: str) -> None:
    if not backbone.traits.priced:
        raise UsageError(
            f"{cap}: LiteLLM knows no price for {backbone.traits.litellm_model}, so this cap could never act; use "
            f"{instead} instead"
        )


def tell_of_batches(spec: RunSpec, directory: RunDirectory, screen: Screen) -> None:
    """Says what a resumed run leaves at the provider where it asks call by call."""
    going_on = [] if spec.batch else [s for s in BatchLog(directory.batches).load() if not s.ended]
    if going_on:
        requests, names = sum(len(sent.keys) for sent in going_on), ", ".join(s.batch or s.file for s in going_on)
        screen.note(
            f"{requests:,} requests of this run were sent in batches ({names}) and "
            "are asked and paid for again; with --batch their replies are taken"
        )


def announce(spec: RunSpec, plan: Plan, data: ShoppingData, backbone: Backbone, screen: Screen) -> None:
    """Says what will be asked and at how many calls, what will not be asked, and how to ask less."""
    people = "simulated shoppers" if data.human_reference == "simulated" else "real people"
    calls = plan.calls(scripted=backbone.traits.scripted)
    span = f"{calls.least:,}" if calls.least == calls.most else f"{calls.least:,} to {calls.most:,}"
    screen.note(
        f"data set {data.name} ({people}), {len(plan.shoppers)} shoppers, {len(plan)} cases planned of "
        f"{', '.join(plan.specs)}: {span} calls of {spec.model}"
    )
    if resolve(spec.model).kind == "litellm" and spec.limit is None and not spec.dry_run:
        screen.note("--limit N asks fewer cases a task; --dry_run shows the plan and calls nothing")
    if isinstance(backbone, RemoteBackbone):
        screen.note(f"{spec.model} is called from {backbone.traits.details['executor']} (--executor)")
    if not backbone.traits.scripted and any(s.output_type == "session" for s in plan.specs.values()):
        screen.note(f"sessions: {spec.model} acts by {backbone.traits.acts_by.meaning}")
    for task, why in plan.unsupported.items():
        screen.note(f"not run: {task} ({why})")


def tell_damage(screen: Screen, directory: RunDirectory, journal: Damage, personas: Damage, *, then: str) -> None:
    """Says which lines on disk are damaged, a sentence for each file; ``then`` says what becomes of them."""
    for file, damaged in ((directory.journal.path, journal), (directory.personas.path, personas)):
        if damaged.lines:
            screen.note(damaged.said(file, then))


def _shops(data: ShoppingData, plan: Plan, screen: Screen) -> Callable[[StoreSettings], Shop]:
    """Returns what opens the store with such settings; all of them share one index."""

    @cache
    def index() -> SearchIndex:
        return open_index(data.catalog, digest=data.sha256, progress=screen.stage)

    @cache
    def open_shop(settings: StoreSettings) -> Shop:
        return Shop(data.catalog, index(), settings=settings)

    # A large catalog is indexed in minutes, in which no caller should wait for a reply.
    if len(data.catalog) > IN_MEMORY and any(s.output_type == "session" for s in plan.specs.values()):
        index()
    return open_shop


class Prepared(NamedTuple):
    """A run that can be asked.

    Attributes:
        work: what the workers need.
        todo: the questions that are owed.
        done: what is finished, from the journal; what is asked now joins it.
    """

    work: Work
    todo: Iterator[Question]
    done: Finished


def prepare(
    spec: RunSpec, plan: Plan, data: ShoppingData, backbone: Backbone, directory: RunDirectory, screen: Screen
) -> Prepared:
    """Reads what the journal holds, so that it is not asked again, and makes ready what is asked."""
    account = Account(planned=len(plan))
    done = Finished(directory.journal, plan, data.catalog)
    done.load(account.resume)
    kept = {ended: count for ended, count in done.endings().items() if not ended.owed}
    account.before = sum(kept.values())
    account.failed = sum(count for ended, count in kept.items() if failed(ended))
    heads = Heads(
        data,
        backbone,
        directory.personas,
        budget=history_budget(backbone.traits.context_tokens, spec.model_args.get("history_tokens")),
        donors=plan.donors,
        seed=spec.seed,
        pay=lambda persona: account.add(persona.usage, PERSONA, paid=persona.paid),
    )
    heads.resume()
    tell_damage(screen, directory, done.damaged, heads.damaged, then="what they answered is asked again")
    open_shop = _shops(data, plan, screen)

    dataset = parse_spec(spec.dataset).text
    told = spec.keeps_samples(backbone.traits) or not backbone.traits.scripted
    askers = {
        name: Asker(Renderer(s, data.catalog), data.catalog, open_shop, dataset, data.background, told=told)
        for name, s in plan.specs.items()
    }
    clean = Redactor(secrets_of(spec.model_args))
    work = Work(spec, backbone, heads, askers, done, account, directory.attempts, screen.tell, screen.note, clean)
    in_flight = spec.max_concurrency or backbone.traits.max_concurrency
    ahead = 0 if backbone.traits.scripted else _AHEAD * (in_flight - 1)
    return Prepared(work, plan.questions(done.owes, ahead=ahead), done)
