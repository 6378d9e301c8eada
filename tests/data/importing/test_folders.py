"""A folder of logs that also holds what this program wrote is read as if it did not, and says so."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from logs import event, line, read, sound_events, told, write_catalog, write_log

from paars_bench.data import load_dataset
from paars_bench.errors import DataError


@pytest.fixture
def inside(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    write_log(folder, [*sound_events(), event("a-1", product="p999")])
    return folder


def test_an_import_into_its_own_folder_reads_the_log_only_and_can_be_made_again(inside, tmp_path, capsys):
    catalog = write_catalog(tmp_path)
    with (tmp_path / "products.csv").open("a") as products:
        products.write(line("q1", "", "", 1, 2, 3, "", "") * 500)  # the quarantine has lines before the log is read
    for name in ("one", "two"):
        code, _, err = told(capsys, "data", "import", inside, "--catalog", catalog, "--to", inside / name)
        assert code == 2, err
        log = load_dataset(str(inside / name)).log
        assert log.events.num_rows == len(sound_events())
    code, out, _ = told(capsys, "data", "validate", inside, "--catalog", catalog)
    assert code == 2 and f"{len(sound_events()) + 1:,} rows read" in out
    said = next(text for text in out.splitlines() if "in a data set folder" in text)
    assert "files in a data set folder" in said and "one/" in said and str(inside) in said
    assert {p.name for p in inside.iterdir()} == {"log.csv", "one", "two"}


def test_the_quarantine_may_stand_in_the_folder(inside, tmp_path, capsys):
    asked = ("data", "validate", inside, "--catalog", write_catalog(tmp_path), "--quarantine", inside / "q.jsonl")
    code, out, err = told(capsys, *asked)
    assert code == 2 and f"{len(sound_events()) + 1:,} rows read" in out, err
    assert len((inside / "q.jsonl").read_text().splitlines()) == 1
    got = read(inside, catalog=tmp_path / "products.csv", quarantine=inside / "q.jsonl")  # and be written again
    assert got.rows == len(sound_events()) + 1 and any("written by this command" in text for text in got.assumed)


def test_what_a_dot_hides_is_left_out_and_named(inside, tmp_path):
    (inside / ".cache").mkdir()
    for name in (".cache/log.csv", ".log.csv"):
        (inside / name).write_text("not a log\n")
    got = read(inside, catalog=write_catalog(tmp_path))
    assert got.rows == len(sound_events()) + 1
    assert any("2 files hidden by a dot" in text and ".cache/log.csv" in text for text in got.assumed)
    (inside / "log.csv").unlink()
    with pytest.raises(DataError, match=r"holds no file.*2 files hidden by a dot"):
        read(inside, catalog=tmp_path / "products.csv")


def test_what_a_killed_import_left_is_removed_by_the_next_but_not_that_of_one_at_work(tmp_path, capsys):
    os.mkfifo(tmp_path / "slow.csv")  # never written to: the import waits for ever
    catalog, log = write_catalog(tmp_path), write_log(tmp_path, sound_events())
    (tmp_path / ".out-mine").mkdir()
    words = ("data", "import", tmp_path / "slow.csv", "--catalog", catalog, "--to", tmp_path / "out")
    waiting = subprocess.Popen([sys.executable, "-m", "paars_bench.cli", *map(str, words)], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while not (left := [p.parent.parent for p in tmp_path.glob(".out-*/out/quarantine.jsonl")]):
            assert time.monotonic() < until and waiting.poll() is None
            time.sleep(0.05)
        assert told(capsys, "data", "import", log, "--catalog", catalog, "--to", tmp_path / "out")[0] == 0
        assert left[0].exists()
    finally:
        waiting.kill()
        waiting.wait()
    assert left[0].exists()
    (tmp_path / "out").rename(tmp_path / "before")
    code, _, err = told(capsys, "data", "import", log, "--catalog", catalog, "--to", tmp_path / "out")
    assert code == 0 and f"removed {left[0]}" in err.replace("\n", "")
    assert sorted(p.name for p in tmp_path.glob(".out*")) == [".out-mine"]
