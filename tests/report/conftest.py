"""Results of real runs of baselines, made once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from paars_bench.run import RunSpec, evaluate_spec

DATASET = "demo:shoppers=20,products=600"
TASKS = ("item_selection_individual", "item_selection_group")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of finished runs: ``random``, ``first`` and ``human``."""
    root = tmp_path_factory.mktemp("runs")
    for model in ("random", "first", "human"):
        evaluate_spec(RunSpec(model, TASKS, DATASET, output_path=root / model, conditions=("base",)))
    return root


@pytest.fixture(scope="session")
def sizes(folder: Path) -> list[Path]:
    """Finished runs of two models on all cases and on 100, 20 and 8 a task, as anyone might add them to one file."""
    runs = [folder / "random", folder / "human"]
    for model, limit in (("human", 100), ("random", 100), ("random", 20), ("human", 8), ("random", 8)):
        path = folder / f"{model}-{limit}"
        spec = RunSpec(model, TASKS, DATASET, output_path=path, conditions=("base",), limit=limit)
        evaluate_spec(spec)
        runs.append(path)
    return runs


@pytest.fixture
def results(folder: Path) -> dict[str, Any]:
    """The results of ``random``, to be changed at will."""
    value: dict[str, Any] = json.loads((folder / "random" / "results.json").read_text())
    return value
