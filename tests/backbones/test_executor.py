"""``--executor``: a model called from processes of its own gives what the run itself would get, and loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loopback import Asked, Provider, chat, failure

from paars_bench.backbones.executor import processes_for
from paars_bench.cli import main
from paars_bench.errors import UsageError

KEY = "sk-planted-1234567890"
PROFILE = ("reasoning", "age_range", "marital_status", "household", "income", "lifestyle", "interests")
PREFERENCES = (
    *("price_sensitivity", "value_perception", "review_reliance", "brand_reputation"),
    *("decision_style", "favourite_categories"),
)
PERSONA = dict.fromkeys(PROFILE + PREFERENCES, "x")
OWN = {"api_base": "http://localhost:1/v1"}
TASKS = "item_selection_individual,session_generation"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no socket is handed on to a process")


def words(
    url: str, path: Path, executor: str, *more: str, tasks: str = TASKS, limit: int = 5, acting: str = "text"
) -> list[str]:
    flags = f"--dataset demo:shoppers=30,products=600 --tasks {tasks} --limit {limit} --executor {executor}"
    args = f"api_base={url}/v1,api_key={KEY},acting={acting}"
    return ["--model", "openai/my-model", "--model_args", args, *flags.split(), "--output_path", str(path), *more]


def start(url: str, path: Path, executor: str, *more: str, limit: int = 60) -> subprocess.Popen[str]:
    command = words(url, path, executor, "--conditions", "base", *more, tasks="item_selection_individual", limit=limit)
    command = [sys.executable, "-m", "paars_bench.cli", *command]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def when(true: Callable[[], Any], run: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def workers(run: subprocess.Popen[str]) -> list[int]:
    """The processes that call the model: forks of one that only waits for them."""
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    return [int(w) for c in children for w in Path(f"/proc/{c}/task/{c}/children").read_text().split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def results(path: Path) -> dict[str, Any]:
    return json.loads((path / "results.json").read_text())  # type: ignore[no-any-return]


def attempts(path: Path) -> Counter[tuple[Any, ...]]:
    rows = map(json.loads, (path / "attempts.jsonl").read_text().splitlines())
    return Counter((r["task"], r["condition"], r["case_id"], r["role"], r["number"], r["outcome"]) for r in rows)


def by_prompt(asked: Asked) -> Any:
    """Answers by what was asked and nothing else: a choice, an action, or, where a persona is mined, any JSON."""
    text = json.dumps(asked.body["messages"])
    said = {"number": 1 + len(text) % 4} if "number" in text else PERSONA
    if "action" in text:
        said = {"action": "search", "query": "mug"}
    return chat(json.dumps(said), usage=(len(text) // 4, 3))


@pytest.mark.parametrize(("executor", "acting"), [("process", "tools"), ("process:3", "text"), ("process:2", "schema")])
def test_processes_give_what_the_run_itself_gets(
    provider: Provider, tmp_path: Path, executor: str, acting: str
) -> None:
    provider.script(by_prompt)
    for name, where in (("inline", "inline"), ("apart", executor)):
        ended = main(words(provider.url, tmp_path / name, where, "--conditions", "base,persona", acting=acting))
        assert ended == 2  # partial: the shoppers only search, until too many of their actions are refused
    inline, apart = results(tmp_path / "inline"), results(tmp_path / "apart")
    assert apart["tasks"] == inline["tasks"]
    assert apart["usage"] == inline["usage"]
    assert attempts(tmp_path / "apart") == attempts(tmp_path / "inline")
    said = apart["model"].pop("executor")
    assert said == ("a process of its own" if executor == "process" else f"{executor[-1]} processes of its own")
    assert apart["model"] == inline["model"]
    assert not [p for p in (tmp_path / "apart").rglob("*") if p.is_file() and b"planted" in p.read_bytes()]


def test_a_run_goes_on_with_another_executor(provider: Provider, tmp_path: Path) -> None:
    provider.script(by_prompt)
    url, path, tasks = provider.url, tmp_path / "run", "item_selection_individual"
    assert main(words(url, path, "process", "--max_tokens_total", "2000", tasks=tasks)) == 3
    assert main(words(url, path, "inline", tasks=tasks)) == 0


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (failure(401, "who are you"), "the provider refuses the API key"),
        (failure(404, "no such model"), "the provider knows no such model"),
    ],
)
def test_what_no_call_can_survive_stops_the_run(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str], answer: Any, says: str
) -> None:
    provider.script(answer)
    assert main(words(provider.url, tmp_path / "run", "process:2")) == 4
    assert says in " ".join(capsys.readouterr().err.split())
    assert results(tmp_path / "run")["run"]["stop"] == "backbone_unusable"


def test_a_wrong_argument_is_refused_before_anything_is_asked(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = f"api_base={provider.url}/v1,api_key={KEY},timeout=soon"
    flags = ["--tasks", "item_selection_individual", "--executor", "process"]
    assert main(["--model", "openai/m", "--model_args", args, *flags, "--output_path", str(tmp_path / "run")]) == 1
    assert "timeout=soon: needs a number above 0" in capsys.readouterr().err
    assert not provider.asked
    assert not (tmp_path / "run").exists()


def test_a_worker_that_is_killed_ends_the_run_in_a_sentence_and_it_goes_on(provider: Provider, tmp_path: Path) -> None:
    provider.script(slow("1"))
    run = start(provider.url, tmp_path / "run", "process:2", "--max_concurrency", "4")
    when(lambda: len(provider.asked) > 12, run)
    os.kill(workers(run)[1], signal.SIGKILL)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 4
    assert "a process that calls the model is gone (it was killed by signal 9)" in " ".join(said.split())
    kept = (tmp_path / "run" / "journal.jsonl").read_text().splitlines()
    assert {json.loads(line)["outcome"] for line in kept} == {"ok"}
    asked = len(provider.asked)
    assert start(provider.url, tmp_path / "run", "process:2", "--max_concurrency", "4").wait(60) == 0
    assert len(provider.asked) - asked == 60 - len(kept)


def slow(text: str) -> Callable[[Asked], Any]:
    def answer(asked: Asked) -> Any:
        time.sleep(0.1)
        return chat(text)

    return answer


def test_no_worker_outlives_its_run(provider: Provider, tmp_path: Path) -> None:
    provider.script(slow("1"))
    run = start(provider.url, tmp_path / "run", "process:2", "--max_concurrency", "4")
    when(lambda: len(provider.asked) > 4, run)
    left = workers(run)
    assert len(left) == 2
    run.kill()
    run.wait()
    deadline = time.monotonic() + 10
    while not all(map(gone, left)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_ctrl_c_lets_the_calls_in_flight_end(provider: Provider, tmp_path: Path) -> None:
    provider.script(slow("1"))
    run = start(provider.url, tmp_path / "run", "process", "--max_concurrency", "4")
    when(lambda: len(provider.asked) > 8, run)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130, said
    kept = (tmp_path / "run" / "journal.jsonl").read_text().splitlines()
    assert len(kept) == len(provider.asked) < 60


@pytest.mark.parametrize(
    ("executor", "args", "in_flight", "count"),
    [
        ("auto", OWN, 32, 1),
        ("auto", OWN, 64, 2),
        ("auto", OWN, 10_000, 8),
        ("auto", OWN, 31, 0),
        ("auto", OWN, None, 0),
        ("auto", {}, 512, 0),
        ("inline", OWN, 512, 0),
        ("process", {}, None, 1),
        ("process:12", OWN, 1, 12),
    ],
)
def test_auto_takes_processes_where_one_core_is_the_limit(
    monkeypatch: pytest.MonkeyPatch, executor: str, args: dict[str, str], in_flight: int | None, count: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert processes_for(executor, "openai/my-model", args, in_flight) == count


@pytest.mark.parametrize("executor", ["processes", "process:0", "process:", "thread", "process:2000"])
def test_an_unknown_executor_is_refused(executor: str) -> None:
    with pytest.raises(UsageError, match="valid are auto, inline, process and process:N"):
        processes_for(executor, "openai/m", OWN, 64)


@pytest.mark.parametrize(
    ("more", "says"),
    [(["--use_cache", "rw"], "with --use_cache"), (["--batch", "--tasks", "query_generation"], "with --batch")],
)
def test_processes_have_no_part_in_what_the_run_keeps_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], says: str
) -> None:
    assert main(words("http://127.0.0.1:1", tmp_path / "run", "process", *more, tasks="query_generation")) == 1
    assert says in capsys.readouterr().err
    assert main(["--model", "random", "--executor", "process", "--output_path", str(tmp_path / "run")]) == 1
    assert "with random" in capsys.readouterr().err
