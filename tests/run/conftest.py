"""Runs on a small demo population, with a baseline or with a fake backbone in the place of a model."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from fake_runs import DATA, QUICK, Bench, FakeBackbone, rows
from spoiling import TASK, VISIT, asking

from paars_bench.run import RunOutcome, RunSpec, evaluate_spec

_OPENING = importlib.import_module("paars_bench.run.opening")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Runs ``bench(model or fake, path="a", **options)``; the same path resumes."""

    def run(model: str | FakeBackbone, *, path: str = "run", **options: Any) -> RunOutcome:
        chosen: dict[str, Any] = {"tasks": QUICK, "dataset": DATA, "limit": 10, **options}
        with monkeypatch.context() as patch:
            if isinstance(model, FakeBackbone):
                fake = model
                patch.setattr(_OPENING, "open_backbone", lambda *args, **kwargs: fake)
                model = "random"
            return evaluate_spec(RunSpec(model=model, output_path=tmp_path / path, **chosen))

    return run


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run: four choices and four visits that search, view, put, buy and leave."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "visit.yaml").write_text(TASK)
    assert evaluate_spec(asking(folder, folder / "run")).exit_code == 0
    actions = [[e["action"] for e in row["events"]] for row in rows(folder / "run") if row["task"] == VISIT]
    assert actions == [["search", "view", "cart_add", "purchase", "leave"]] * 4
    return folder / "run"


@pytest.fixture
def spoiled(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "run")
