"""A run read back from its folder, and its results computed again without a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paars_bench.config.metric_options import check_metrics
from paars_bench.data import load_dataset
from paars_bench.data.cases import ShoppingData
from paars_bench.errors import DataError, UsageError
from paars_bench.personas.mine import Persona
from paars_bench.report.results import exit_code
from paars_bench.report.segmenting import segmentation
from paars_bench.report.segments import FEWEST
from paars_bench.run.config import spec_of, tasks_of
from paars_bench.run.directory import RunDirectory, read_config
from paars_bench.run.ended import ended_before
from paars_bench.run.finished import Finished
from paars_bench.run.finishing import RunOutcome, finish, show
from paars_bench.run.heads import load_personas
from paars_bench.run.opening import held_directory, rehearse_all, tell_damage
from paars_bench.run.plan import Plan, make_plan
from paars_bench.run.progress import Screen


@dataclass(frozen=True, slots=True)
class ReadRun:
    """A run read back.

    Attributes:
        directory: its folder, held against other processes.
        config: ``config.json``.
        plan: what was to be asked.
        done: what is finished, and what the tasks' calls spent.
        personas: that it mined.
    """

    directory: RunDirectory
    config: Mapping[str, Any]
    plan: Plan
    done: Finished
    personas: Sequence[Persona]

    @property
    def name(self) -> str:
        """The model and the folder, which tell runs apart."""
        return f"{self.config['model']['name']} ({self.directory.path.name})"


@contextmanager
def opened_run(path: Path, data: ShoppingData, screen: Screen) -> Iterator[ReadRun]:
    """Reads a run back, says which of its lines are damaged, and holds its folder.

    Raises:
        PaarsError: not a run, or another process works on it.
    """
    config = read_config(path)
    with held_directory(path) as directory:
        spec, specs = spec_of(path, config), tasks_of(path, config)
        for task in specs:
            check_metrics(task)
        plan = make_plan(specs, data, spec)
        rehearse_all(plan, data)
        done = Finished(directory.journal, plan, data.catalog)
        done.load()
        personas = load_personas(directory.personas)
        tell_damage(screen, directory, done.damaged, personas.damaged, then="left out of the results")
        yield ReadRun(directory, config, plan, done, personas.personas)


def rescore(
    path: Path, *, dataset: str | None = None, by: Sequence[str] = (), min_shoppers: int = FEWEST, full: bool = False
) -> RunOutcome:
    """Computes the results of a run again from its journal, without a model.

    Args:
        path: of the run.
        dataset: where its data set lies now; None where the run has it.
        by: what to tell segments of shoppers apart by; every metric is then also computed for each segment.
        min_shoppers: that a segment needs to be shown, at least 2.
        full: print the divergences that do not count in the score too.

    Raises:
        PaarsError: not a run, or its data set is not the same any more.
    """
    with Screen() as screen:
        data = data_of_run(path, dataset, screen)
        with opened_run(path, data, screen) as run:
            segmented = [segmentation(b, data, run.plan.shoppers, run.personas) for b in by]
            results = finish(
                run.plan,
                data,
                run.done,
                run.done.spent,
                run.directory,
                screen,
                ended_before(path),
                segmented=segmented,
                fewest=min_shoppers,
            )
        show(results, path, full=full)
        return RunOutcome(path, results, exit_code(results))


def data_of_run(path: Path, now: str | None, screen: Screen) -> ShoppingData:
    """Returns the data set of a run.

    Args:
        path: of the run.
        now: where its data set lies now; None where the run has it.
        screen: is told what takes time.

    Raises:
        PaarsError: not a run, no such data set, or one that is not the same any more.
    """
    config = read_config(path)
    made_on, digest = spec_of(path, config).dataset, config["identity"]["dataset_sha256"]
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
