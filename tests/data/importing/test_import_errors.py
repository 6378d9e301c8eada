"""Bad input is one sentence that names file, line, key or flag, the nearest valid one, and the fix."""

from __future__ import annotations

import gzip
import hashlib
import json
import resource
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from logs import HEADER, event, fields, line, sound_events, told, write_catalog, write_log

from paars_bench.data import load_dataset
from paars_bench.errors import DataError

# what the log holds, its name, more words of the command line, and what the sentence must say
FILES: dict[str, tuple[bytes | None, str, list[str], list[str]]] = {
    "no file": (None, "log.csv", [], ["log.csv", "no such file"]),
    "no log at all": (b"x", "log.txt", [], ["log.txt", ".parquet", "rename it"]),
    "empty": (b"", "log.csv", [], ["log.csv", "empty"]),
    "a header of others": (b"a,b\n", "log.csv", [], ["no column 'shopper'", "has a, b"]),
    "no header": (fields(event()).encode(), "log.csv", [], ["no column 'shopper'", "--column shopper=", "x-1"]),
    "unmapped column": (b"user,time\n1,2\n", "log.csv", ["--column", "shopper=usr"], ["shopper", "'usr'", "'user'"]),
    "column not ours": (b"user,time\n1,2\n", "log.csv", ["--column", "shoper=user"], ["'shoper'", "'shopper'"]),
    "UTF-16": ("a,b\n".encode("utf-16"), "log.csv", [], ["UTF-16", "--encoding utf-16"]),
    "wrong encoding": (b"a,b\n1", "log.csv", ["--encoding", "utf-16"], ["utf-16", "--encoding"]),
    "no encoding": (b"a\n", "log.csv", ["--encoding", "utf-9"], ["--encoding utf-9", "no text encoding"]),
    **{
        f"{codec}, no text": (b"a\n", "log.csv", ["--encoding", codec], [f"--encoding {codec}", "no text encoding"])
        for codec in ("rot13", "hex", "zip", "undefined")
    },
    "bad delimiter": (b"a\n", "log.csv", ["--delimiter", ";;"], ["--delimiter ;;", "one ASCII character"]),
    "bad sessions": (b"a\n", "log.csv", ["--sessions", "weekly"], ["--sessions weekly", "30m"]),
    "cut off": (gzip.compress(b"a,b\n" * 9999)[:-20], "log.csv.gz", [], ["log.csv.gz", "cannot be read"]),
    "no Parquet": (b"nonsense", "log.parquet", [], ["log.parquet", "cannot be read"]),
    "header only": (line(*HEADER).encode(), "log.csv", [], ["the log has no rows"]),
    "nothing sound": ((line(*HEADER) + fields(event(time="soon"))).encode(), "log.csv", [], ["1 rows", "row 2"]),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
@pytest.mark.parametrize("command", ["import", "validate"])
def test_a_log_that_cannot_be_read_is_one_sentence(case, command, tmp_path, capsys):
    content, name, more, words = FILES[case]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    to = ["--to", tmp_path / "out"] if command == "import" else []
    asked = ("data", command, tmp_path / name, "--catalog", write_catalog(tmp_path), *more, *to)
    code, _, err = told(capsys, *asked)
    said = err.splitlines()[-1]
    assert code == 1 and said.startswith("error: ") and all(w in said for w in words), err
    assert "unexpected" not in err and {p.name for p in tmp_path.iterdir()} <= {name, "products.csv"}


YAML = {
    "unknown key": ("session: day\n", [":1:", "'session'", "'sessions'"]),
    "unknown column": ("events:\n  shopper: a\n  prodct: b\n", [":3:", "'prodct'", "'product'"]),
    "unknown key of a column": ("events:\n  time:\n    column: a\n    tz: UTC\n", [":4:", "'tz'", "zone"]),
    "a key that does nothing there": ("events:\n  query:\n    column: q\n    zone: UTC\n", [":4:", "'zone'", "time"]),
    "no zone": ("events:\n  time: {column: t, zone: Rome/Italy}\n", [":2:", "Europe/Rome", "'Rome/Italy'"]),
    "unknown action": ("events:\n  action: {column: a, values: {x: veiw}}\n", [":2:", "'veiw'", "'view'"]),
    "no column named": ("events:\n  time: {zone: UTC}\n", [":2:", "events.time.column"]),
    "a list": ("- a\n", [":1:", "a column map is a mapping"]),
    "not YAML": ("events: [\n", ["not valid YAML"]),
}


@pytest.mark.parametrize("case", YAML)
def test_a_wrong_column_map_names_file_and_line(case, tmp_path, capsys):
    text, words = YAML[case]
    (tmp_path / "columns.yaml").write_text(text)
    code, _, err = told(capsys, "data", "validate", tmp_path / "log.csv", "--columns", tmp_path / "columns.yaml")
    assert code == 1 and "columns.yaml" in err and all(w in err for w in words), err
    assert len(err.splitlines()) == 1


def test_a_missing_column_map_and_an_empty_folder_are_named(tmp_path, capsys):
    code, _, err = told(capsys, "data", "validate", tmp_path / "log.csv", "--columns", tmp_path / "none.yaml")
    assert code == 1 and "none.yaml" in err and len(err.splitlines()) == 1
    (tmp_path / "logs").mkdir()
    code, _, err = told(capsys, "data", "validate", tmp_path / "logs")
    assert code == 1 and "holds no file that ends in .csv" in err
    code, _, err = told(capsys, "data", "validate", "nowhere://log.csv")
    assert code == 1 and "cannot be opened" in err and "unexpected" not in err


def test_a_catalog_without_titles_is_the_cause_that_is_named(tmp_path, capsys):
    (tmp_path / "products.csv").write_text("id,title\np1,\n")
    log = write_log(tmp_path, [event("u-1")])
    code, _, err = told(capsys, "data", "import", log, "--catalog", tmp_path / "products.csv", "--to", tmp_path / "out")
    assert code == 1 and "catalog" in err and "no title" in err and not (tmp_path / "out").exists()
    code, _, err = told(capsys, "data", "import", log, "--catalog", log, "--to", tmp_path / "out")
    assert code == 1 and "no column 'id'" in err and "`catalog` of --columns" in err


def test_output_that_is_there_or_cannot_be_written_is_refused(tmp_path, capsys):
    log, catalog = write_log(tmp_path, [event("u-1")]), write_catalog(tmp_path)
    (tmp_path / "there").mkdir()
    asked = ("data", "import", log, "--catalog", catalog, "--to")
    code, _, err = told(capsys, *asked, tmp_path / "there")
    assert code == 1 and "already there" in err and "--to" in err
    for place in (log / "under_a_file", tmp_path / ("x" * 300)):
        code, _, err = told(capsys, *asked, place)
        assert code == 1 and "cannot be written" in err and "unexpected" not in err
    code, _, err = told(capsys, "data", "validate", log, "--catalog", catalog, "--quarantine", log)
    assert code == 1 and "already there" in err
    code, _, err = told(capsys, "data", "validate", log, "--catalog", catalog, "--quarantine", tmp_path / "no" / "q")
    assert code == 1 and "cannot be written" in err


@pytest.mark.parametrize("room", [0, 1500])
def test_a_full_disk_ends_in_one_sentence_and_leaves_nothing(tmp_path, capsys, room):
    """A limit on the size of files is met while the quarantine is written, or while the tables are."""
    rows = [*sound_events(), *([event("u-1", time="soon")] if not room else [])]
    log, catalog = write_log(tmp_path, rows), write_catalog(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        code, _, err = told(capsys, "data", "import", log, "--catalog", catalog, "--to", tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 1 and "cannot be written" in err and len(err.splitlines()[-1:]) == 1
    assert {p.name for p in tmp_path.iterdir()} == {"log.csv", "products.csv"}


def test_a_full_disk_under_the_quarantine_of_validate_is_one_sentence(tmp_path, capsys):
    log, catalog = write_log(tmp_path, [event("u-1", time="soon")]), write_catalog(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        asked = ("data", "validate", log, "--catalog", catalog, "--quarantine", tmp_path / "q.jsonl")
        code, _, err = told(capsys, *asked)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 1 and f"{tmp_path / 'q.jsonl'}: cannot be written" in err


@pytest.fixture
def folder(tmp_path, capsys) -> Path:
    log, catalog = write_log(tmp_path, sound_events()), write_catalog(tmp_path)
    assert told(capsys, "data", "import", log, "--catalog", catalog, "--to", tmp_path / "mine")[0] == 0
    return tmp_path / "mine"


def test_a_folder_that_was_changed_is_refused_even_where_a_copy_is_stored(folder):
    assert load_dataset(str(folder)).kinds
    table = pq.read_table(folder / "events.parquet")
    pq.write_table(table.slice(1), folder / "events.parquet")
    with pytest.raises(DataError, match=r"events\.parquet: changed since it was imported"):
        load_dataset(str(folder))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "dataset.json").write_text("{"), "cannot be read"),
        (lambda f: (f / "dataset.json").write_text("[" * 100_000), "nested too deeply"),
        (lambda f: (f / "dataset.json").write_text("[]"), "'format' is missing"),
        (lambda f: (f / "catalog.parquet").unlink(), "catalog.parquet: cannot be read"),
        (lambda f: (f / "dataset.json").unlink(), "no data set folder"),
    ],
)
def test_a_damaged_folder_is_one_sentence(folder, spoil, words, capsys):
    spoil(folder)
    code, _, err = told(capsys, "data", "describe", folder)
    assert code == 1 and words in err and "unexpected" not in err


def test_a_data_set_folder_is_no_log(folder, capsys):
    code, _, err = told(capsys, "data", "validate", folder)
    assert code == 1 and "is a data set folder already" in err


def test_a_folder_of_another_format_is_refused(folder, capsys):
    meta = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(meta | {"format": 99}))
    code, _, err = told(capsys, "data", "mine", folder)
    assert code == 1 and "format '99' must be 1" in err


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("steps", 5),
        ("steps", [[1]]),
        ("steps", [["a", "b", "c"]]),
        ("steps", [["a", 1, 2, "rule", 3]]),
        ("human_reference", ["real"]),
        ("human_reference", "people"),
        ("files", [1]),
    ],
)
def test_a_broken_key_of_a_folder_is_named(folder, key, value, capsys):
    meta = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(meta | {key: value}))
    code, _, err = told(capsys, "data", "mine", folder)
    assert code == 1 and f"dataset.json: {key} " in err and "must be" in err and len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t.drop_columns(["action"]),
        lambda t: t.select(t.column_names[::-1]),
        lambda t: t.set_column(0, t.column_names[0], pa.nulls(t.num_rows, pa.string())),
        lambda t: t.append_column("more", pa.nulls(t.num_rows)),
    ],
)
def test_a_table_of_other_columns_is_refused_though_its_digest_is_right(folder, spoil, capsys):
    file = folder / "events.parquet"
    pq.write_table(spoil(pq.read_table(file)), file)
    meta = json.loads((folder / "dataset.json").read_text())
    meta["files"][file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / "dataset.json").write_text(json.dumps(meta))
    code, _, err = told(capsys, "data", "mine", folder)
    assert code == 1 and "events.parquet: cannot be read" in err and "import the log again" in err


def test_a_name_without_a_slash_is_a_folder_where_there_is_one(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder.parent)
    assert told(capsys, "data", "describe", "mine")[0] == 0
    (folder.parent / "other").mkdir()
    code, _, err = told(capsys, "data", "describe", "other")
    assert code == 1 and "no data set folder" in err
    code, _, err = told(capsys, "data", "describe", "./gone")
    assert code == 1 and "no such folder" in err


def test_a_password_in_a_url_is_written_nowhere(tmp_path, capsys):
    code, out, err = told(capsys, "data", "validate", "ftp://ann:secret@127.0.0.1:1/log.csv")
    assert code == 1 and "secret" not in out + err and "127.0.0.1" in err
