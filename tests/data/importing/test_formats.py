"""Every format and place a log may come from: the same events, and row numbers that are exact in every chunk."""

from __future__ import annotations

import bz2
import gzip
import json
from datetime import datetime
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import HEADER, PRODUCTS, event, fields, line, read, rules, sound_events, write_catalog, write_log

from paars_bench.data import load_dataset
from paars_bench.data.importing.columns import ColumnMap
from paars_bench.data.importing.importer import Sources, read_log


def places(quarantine: Path) -> dict[int, str]:
    return {d["row"]: d["rule"] for d in map(json.loads, quarantine.read_text("utf-8").splitlines())}


def as_json_lines(rows) -> str:
    out = []
    for row in rows:
        value = {k: v for k, v in row.items() if v is not None}
        if "shown" in value:
            value["shown"] = json.loads(value["shown"])
        out.append(json.dumps(value, ensure_ascii=False) + "\n")
    return "".join(out)


def as_parquet(rows, path: Path) -> None:
    """Typed as a database would write it: real times, lists, numbers, and ids as a dictionary."""
    table = pa.table(
        {
            "shopper": pa.array([r["shopper"] for r in rows]).dictionary_encode(),
            "session": [r["session"] for r in rows],
            "time": pa.array([datetime.fromisoformat(r["time"]) for r in rows], pa.timestamp("ns", tz="Asia/Tokyo")),
            "action": pa.array([r["action"] for r in rows], pa.large_string()),
            "query": [r["query"] for r in rows],
            "shown": [r["shown"] and json.loads(r["shown"]) for r in rows],
            "product": [r["product"] for r in rows],
            "rank": pa.array([r["rank"] for r in rows], pa.float64(), from_pandas=True),
            "price": pa.array([r["price"] and float(r["price"]) for r in rows]).cast(pa.decimal128(9, 2)),
        }
    )
    pq.write_table(table, path)


def test_every_format_folder_and_packing_gives_the_same_log(tmp_path):
    rows = sound_events()
    catalog = write_catalog(tmp_path)
    plain = write_log(tmp_path, rows)
    expected = read(plain, catalog=catalog)
    assert expected.log.events.num_rows == len(rows) and not len(expected.defects)
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    (tmp_path / "log.csv.bz2").write_bytes(bz2.compress(plain.read_bytes()))
    (tmp_path / "log.tsv").write_text(
        "".join(line(*f, delimiter="\t") for f in [HEADER, *([r[n] for n in HEADER] for r in rows)]), newline=""
    )
    (tmp_path / "log.jsonl").write_text(as_json_lines(rows), "utf-8")
    (tmp_path / "log.ndjson.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + as_json_lines(rows).encode()))
    as_parquet(rows, tmp_path / "log.parquet")
    parts = tmp_path / "parts"
    (parts / "later").mkdir(parents=True)
    write_log(parts, rows[:100], "1.csv")
    (parts / "later" / "2.jsonl").write_text(as_json_lines(rows[100:]), "utf-8")
    (parts / "notes.txt").write_text("not a log")
    fsspec.filesystem("memory").pipe("/shop/log.csv", plain.read_bytes())
    names = ("log.csv.gz", "log.csv.bz2", "log.tsv", "log.jsonl", "log.ndjson.gz", "log.parquet", "parts")
    for source in (*(tmp_path / n for n in names), "memory://shop/log.csv", f"file://{plain}", "memory://shop"):
        got = read(source, catalog=catalog)
        assert not len(got.defects), (source, got.defects.found())
        assert got.log.events.equals(expected.log.events), source
    both = read(parts / "1.csv", parts / "later" / "2.jsonl", catalog=catalog)
    assert both.log.events.equals(expected.log.events)


def test_places_are_exact_far_into_a_csv_of_many_blocks(tmp_path):
    """Nine megabytes: a bad row every 997, and fields over several lines between them."""
    catalog, path, bad = write_catalog(tmp_path), tmp_path / "big.csv", {}
    search = json.dumps(PRODUCTS)
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write(line(*HEADER))
        for row in range(2, 25_002):
            query = f"two\nlines {row}" if row % 3 else "one"
            one = event("u-1", row, "search", query=query, shown=search)
            if row % 997 == 0:
                kind = ("fields", "time_missing", "quoting")[row // 997 % 3]
                bad[row] = kind
                out.write({"fields": "a,b\n", "quoting": 'x,"y"z\n', "time_missing": fields(one | {"time": ""})}[kind])
            else:
                out.write(fields(one))
    assert path.stat().st_size > 9e6
    got = read(path, catalog=catalog, quarantine=tmp_path / "q.jsonl")
    assert places(tmp_path / "q.jsonl") == bad and len(bad) == 25
    assert got.rows == 25_000


def test_places_are_exact_in_later_chunks_of_json_lines_and_parquet(tmp_path):
    catalog = write_catalog(tmp_path)
    rows = [event(f"u-{n % 300}", n // 300) for n in range(60_000)]
    bad = {1: "time_missing", 50_001: "action_unknown", 59_999: "product_unknown"}
    changes = {
        "time_missing": {"time": None},
        "action_unknown": {"action": "hover"},
        "product_unknown": {"product": "?"},
    }
    for number, rule in bad.items():
        rows[number - 1] = rows[number - 1] | changes[rule]
    text = as_json_lines(rows).splitlines(keepends=True)
    text[55_000:55_000] = ["\n", "{broken\n", "[1, 2]\n", '{"query": "\\ud800"}\n', "\n"]
    (tmp_path / "log.jsonl").write_text("".join(text), "utf-8")
    got = read(tmp_path / "log.jsonl", catalog=catalog, quarantine=tmp_path / "q.jsonl")
    moved = {n + 5 * (n > 55_000): rule for n, rule in bad.items()}
    assert places(tmp_path / "q.jsonl") == moved | {55_002: "json", 55_003: "json", 55_004: "encoding"}
    assert got.rows == 60_003 and got.log.events.num_rows == 59_997
    table = pa.Table.from_pylist([{k: r[k] for k in ("shopper", "session", "time", "action", "product")} for r in rows])
    pq.write_table(table, tmp_path / "log.parquet")
    read(tmp_path / "log.parquet", catalog=catalog, quarantine=tmp_path / "q2.jsonl")
    assert places(tmp_path / "q2.jsonl") == bad


def test_parquet_whose_text_is_no_text_is_told(tmp_path):
    rows = [event("u-1", n) for n in range(3)]
    as_parquet(rows, tmp_path / "good.parquet")
    table = pq.read_table(tmp_path / "good.parquet")
    broken = pa.array([b"p1", b"\xff\xfe", b"p1"], pa.binary()).view(pa.string())
    table = table.set_column(table.column_names.index("product"), "product", broken)
    pq.write_table(table, tmp_path / "log.parquet")
    got = read(tmp_path / "log.parquet", catalog=write_catalog(tmp_path), quarantine=tmp_path / "q.jsonl")
    assert places(tmp_path / "q.jsonl") == {2: "encoding"} and got.log.events.num_rows == 2


@pytest.mark.parametrize("encoding", ["gbk", "utf-16", "latin-1", "utf-8-sig", "shift_jis"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_other_encodings_are_read_as_they_say(tmp_path, encoding, suffix):
    query = {"latin-1": "schöne Schuhe"}.get(encoding, "赤い靴")
    rows = [event("u-1", 0, "search", query=query), event("u-1", 9)]
    content = line(*HEADER) + "".join(map(fields, rows)) if suffix == "csv" else as_json_lines(rows)
    (tmp_path / f"log.{suffix}").write_bytes(content.encode(encoding))
    got = read(
        tmp_path / f"log.{suffix}", columns=ColumnMap(encoding=encoding), catalog=write_catalog(tmp_path, encoding)
    )
    assert not len(got.defects) and got.log.events.column("query").to_pylist() == [query, None]


def test_a_row_in_another_encoding_than_its_file_is_told(tmp_path):
    content = (line(*HEADER) + fields(event("u-1", 0, "search", query="红鞋"))).encode("gbk")
    content += fields(event("u-1", 9, "search", query="XX")).encode().replace(b"XX", b"\xff\xff")
    (tmp_path / "log.csv").write_bytes(content)
    got = read(tmp_path / "log.csv", columns=ColumnMap(encoding="gbk"), catalog=write_catalog(tmp_path))
    assert rules(got) == {"encoding": 1} and got.log.events.column("query").to_pylist() == ["红鞋"]


SPOILED = st.fixed_dictionaries(
    {},
    optional={
        "shopper": st.sampled_from(["", "u1", "u2", "\0"]),
        "session": st.sampled_from(["", "s1", "s2"]),
        "time": st.sampled_from(["", "soon", "2025-03-01T10:00:00", "2025-03-01T10:00:00Z", "1741000000", "9" * 25]),
        "action": st.sampled_from(["", "search", "view", "purchase", "leave", "VIEW", "hover"]),
        "query": st.sampled_from([None, "", "shoes", '5" heel', "a\nb", "\ud800", "x" * 10_001]),
        "product": st.sampled_from([None, "", "p1", "p2", "gone"]),
        "shown": st.sampled_from([None, "", "[]", '["p1","p2"]', "['p1', 'p2']", '["p1","p1"]', "p1", "[[1]]"]),
        "rank": st.sampled_from([None, "1", "2", "9", "-1", "x", "1e400"]),
        "price": st.sampled_from([None, "3", "-3", "$1,200.50", "nan", "free"]),
    },
)
GARBAGE = st.one_of(SPOILED, st.text(st.sampled_from('ab,"\n\r{}[]\\'), min_size=1, max_size=12))


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(GARBAGE, max_size=12), suffix=st.sampled_from(["csv", "jsonl"]))
def test_no_row_is_lost(rows, suffix, tmp_path_factory):
    """As many rows as the file has are loaded or in the quarantine, each once, and its text is there."""
    folder = tmp_path_factory.mktemp("any")
    lines = []
    for n, row in enumerate(rows):
        if isinstance(row, str):
            lines.append(row.replace("\n", " ").replace("\r", " ") + "\n" if suffix == "jsonl" else row + "\n")
        elif suffix == "csv":
            lines.append(fields(event(f"u{n}-1") | row))
        else:
            lines.append(json.dumps(event(f"u{n}-1") | row) + "\n")
    head = line(*HEADER) if suffix == "csv" else ""
    (folder / f"log.{suffix}").write_text(head + "".join(lines), "utf-8", errors="surrogatepass", newline="")
    (folder / "good.csv").write_text(line(*HEADER) + fields(event("z-1")), "utf-8")
    log = str(folder / f"log.{suffix}")
    catalog = str(write_catalog(folder))
    got = read_log(Sources((str(folder / "good.csv"), log), catalog), ColumnMap(), quarantine=folder / "q.jsonl")
    defects = [json.loads(text) for text in (folder / "q.jsonl").read_text("utf-8").splitlines()]
    out = [(d["file"], d["row"]) for d in defects if d["fate"] == "quarantined"]
    assert len(out) == len(set(out)), "a row is taken out once"
    assert got.rows == got.log.events.num_rows + len(out)
    if suffix == "jsonl":
        assert got.rows == 1 + sum(bool(text.strip()) for text in lines)
    elif all(isinstance(row, dict) for row in rows):
        assert got.rows == 1 + len(rows)
    assert all(d["record"] for d in defects)


def test_a_data_set_written_as_parquet_is_imported_as_it_was(tmp_path):
    data = load_dataset("demo:shoppers=20,products=300")
    pq.write_table(data.log.events, tmp_path / "events.parquet")
    pq.write_table(data.catalog.table, tmp_path / "catalog.parquet")
    got = read(tmp_path / "events.parquet", catalog=tmp_path / "catalog.parquet")
    assert not len(got.defects), got.defects.found()
    assert got.log.events.equals(data.log.events)
    assert got.log.catalog.table.equals(data.catalog.table)
