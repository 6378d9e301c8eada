"""A run directory belongs to one run and one process; whatever else is refused by name and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from paars_bench.errors import MissingKeyError, RunDirectoryError, UsageError
from paars_bench.run import RunSpec, evaluate_spec
from paars_bench.run.directory import RunDirectory, read_config

REST = dict.fromkeys(("spec", "tasks", "started", "command", "model", "environment"), "")
CONFIG = {**REST, "id": "1", "identity": {"model": "scripted/random", "seed": 0, "tasks": {"a": "1"}}}
HOLDER = """
import sys
from pathlib import Path
from paars_bench.run.directory import RunDirectory
directory = RunDirectory(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def other(**identity: Any) -> dict[str, Any]:
    return {**CONFIG, "identity": {**CONFIG["identity"], **identity}}  # type: ignore[dict-item]


def test_a_folder_held_by_another_process_is_refused_until_that_one_dies(tmp_path: Path) -> None:
    path = tmp_path / "run"
    words = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunDirectoryError, match="another process is writing this run") as refused:
            RunDirectory(path)
        assert str(path) in str(refused.value)
        holder.kill()
        holder.wait()
    RunDirectory(path).close()


def test_the_same_run_resumes(tmp_path: Path) -> None:
    for resumed in (False, True):
        directory = RunDirectory(tmp_path)
        assert directory.claim(CONFIG) is resumed
        directory.close()


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        ({"seed": 7}, "seed was 0, now 7"),
        ({"model": "openai/m"}, 'model was "scripted/random", now "openai/m"'),
        ({"tasks": {"a": "2"}}, 'tasks was {"a": "1"}, now {"a": "2"}'),
        ({"limit": 5}, "limit was null, now 5"),
    ],
)
def test_a_different_run_is_refused_with_what_differs(tmp_path: Path, identity: dict[str, Any], said: str) -> None:
    first = RunDirectory(tmp_path)
    first.claim(CONFIG)
    first.close()
    second = RunDirectory(tmp_path)
    with pytest.raises(RunDirectoryError) as refused:
        second.claim(other(**identity))
    second.close()
    assert said in str(refused.value)
    assert json.loads((tmp_path / "config.json").read_text()) == CONFIG


def test_long_differences_are_shortened(tmp_path: Path) -> None:
    first = RunDirectory(tmp_path)
    first.claim(CONFIG)
    with pytest.raises(RunDirectoryError) as refused:
        first.claim(other(tasks={f"task_{n}": "x" * 16 for n in range(50)}))
    first.close()
    assert len(str(refused.value)) < 500 + len(str(tmp_path))


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("dear")
    directory = RunDirectory(tmp_path)
    with pytest.raises(RunDirectoryError, match=r"holds other files \(thesis.tex\)"):
        directory.claim(CONFIG)
    directory.close()
    assert (tmp_path / "thesis.tex").read_text() == "dear"
    assert not (tmp_path / "config.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"x"', "\x00"])
def test_a_broken_config_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(RunDirectoryError, match=r"config\.json"):
        read_config(tmp_path)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(RunDirectoryError, match="cannot be written"):
        RunDirectory(tmp_path / "run")
    with pytest.raises(RunDirectoryError, match="cannot be written"):
        RunDirectory(tmp_path / "run" / "deeper")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(RunDirectoryError, match="cannot be written"):
            RunDirectory(tmp_path)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"model": "claude"}, MissingKeyError),
        ({"model": "random", "model_args": {"temprature": "1"}}, UsageError),
        ({"model": "random", "dataset": "demo:shoppers=2,products=200", "tasks": ("nothing",)}, UsageError),
    ],
)
def test_a_refused_run_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: dict[str, Any], error: type[Exception]
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    for path in (None, tmp_path / "run", tmp_path / "some" / "where"):
        with pytest.raises(error):
            evaluate_spec(RunSpec(**spec, output_path=path))
        assert list(tmp_path.iterdir()) == []


def test_a_dry_run_leaves_no_folder(tmp_path: Path) -> None:
    done = evaluate_spec(
        RunSpec("random", dataset="demo:shoppers=20,products=600", output_path=tmp_path / "run", dry_run=True)
    )
    assert done.exit_code == 0
    assert list(tmp_path.iterdir()) == []


def test_a_refused_run_leaves_the_folder_it_found(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(UsageError):
        evaluate_spec(RunSpec("random", model_args={"x": "1"}, output_path=tmp_path / "run"))
    assert [p.name for p in (tmp_path / "run").iterdir()] in ([], [".lock"])
