"""What a run is said to take before it is asked, beside what it then asks of a provider."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from loopback import Provider, chat

import paars_bench
from paars_bench.backbones.litellm import import_litellm
from paars_bench.cli import main
from paars_bench.config import TaskIndex
from paars_bench.personas.mine import PREFERENCE_FIELDS, PROFILE_FIELDS
from paars_bench.run.estimate import MINING

DATA = "demo:shoppers=30,products=600"
CHOICES = ("item_selection_individual", "item_selection_group")
PRICED, UNPRICED = "openai/gpt-4o-mini", "openai/my-model"


def estimated(model: str = PRICED, **options: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"tasks": CHOICES, "dataset": DATA, "limit": 5, "conditions": "base", **options}
    told = paars_bench.evaluate(model, dry_run=True, **asked)
    estimate: dict[str, Any] = told["estimate"]
    return estimate


def rows(estimate: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(r["task"], r["condition"]): r for r in estimate["rows"]}


def command(url: str, path: Path, *more: str) -> list[str]:
    own = ["--model", PRICED, "--model_args", f"api_base={url}/v1,api_key=sk-planted-1234567890"]
    return [*own, "--dataset", DATA, "--tasks", ",".join(CHOICES), "--output_path", str(path), *more]


def sent(provider: Provider) -> int:
    """Returns the tokens of all prompts that arrived, as LiteLLM counts whole messages."""
    count = import_litellm().token_counter
    return sum(count(model="gpt-4o-mini", messages=asked.body["messages"]) for asked in provider.asked)


def test_the_prompts_that_are_counted_are_those_that_are_sent(provider: Provider, tmp_path: Path) -> None:
    provider.script(chat("1"))
    told = estimated()["total"]
    assert main(command(provider.url, tmp_path / "run", "--limit", "5", "--conditions", "base")) == 0
    assert (told["calls"], told["input"]) == (len(provider.asked), sent(provider))


def test_a_sample_stands_for_all_cases_within_a_tenth(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paars_bench.run.sample.SAMPLE", 30)
    provider.script(chat("1"))
    told = estimated(limit=150)
    assert all(r["measured"] == 30 < r["cases"] / 4 for r in told["rows"])
    assert main(command(provider.url, tmp_path / "run", "--limit", "150", "--conditions", "base")) == 0
    assert told["total"]["input"] == pytest.approx(sent(provider), rel=0.1)


def test_what_is_on_disk_is_not_estimated_again_and_its_personas_are_read(provider: Provider, tmp_path: Path) -> None:
    persona = dict.fromkeys((*PROFILE_FIELDS, *PREFERENCE_FIELDS), "tea") | {"reasoning": "They like tea. " * 400}
    provider.script(chat(json.dumps(persona)))
    path = tmp_path / "run"
    one_shopper_mined_and_one_case_asked = ["--max_tokens_total", str(3 * 14), "--max_concurrency", "1"]
    words = command(provider.url, path, "--limit", "2", "--conditions", "profile,persona")
    assert main([*words, *one_shopper_mined_and_one_case_asked]) == 3
    options: dict[str, Any] = {"limit": 2, "conditions": "profile,persona"}
    whole = estimated(**options)
    rest = estimated(**options, output_path=path, model_args={"api_base": f"{provider.url}/v1", "api_key": "x"})
    assert (whole["total"]["cases"], rest["total"]["cases"]) == (8, 7)
    assert (rows(whole)[MINING, ""]["cases"], rows(rest)[MINING, ""]["cases"]) == (2, 1)
    of_persona = (CHOICES[1], "persona")
    assert rows(rest)[of_persona]["input"] - rows(whole)[of_persona]["input"] > 2000, "the reasoning on disk is long"
    assert len((path / "personas.jsonl").read_text().splitlines()) == 1


def test_visits_are_expected_to_last_as_long_as_the_humans(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"tasks": "session_generation", "limit": 12, "conditions": "base"}
    paars_bench.evaluate("human", dataset=DATA, output_path=tmp_path / "human", **asked)
    lines = (tmp_path / "human" / "journal.jsonl").read_text().splitlines()
    turns = [json.loads(line)["parsed"]["turns"] for line in lines]
    (row,) = estimated(**asked)["rows"]
    assert row["calls"] == sum(2 * (t - 1) for t in turns), "leaving is a turn of theirs, and a call after each of ours"
    low, high = row["calls_range"]
    assert low < row["calls"] < high
    assert 0 < row["cached"] < row["input"], "pages change, and what stands before them does not"


def test_the_range_of_costs_is_that_of_the_price_list() -> None:
    estimate = estimated(tasks=CHOICES[0])
    (row,) = estimate["rows"]
    litellm = import_litellm()
    short, long = (
        sum(litellm.cost_per_token(PRICED, prompt_tokens=row["input"], completion_tokens=5 * tokens))
        for tokens in (2, 8)  # a number and its end; the cap of the task
    )
    assert row["cached"] == 0  # OpenAI caches from 1,024 tokens on
    assert (row["cost_usd"]["low"], row["cost_usd"]["high"]) == pytest.approx((short, long), rel=0.01)
    assert estimate["prices"].startswith("the price list of LiteLLM 1.")


def test_batches_cost_half() -> None:
    single, batch = (estimated(tasks=CHOICES[0], batch=batch)["total"]["cost_usd"] for batch in (False, True))
    assert batch == {end: pytest.approx(single[end] / 2) for end in ("low", "high")}


def test_what_a_provider_is_told_to_write_to_its_cache_is_priced_as_written() -> None:
    model = "anthropic/claude-sonnet-4-5"
    estimate = estimated(model, tasks=CHOICES[0], conditions="history", model_args={"history_tokens": 8000})
    (row,) = estimate["rows"]
    litellm = import_litellm()
    plain, _ = litellm.cost_per_token(model, prompt_tokens=row["input"], completion_tokens=0)
    assert 1.1 * plain < row["cost_usd"]["high"] < 1.3 * plain, "Anthropic takes a quarter more for what is written"


def test_a_dry_run_shows_the_command_resolved_and_calls_nothing(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run"
    words = command(provider.url, path, "--limit", "5", "--max-cost", "3", "--conditions", "base,persona")
    assert main([*words, "--dry-run"]) == 0
    said = capsys.readouterr().out
    versions = ", ".join(f"{s.task} {s.version}" for s in TaskIndex().select(CHOICES))
    for line in (
        f"model       {PRICED}: {PRICED}, context 128,000 tokens",
        f"provider    openai at {provider.url}/v1",
        f"tasks       {versions}",
        "conditions  base, persona",
        "asked       5 cases a task at most, each once; seed 0",
        "caps        --max_cost 3",
        "20 cases, 30 calls, 16 at once: as long as 2 in a row; nothing was called",
    ):
        assert line in said.splitlines()
    assert "if the provider caches" in said and "price list of LiteLLM" in said
    assert provider.asked == []
    assert not path.exists()


def test_a_price_that_is_not_known_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    estimate = estimated(UNPRICED, model_args={"api_base": "http://127.0.0.1:1/v1", "api_key": "x"})
    assert (estimate["total"]["cost_usd"], estimate["prices"]) == (None, None)
    assert estimate["total"]["input"] > 0
    said = capsys.readouterr().out
    assert f"LiteLLM knows no price for {UNPRICED}" in said and "price unknown" in said


def test_a_model_that_thinks_is_said_to_take_more(capsys: pytest.CaptureFixture[str]) -> None:
    estimated("openai/o3")
    assert "can think before it answers" in capsys.readouterr().out
    estimated(PRICED)
    assert "can think" not in capsys.readouterr().out


def test_a_baseline_costs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    total = estimated("random")["total"]
    assert (total["cases"], total["input"], total["cost_usd"]) == (10, 0, {"low": 0, "high": 0})
    assert "a baseline reads no prompt" in capsys.readouterr().out


def test_a_run_begins_with_its_estimate_and_with_the_cap_that_will_end_it(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.script(chat("1"))
    cost = estimated()["total"]["cost_usd"]
    capsys.readouterr()
    words = command(provider.url, tmp_path / "run", "--limit", "5", "--conditions", "base")
    assert main([*words, "--max_cost", f"{cost['low'] / 2:.9f}", "--max_tokens_total", "20"]) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert re.search(r"estimated: 10 calls, \d\.\dk input and 20 output tokens, \$0\.000\d; --dry_run", said)
    assert said.index("estimated: 10 calls") < said.index("the run will stop after about") < said.index("first case")
    assert " to 50 % of it" in said
    assert "--max_tokens_total leaves 20, less than that" in said
