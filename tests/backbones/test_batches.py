"""Whole runs whose calls go in a provider's batches: the same journal, the same numbers, nothing paid for twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from batching import BatchingProvider

from paars_bench.backbones import batch_calls, batch_rounds
from paars_bench.cli import main

KEY = "sk-planted-1234567890"
QUERIES = """
include: query_generation.yaml
task: quick_queries
metric_list:
  - {metric: query_ttr, level: group}
metadata: {version: 1.0}
"""
BOTH = "quick_queries,item_selection_individual"
PROGRAM = """
import sys
from paars_bench.backbones import batch_calls, batch_rounds
from paars_bench.cli import main
batch_rounds.QUIET, batch_calls.FIRST_PAUSE, batch_calls.LONGEST_PAUSE = 0.3, 0.05, 0.05
sys.exit(main(sys.argv[1:]))
"""


class Bench:
    def __init__(self, provider: BatchingProvider, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.provider, self.folder, self._capsys = provider, folder, capsys
        (folder / "tasks").mkdir()
        (folder / "tasks" / "quick_queries.yaml").write_text(QUERIES)

    def words(self, name: str, *more: str, url: str = "", model: str = "openai/gpt-4o-mini") -> list[str]:
        api = f"api_base={url or self.provider.url + '/v1'},api_key={KEY}"
        words = ["--model", model, "--model_args", api, "--dataset", "demo:shoppers=20,products=600"]
        words += ["--conditions", "base", "--limit", "15"]
        words += [] if "--tasks" in more else ["--tasks", "item_selection_individual"]
        words += ["--include_path", str(self.folder / "tasks"), "--output_path", str(self.folder / name)]
        return [*words, *more]

    def __call__(self, name: str, *more: str, **other: str) -> int:
        self._capsys.readouterr()
        code = main(self.words(name, *more, **other))
        self.said = " ".join(self._capsys.readouterr().err.split())
        return code

    def results(self, name: str) -> Any:
        results = json.loads((self.folder / name / "results.json").read_text())
        for key in ("id", "started", "seconds", "command"):
            del results["run"][key]
        return results

    def journal(self, name: str) -> dict[str, dict[str, Any]]:
        rows = [json.loads(line) for line in (self.folder / name / "journal.jsonl").read_text().splitlines()]
        return {f"{r['task']}|{r['condition']}|{r['case_id']}|{r['repeat']}": r for r in rows}

    def outcomes(self, name: str) -> Counter[str]:
        return Counter(row["outcome"] for row in self.journal(name).values())

    @property
    def sizes(self) -> list[int]:
        return [len(self.provider.requests(name)) for name in self.provider.batches]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def bench(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Bench]:
    for file in cache.glob("replies*"):
        file.unlink()
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(cache))
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(batch_rounds, "QUIET", 0.3)
    monkeypatch.setattr(batch_calls, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(batch_calls, "LONGEST_PAUSE", 0.02)
    provider = BatchingProvider()
    threading.Thread(target=provider.serve, daemon=True).start()
    yield Bench(provider, tmp_path, capsys)
    provider.close()


def test_a_run_in_batches_ends_as_one_that_asks_call_by_call_at_half_the_price(bench: Bench) -> None:
    more = ("--tasks", BOTH, "--conditions", "base,persona")
    assert bench("single", *more) == 0
    assert not bench.provider.batches
    calls = bench.provider.seen["POST chat"]
    assert bench("batched", "--batch", *more) == 0
    assert bench.provider.seen["POST chat"] == calls
    assert sum(bench.sizes) == calls
    assert len(bench.sizes) == 3, "two rounds of personas, and one of who needed them"
    assert "batch batch_0: 45 requests sent" in bench.said
    assert "batch batch_0: completed, 45 of 45 requests have a reply" in bench.said
    single, batched = bench.journal("single"), bench.journal("batched")
    assert single.keys() == batched.keys()
    assert len(single) == 60
    for name, row in single.items():
        other = batched[name]
        assert min(row.pop("latency_ms"), other.pop("latency_ms")) > 0
        assert other["usage"].pop("cost_usd") == pytest.approx(row["usage"].pop("cost_usd") / 2)
        assert other == row
    want, got = bench.results("single"), bench.results("batched")
    for role, used in want["usage"]["by_role"].items():
        paid = got["usage"]["by_role"][role].pop("cost_usd")
        assert paid == pytest.approx(used.pop("cost_usd") / 2, rel=1e-3)
        assert paid > 0
    assert got == want


def test_what_failed_in_a_batch_ends_as_it_would_by_itself_and_only_that_is_asked_again(bench: Bench) -> None:
    spoilt = {0: 400, 1: 500, 2: "missing", 3: "torn", 4: "expired", 5: 413, 6: 429}
    bench.provider.spoilt = spoilt
    assert bench("run", "--batch") == 2
    assert bench.outcomes("run") == {"ok": 8, "env_error": 1, "provider_error": 5, "context_overflow": 1}
    said = {row["error"] for row in bench.journal("run").values()}
    assert said >= {
        "refused with 400",
        "refused with 413",
        "This request could not be executed in time.",
        "batch batch_0 ended without a reply to this request (completed)",
    }
    assert "8 of 15 requests have a reply, 1 lines could not be read" in bench.said
    bench.provider.spoilt = {}
    assert bench("run", "--batch") == 2, "14 of 15 are scored"
    assert bench.sizes == [15, 6]
    assert bench.outcomes("run") == {"ok": 14, "context_overflow": 1}
    again = {row["custom_id"] for row in bench.provider.requests("batch_1")}
    first = [row["custom_id"] for row in bench.provider.requests("batch_0")]
    assert again == {first[number] for number in spoilt if number != 5}


@pytest.mark.parametrize("ends", ["failed", "cancelled"])
def test_a_batch_that_brings_nothing_is_owed_and_no_other_follows_it(
    bench: Bench, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_rounds, "ROUND", 10)
    bench.provider.ends = ends
    bench.provider.spoilt = dict.fromkeys(range(15), "missing")
    assert bench("run", "--batch", "--max_concurrency", "10") == 4
    assert bench.sizes == [10]
    assert set(bench.outcomes("run")) == {"provider_error"}
    assert f"batch batch_0 {ends} without one reply" in bench.said
    assert ("Enqueued token limit reached" in bench.said) == (ends == "failed")
    bench.provider.ends, bench.provider.spoilt = "completed", {}
    assert bench("run", "--batch") == 0
    assert bench.sizes == [10, 10, 5]


def test_an_expired_batch_keeps_what_it_brought(bench: Bench) -> None:
    bench.provider.ends, bench.provider.spoilt = "expired", dict.fromkeys(range(4), "expired")
    assert bench("run", "--batch") == 2
    assert bench.outcomes("run") == {"ok": 11, "provider_error": 4}
    bench.provider.ends, bench.provider.spoilt = "completed", {}
    assert bench("run", "--batch") == 0
    assert bench.sizes == [15, 4]


def test_a_round_is_sent_when_it_is_full(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_rounds, "ROUND", 6)
    assert bench("run", "--batch") == 0
    assert bench.sizes == [6, 6, 3]


def test_a_beginning_that_was_not_heard_of_makes_no_second_batch(bench: Bench) -> None:
    bench.provider.unheard = 1
    assert bench("run", "--batch") == 0
    assert bench.sizes == [15]
    assert bench.provider.seen["POST files"] == 1


@pytest.mark.parametrize("lost", ["the beginning", "the batch"])
def test_a_file_whose_batch_is_not_on_disk_is_looked_up_and_sent_again_only_if_there_is_none(
    bench: Bench, lost: str
) -> None:
    bench.provider.looks = None
    assert bench("run", "--batch", "--max_time", "2") == 3
    assert "batch batch_0 (15 requests) goes on at the provider; the same command takes its replies" in bench.said
    assert not (bench.folder / "run" / "journal.jsonl").exists(), "a question whose batch goes on has not ended"
    file = bench.folder / "run" / "batches.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    assert len(lines) == 2
    file.write_text(lines[0])
    bench.provider.looks = 1
    if lost == "the batch":
        bench.provider.batches.clear()
    assert bench("run", "--batch") == 0
    assert bench.sizes == [15]
    assert bench.provider.seen["POST batches"] == (1 if lost == "the beginning" else 2)


def test_a_look_that_fails_for_a_while_costs_nothing(bench: Bench) -> None:
    bench.provider.flaky = 4
    assert bench("run", "--batch") == 0
    assert "batch batch_0 cannot be looked at (busy); trying on" in bench.said
    assert bench.sizes == [15]
    assert bench.outcomes("run") == {"ok": 15}


def test_a_batch_that_the_provider_lost_is_owed_and_sent_anew(bench: Bench) -> None:
    bench.provider.looks = None
    assert bench("run", "--batch", "--max_time", "2") == 3
    bench.provider.looks = 1
    bench.provider.batches.clear()
    assert bench("run", "--batch") == 4, "nothing is scored"
    assert set(bench.outcomes("run")) == {"provider_error"}
    assert "batch batch_0: failed, 0 of 15 requests have a reply (the provider does not know it any more)" in bench.said
    assert bench("run", "--batch") == 0
    assert bench.sizes == [15]


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "the provider refuses the API key"), (400, "--batch: the provider takes no such batch (no); stopped")],
)
def test_a_batch_that_cannot_be_sent_stops_the_run_in_one_sentence(bench: Bench, status: int, words: str) -> None:
    bench.provider.refuses = status
    assert bench("run", "--batch") == 4
    assert words in bench.said
    bench.provider.refuses = None
    assert bench("run", "--batch") == 0
    assert bench.sizes == [15]


def test_replies_that_came_and_are_not_in_the_journal_are_fetched_again_and_not_asked_for(bench: Bench) -> None:
    assert bench("run", "--batch") == 0
    whole, results, file = bench.journal("run"), bench.results("run"), bench.folder / "run" / "journal.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:4]) + lines[4][:20])
    assert bench("run", "--batch") == 0
    assert bench.sizes == [15]
    again = bench.journal("run")
    assert {k: r["reply"] for k, r in again.items()} == {k: r["reply"] for k, r in whole.items()}
    assert bench.results("run")["tasks"] == results["tasks"]
    assert bench.results("run")["usage"] == results["usage"]


def test_a_run_resumed_without_batches_says_what_it_leaves_at_the_provider(bench: Bench) -> None:
    bench.provider.looks = None
    assert bench("run", "--batch", "--max_time", "2") == 3
    assert bench("run") == 0
    assert "15 requests of this run were sent in batches (batch_0)" in bench.said


def test_replies_of_batches_are_kept_and_those_that_are_kept_are_not_sent(bench: Bench) -> None:
    assert bench("few", "--batch", "--use_cache", "rw", "--limit", "5") == 0
    assert bench("many", "--batch", "--use_cache", "rw") == 0
    assert bench.sizes == [5, 10]
    assert "5 of 15 calls were served from the cache" in bench.said
    assert bench("single", "--use_cache", "read") == 0
    assert not bench.provider.seen["POST chat"]


def test_azure_takes_batches_in_its_own_form(bench: Bench) -> None:
    url, model = bench.provider.url, "azure/gpt-4o-mini"
    more = ("--model_args", "api_version=2024-10-21")
    bench.provider.pending = 2
    assert bench("single", *more, url=url, model=model) == 0
    assert bench("run", "--batch", *more, url=url, model=model) == 0
    assert "no price for batches of azure/gpt-4o-mini; half its price is counted" in bench.said
    assert bench("single-again", *more, url=url, model=model) == 0
    assert bench.provider.seen["POST chat"] == 30
    assert bench.provider.batches["batch_0"]["endpoint"] == "/chat/completions"
    request = bench.provider.requests("batch_0")[0]
    assert (request["url"], request["body"]["model"]) == ("/chat/completions", "gpt-4o-mini")
    replies = [{k: r["reply"] for k, r in bench.journal(name).items()} for name in ("single", "run")]
    assert replies[0] == replies[1]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            ("--tasks", f"session_generation,{BOTH}"),
            f"session_generation asks call|--tasks {BOTH}, or leave --batch out",
        ),
        (("--tasks", "session_generation"), "a batch takes up to a day; leave --batch out"),
        (("--model", "random"), "random is no provider's model"),
        (("--model", "anthropic/claude-haiku-4-5"), "(provider anthropic)|openai/… and azure/…"),
        (("--model", "openai/o1-pro"), "openai/o1-pro is reached by /responses"),
        (("--max_cost", "1"), "--max_cost could not act|--limit"),
        (("--max_tokens_total", "9"), "--max_tokens_total could not act"),
        (("--model_args", "calls_per_minute=5"), "calls_per_minute could not act"),
    ],
)
def test_what_cannot_go_in_batches_is_refused_by_name_before_anything_is_sent(
    bench: Bench, more: tuple[str, ...], words: str
) -> None:
    assert bench("run", "--batch", *more) == 1
    assert all(part in bench.said for part in words.split("|")), bench.said
    assert not bench.provider.paths
    assert not (bench.folder / "run").exists()


def ask(url: str, path: str) -> Any:
    with urllib.request.urlopen(f"{url}/{path}") as reply:
        return json.loads(reply.read())


@pytest.fixture
def url() -> Iterator[str]:
    server = Path(__file__).with_name("batching.py")
    with subprocess.Popen([sys.executable, str(server)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def test_a_run_killed_and_interrupted_while_it_waits_sends_nothing_twice(bench: Bench, url: str) -> None:
    words = bench.words("run", "--batch", "--conditions", "base,persona", url=f"{url}/v1")
    program = [sys.executable, "-c", PROGRAM]

    def started(looks: int) -> subprocess.Popen[str]:
        process = subprocess.Popen([*program, *words], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        while ask(url, "seen").get("GET batches", 0) < looks:
            assert process.poll() is None
            time.sleep(0.05)
        return process

    with started(looks=3) as process:
        process.kill()
    looks = ask(url, "seen")["GET batches"]
    with started(looks + 3) as process:
        process.send_signal(signal.SIGINT)
        said = " ".join(process.communicate(timeout=60)[1].split())
    assert process.returncode == 130
    assert "batch batch_0: 30 requests were sent before" in said
    assert "batch batch_0 (30 requests) goes on at the provider; the same command takes its replies" in said
    ask(url, "looks/1")
    done = subprocess.run([*program, *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    seen = ask(url, "seen")
    assert (seen["batches"], seen["POST files"], seen["POST batches"]) == (3, 3, 3)
    assert len(seen["keys"]) == len(set(seen["keys"])) == 30 + 15 + 15
    assert len(bench.journal("run")) == 30
    assert set(bench.outcomes("run")) == {"ok"}
    assert not [p for p in (bench.folder / "run").iterdir() if p.is_file() and b"planted" in p.read_bytes()]
