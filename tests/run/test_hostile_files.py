"""Personas, configuration and results of a run that somebody else hands over: read, counted or refused in one line."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from fake_runs import Bench, FakeBackbone, read
from spoiling import (
    ASKED_AGAIN,
    CHOICE,
    GONE,
    HUGE,
    Where,
    check_scored,
    mutated,
    put,
    says_the_first,
    scored,
    squeezed,
    write,
)

from paars_bench.run import rescore


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        (("shopper",), 3, "shopper and error are text"),
        (("error",), {}, "shopper and error are text"),
        (("profile",), [], "profile, preferences, reasoning and history are objects"),
        (("profile", "interests"), [], "profile: needs words for age_range"),
        (("profile", "interests"), [True], "profile: needs words for age_range"),
        (("profile", "income"), HUGE, "profile: needs words for age_range"),
        (("profile", "more"), "words", "profile: needs words for age_range"),
        (("preferences", "decision_style"), GONE, "preferences: needs words for price_sensitivity"),
        (("reasoning", "profile"), None, "reasoning: needs words for profile, preferences"),
        (("usage", "input"), -1, "usage is negative or too large"),
        (("outcome",), "fine", "'fine' is not a valid Outcome"),
        (("outcome",), GONE, "outcome is missing"),
        (("mood",), "good", "unexpected keyword argument 'mood'"),
    ],
)
def test_a_line_that_is_no_persona_is_said_and_mined_again(
    bench: Bench, tmp_path: Path, where: Where, value: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, Any] = {"tasks": (CHOICE,), "conditions": ("persona",), "limit": 3}
    bench(FakeBackbone(scripted=False), **asked)
    file = tmp_path / "run" / "personas.jsonl"
    first, *others = file.read_text().splitlines()
    write(tmp_path / "run", [json.dumps(put(json.loads(first), where, value)), *others], file.name)
    code, err = scored(tmp_path / "run", capsys, "--by", "profile.age_range", "--min_shoppers", "2")
    assert code == 0
    says_the_first(words, 0, err)
    (tmp_path / "run" / "journal.jsonl").unlink()
    again = FakeBackbone(scripted=False)
    bench(again, **asked)
    says_the_first(words, 0, squeezed(capsys.readouterr().err), then=ASKED_AGAIN)
    assert [r.role for r in again.requests].count("persona") == 2


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400, '"\\ud800"', "[" * 300 + "]" * 300]
)
@pytest.mark.parametrize("where", ["environment", "spec"])
def test_a_configuration_that_is_no_strict_json_is_refused(
    spoiled: Path, where: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = (spoiled / "config.json").read_text()
    (spoiled / "config.json").write_text(config.replace(f'"{where}": {{', f'"{where}": {{"odd": {text},', 1))
    before = (spoiled / "results.json").read_bytes()
    code, err = scored(spoiled, capsys)
    assert code == 1
    assert squeezed("config.json: cannot be read (") in err
    assert (spoiled / "results.json").read_bytes() == before


@pytest.mark.parametrize("repeats", [10**7 * 4, 2**63, 10**300])
def test_a_configuration_that_asks_more_than_memory_holds_is_refused(
    spoiled: Path, repeats: int, capsys: pytest.CaptureFixture[str]
) -> None:
    config = json.loads((spoiled / "config.json").read_text())
    config["spec"]["repeats"] = repeats
    (spoiled / "config.json").write_text(json.dumps(config))
    code, err = scored(spoiled, capsys)
    assert code == 1
    assert squeezed("and a run has 100,000,000 at most") in err


@pytest.mark.parametrize("seconds", ["NaN", "1e999", str(HUGE), "-5", "true", "null", '"\\ud800"'])
def test_odd_seconds_of_an_earlier_process_count_as_none(spoiled: Path, seconds: str, whole: Path) -> None:
    (spoiled / "results.json").write_text(f'{{"run": {{"seconds": {seconds}}}}}')
    again = rescore(spoiled).results
    assert again["run"]["seconds"] == 0.0
    assert again["tasks"] == read(whole)["tasks"]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("file", ["config.json", "results.json"])
def test_whatever_stands_in_a_file_of_a_run_is_read_or_refused(
    spoiled: Path, file: str, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    value = mutated(json.loads((spoiled / file).read_text()), random.Random(seed))
    (spoiled / file).write_text(json.dumps(value))
    if file == "results.json":
        assert scored(spoiled, capsys)[0] == 0
    else:
        check_scored(spoiled, capsys)
