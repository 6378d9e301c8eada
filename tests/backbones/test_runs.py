"""Whole runs on a provider that is dead, unpriced or unwilling, as the person at the screen sees them."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest
from loopback import Provider, chat, failure

from paars_bench.cli import main

SMALL = ["--dataset", "demo:shoppers=30,products=600", "--tasks", "item_selection_individual", "--limit", "5"]


def command(url: str, path: Path, *more: str) -> list[str]:
    own = f"api_base={url}/v1,api_key=sk-planted-1234567890"
    return ["--model", "openai/my-model", "--model_args", own, *SMALL, "--output_path", str(path), *more]


@pytest.fixture
def dead() -> str:
    """An address at which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}"


def test_a_dead_server_is_named_counted_and_exit_4(
    dead: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(dead, tmp_path / "run", "--conditions", "base,persona")) == 4
    said = capsys.readouterr()
    first = next(line for line in said.err.splitlines() if line.startswith("first case"))
    assert "→ provider_error:" in first
    assert "onnect" in " ".join(said.err.split())
    failed = [line for line in said.out.splitlines() if line.startswith("failed: ") and "×" in line]
    assert len(failed) == 2
    assert any("5 × provider_error: a persona could not be mined: " in line for line in failed)
    assert all("onnect" in line for line in failed)
    assert "no case was scored" in said.out
    assert "Individual alignment" not in said.out and "Group alignment" not in said.out
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["run"]["status"] == "failed"
    assert [f["cases"] for f in results["failures"]] == [5, 5]


def test_a_key_refused_at_the_first_call_is_said_and_results_are_written(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.script(failure(401, "who are you"))
    assert main(command(provider.url, tmp_path / "run", "--conditions", "base")) == 4
    assert "the provider refuses the API key" in " ".join(capsys.readouterr().err.split())
    assert json.loads((tmp_path / "run" / "results.json").read_text())["run"]["stop"] == "backbone_unusable"


def test_what_a_provider_says_is_shown_without_keys_and_as_one_line(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.script(failure(400, "no \x1b[31msuch\nfield, key sk-planted-1234567890, request req-0a1b2c3d4e5f6a7b"))
    assert main(command(provider.url, tmp_path / "run", "--conditions", "base")) == 4
    said = capsys.readouterr()
    assert "planted" not in said.out + said.err
    assert "\x1b" not in said.out + said.err
    (line,) = [line for line in said.out.splitlines() if "×" in line]
    assert line.startswith("failed: 5 × env_error: no [31msuch field")


def test_a_model_heard_but_never_understood_is_partial(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.script(chat("I would rather not choose"))
    assert main(command(provider.url, tmp_path / "run", "--conditions", "base")) == 2
    assert "failed: 5 × unparseable: " in capsys.readouterr().out


def test_a_cap_on_money_without_a_price_is_refused_before_any_call(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.script(chat("1"))
    assert main(command(provider.url, tmp_path / "run", "--max_cost", "5")) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: --max_cost 5: LiteLLM knows no price for openai/my-model")
    assert "--max_tokens_total" in line
    assert provider.asked == []
    assert not (tmp_path / "run").exists()


def test_a_cap_on_money_is_taken_where_the_price_is_known_or_nothing(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.script(chat("1"))
    priced = ["openai/gpt-4o-mini" if word == "openai/my-model" else word for word in command(provider.url, tmp_path)]
    assert main([*priced, "--max_cost", "5", "--conditions", "base"]) == 0
    assert len(provider.asked) == 5
    assert main(["--model", "random", *SMALL, "--max_cost", "5", "--output_path", str(tmp_path / "free")]) == 0


def test_a_run_says_what_it_will_call_before_it_does(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.script(chat("1"))
    words = command(provider.url, tmp_path / "run", "--conditions", "base")
    main(words)
    said = " ".join(capsys.readouterr().err.split())
    assert "5 cases planned of item_selection_individual: 5 calls of openai/my-model" in said
    assert f"run folder: {tmp_path / 'run'}; the same command with --output_path" in said
    assert "--dry_run shows the plan" not in said  # a limit was given
    whole = [word for word in words if word not in ("--limit", "5")]
    main([*whole, "--max_tokens_total", "1", "--output_path", str(tmp_path / "whole")])
    said = " ".join(capsys.readouterr().err.split())
    assert said.index("--limit N asks fewer cases a task; --dry_run shows the plan") < said.index("first case")


def test_a_run_is_resumed_with_another_timeout_and_key(provider: Provider, tmp_path: Path) -> None:
    provider.script(chat("1"))
    words = command(provider.url, tmp_path / "run", "--conditions", "base")
    assert main([*words, "--max_tokens_total", "30"]) == 3
    asked = len(provider.asked)
    other = [w.replace("api_key=sk-planted-1234567890", "api_key=sk-other-0987654321,timeout=5") for w in words]
    assert main([*other, "--max_concurrency", "2"]) == 0
    assert asked < len(provider.asked) == 5


def test_a_server_that_counts_nothing_is_capped_all_the_same(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.script(chat("1", usage=(-1000, -1000)))
    assert main(command(provider.url, tmp_path / "run", "--conditions", "base", "--max_tokens_total", "300")) == 3
    assert len(provider.asked) < 5
    assert "without a count of tokens" in " ".join(capsys.readouterr().err.split())


def test_a_wait_does_not_outlast_the_time_of_a_run(provider: Provider, tmp_path: Path) -> None:
    provider.script(failure(429, "slow down", retry_after="100"))
    began = time.monotonic()
    path = tmp_path / "run"
    assert main(command(provider.url, path, "--conditions", "base", "--max_time", "2s")) == 3
    assert time.monotonic() - began < 60
    rows = [json.loads(line) for line in (path / "journal.jsonl").read_text().splitlines()]
    assert {row["outcome"] for row in rows} == {"time_limit"}
    provider.script(chat("1"))
    assert main(command(provider.url, path, "--conditions", "base")) == 0
