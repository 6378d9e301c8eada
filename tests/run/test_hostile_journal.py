"""Whoever submits a run hands over its files: a line is a well-formed result, or it is counted, and said which."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest
from fake_runs import Bench, essence, read, rows
from spoiling import (
    ASKED_AGAIN,
    CHOICE,
    GONE,
    HUGE,
    VISIT,
    Where,
    asking,
    check_scored,
    mutated,
    put,
    says_the_first,
    scored,
    squeezed,
    write,
)

from paars_bench.run import evaluate_spec

SEARCH, VIEW, PUT, BUY, LEAVE = range(5)  # what `popular` does


class Spoilt(NamedTuple):
    """A value put somewhere in a line, or taken out of it, and what is said of it."""

    where: Where
    value: Any
    words: str


def of_all(where: str, *values: Any, words: str = "") -> list[Spoilt]:
    return [Spoilt((where,), value, f"{where}: {words}") for value in values]


LINES = [
    *of_all("case_id", 3, None, words="Input should be a valid string"),
    *of_all("condition", "", words="String should have at least 1 character"),
    *of_all("repeat", "0", True, 0.0, -1, HUGE, words="Input should be"),
    *of_all("outcome", "fine", None, 3, [], words="Input should be"),
    *of_all("attempts", -1, True, 1.5, HUGE, None, words="Input should be"),
    *of_all("latency_ms", -1, True, "1", HUGE, words="Input should be"),
    *of_all("cached", 1, "no", words="Input should be a valid boolean"),
    *of_all("error", 5, ["x"], words="Input should be a valid string"),
    *of_all("reply", None, {}, words="Input should be a valid string"),
    *of_all("messages", None, "x", words="Input should be a valid list"),
    *of_all("usage", None, [], words="Input should be a valid dictionary"),
    *of_all("paid", 3, [], words="Input should be a valid dictionary"),
    Spoilt(("paid",), {"input": -1}, "usage is negative or too large"),
    Spoilt(("usage", "tokens"), 1, "unexpected keyword argument 'tokens'"),
    *(Spoilt(("usage", "input"), value, "usage is negative or too large") for value in (-1, 10**16, HUGE)),
    *(Spoilt(("usage", "output"), value, "usage is no numbers") for value in (True, 1.0, "1", None)),
    *(Spoilt(("usage", "cost_usd"), value, "usage is negative or too large") for value in (-0.1, 1e10, HUGE)),
    Spoilt(("usage", "cost_usd"), True, "usage is no numbers"),
    Spoilt(("shopper",), "somebody", "shopper: is 'somebody', and the case is of"),
]
CHOICES = [
    *(Spoilt((key,), GONE, f"{key} is missing") for key in ("case_id", "outcome", "usage", "shopper")),
    *of_all("parsed", None, words="is null, and a scored case has an answer"),
    Spoilt(("parsed",), {}, "parsed.visited.end is missing"),
    Spoilt(("parsed",), ["choice"], "parsed.visited: Input should be a valid dictionary"),
    Spoilt(("parsed",), {"query": "mug"}, f"parsed: has no choice, with which {CHOICE} is answered"),
    Spoilt(("parsed",), {"query": " \t"}, "parsed.typed.query: String should match pattern"),
    *(Spoilt(("parsed", "choice"), v, "parsed.chosen.choice: Input should be") for v in (0, -1, True, 1.0, "1", HUGE)),
    Spoilt(("parsed", "choice"), 5, "parsed.choice: is 5, and there were 4 options"),
    Spoilt(("outcome",), "refused", "parsed: a case that ended as refused has no answer"),
    Spoilt(("events",), [], "events: of a line whose answer is no session's"),
]
VISITS = [
    Spoilt(("parsed",), None, "events: of a line whose answer is no session's"),
    Spoilt(("parsed",), {"choice": 1}, "events: of a line whose answer is no session's"),
    Spoilt(("parsed", "end"), "died", "parsed.visited.end: Input should be 'bought' or 'left'"),
    Spoilt(("parsed", "end"), "left", "parsed.end: is left, and its events end as bought"),
    Spoilt(("parsed", "end"), None, "parsed.end: is None, and its events end as bought"),
    Spoilt(("parsed", "cut"), "me", "parsed.visited.cut: Input should be 'session' or 'run'"),
    Spoilt(("parsed", "cut"), "session", "parsed.cut: is session, which ends no session as ok"),
    *(Spoilt(("parsed", "turns"), v, "parsed.visited.turns: Input should be") for v in (-1, True, 2.5, HUGE)),
    Spoilt(("parsed", "searches"), 2, "parsed: 1 searches, 1 views and 1 purchases stand in its events"),
    Spoilt(("parsed", "purchases"), GONE, "parsed.visited.purchases is missing"),
    Spoilt(("events",), None, "events: is null, and the answer is a session's"),
    Spoilt(("events",), [], "events: a session that ended as ok never leaves"),
    Spoilt(("outcome",), "turn_limit", "events: a session that ended as turn_limit leaves"),
    Spoilt(("events", LEAVE), GONE, "events: a session that ended as ok never leaves"),
    Spoilt(("events", SEARCH), GONE, "events.0: view before any list was shown"),
    Spoilt(("events", PUT), GONE, "events.2: purchase of what is not in the cart"),
    Spoilt(("events", VIEW), {"action": "jump"}, "events.1: Input tag 'jump' found using 'action'"),
    Spoilt(("events", VIEW), 7, "events.1: Input should be"),
    Spoilt(("events", VIEW, "action"), GONE, "events.1: Unable to extract tag"),
    Spoilt(("events", LEAVE, "product"), "P00001", "events.4.leave.product: Extra inputs are not permitted"),
    Spoilt(("events", SEARCH, "arm"), "b", "events.0.search.arm: Extra inputs are not permitted"),
    Spoilt(("events", VIEW, "shopper"), "somebody", "events.1: of another shopper or session than its line"),
    Spoilt(("events", VIEW, "session"), "elsewhere", "events.1: of another shopper or session than its line"),
    *(Spoilt(("events", VIEW, "rank"), v, "events.1.view.rank: Input should be") for v in (0, -3, True, 2**31, HUGE)),
    Spoilt(("events", VIEW, "rank"), 2, "events.1: view of a product that no list before shows at its rank"),
    Spoilt(("events", VIEW, "rank"), None, "events.1: view of a product that no list before shows at its rank"),
    Spoilt(("events", VIEW, "product"), "P99999", "events.1: view of a product that no list before shows at its rank"),
    *(Spoilt(("events", BUY, "price"), v, "events.3.purchase.price: Input should be") for v in (-1, True, 1e13, HUGE)),
    Spoilt(("events", SEARCH, "query"), " ", "events.0.search.query: String should match pattern"),
    Spoilt(("events", SEARCH, "query"), "a" * 301, "events.0.search.query: String should have at most 300"),
    Spoilt(("events", SEARCH, "shown"), [1], "events.0.search.shown.0: Input should be a valid string"),
    Spoilt(("events", SEARCH, "shown"), None, "events.0.search.shown: Input should be a valid list"),
    *(
        Spoilt(("events", SEARCH, "time"), time, "events.0.search.time: String should match pattern")
        for time in ("yesterday", "2025-06-01T00:00:00", "2025-06-01T00:00:00+02:00", "2025-06-01")
    ),
    Spoilt(("events", VIEW, "time"), 5, "events.1.view.time: Input should be a valid string"),
    Spoilt(("events", VIEW, "time"), "2025-13-01T00:00:00+00:00", "month must be in 1..12"),
    Spoilt(("events", VIEW, "time"), "2020-01-01T00:00:00+00:00", "events.1: view before the event in front of it"),
    Spoilt(("events", SEARCH, "time"), "2020-01-01T00:00:00+00:00", "before the session began"),
]
INSERTED = [
    ({"action": "leave"}, 1, "events.2: view after leaving"),
    ({"action": "cart_remove", "product": "P99999"}, 2, "events.2: cart_remove of what is not in the cart"),
    ({"action": "cart_add", "product": "P99999"}, 2, "events.2: the catalog has no product 'P99999'"),
    (
        {"action": "refine", "query": "mug", "shown": ["P99999"], "refined": ""},
        1,
        "the catalog has no product 'P99999'",
    ),
    ({"action": "refine", "query": "mug", "shown": []}, 1, "events.1.refine.refined is missing"),
    ({"action": "refine", "query": "mug", "shown": [], "refined": "a" * 1001}, 1, "events.1.refine.refined: String"),
    *(
        ({"action": "refine", "query": "mug", "shown": [], "refined": text}, 1, f"events.1: refine by {text!r}")
        for text in ("cheap", "price<=nan", "price<=-1", "sort=best", "price<=20.0", "price<=9 price<=9")
    ),
]
NO_JSON = "no strict JSON ("
TEXTS = [
    ('"attempts":', '"attempts":NaN,"x":', NO_JSON),
    ('"latency_ms":', '"latency_ms":Infinity,"x":', NO_JSON),
    ('"latency_ms":', '"x":-Infinity,"latency_ms":', NO_JSON),
    ('"latency_ms":0.0', '"latency_ms":1e999', "latency_ms: Input should be less than or equal to"),
    ('"attempts":', f'"attempts":{"9" * 5000},"x":', NO_JSON),
    ('"attempts":', f'"x":{"[" * 300}{"]" * 300},"attempts":', NO_JSON),
    ('"attempts":', f'"x":{"[" * 200_000},"attempts":', NO_JSON),
    ('"case_id":"', '"case_id":"\\ud800', NO_JSON),
    ('"cached":', '"cached":false,,', NO_JSON),
]


def place_of(run: Path, task: str) -> int:
    return [row["task"] for row in rows(run)].index(task)


def refused(run: Path, place: int, line: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line of a run is another: its case counts as never asked, and it is said which line and why."""
    lines = (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    task = json.loads(lines[place])["task"]
    write(run, [*lines[:place], line, *lines[place + 1 :]])
    code, err = scored(run, capsys)
    assert code == 2
    says_the_first(words, place, err)
    counts = {t["task"]: t["counts"] for t in read(run)["tasks"]}
    assert {t: (c["scored"], c["not_asked"]) for t, c in counts.items()} == {
        t: (3, 1) if t == task else (4, 0) for t in (CHOICE, VISIT)
    }
    assert pq.read_table(run / "agent_log" / "sessions.parquet").num_rows == counts[VISIT]["scored"]


@pytest.mark.parametrize(
    ("task", "spoilt"),
    [*((CHOICE, s) for s in (*LINES, *CHOICES)), *((VISIT, s) for s in VISITS)],
    ids=lambda value: "" if isinstance(value, str) else f"{'.'.join(map(str, value.where))}={str(value.value)[:20]}",
)
def test_a_line_that_is_no_result_is_left_out_and_said(
    spoiled: Path, task: str, spoilt: Spoilt, capsys: pytest.CaptureFixture[str]
) -> None:
    place = place_of(spoiled, task)
    line = json.dumps(put(rows(spoiled)[place], spoilt.where, spoilt.value))
    refused(spoiled, place, line, spoilt.words, capsys)


@pytest.mark.parametrize(("event", "place", "words"), INSERTED)
def test_a_session_that_no_store_allows_is_left_out(
    spoiled: Path, event: dict[str, Any], place: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    number = place_of(spoiled, VISIT)
    row = rows(spoiled)[number]
    common = {key: row["events"][place][key] for key in ("shopper", "session", "time")}
    row["events"].insert(place, common | event)
    refused(spoiled, number, json.dumps(row), words, capsys)


@pytest.mark.parametrize(("text", "other", "words"), TEXTS)
def test_a_line_that_is_no_strict_json_is_left_out(
    spoiled: Path, text: str, other: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = place_of(spoiled, CHOICE)
    line = (spoiled / "journal.jsonl").read_text(encoding="utf-8").splitlines()[place]
    assert text in line
    refused(spoiled, place, line.replace(text, other, 1), words, capsys)


def test_a_refined_list_that_the_store_wrote_is_read(spoiled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = rows(spoiled)
    place = place_of(spoiled, VISIT)
    search = lines[place]["events"][SEARCH]
    refined = {"action": "refine", "refined": 'brand="a = \\"b\\"" price<=20 sort=price_low'}
    lines[place]["events"].insert(1, search | refined)
    write(spoiled, [json.dumps(line) for line in lines])
    assert scored(spoiled, capsys)[0] == 0
    events = pq.read_table(spoiled / "agent_log" / "events.parquet").to_pylist()
    assert [e["refined"] for e in events if e["refined"]] == [refined["refined"]]


@pytest.mark.parametrize("model", ["random", "human"])
def test_what_the_store_leaves_behind_is_read_back_whole(
    bench: Bench, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    done = bench(model, tasks=("session_generation",), limit=20, repeats=5, conditions=("base",))
    code, err = scored(tmp_path / "run", capsys)
    assert (code, "damaged" in err) == (done.exit_code, False)
    assert essence(read(tmp_path / "run"))["tasks"] == essence(done.results)["tasks"]


def test_what_a_damaged_line_answered_is_asked_again(
    spoiled: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = rows(whole)
    write(spoiled, [json.dumps(put(row, ("attempts",), -1) if n < 3 else row) for n, row in enumerate(before)])
    assert essence(evaluate_spec(asking(whole.parent, spoiled)).results)["tasks"] == essence(read(whole))["tasks"]
    says_the_first("attempts: ", 0, squeezed(capsys.readouterr().err), "3 torn or damaged lines", ASKED_AGAIN)
    assert rows(spoiled)[8:] == before[:3]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_stands_in_a_journal_is_scored_or_said(
    spoiled: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(seed)
    write(spoiled, [json.dumps(mutated(row, chance)) for row in rows(spoiled) for _ in range(8)])
    check_scored(spoiled, capsys)
