"""One value, however a file writes it: numbers as ids, missing values, and times that no clock shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from logs import HEADER, event, fields, line, read, rules, told, write_log

from paars_bench.data.importing.columns import Column, ColumnMap
from paars_bench.errors import DataError

BIG = 2**70


def json_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def products(folder: Path, *ids: Any, **more: Any) -> Path:
    return json_lines(folder / "products.jsonl", [{"id": i, "title": f"Product {i}"} | more for i in ids])


def test_numbers_of_more_than_64_bits_are_ids_like_others_and_no_prices(tmp_path, capsys):
    catalog = products(tmp_path, BIG, 1, price=10**30, review_count=10**30)
    log = json_lines(tmp_path / "log.jsonl", [event("u-1", product=BIG), event("u-1", 9, product=1, rank=BIG)])
    got = read(log, catalog=catalog)
    assert got.log.events.column("product").to_pylist() == [str(BIG), "1"]
    assert got.log.catalog.table.column("price").to_pylist() == [None, None]
    assert rules(got) == {"rank_unreadable": 1}
    assert rules(got, "catalog") == {"price_outside": 2, "count_unreadable": 2}
    code, _, err = told(capsys, "data", "validate", log, "--catalog", catalog)
    assert code == 2 and "unexpected" not in err


@pytest.mark.parametrize("order", [1, -1])
def test_a_whole_float_is_the_id_that_its_integer_is(tmp_path, order):
    """As pandas writes a column of whole numbers with a gap; whatever the first of a chunk is."""
    catalog = products(tmp_path, 1, 2)
    numbers = [1, 1.0, 2.0][::order]
    rows = [event(f"{n}-1", 9 * i, shopper=n, session="7" if n == 1 else "8", product=n) for i, n in enumerate(numbers)]
    shown = event("s-1", 0, "search", shown=[1.0, 2])
    got = read(json_lines(tmp_path / "log.jsonl", [*rows, shown]), catalog=catalog)
    assert not len(got.defects), got.defects.found()
    assert sorted(set(got.log.events.column("shopper").to_pylist())) == ["1", "2", "s"]
    assert ["1", "2"] in got.log.events.column("shown").to_pylist()
    text = line(*HEADER) + fields(event("s-1", 0, "search", shown="[1.0, 2]"))
    (tmp_path / "log.csv").write_text(text)
    assert read(tmp_path / "log.csv", catalog=catalog).log.events.column("shown").to_pylist() == [["1", "2"]]


def test_a_whole_float_of_parquet_is_an_integer_beside_a_broken_one_too(tmp_path):
    table = pa.table({"id": [1234567890123456.0, 2.5, 3.0, float("nan")], "title": ["a", "b", "c", "d"]})
    pq.write_table(table, tmp_path / "products.parquet")
    got = read(write_log(tmp_path, [event("u-1", product="3")]), catalog=tmp_path / "products.parquet")
    assert got.log.catalog.ids == ["1234567890123456", "2.5", "3"]
    assert rules(got, "catalog") == {"id_missing": 1} and got.log.events.num_rows == 1


@pytest.mark.parametrize("prices", [[10, 10.5], [10.5, 10]])
def test_a_price_after_a_whole_one_keeps_its_cents(tmp_path, prices):
    rows = [event("u-1", 9 * i, "purchase", product=1, price=p) for i, p in enumerate(prices)]
    got = read(json_lines(tmp_path / "log.jsonl", rows), catalog=products(tmp_path, 1))
    assert got.log.events.column("price").to_pylist() == prices


def test_nan_is_no_value(tmp_path):
    rows = [event("u-1", 9 * i, shopper=float("nan"), product=1) for i in range(2)]
    rows += [event("u-2", product=1), event("u-3", 0, "search", shown=[1, float("nan")])]
    log = json_lines(tmp_path / "log.jsonl", rows)
    assert log.read_text().count("NaN") == 3
    got = read(log, catalog=products(tmp_path, 1))
    assert rules(got) == {"shopper_missing": 2, "list_unreadable": 1}


WRAPS = 2**64 // 1000 + 1_704_067_200_000  # in milliseconds: what is left of it in 64 bits of microseconds is 2024
IMPOSSIBLE = {"s": [10**12], "ms": [10**15, WRAPS, -(2**62)], "us": [2**62, -(2**62)], "ns": [2**62, -(2**62)]}


@pytest.mark.parametrize("unit", IMPOSSIBLE)
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_a_timestamp_that_no_log_can_hold_is_told(tmp_path, unit, zone):
    sound = 1_704_067_200 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    times = pa.array([sound, *IMPOSSIBLE[unit]], pa.timestamp(unit, zone))
    size = len(times)
    table = pa.table({"shopper": ["u"] * size, "session": ["u-1"] * size, "time": times, "action": ["leave"] * size})
    pq.write_table(table, tmp_path / "log.parquet")
    for own in (None, "Europe/Rome"):
        columns = ColumnMap(events={"time": Column(column="time", zone=own)})
        got = read(tmp_path / "log.parquet", columns=columns, quarantine=tmp_path / "q.jsonl")
        assert rules(got) == {"time_impossible": size - 1}
        assert got.log.events.num_rows == 1 and got.log.events.column("time")[0].as_py().year in (2023, 2024)


def test_two_columns_of_one_name_are_refused(tmp_path):
    table = pa.table([["u1"], ["u2"]], names=["shopper", "shopper"])
    pq.write_table(table, tmp_path / "log.parquet")
    with pytest.raises(DataError, match=r"log\.parquet: 2 columns are named 'shopper'"):
        read(tmp_path / "log.parquet")


LOCAL = {
    "2024-03-10 01:59:59": "06:59:59",
    "2024-03-10 02:30:00": "07:30:00",  # skipped: the clock goes from 2 to 3
    "2024-03-10 03:30:00": "07:30:00",
    "2024-11-03 01:30:00": "05:30:00",  # twice: the first
}


@pytest.mark.parametrize("how", ["alone", "beside a broken one", "format", "parquet"])
def test_a_local_time_is_the_same_moment_whatever_stands_beside_it(tmp_path, how):
    rows = [event("u-1", product=1, time=t) for t in LOCAL]
    if how == "beside a broken one":
        rows.append(event("u-2", product=1, time="2024-02-31 10:00:00"))
    spec = Column(column="time", zone="America/New_York", format="%Y-%m-%d %H:%M:%S" if how == "format" else None)
    log = json_lines(tmp_path / "log.jsonl", rows)
    if how == "parquet":
        log = tmp_path / "log.parquet"
        table = pa.table({n: [r[n] for r in rows] for n in ("shopper", "session", "time", "action", "product")})
        table = table.set_column(2, "time", table.column("time").cast(pa.timestamp("ms")))
        pq.write_table(table, log)
    got = read(log, catalog=products(tmp_path, 1), columns=ColumnMap(events={"time": spec}))
    found = [t.strftime("%H:%M:%S") for t in got.log.events.column("time").to_pylist()]
    assert found == ["06:59:59", "07:30:00", "05:30:00"]
    assert rules(got) == ({"duplicate": 1} | ({"time_unreadable": 1} if how == "beside a broken one" else {}))
