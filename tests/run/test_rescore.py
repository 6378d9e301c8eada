"""Results are made of the journal alone: they can be made again without a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fake_runs import CHOICES, QUICK, Bench, FakeBackbone, essence, failing, read

from paars_bench.cli import main
from paars_bench.errors import PaarsError, RunDirectoryError
from paars_bench.outcomes import Outcome
from paars_bench.run import rescore


@pytest.mark.parametrize("delete", [True, False])
def test_scored_again_a_run_has_the_same_results(bench: Bench, tmp_path: Path, delete: bool) -> None:
    fake = FakeBackbone(failing(Outcome.REFUSED, 5), scripted=False)
    done = bench(fake, conditions=("base", "persona", "shuffled"), repeats=2)
    if delete:
        (tmp_path / "run" / "results.json").unlink()
    again = rescore(tmp_path / "run")
    assert essence(again.results) == essence(done.results) == essence(read(tmp_path / "run"))
    assert again.exit_code == done.exit_code == 2


def test_scoring_needs_no_prompts_or_replies(bench: Bench, tmp_path: Path) -> None:
    done = bench("random", log_samples=False)
    assert essence(rescore(tmp_path / "run").results) == essence(done.results)


def test_a_run_that_was_stopped_stays_stopped(bench: Bench, tmp_path: Path) -> None:
    done = bench(FakeBackbone(), tasks=CHOICES, max_cost=0.01)
    again = rescore(tmp_path / "run")
    assert essence(again.results) == essence(done.results)
    assert again.exit_code == 3


def test_the_command_scores_from_any_folder(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = bench("random", tasks=CHOICES)
    monkeypatch.chdir(tmp_path)
    assert main(["score", "run"]) == 0
    assert "item_selection_individual" in capsys.readouterr().out
    assert essence(read(tmp_path / "run")) == essence(done.results)


def test_a_moved_run_is_scored_where_it_lies_now(bench: Bench, tmp_path: Path) -> None:
    done = bench("random", tasks=CHOICES)
    (tmp_path / "run").rename(tmp_path / "kept")
    assert essence(rescore(tmp_path / "kept").results) == essence(done.results)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["nowhere", "file", "empty"])
def test_what_is_no_run_is_said_and_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunDirectoryError):
        rescore(tmp_path / name)
    assert not (tmp_path / "nowhere").exists()
    assert list((tmp_path / "empty").iterdir()) == []


def test_data_that_changed_are_refused(bench: Bench, tmp_path: Path) -> None:
    bench("random", tasks=CHOICES)
    file = tmp_path / "run" / "config.json"
    config = json.loads(file.read_text())
    config["identity"]["dataset_sha256"] = "0" * 64
    file.write_text(json.dumps(config))
    before = read(tmp_path / "run")
    with pytest.raises(PaarsError, match="000000000000"):
        rescore(tmp_path / "run")
    assert read(tmp_path / "run") == before


@pytest.mark.parametrize("damage", ["spec", "tasks", "id", "model", "environment", "started"])
def test_a_config_without_a_key_names_it(bench: Bench, tmp_path: Path, damage: str) -> None:
    bench("random", tasks=CHOICES[:1], limit=3)
    file = tmp_path / "run" / "config.json"
    config = json.loads(file.read_text())
    del config[damage]
    file.write_text(json.dumps(config))
    with pytest.raises(PaarsError, match=damage):
        rescore(tmp_path / "run")


def test_every_task_keeps_its_version_as_it_was_run(bench: Bench, tmp_path: Path) -> None:
    bench("random", tasks=QUICK)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    versions = {t["task"]: str(t["metadata"]["version"]) for t in config["tasks"]}
    assert {t["task"]: t["version"] for t in rescore(tmp_path / "run").results["tasks"]} == versions


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "x"),
        ("seed", -1),
        ("conditions", 3),
        ("model_args", [1]),
        ("limit", 0),
        ("tasks", 5),
        ("output_path", 1),
    ],
)
def test_a_spec_of_another_kind_is_named(bench: Bench, tmp_path: Path, key: str, value: Any) -> None:
    bench("random", tasks=CHOICES)
    file = tmp_path / "run" / "config.json"
    config = json.loads(file.read_text())
    config["spec"][key] = value
    file.write_text(json.dumps(config))
    with pytest.raises(RunDirectoryError, match=rf"config\.json: .*{key}"):
        rescore(tmp_path / "run")


def test_a_broken_task_in_the_config_is_named(bench: Bench, tmp_path: Path) -> None:
    bench("random", tasks=CHOICES)
    file = tmp_path / "run" / "config.json"
    config = json.loads(file.read_text())
    config["tasks"][0]["conditions"] = 3
    file.write_text(json.dumps(config))
    with pytest.raises(RunDirectoryError, match=r"config\.json: holds a broken task \(key conditions"):
        rescore(tmp_path / "run")
