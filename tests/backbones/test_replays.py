"""A run is replayed from its cache: no network, no key, the same numbers; what is not there is asked, or said."""

from __future__ import annotations

import json
import re
import shutil
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from loopback import Provider, failure
from shopping_server import ShoppingServer

from paars_bench.backbones.kept_replies import replies_file
from paars_bench.cli import main

KEY = "sk-planted-1234567890"
QUERIES = """
include: query_generation.yaml
task: quick_queries
metric_list:
  - {metric: query_ttr, level: group}
  - {metric: query_distinct, level: group, n: 2}
metadata: {version: 1.0}
"""
KINDS = "quick_queries,item_selection_individual,session_generation"


class Bench:
    """Runs on a provider that never answers the same twice; the cache is the test's own."""

    def __init__(self, provider: Provider, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.provider, self.folder, self._capsys = provider, folder, capsys
        (folder / "tasks").mkdir()
        (folder / "tasks" / "quick_queries.yaml").write_text(QUERIES)

    def __call__(self, name: str, use: str, *more: str, tasks: str = "item_selection_individual", **args: str) -> int:
        given = {"api_base": f"{self.provider.url}/v1", "api_key": KEY, **args}
        words = ["--model", "openai/gpt-4o-mini", "--dataset", "demo:shoppers=20,products=600", "--limit", "4"]
        words += ["--model_args", ",".join(f"{k}={v}" for k, v in given.items() if v), "--tasks", tasks]
        words += ["--use_cache", use, "--include_path", str(self.folder / "tasks")]
        self._capsys.readouterr()
        code = main([*words, "--output_path", str(self.folder / name), *more])
        self.said = " ".join(self._capsys.readouterr().err.split())
        return code

    def results(self, name: str) -> Any:
        """Results of a run but for its id, its times and its command."""
        results = json.loads((self.folder / name / "results.json").read_text())
        for key in ("id", "started", "seconds", "command"):
            del results["run"][key]
        return results

    def journal(self, name: str) -> dict[str, Mapping[str, Any]]:
        rows = [json.loads(line) for line in (self.folder / name / "journal.jsonl").read_text().splitlines()]
        return {f"{r['task']}|{r['condition']}|{r['case_id']}|{r['repeat']}": r for r in rows}

    @property
    def asked(self) -> int:
        return len(self.provider.asked)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")  # one for all tests, for the sake of the data set in it


@pytest.fixture
def bench(
    provider: Provider,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Bench:
    for file in cache.glob("replies*"):
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(cache))
    monkeypatch.setenv("COLUMNS", "1000")  # a line of the screen is one line
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    provider.script(ShoppingServer())
    return Bench(provider, tmp_path, capsys)


def block_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no socket is opened in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


def test_a_run_is_replayed_without_network_and_key_to_the_same_results(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--conditions", "base,persona", "--repeats", "2")
    assert bench("first", "rw", *more, tasks=KINDS) == 0
    calls = bench.asked
    assert f"0 of {calls} calls were served from the cache" in bench.said
    assert f"{calls} replies were kept in {replies_file()}" in bench.said
    block_sockets(monkeypatch)
    assert bench("again", "read", *more, tasks=KINDS, api_key="") == 0
    assert bench.asked == calls
    assert f"{calls} of {calls} calls were served from the cache" in bench.said
    assert "without it only what the cache holds is answered" in bench.said
    first, again = bench.journal("first"), bench.journal("again")
    assert {row["task"] for row in first.values()} == set(KINDS.split(","))
    assert first.keys() == again.keys()
    for name, row in first.items():
        assert again[name] == {**row, "cached": True, "paid": again[name]["paid"]}
        assert set(again[name]["paid"].values()) == {0}
    want, got = bench.results("first"), bench.results("again")
    assert want["model"]["params"].pop("api_key") == "[key]"
    assert got == want
    assert want["usage"]["by_role"]["persona"]["cost_usd"] > 0
    assert main(["score", str(bench.folder / "again")]) == 0
    assert bench.results("again") == want


def test_repeats_of_a_question_are_replies_of_their_own_where_no_seed_is_sent(bench: Bench) -> None:
    fixed = "include: quick_queries.yaml\ntask: fixed\ngeneration_kwargs: {temperature: 1, seed: 5}\n"
    (bench.folder / "tasks" / "fixed.yaml").write_text(fixed + "metadata: {version: 1.0}\n")
    more = ("--conditions", "base", "--repeats", "3")
    for name in ("first", "again"):
        assert bench(name, "rw", *more, tasks="fixed") == 0
        assert bench.asked == 12
        assert len({row["reply"] for row in bench.journal(name).values()}) == 12


@pytest.mark.parametrize(
    ("use", "asks", "serves_after"), [("read", 0, "old"), ("rw", 0, "old"), ("write", 8, "old"), ("refresh", 8, "new")]
)
def test_what_each_use_asks_and_what_it_leaves(bench: Bench, use: str, asks: int, serves_after: str) -> None:
    bench("first", "rw")
    calls = bench.asked
    assert bench("second", use, "--conditions", "base") == 0
    assert bench.asked - calls == asks // 2
    bench("third", "read", "--conditions", "base")
    old, new, now = (
        {key: row["reply"] for key, row in bench.journal(n).items() if "|base|" in key}
        for n in ("first", "second", "third")
    )
    assert now == (old if serves_after == "old" else new)
    assert (old != new) == bool(asks)


def test_nothing_is_read_or_left_unless_asked_for(bench: Bench) -> None:
    assert bench("off", "off", "--conditions", "base") == 0
    assert not replies_file().exists()
    assert "cache" not in bench.said
    assert bench("read", "read", "--conditions", "base") == 0
    assert not replies_file().exists()
    assert "0 of 4 calls were served from the cache" in bench.said
    assert bench.asked == 8


@pytest.mark.parametrize(
    "other",
    [
        {"temperature": "0.3"},
        {"top_p": "0.5"},
        {"api_base": "http://localhost:1/v1"},
        {"organization": "mine"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_is_asked_otherwise_is_another_call(bench: Bench, other: dict[str, str]) -> None:
    bench("first", "rw", "--conditions", "base")
    assert bench("second", "read", "--conditions", "base", api_key="", **other) == 1
    assert "0 calls were served from the cache, and it lacks the next" in bench.said


def test_keys_timeouts_and_the_place_of_the_run_make_no_other_call(bench: Bench) -> None:
    bench("first", "rw", "--conditions", "base")
    bench("second", "read", "--conditions", "base", "--max_concurrency", "1", api_key="sk-other-987654", timeout="7")
    assert "4 of 4 calls were served" in bench.said


def test_a_run_with_more_cases_pays_for_those_alone(bench: Bench) -> None:
    bench("few", "rw", "--conditions", "base", "--limit", "3")
    bench("many", "rw", "--conditions", "base", "--limit", "6")
    assert bench.asked == 6
    assert "3 of 6 calls were served from the cache" in bench.said


def test_a_miss_without_a_key_ends_the_run_and_says_how_many_were_served(bench: Bench) -> None:
    bench("few", "rw", "--conditions", "base", "--limit", "3")
    assert bench("many", "read", "--conditions", "base", "--max_concurrency", "1", "--limit", "6", api_key="") == 1
    assert bench.asked == 3
    assert re.search(r"error: .*needs an API key: set OPENAI_API_KEY.*; 3 calls were served from the cache", bench.said)
    assert len(bench.journal("many")) == 3
    assert bench("many", "read", "--conditions", "base", "--limit", "6") == 0
    assert bench.asked == 6


@pytest.mark.parametrize("use", ["off", "write", "refresh"])
def test_where_everything_is_asked_a_missing_key_is_refused_at_once(bench: Bench, use: str) -> None:
    bench("first", "rw", "--conditions", "base")
    assert bench("second", use, "--conditions", "base", api_key="") == 1
    assert not (bench.folder / "second").exists()


def test_caps_count_what_is_paid_now_and_results_what_the_replies_cost(bench: Bench) -> None:
    bench("first", "rw", tasks=KINDS)
    spent = bench.results("first")["usage"]["by_role"]
    tokens = sum(role["input"] + role["output"] for role in spent.values())
    assert tokens > 1000
    assert bench("again", "read", "--max_tokens_total", "1", "--max_cost", "0.0000001", tasks=KINDS) == 0
    assert bench.results("again")["usage"]["by_role"] == spent


def test_a_resumed_run_knows_what_it_paid_and_what_it_was_served(bench: Bench) -> None:
    bench("few", "rw", "--conditions", "base", "--limit", "3")
    own = ("--conditions", "base", "--limit", "6", "--max_concurrency", "1")
    assert bench("many", "rw", *own, "--max_tokens_total", "100") == 3
    assert bench.asked == 4, "three were served, and one was paid for"
    assert bench("many", "rw", *own, "--max_tokens_total", "200") == 3
    assert bench.asked == 5
    assert bench("many", "off", *own) == 0
    assert bench.asked == 6


def test_a_session_cut_by_a_cap_is_not_paid_for_twice(bench: Bench) -> None:
    own = ("--conditions", "base", "--limit", "2", "--max_concurrency", "1")
    assert bench("run", "rw", *own, "--max_tokens_total", "250", tasks="session_generation") == 3
    asked = bench.asked
    assert bench("run", "rw", *own, tasks="session_generation") == 0
    served = int(re.search(r"(\d+) of (\d+) calls were served", bench.said)[1])  # type: ignore[index]
    assert served == asked > 0
    (cut, *rows) = [json.loads(li) for li in (bench.folder / "run" / "journal.jsonl").read_text().splitlines()]
    again = next(row for row in rows if row["case_id"] == cut["case_id"])
    assert again["usage"]["input"] == cut["usage"]["input"] + again["paid"]["input"]
    assert not again["cached"]


def test_a_session_that_met_its_own_cap_on_time_meets_it_again(bench: Bench) -> None:
    text = "include: session_generation.yaml\ntask: short\nsession: {max_turns: 99, max_seconds: 0.3}\n"
    (bench.folder / "tasks" / "short.yaml").write_text(text + "metadata: {version: 1.0}\n")
    server = ShoppingServer()

    def stay(asked: Any) -> Any:
        time.sleep(0.05)
        answer = server(asked)
        (call,) = answer.body["choices"][0]["message"]["tool_calls"]
        call["function"]["arguments"] = call["function"]["arguments"].replace("leave", "stay")
        return answer

    bench.provider.script(stay)
    for name, use, key in (("first", "rw", KEY), ("again", "read", "")):
        assert bench(name, use, "--conditions", "base", "--limit", "2", tasks="short", api_key=key) == 2
    first, again = bench.journal("first"), bench.journal("again")
    assert {row["outcome"] for row in first.values()} == {"time_limit"}
    assert {n: row["parsed"]["turns"] for n, row in first.items()} == {
        n: r["parsed"]["turns"] for n, r in again.items()
    }


def test_failures_are_asked_anew(bench: Bench) -> None:
    bench.provider.script(failure(400, f"no such field, key {KEY}"))
    assert bench("first", "rw", "--conditions", "base") == 4
    assert "0 replies were kept" in bench.said
    bench.provider.script(ShoppingServer())
    assert bench("second", "rw", "--conditions", "base") == 0
    assert "0 of 4 calls were served" in bench.said


def test_damaged_replies_are_counted_and_asked_anew(bench: Bench) -> None:
    bench("first", "rw", tasks="quick_queries")
    stored = replies_file().read_bytes()
    assert stored.count(b"blue mug") >= 8
    replies_file().write_bytes(stored.replace(b"blue mug", b"blue rug", 3))
    calls = bench.asked
    assert bench("second", "rw", tasks="quick_queries") == 0
    assert bench.asked - calls == 3
    assert "3 replies in the cache were damaged and asked for anew" in bench.said
    assert not any("rug" in row["reply"] for row in bench.journal("second").values())
    bench("third", "read", tasks="quick_queries", api_key="")
    assert "were damaged" not in bench.said


@pytest.mark.parametrize(("use", "left"), [("rw", 1), ("read", 0)])
def test_a_file_that_is_no_cache_is_moved_aside_by_who_may_write(bench: Bench, use: str, left: int) -> None:
    replies_file().parent.mkdir(parents=True, exist_ok=True)
    replies_file().write_bytes(b"what is this " * 999)
    assert bench("first", use, "--conditions", "base") == 0
    aside = list(replies_file().parent.glob("replies.sqlite.corrupt-*"))
    assert len(aside) == left
    assert f"{replies_file()} is damaged" in bench.said
    for file in aside:
        assert file.read_bytes() == b"what is this " * 999
        assert f"moved to {file.name}" in bench.said
        bench("again", "read", "--conditions", "base", api_key="")
        assert "4 of 4 calls were served" in bench.said


def test_where_nothing_can_be_kept_the_run_goes_on_and_says_so_once(bench: Bench) -> None:
    replies_file().mkdir(parents=True)
    assert bench("first", "rw", "--conditions", "base") == 0
    assert bench.said.count("replies are not kept, the run goes on") == 1
    assert "4 replies could not be kept" in bench.said


def test_keys_reach_no_byte_of_the_cache(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_API_KEY", "planted-in-the-environment")

    def leak(asked: Any) -> Any:
        answer = ShoppingServer()(asked)
        said = answer.body["choices"][0]["message"]
        if said.get("tool_calls"):
            said["tool_calls"][0]["id"] = KEY
            said["tool_calls"][0]["function"]["arguments"] = json.dumps({"query": f"mug {KEY}"})
        else:
            said["content"] = f"mug {KEY} planted-in-the-environment"
        return answer

    bench.provider.script(failure(500, f"wrong key {KEY}", retry_after="0.01"), leak)
    bench("run", "rw", "--conditions", "base", tasks="quick_queries,session_generation")
    kept = b"".join(p.read_bytes() for p in replies_file().parent.glob("replies.sqlite*"))
    assert b"mug [key]" in kept
    assert b"planted" not in kept


def test_a_baseline_is_not_kept(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    words = "--model random --dataset demo:shoppers=20,products=600 --tasks item_selection_individual --limit 2"
    assert main([*words.split(), "--use_cache", "rw", "--output_path", str(bench.folder / "random")]) == 0
    assert "--use_cache rw: random is a baseline" in capsys.readouterr().err
    assert not replies_file().exists()
