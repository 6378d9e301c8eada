"""The end of a run, and of scoring it again: the agents' log, ``results.json`` and the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paars_bench.backbones.door import Usage
from paars_bench.data.cases import ShoppingData
from paars_bench.report.results import build_results
from paars_bench.report.segmenting import Segmentation
from paars_bench.report.segments import FEWEST
from paars_bench.run.agent_log import write_agent_log
from paars_bench.run.directory import RunDirectory, cannot_write, read_config
from paars_bench.run.ended import Ended
from paars_bench.run.finished import Finished
from paars_bench.run.heads import load_personas
from paars_bench.run.plan import Plan
from paars_bench.run.progress import Screen


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run left: its folder, its results and the exit code of the command."""

    path: Path
    results: Mapping[str, Any]
    exit_code: int


def finish(
    plan: Plan,
    data: ShoppingData,
    done: Finished,
    spent: Usage,
    directory: RunDirectory,
    screen: Screen,
    ended: Ended,
    *,
    segmented: Sequence[Segmentation] = (),
    fewest: int = FEWEST,
) -> dict[str, Any]:
    """Writes the agents' log and ``results.json``, also of a run that is not complete."""
    screen.note(f"scoring {len(done)} cases")
    try:
        write_agent_log(directory.path, plan, done)
    except OSError as error:
        raise cannot_write(directory.path, error) from error
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
        segmented=segmented,
        fewest=fewest,
    )
    directory.write_results(results)
    return results


def show(results: Mapping[str, Any], path: Path, *, full: bool = False) -> None:
    """Prints the tables of a run; ``full`` shows the divergences that do not count too."""
    from paars_bench.report.tables import show_results

    show_results(results, path, full=full)
