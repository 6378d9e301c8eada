"""A log in another language, encoding and shape: the example of the README, run as it stands there."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from logs import event, line, read, sound_events, told, write_catalog, write_log

from paars_bench.data import load_dataset
from paars_bench.data.cases import CaseKind
from paars_bench.data.importing.columns import ColumnMap, read_columns

README = Path(__file__).parents[3] / "paars_bench" / "data" / "README.md"
HEADS = ("用户", "时间", "行为", "搜索词", "展示", "商品", "标题", "类目")
SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2025, 3, 1, 20, tzinfo=SHANGHAI)


def foreign_rows(*, lists: bool) -> list[tuple[str, ...]]:
    """Five shoppers on eight evenings; some buy. No session, no rank."""
    rows = []
    for who in range(5):
        for day in range(8):
            chosen = (who + day) % 10
            product = (f"商品{chosen}", f"红色跑鞋 {chosen} 号", f"鞋类>款式{chosen}")
            shown = "|".join(f"商品{i}" for i in range(10)) if lists else ""
            at = START + timedelta(days=day)
            steps: list[tuple[str, ...]] = [("搜索", f"跑鞋 {day}", shown, "", "", ""), ("点击", "", "", *product)]
            steps += [("购买", "", "", *product)] * (chosen % 2)
            for n, step in enumerate(steps):
                rows.append((f"用户{who}", f"{at + timedelta(seconds=20 * n):%Y/%m/%d %H:%M:%S}", *step))
    return rows


@pytest.fixture
def example(tmp_path) -> Path:
    """The column map that stands in the README."""
    block = re.search(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.S)
    assert block
    path = tmp_path / "columns.yaml"
    path.write_text(block[1], "utf-8")
    return path


def write_foreign(path: Path, *, lists: bool) -> Path:
    path.write_bytes("".join(line(*row) for row in [HEADS, *foreign_rows(lists=lists)]).encode("gbk"))
    return path


def test_the_example_of_the_readme_works_and_finds_ranks_by_the_list(tmp_path, example, capsys):
    log, folder = write_foreign(tmp_path / "log.csv", lists=True), tmp_path / "mylog"
    code, out, err = told(capsys, "data", "import", log, "--columns", example, "--to", folder, "--licence", "CC0")
    assert code == 0, out + err
    assert "sessions were made: one ends where nothing follows for 30m" in out
    assert "10 products with a title in the log are the catalog" in out and "no defect found" in out
    data = load_dataset(str(folder))
    assert data.log.sessions.num_rows == 40 and data.catalog["商品3"].title == "红色跑鞋 3 号"
    assert data.catalog["商品3"].category == ("鞋类", "款式3")
    assert min(data.log.events.column("time").to_pylist()) == START
    assert data.kinds >= {CaseKind.QUERY_PAIRS, CaseKind.RANK_CHOICES, CaseKind.SESSIONS}
    run = ("run", "--model", "random", "--dataset", folder, "--tasks", "query_generation", "--dry_run")
    assert told(capsys, *run)[0] == 0


def test_what_it_cannot_support_is_named_with_the_reason(tmp_path, example, capsys):
    log, folder = write_foreign(tmp_path / "log.csv", lists=False), tmp_path / "mylog"
    assert told(capsys, "data", "import", log, "--columns", example, "--to", folder)[0] == 0
    data = load_dataset(str(folder))
    assert CaseKind.QUERY_PAIRS in data.kinds and CaseKind.RANK_CHOICES not in data.kinds
    _, out, _ = told(capsys, "data", "describe", folder)
    shown = next(text for text in out.splitlines() if text.startswith("rank_choices"))
    assert "none of" in shown and "passed: the list shown is known" in shown
    asked = ("run", "--model", "random", "--dataset", folder, "--limit", "2", "--output_path", tmp_path / "run")
    code, _, err = told(capsys, *asked, "--tasks", "query_generation,item_selection_group")
    assert code == 0 and "not run: item_selection_group (mylog has no rank_choices cases; none of" in err
    code, _, err = told(capsys, *asked[:-2], "--tasks", "item_selection_group", "--output_path", tmp_path / "none")
    assert code == 1 and "supports none of the tasks" in err and f"data mine {folder}" in err
    assert "FOLDER" in told(capsys, "ls", "datasets")[1]


def test_a_log_of_purchases_only_has_no_sessions_to_compare(tmp_path, capsys):
    rows = [r for r in sound_events() if r["action"] == "purchase"]
    log, catalog = write_log(tmp_path, rows), write_catalog(tmp_path)
    assert told(capsys, "data", "import", log, "--catalog", catalog, "--to", tmp_path / "out")[0] == 0
    data = load_dataset(str(tmp_path / "out"))
    assert data.kinds == {CaseKind.ITEM_CHOICES}
    assert "the log holds searches and views" in data.why_not(CaseKind.SESSIONS)
    assert "session has a search" in data.why_not(CaseKind.QUERY_PAIRS)


def test_a_log_without_any_case_is_imported_described_mined_and_not_run(tmp_path, capsys):
    log, catalog, folder = write_log(tmp_path, [event("u-1")]), write_catalog(tmp_path), tmp_path / "out"
    assert told(capsys, "data", "import", log, "--catalog", catalog, "--to", folder)[0] == 0
    code, out, _ = told(capsys, "data", "mine", folder)
    assert code == 0 and "no case can be made of it" in out and "sessions before a cutoff" in out
    assert told(capsys, "data", "describe", folder)[0] == 0
    code, _, err = told(capsys, "run", "--model", "random", "--dataset", folder, "--output_path", tmp_path / "r")
    assert code == 1 and "no cases at all" in err


def write_times(tmp_path: Path, *times: str, **more: str) -> Path:
    return write_log(tmp_path, [event("u-1", n, time=t, session="", **more) for n, t in enumerate(times)])


@pytest.mark.parametrize(
    ("how", "sessions"),
    [("day", [0, 0, 1, 1]), ("30m", [0, 0, 0, 1]), ("29m", [0, 0, 1, 2]), ("600s", [0, 1, 2, 3])],
)
def test_sessions_are_made_by_day_in_the_zone_of_the_times_or_by_gap(tmp_path, how, sessions):
    log = write_times(
        tmp_path, "2025-03-01 23:20:00", "2025-03-01 23:40:00", "2025-03-02 00:10:00", "2025-03-02 00:50:00"
    )
    columns = ColumnMap.model_validate(
        {"events": {"time": {"column": "time", "zone": "Asia/Shanghai"}}, "sessions": how}
    )
    got = read(log, columns=columns, catalog=write_catalog(tmp_path))
    assert got.log.events.column("session").to_pylist() == [f"u-{n:04}" for n in sessions]


TIMES = {
    "2025-03-01T10:00:00Z": "2025-03-01T10:00:00",
    "2025-03-01 10:00:00 UTC": "2025-03-01T10:00:00",
    "2025-03-01T10:00:00.5+08:00": "2025-03-01T02:00:00.500000",
    "2025-03-01 10:00:00 +0530": "2025-03-01T04:30:00",
    "2025-03-01T10:00:00,123456789z": "2025-03-01T10:00:00.123456",
    "1740823200": "2025-03-01T10:00:00",
    "1740823200.25": "2025-03-01T10:00:00.250000",
    "1740823200123": "2025-03-01T10:00:00.123000",
    "1740823200123456": "2025-03-01T10:00:00.123456",
    "1740823200123456789": "2025-03-01T10:00:00.123457",
}


@pytest.mark.parametrize("written", TIMES)
def test_times_are_read_as_they_are_written(tmp_path, written):
    got = read(write_times(tmp_path, written), columns=ColumnMap(sessions="day"), catalog=write_catalog(tmp_path))
    assert [t.replace(tzinfo=None).isoformat() for t in got.log.events.column("time").to_pylist()] == [TIMES[written]]


def test_a_few_times_with_a_zone_among_many_without_are_the_defect(tmp_path):
    log = write_times(tmp_path, "2025-03-01 10:00:00", "2025-03-01 10:00:01", "2025-03-01T10:00:02Z")
    got = read(log, columns=ColumnMap(sessions="day"), catalog=write_catalog(tmp_path))
    assert got.log.events.num_rows == 2 and got.defects.found()[0].rule.name == "time_zone"
    assert any("taken as UTC" in text for text in got.assumed)


def test_prices_ranks_from_zero_and_lists_as_python_prints_them(tmp_path):
    rows = [event("u-1", 0, "search", shown="['p3', 'p4']"), event("u-1", 1, product="p4", rank="1")]
    rows += [event("u-1", 2 + n, "purchase", price=p) for n, p in enumerate(("$1,200.50", "EUR 3", "4 €", "1e1", "5"))]
    columns = ColumnMap.model_validate({"events": {"rank": {"column": "rank", "first": 0}}})
    got = read(write_log(tmp_path, rows), columns=columns, catalog=write_catalog(tmp_path))
    assert not len(got.defects)
    events = got.log.events.to_pylist()
    assert events[0]["shown"] == ["p3", "p4"] and events[1]["rank"] == 2
    assert [e["price"] for e in events[2:]] == [1200.5, 3, 4, 10, 5]


def test_shoppers_become_truth(tmp_path):
    (tmp_path / "people.csv").write_text("uid,age,town\nu,41,Rome\nv,,\nu,9,Again\n,1,2\n")
    got = read(
        write_log(tmp_path, [event("u-1")]),
        columns=ColumnMap(shopper_id="uid"),
        catalog=write_catalog(tmp_path),
        shoppers=tmp_path / "people.csv",
    )
    u, v = got.log.shoppers.to_pylist()
    assert u["truth"] == [{"key": "age", "value": "41"}, {"key": "town", "value": "Rome"}] and v["truth"] == []
    assert [(f.table, f.rule.name) for f in got.defects.found()] == [
        ("shoppers", "id_missing"),
        ("shoppers", "id_twice"),
    ]


def test_the_command_line_adds_to_the_yaml(example):
    columns = read_columns(example, {"arm": "组"}, sessions="day", delimiter="\\t")
    assert columns.events["arm"].column == "组" and columns.events["shopper"].column == "用户"
    assert (columns.sessions, columns.delimiter, columns.encoding) == ("day", "\t", "gbk")


def test_the_quarantine_of_a_foreign_log_names_its_own_columns(tmp_path, example, capsys):
    log = tmp_path / "log.csv"
    rows = [HEADS, *foreign_rows(lists=True), ("用户0", "2025/03/01 20:00:00", "点击", "", "", "商品999", "", "")]
    log.write_bytes("".join(line(*row) for row in rows).encode("gbk"))
    asked = ("data", "validate", log, "--columns", example, "--quarantine", tmp_path / "q.jsonl")
    assert told(capsys, *asked)[0] == 2
    (defect,) = map(json.loads, (tmp_path / "q.jsonl").read_text("utf-8").splitlines())
    assert (defect["column"], defect["value"], defect["rule"]) == ("商品", "商品999", "product_unknown")
    assert defect["record"]["用户"] == "用户0" and defect["row"] == len(rows)


def test_a_file_of_orders_needs_no_column_of_actions(tmp_path, capsys):
    orders = tmp_path / "orders.csv"
    rows = [f"{who},o{who}{day},2025-03-{day + 1:02d}T10:00:00Z,p{day},9.50" for who in "ab" for day in range(8)]
    orders.write_text("\n".join(["shopper,session,time,product,price", *rows, "a,oa9,2025-03-19T10:00:00Z,,1"]))
    asked = ("data", "import", orders, "--catalog", write_catalog(tmp_path))
    code, _, err = told(capsys, *asked, "--to", tmp_path / "out")
    assert code == 1 and "no column 'action'" in err and "--action purchase" in err
    assert "'buy'" in told(capsys, *asked, "--action", "buy", "--to", tmp_path / "out")[2]
    code, out, _ = told(capsys, *asked, "--action", "purchase", "--to", tmp_path / "out")
    assert code == 2 and "an action on a product that names none" in out  # the last row
    events = load_dataset(str(tmp_path / "out")).log.events
    assert events.num_rows == 16 and set(events.column("action").to_pylist()) == {"purchase"}


def test_a_log_with_actions_is_not_made_one_of_orders(tmp_path, capsys):
    log, catalog = write_log(tmp_path, sound_events()), write_catalog(tmp_path)
    asked = ("data", "import", log, "--catalog", catalog, "--action", "purchase", "--to", tmp_path / "out")
    code, _, err = told(capsys, *asked)
    assert code == 1 and "has a column 'action'" in err and not (tmp_path / "out").exists()
