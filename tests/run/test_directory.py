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
from paars_bench.run.directory import RunDirectory, differences, read_config

IDENTITY = {
    "model": "scripted/random",
    "seed": 0,
    "tasks": {"a": "1"},
    "dataset_sha256": "0",
    "history_tokens": 8,
    "model_args": {"api_base": "http://localhost:8000/v1"},
}
CONFIG: dict[str, Any] = {
    "id": "1",
    "identity": IDENTITY,
    "spec": {},
    "tasks": [{}],
    "started": "",
    "command": "",
    "model": {"name": "random", "litellm_model": "scripted/random", "scripted": True},
    "environment": {},
}
HOLDER = """
import sys
from pathlib import Path
from paars_bench.run.directory import RunDirectory
directory = RunDirectory(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def other(**identity: Any) -> dict[str, Any]:
    return {**CONFIG, "identity": {**IDENTITY, **identity}}


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
        ({"tasks": {"a": "2"}}, 'tasks.a was "1", now "2"'),
        ({"tasks": {"a": "1", "b": "1"}}, 'tasks.b was null, now "1"'),
        (
            {"model_args": {"api_base": "http://localhost:9000/v1"}},
            'model_args.api_base was "http://localhost:8000/v1", now "http://localhost:9000/v1"',
        ),
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


def test_of_long_values_the_part_that_differs_is_shown() -> None:
    one, other = (f"http://{'a' * 80}.example/v{n}/{'b' * 80}" for n in (1, 2))
    (said,) = differences({"model_args": {"api_base": one}}, {"model_args": {"api_base": other}})
    was, now = said.removeprefix("model_args.api_base was ").split(", now ")
    assert "example/v1/" in was
    assert "example/v2/" in now
    assert len(said) < 200
    (said,) = differences({"x": "c" * 100}, {"x": "c" * 90})
    assert said.split(", now ")[0].removeprefix("x was ") != said.split(", now ")[1]


def test_how_a_call_is_made_is_no_part_of_what_was_asked() -> None:
    """Also where an earlier version wrote it into the identity."""
    old = {"model_args": {"timeout": "60", "api_key": "[key]", "n_threads": "2", "top_k": "3"}}
    assert differences(old, {"model_args": {"top_k": "3"}}) == []
    assert differences(old, {"model_args": {"top_k": "4"}}) == ['model_args.top_k was "3", now "4"']


@pytest.mark.parametrize("leftover", ["config.json.part", ".lock"])
def test_what_a_killed_start_left_is_no_stranger(tmp_path: Path, leftover: str) -> None:
    (tmp_path / leftover).write_text('{"half')
    directory = RunDirectory(tmp_path)
    assert directory.claim(CONFIG) is False
    directory.close()
    assert read_config(tmp_path) == CONFIG


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


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"identity": 7}, "identity"),
        ({"identity": {**IDENTITY, "history_tokens": "many"}}, "identity.history_tokens"),
        ({"identity": {k: v for k, v in IDENTITY.items() if k != "dataset_sha256"}}, "identity.dataset_sha256"),
        ({"spec": []}, "spec"),
        ({"tasks": {}}, "tasks"),
        ({"tasks": [3]}, "tasks.0"),
        ({"tasks": []}, "tasks"),
        ({"id": 3}, "id"),
        ({"model": {"scripted": "no"}}, "model"),
        ({"environment": None}, "environment"),
    ],
)
def test_a_config_of_another_shape_is_named(tmp_path: Path, change: dict[str, Any], key: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, **change}))
    with pytest.raises(RunDirectoryError, match=rf"config\.json: not the configuration of a run \(key {key}"):
        read_config(tmp_path)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(RunDirectoryError, match="cannot be written"):
        RunDirectory(tmp_path / "run")
    with pytest.raises(RunDirectoryError, match="cannot be written"):
        RunDirectory(tmp_path / "run" / "deeper")


def test_a_journal_that_is_a_link_is_refused_and_what_it_points_to_kept(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.txt"
    foreign.write_text("no line of ours")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "journal.jsonl").symlink_to(foreign)
    for _ in range(2):
        with pytest.raises(RunDirectoryError, match=r"journal\.jsonl is a link"):
            RunDirectory(tmp_path / "run")
    assert foreign.read_text() == "no line of ours"


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
