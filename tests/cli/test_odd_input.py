"""Odd words, odd environments and odd names: one sentence and an exit code, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from paars_bench.backbones.open import open_backbone
from paars_bench.cli import main
from paars_bench.cli.doctor_checks import State, check_hub
from paars_bench.errors import UsageError
from paars_bench.run import RunSpec
from paars_bench.run.opening import default_path

ESC = "\x1b"


@pytest.mark.parametrize("flag", ["--max_cost", "--fail_on_error", "--max_tokens_total", "--max_time"])
@pytest.mark.parametrize("value", ["nan", "inf", "-1", "0", "1e999", "9" * 400])
def test_a_cap_is_a_finite_number_above_0(
    flag: str, value: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if flag == "--max_tokens_total" and value.isdigit() and int(value):
        pytest.skip("a whole number of tokens, however many")
    monkeypatch.chdir(tmp_path)
    assert main(["--model", "random", flag, value]) == 1
    err = capsys.readouterr().err
    assert flag in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_dashes_gets_question_marks(encoding: str, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    for words in (["ls", "tasks"], ["doctor", "-h"], ["--model", "rändom–"]):
        command = [sys.executable, "-m", "paars_bench.cli", *words]
        done = subprocess.run(command, capture_output=True, env=env, cwd=Path.cwd(), check=False)
        assert b"Unicode" not in done.stdout + done.stderr
        assert done.returncode == (1 if "--model" in words else 0), done.stderr
    data = "demo:shoppers=20,products=600"
    flags = ["--tasks", "item_selection_individual", "--limit", "3", "--output_path", str(tmp_path / "run")]
    command = [sys.executable, "-m", "paars_bench.cli", "--model", "random", "--dataset", data, *flags]
    done = subprocess.run(command, capture_output=True, env=env, cwd=Path.cwd(), check=False)
    assert b"Unicode" not in done.stdout + done.stderr
    assert (tmp_path / "run" / "results.json").exists()


def test_names_in_files_are_shown_and_not_obeyed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = "include: query_generation.yaml\n"
    (tmp_path / "a.yaml").write_text(f'{base}task: a\ndescription: "red\\e[31m\\u009b"\ntag: ["t\\e[2J"]\n')
    (tmp_path / f"b{ESC}[31m.yaml").write_text("nonsense: 1\n")
    for what in ("tasks", "groups"):
        assert main(["ls", what, "--include_path", str(tmp_path)]) == 0
        shown = capsys.readouterr()
        assert ESC not in shown.out + shown.err
        assert "\x9b" not in shown.out
        assert "t\\x1b[2J" in shown.out
        assert "b\\x1b[31m.yaml" in shown.err


def test_two_runs_of_the_same_second_have_two_folders() -> None:
    spec = RunSpec(model="random")
    assert len({default_path(spec) for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "url", ["nonsense", "http://", "http://[::1", "http://h:port", "http://a b/", "http://\x00", "https://xn--\udcff"]
)
def test_an_odd_hub_address_is_a_note(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "HF_ENDPOINT", "")
    monkeypatch.setattr(os, "environ", {**os.environ, "HF_ENDPOINT": url})
    assert check_hub().state is State.NOTE


@pytest.mark.parametrize(("slip", "meant"), [("api_bas", "api_base"), ("apikey", "api_key"), ("tiemout", "timeout")])
def test_a_slip_in_an_argument_is_refused(slip: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"unknown key '{slip}': did you mean '{meant}'"):
        open_backbone("openai/m", {slip: "x", "api_key": "none"}, lambda text: None)


def test_an_argument_that_nobody_lists_is_passed_on_and_told() -> None:
    told: list[str] = []
    open_backbone("openai/m", {"chat_template": "x", "api_key": "none", "aws_region_name": "y"}, told.append)
    assert told == ["--model_args chat_template: not an argument LiteLLM lists; passed on as it is"]


def test_config_json_and_the_command_hold_no_secret(tmp_path: Path) -> None:
    base = "http://127.0.0.1:9/v1?code=hidden-in-query"
    words = [
        "--model",
        "openai/m",
        "--tasks",
        "item_selection_individual",
        "--dataset",
        "demo:shoppers=20,products=600",
    ]
    flags = ["--limit", "1", "--conditions", "base", "--max_time", "1", "--output_path", str(tmp_path / "run")]
    args = f"api_base={base},authorization=Bearer hidden-in-header,api_key=hidden-key,timeout=1,num_retries=0"
    main([*words, *flags, "--model_args", args])
    written = (tmp_path / "run" / "config.json").read_text()
    assert "hidden" not in written
    assert json.loads(written)["model"]["params"]["authorization"] == "[key]"
    for file in (tmp_path / "run").rglob("*.json*"):
        assert "hidden" not in file.read_text(), file
