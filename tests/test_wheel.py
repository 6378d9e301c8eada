"""The wheel holds all that a run needs and works where there is no checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow


def call(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT), cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    words = ("-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(target), str(wheel))
    call(sys.executable, *words, cwd=target)
    return target


def test_every_file_of_the_package_and_its_tasks_is_inside(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    sources = [p for top in ("paars_bench", "task_configs") for p in (ROOT / top).rglob("*") if p.is_file()]
    names = [p.relative_to(ROOT).as_posix() for p in sources if "__pycache__" not in p.parts]
    expected = {n if n.startswith("paars_bench/") else f"paars_bench/{n}" for n in names}
    assert any(f.endswith("aliases.yaml") for f in expected)
    assert any(f.endswith(".j2") for f in expected)
    assert expected <= inside, sorted(expected - inside)
    assert any(name.endswith("licenses/LICENSE") for name in inside)


def test_nothing_else_is_inside(wheel: Path) -> None:
    roots = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {r for r in roots if not r.endswith(".dist-info")} == {"paars_bench"}
    assert wheel.stat().st_size < 2_000_000


def test_installed_elsewhere_it_runs_all_tasks(site: Path, tmp_path: Path) -> None:
    flags = "--model random --tasks all --limit 20 --dataset demo:shoppers=25,products=600 --output_path out"
    call(sys.executable, "-m", "paars_bench.cli", *flags.split(), cwd=tmp_path, PYTHONPATH=str(site))
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["run"]["status"] == "complete"
    assert {t["task"] for t in results["tasks"]} == {
        *("query_generation", "item_selection_individual", "item_selection_group", "session_generation")
    }
    assert all(t["counts"]["planned"] == t["counts"]["scored"] == 20 for t in results["tasks"])
    where = "import paars_bench, paars_bench.paths as p; print(paars_bench.__file__, p.task_configs_dir())"
    found = call(sys.executable, "-c", where, cwd=tmp_path, PYTHONPATH=str(site)).stdout.split()
    assert all(Path(f).is_relative_to(site) for f in found)
