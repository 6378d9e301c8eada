"""Whole runs, in processes of their own, on a provider that fails as providers do."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).with_name("faulty.py")
KILLS = int(os.environ.get("PAARS_BENCH_KILLS", "3"))
CASES = int(os.environ.get("PAARS_BENCH_FAULT_CASES", "280"))
DATA = "demo:shoppers=60,products=600" if CASES <= 280 else "demo"
KEY = "sk-planted-0123456789abcdef"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


def command(
    url: str, model: str, path: Path, cases: int = CASES, concurrency: int = 64, executor: str = "auto"
) -> list[str]:
    words = ["--model", f"openai/{model}", "--model_args", f"api_base={url}/v1,api_key={KEY}", "--dataset", DATA]
    words += ["--tasks", "item_selection_individual", "--conditions", "base", "--limit", str(cases)]
    words += ["--max_concurrency", str(concurrency), "--executor", executor, "--output_path", str(path)]
    return [sys.executable, "-m", "paars_bench.cli", *words]


def run(url: str, model: str, path: Path, cases: int = CASES, executor: str = "auto") -> tuple[int, str]:
    words = command(url, model, path, cases, executor=executor)
    done = subprocess.run(words, capture_output=True, text=True, timeout=500, check=False)
    return done.returncode, done.stderr


def rows(path: Path) -> dict[str, dict[str, Any]]:
    lines = (path / "journal.jsonl").read_text().splitlines()
    found = {row["case_id"]: row for row in map(json.loads, lines)}
    assert len(found) == len(lines)
    return found


def calls(url: str, model: str) -> int:
    with urllib.request.urlopen(f"{url}/seen") as reply:
        return int(json.loads(reply.read()).get(model, 0))


def test_three_calls_in_ten_fail_and_no_case_does(url: str, tmp_path: Path) -> None:
    assert run(url, "calm", tmp_path / "calm", executor="inline")[0] == 0
    code, _ = run(url, "chaos", tmp_path / "chaos", executor="process:2")
    calm, chaos = rows(tmp_path / "calm"), rows(tmp_path / "chaos")
    assert calm.keys() == chaos.keys()
    assert len(calm) == CASES
    ended = Counter(row["outcome"] for row in chaos.values())
    assert set(ended) <= {"ok", "provider_error", "empty_output"}
    assert ended["ok"] >= 0.98 * CASES  # five failures one after another are 1 in 400
    assert all(row["reply"] == calm[case]["reply"] for case, row in chaos.items() if row["outcome"] == "ok")
    assert all(row["parsed"] is None for row in chaos.values() if row["outcome"] != "ok")
    assert calls(url, "calm") == CASES
    assert calls(url, "chaos") <= 1.7 * CASES
    assert code == 0
    attempts = [json.loads(line) for line in (tmp_path / "chaos" / "attempts.jsonl").read_text().splitlines()]
    assert Counter(a["case_id"] for a in attempts) == {case: row["attempts"] for case, row in chaos.items()}
    assert {a["retry_after"] for a in attempts} == {None, 1.0}


def test_one_refused_prompt_costs_one_case(url: str, tmp_path: Path) -> None:
    assert run(url, "one-400", tmp_path / "run", 200)[0] == 0
    ended = Counter(row["outcome"] for row in rows(tmp_path / "run").values())
    assert ended == {"ok": 199, "env_error": 1}
    assert calls(url, "one-400") == 200


@pytest.mark.parametrize("executor", ["inline", "process:2"])
def test_a_wrong_key_stops_at_once_in_one_sentence(url: str, tmp_path: Path, executor: str) -> None:
    before, began = calls(url, "no-key"), time.monotonic()
    code, said = run(url, "no-key", tmp_path / "run", executor=executor)
    took = time.monotonic() - began
    assert code == 4
    assert "the provider refuses the API key" in said.splitlines()[-1]
    assert calls(url, "no-key") - before <= 64
    assert took < 60  # of which most are imports


@pytest.mark.parametrize("executor", ["inline", "process:2"])
def test_a_provider_that_takes_sixteen_calls_is_asked_little_more(url: str, tmp_path: Path, executor: str) -> None:
    before = calls(url, "crowded")
    code, said = run(url, "crowded", tmp_path / "run", executor=executor)
    assert code == 0
    assert Counter(row["outcome"] for row in rows(tmp_path / "run").values()) == {"ok": CASES}
    assert CASES < calls(url, "crowded") - before <= 1.15 * CASES
    assert "came too many for the provider (429); slowed down to" in " ".join(said.split())


def test_a_key_stands_nowhere_on_disk(url: str, tmp_path: Path) -> None:
    _, said = run(url, "chaos", tmp_path / "run", 20)
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(files) > 4
    assert not [p for p in files if b"planted" in p.read_bytes()]
    assert "planted" not in said


def test_killed_at_random_moments_it_ends_as_if_nothing_had_happened(url: str, tmp_path: Path) -> None:
    assert run(url, "whole", tmp_path / "whole")[0] == 0
    drawn, concurrency, journal = random.Random(0), 8, tmp_path / "run" / "journal.jsonl"
    moments = sorted(drawn.sample(range(CASES - 2 * concurrency), KILLS))
    for lines in moments:
        words = command(url, "killed", tmp_path / "run", concurrency=concurrency)
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while not journal.exists() or journal.read_bytes().count(b"\n") < lines:
                assert process.poll() is None
                time.sleep(0.002)
            time.sleep(drawn.random() * 0.05)
            process.kill()
    assert run(url, "killed", tmp_path / "run")[0] == 0
    ended, whole = (json.loads((tmp_path / name / "results.json").read_text()) for name in ("run", "whole"))
    assert ended["tasks"] == whole["tasks"]
    assert ended["usage"] == whole["usage"]
    assert CASES <= calls(url, "killed") <= CASES + KILLS * concurrency
