"""A row that is not loaded is kept as it stands in its file, and no row is lost uncounted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from logs import event, read, rules, told, write_catalog

from paars_bench.data.importing.columns import Column, ColumnMap


def json_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def quarantined(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text("utf-8").splitlines()]


BROKEN = {
    "product_unknown": [event("a-1"), event("a-2", product="p999")],
    "duplicate": [event("a-1"), event("a-1")],
    "time_zone": [event("a-1"), event("a-2"), event("a-3", time="2025-03-04T10:00:00")],
    "session_missing": [event("a-1"), event("a-2", session=None)],
    "session_shared": [event("a-1"), event("b-1", session="a-1")],
    "unordered": [event("a-1", 9), event("a-1", 0, product="p2")],
    "after_leave": [event("a-1", 0, "leave"), event("a-1", 9)],
    "rank_outside": [event("a-1", 0, "search"), event("a-1", 9, rank=77)],
    "rank_other": [event("a-1", 0, "search"), event("a-1", 9, rank=3)],
}


@pytest.mark.parametrize("rule", BROKEN)
def test_what_only_the_whole_log_shows_keeps_the_whole_record(rule, tmp_path):
    rows = [row | {"device": f"phone {i}", "note": "keep me"} for i, row in enumerate(BROKEN[rule])]
    log = json_lines(tmp_path / "log.jsonl", rows)
    got = read(log, catalog=write_catalog(tmp_path), quarantine=tmp_path / "q.jsonl")
    lines = quarantined(tmp_path / "q.jsonl")
    assert rules(got)[rule] == len(lines)
    last = lines[-1]
    assert (last["rule"], last["row"], last["file"]) == (rule, len(rows), str(log))
    said = {name: str(value) if isinstance(value, int) else value for name, value in rows[-1].items()}
    assert last["record"] == said
    assert last["value"] == (said[last["column"]] if last["column"] else None)


def test_the_value_shown_is_that_of_the_file_not_what_it_was_read_as(tmp_path, capsys):
    rows = [event("a-1", 0, "search"), event("a-1", 9)]
    rows[1]["pos"] = 2  # counted from 0: the third place, which holds p2 and not p1
    log = json_lines(tmp_path / "log.jsonl", rows)
    (tmp_path / "map.yaml").write_text("events:\n  rank: {column: pos, first: 0}\n")
    asked = ("data", "validate", log, "--catalog", write_catalog(tmp_path), "--columns", tmp_path / "map.yaml")
    code, out, _ = told(capsys, *asked, "--quarantine", tmp_path / "q.jsonl")
    assert code == 2 and "pos" in out
    [line] = quarantined(tmp_path / "q.jsonl")
    assert (line["rule"], line["column"], line["value"], line["record"]["pos"]) == ("rank_other", "pos", "2", "2")


@pytest.mark.parametrize("first", [1, 50_000, 50_001])
def test_rows_are_found_again_in_any_chunk_of_any_file(first, tmp_path):
    count, good = 50_002, tmp_path / "a.parquet"
    columns = {n: [v] * count for n, v in event("x-1").items() if v is not None}
    columns["session"] = [f"s{i}" for i in range(count)]
    pq.write_table(pa.table(columns), good)
    columns["product"][first - 1] = "p999"
    columns["tag"] = [f"t{i}" for i in range(1, count + 1)]
    pq.write_table(pa.table(columns), tmp_path / "b.parquet")
    sources = (good, tmp_path / "b.parquet", tmp_path / "b.parquet")
    mine = ColumnMap(events={"session": Column(column="session")})
    got = read(*sources, columns=mine, catalog=write_catalog(tmp_path), quarantine=tmp_path / "q.jsonl")
    unknown = [d for d in quarantined(tmp_path / "q.jsonl") if d["rule"] == "product_unknown"]
    assert [(Path(d["file"]).name, d["row"], d["record"]["tag"]) for d in unknown] == [
        ("b.parquet", first, f"t{first}")
    ] * 2
    assert got.rows == 3 * count == got.log.events.num_rows + got.defects.quarantined["events"]


@pytest.mark.parametrize("before", [0, 50_000])
def test_empty_objects_are_rows_that_are_refused(before, tmp_path, capsys):
    log = tmp_path / "log.jsonl"
    log.write_text("{}\n" * before + json.dumps(event("a-1")) + "\n{ }\n[]\n")
    code, out, _ = told(capsys, "data", "validate", log, "--catalog", write_catalog(tmp_path))
    said = out.splitlines()[0]
    assert code == 2 and f"{before + 3:,} rows read: 1 loaded" in said and f", {before + 2:,} quarantined" in said
