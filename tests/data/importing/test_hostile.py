"""The hostile log: every defect is counted and located, nothing is lost, and what is sound can be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from logs import HEADER, catalog_lines, event, fields, line, sound_events, told

from paars_bench.data import load_dataset
from paars_bench.data.cases import CaseKind
from paars_bench.data.importing.rules import RULES


class Bad(NamedTuple):
    """Lines of the log, and the defect that the last of them has."""

    rule: str
    column: str | None
    value: str | None
    lines: list[bytes]


def one(rule: str, column: str | None, value: str | None, row: dict[str, Any], *before: dict[str, Any]) -> Bad:
    return Bad(rule, column, value, [fields(r).encode() for r in (*before, row)])


def raw(rule: str, column: str | None, value: str | None, content: bytes) -> Bad:
    return Bad(rule, column, value, [content])


def search(session: str) -> dict[str, Any]:
    return event(session, 0, "search")


SOUND = fields(event("z-1")).encode()
EVENTS = [
    one("time_missing", "time", None, event("a-1", time="")),
    one("time_unreadable", "time", "yesterday", event("a-2", time="yesterday")),
    one("time_unreadable", "time", "2025-02-31T10:00:00Z", event("a-3", time="2025-02-31T10:00:00Z")),
    one("time_impossible", "time", "1970-01-01T00:00:00Z", event("a-4", time="1970-01-01T00:00:00Z")),
    one("time_impossible", "time", "2525-01-01T00:00:00Z", event("a-5", time="2525-01-01T00:00:00Z")),
    one("time_zone", "time", "2025-03-07T10:00:00", event("a-6", time="2025-03-07T10:00:00")),
    one("shopper_missing", "shopper", "  ", event("a-7", shopper="  ")),
    one("session_missing", "session", None, event("a-8", session="")),
    one("action_missing", "action", "", event("a-9", action="")),
    one("action_unknown", "action", "hover", event("a-10", action="hover")),
    one("query_empty", "query", "  ", event("a-11", 0, "search", query="  ")),
    one("product_missing", "product", "", event("a-12", product="")),
    one("product_unknown", "product", "p999", event("a-13", product="p999")),
    one("list_unreadable", "shown", "p1 and p2", event("a-14", 0, "search", shown="p1 and p2")),
    one("list_unreadable", "shown", '["p1", ""]', event("a-15", 0, "search", shown='["p1", ""]')),
    one("list_repeats", "shown", '["p1", "p1"]', event("a-16", 0, "search", shown='["p1", "p1"]')),
    one("rank_unreadable", "rank", "first", event("a-17", rank="first")),
    one("rank_unreadable", "rank", "0", event("a-18", rank="0")),
    one("rank_unreadable", "rank", "1.5", event("a-19", rank="1.5")),
    one("rank_outside", "rank", "7", event("a-20", 9, rank=7), search("a-20")),
    one("rank_other", "rank", "3", event("a-21", 9, rank=3), search("a-21")),
    one("price_unreadable", "price", "cheap", event("a-22", 0, "purchase", price="cheap")),
    one("price_unreadable", "price", "inf", event("a-23", 0, "purchase", price="inf")),
    one("price_outside", "price", "-3", event("a-24", 0, "purchase", price="-3")),
    one("price_outside", "price", "1e308", event("a-31", 0, "purchase", price="1e308")),
    one("duplicate", None, None, event("a-25"), event("a-25")),
    one("unordered", "time", "2025-03-27T10:00:00+00:00", event("a-26", 0), event("a-26", 9)),
    one("after_leave", "action", "view", event("a-27", 9), event("a-27", 0, "leave")),
    one("text_long", "query", "y" * 200 + "…", event("a-28", 0, "search", query="y" * 2_000_000)),
    raw("fields", None, "a,b,c", b"a,b,c\n"),
    raw("fields", None, SOUND.decode().strip() + ",more", SOUND.strip() + b",more\r\n"),
    raw("quoting", None, 'a,"b,c', b'a,"b,c\n'),
    raw("quoting", None, '"a"b,c', b'"a"b,c\n'),
    raw(
        "encoding",
        "query",
        r"sch\xf6n",
        fields(event("a-29", 0, "search", query="SCH")).encode().replace(b"SCH", b"sch\xf6n"),
    ),
    raw("nul", "product", "p\0", fields(event("a-30", product="NUL")).encode().replace(b"NUL", b"p\0")),
]
SHARED = ("session_shared", "session", "shared-1")  # both rows of the session are defects
CATALOG = [
    ("id_missing", "id", "", line("", "No id", "", 1, 2, 3, "", "", "")),
    ("id_unshowable", "id", "two words", line("two words", "Spaces", "", 1, 2, 3, "", "", "")),
    ("id_unshowable", "id", "q" * 65, line("q" * 65, "Long", "", 1, 2, 3, "", "", "")),
    ("id_twice", "id", "p1", line("p1", "Again", "", 1, 2, 3, "", "", "")),
    ("title_missing", "title", "", line("q1", "", "", 1, 2, 3, "", "", "")),
    ("rating_outside", "rating", "6", line("q2", "Six stars", "", 1, 6, 3, "", "", "")),
    ("rating_outside", "rating", "good", line("q3", "Good", "", 1, "good", 3, "", "", "")),
    ("price_outside", "price", "-1", line("q4", "Cheap", "", -1, 2, 3, "", "", "")),
    ("price_outside", "price", "1e308", line("qb", "Dear", "", "1e308", 2, 3, "", "", "")),
    ("price_unreadable", "price", "free", line("q5", "Free", "", "free", 2, 3, "", "", "")),
    ("count_unreadable", "review_count", "2.5", line("q6", "Half", "", 1, 2, "2.5", "", "", "")),
    ("count_unreadable", "review_count", "-4", line("q7", "Less", "", 1, 2, "-4", "", "", "")),
    ("list_unreadable", "category", "[", line("q8", "List", "[", 1, 2, 3, "", "", "")),
    ("sponsored_unreadable", "sponsored", "maybe", line("q9", "Ad", "", 1, 2, 3, "", "maybe", "")),
    ("added_unreadable", "added", "some day", line("qa", "Since", "", 1, 2, 3, "", "", "some day")),
]  # fmt: skip


class Hostile(NamedTuple):
    """The files of the hostile log, and each defect: table, row, rule, column, value."""

    log: Path
    catalog: Path
    expected: set[tuple[str, int, str, str | None, str | None]]
    rows: int


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Hostile:
    folder = tmp_path_factory.mktemp("hostile")
    content = [b"\xef\xbb\xbf" + line(*HEADER).encode()]  # a byte order mark is no defect
    expected: set[tuple[str, int, str, str | None, str | None]] = set()
    sound = [fields(r).encode() for r in sound_events()]
    for number, bad in enumerate(EVENTS):
        content += sound[number * 5 : number * 5 + 5]
        content += [b"\r\n"] if number % 7 == 0 else []  # nor is a blank line
        content += bad.lines
        expected.add(("events", len(content), bad.rule, bad.column, bad.value))
    content += sound[len(EVENTS) * 5 :]
    for who in ("ann", "bob"):
        content.append(fields(event("shared-1", shopper=who)).encode())
        expected.add(("events", len(content), *SHARED))
    (folder / "log.csv").write_bytes(b"".join(content))
    products = catalog_lines()
    for rule, column, value, text in CATALOG:
        products.append(text)
        expected.add(("catalog", len(products), rule, column, value or None))
    (folder / "products.csv").write_bytes("".join(products).replace("\n", "\r\n").encode())
    blank = sum(c == b"\r\n" for c in content)
    return Hostile(folder / "log.csv", folder / "products.csv", expected, len(content) - 1 - blank)


@pytest.fixture
def imported(hostile, tmp_path, capsys):
    code, out, err = told(
        capsys, "data", "import", hostile.log, "--catalog", hostile.catalog, "--to", tmp_path / "mine"
    )
    assert code == 2, err
    return tmp_path / "mine", out


def test_it_has_every_defect_that_a_csv_can_have():
    kinds = {b.rule for b in EVENTS} | {SHARED[0]} | {c[0] for c in CATALOG}
    assert kinds == set(RULES) - {"json"} and len(kinds) >= 20


def test_every_defect_is_in_the_quarantine_with_file_row_column_value_and_rule(hostile, imported):
    folder, _ = imported
    lines = [json.loads(text) for text in (folder / "quarantine.jsonl").read_text("utf-8").splitlines()]
    files = {"events": str(hostile.log), "catalog": str(hostile.catalog)}
    assert all(d["file"] == files[d["table"]] and d["fate"] == str(RULES[d["rule"]].fate) for d in lines)
    found = {(d["table"], d["row"], d["rule"], d["column"], d["value"] or None) for d in lines}
    assert found == {(t, r, rule, c, v or None) for t, r, rule, c, v in hostile.expected}
    assert len(lines) == len(found)
    record = next(d["record"] for d in lines if d["rule"] == "price_outside" and d["table"] == "events")
    assert record["shopper"] == "a" and record["price"] == "-3"


def test_the_screen_counts_and_locates_each_kind_and_loses_no_row(hostile, imported):
    folder, out = imported
    meta = json.loads((folder / "dataset.json").read_text("utf-8"))
    for kind in meta["defects"]:
        rule, first = RULES[kind["rule"]], kind["first"]
        shown = next(t for t in out.splitlines() if rule.words in t and t.startswith(kind["table"]))
        assert f"{first['file']} row {first['row']}" in out and f" {kind['count']} " in shown
    steps = meta["steps"]
    assert steps[0][1] == hostile.rows
    log = load_dataset(str(folder)).log
    assert log.events.num_rows == steps[-1][1] == hostile.rows - sum(s[2] for s in steps)
    assert f"{hostile.rows:,} rows read: {log.events.num_rows:,} loaded" in out


def test_what_is_sound_is_loaded_as_it_was(hostile, imported):
    data = load_dataset(str(imported[0]))
    mine = [e for e in data.log.events.to_pylist() if e["shopper"].startswith("u")]
    assert len(mine) == len(sound_events())
    assert {e["query"] for e in mine if e["session"] == "u0-2"} == {"shoes, size 2\nred", None}
    emptied = {e["session"]: e for e in data.log.events.to_pylist() if e["action"] == "view"}
    assert emptied["a-20"]["rank"] is None and emptied["a-17"]["product"] == "p1"


def test_the_sound_rows_are_mined_and_run_and_scored_again(imported, tmp_path, capsys):
    folder, _ = imported
    code, out, _ = told(capsys, "data", "mine", folder, "--to", tmp_path / "cases")
    assert code == 0
    for kind in CaseKind:
        assert kind.upper() in out and (tmp_path / "cases" / f"{kind}.parquet").exists()
    run = ("run", "--model", "random", "--dataset", folder, "--tasks", "item_selection_individual", "--limit", "4")
    code, _, err = told(capsys, *run, "--output_path", tmp_path / "run")
    assert code == 0, err
    before = json.loads((tmp_path / "run" / "results.json").read_text())
    code, _, err = told(capsys, "score", tmp_path / "run")
    assert code == 0, err
    after = json.loads((tmp_path / "run" / "results.json").read_text())
    assert before["tasks"] == after["tasks"] and before["dataset"]["human_reference"] == "real"


def test_validate_says_the_same_and_writes_nothing_but_the_quarantine(hostile, imported, tmp_path, capsys):
    asked = ("data", "validate", hostile.log, "--catalog", hostile.catalog, "--quarantine", tmp_path / "bad.jsonl")
    code, out, _ = told(capsys, *asked)
    assert code == 2
    assert out.splitlines() == [t for t in imported[1].splitlines() if not t.startswith(("written to", "every defect"))]
    assert (tmp_path / "bad.jsonl").read_text() == (imported[0] / "quarantine.jsonl").read_text()
    assert {p.name for p in tmp_path.iterdir()} == {"mine", "bad.jsonl"}
