"""A session in the terminal is kept whatever comes: another process, a signal, a full disk, a terminal that is gone."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

import pytest

from paars_bench.cli import main
from paars_bench.data import shop_log
from paars_bench.data.agent_folder import read_agent_log

DEMO = ("--dataset", "demo:shoppers=20")
COMMAND = [sys.executable, "-m", "paars_bench.cli", "shop", *DEMO]
FULL = OSError(28, "No space left on device")


def opened(folder: Path, **options: object) -> subprocess.Popen[str]:
    """Starts a visit and returns when its first page is shown."""
    process = subprocess.Popen(
        [*COMMAND, "--to", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
    )
    _read_until(process, "Possible now: ")
    return process


def _read_until(process: subprocess.Popen[str], text: str) -> None:
    while text not in (line := _stream(process.stdout).readline()):
        assert line, "the process ended"


def _stream(given: IO[str] | None) -> IO[str]:
    assert given is not None
    return given


def typed(process: subprocess.Popen[str], text: str) -> None:
    _stream(process.stdin).write(text)
    _stream(process.stdin).flush()


@pytest.fixture
def shops(monkeypatch: pytest.MonkeyPatch):
    """Shops in this process: ``shops("mug\\nq\\n", "--to", "mine")`` returns the exit code."""

    def shop(text: str, *words: str) -> int:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        return main(["shop", *DEMO, *words])

    return shop


def actions(folder: Path) -> list[str]:
    return read_agent_log(folder).events.column("action").to_pylist()


def sessions(folder: Path) -> list[str]:
    return read_agent_log(folder).sessions.column("session").to_pylist()


def test_two_that_shop_at_once_in_one_folder_get_a_session_each(tmp_path: Path) -> None:
    both = [opened(tmp_path / "mine") for _ in range(2)]
    said = [process.communicate("usb hub\nq\n", timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sessions(tmp_path / "mine") == ["person/person/0000", "person/person/0001"]
    assert sorted(re.findall(r"Session (\S+) is in", "".join(said))) == sessions(tmp_path / "mine")
    assert actions(tmp_path / "mine") == ["search", "leave"] * 2


@pytest.mark.skipif(os.name != "posix", reason="needs signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_breaks_off_and_what_was_done_is_kept(tmp_path: Path, number: int) -> None:
    process = opened(tmp_path / "mine")
    typed(process, "usb hub\n")
    _read_until(process, "Possible now: ")
    time.sleep(0.5)  # a signal between two lines is heard at the next
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Broken off" in said and "Session person/person/0000" in said
    assert actions(tmp_path / "mine") == ["search"]


def test_a_reader_that_is_gone_breaks_off_and_what_was_done_is_kept(tmp_path: Path) -> None:
    process = opened(tmp_path / "mine", stderr=subprocess.DEVNULL)
    typed(process, "usb hub\n")
    _read_until(process, "Possible now: ")
    _stream(process.stdout).close()
    typed(process, "1\n")
    assert process.wait(60) != 0
    assert actions(tmp_path / "mine") == ["search"]


def test_bytes_that_are_no_text_are_typed_as_something_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--to", str(tmp_path / "mine"), "--intention", b"caf\xe9"],
        input=b"usb hub\ncaf\xe9\nq\n",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert actions(tmp_path / "mine") == ["search", "search", "leave"]
    assert read_agent_log(tmp_path / "mine").sessions.column("intention").to_pylist() == ["caf?"]


def test_where_the_log_cannot_be_written_the_session_lies_elsewhere_and_can_be_brought_in(
    shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, write = tmp_path / "my log", shop_log.pq.write_table
    assert shops("tea\nq\n", "--to", str(folder)) == 0

    def full(table: object, where: Path) -> None:
        if where.parent == folder:
            raise FULL
        write(table, where)

    with monkeypatch.context() as patch:
        patch.setattr(shop_log.pq, "write_table", full)
        patch.setattr(tempfile, "tempdir", str(tmp_path))
        assert shops("usb hub\nq\n", "--to", str(folder)) == 4
    error = capsys.readouterr().err.splitlines()[-1]
    assert "my log: cannot be written (No space left on device)" in error
    (aside,) = tmp_path.glob("paars-bench-shop-*")
    command = f"paars-bench shop --bring {aside} --to '{folder}'"
    assert error.endswith(f"the session is in {aside}, a log of its own; to bring it in: {command}")
    assert sessions(aside) == ["person/person/0000"] and actions(aside) == ["search", "leave"]
    assert main(["data", "describe", str(aside)]) == 0
    assert sessions(folder) == ["person/person/0000"]
    assert main(["shop", "--bring", str(aside), "--to", str(folder)]) == 0
    assert "person/person/0001 added to" in capsys.readouterr().out
    queries = read_agent_log(folder).events.column("query").to_pylist()
    assert queries == ["tea", None, "usb hub", None]


def test_where_nothing_can_be_written_the_session_is_on_the_screen(
    shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(shop_log.pq, "write_table", full)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert shops("usb hub\nq\n", "--to", str(tmp_path / "mine")) == 4
    said = capsys.readouterr()
    assert "the session's events stand above, as JSON" in said.err
    events = [json.loads(line) for line in said.out.splitlines() if line.startswith("{")]
    assert [event["action"] for event in events] == ["search", "leave"] and events[0]["query"] == "usb hub"
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_a_folder_that_is_gone_at_the_end_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    process = opened(folder)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    process.communicate("usb hub\nq\n", timeout=60)
    assert process.returncode == 0 and sessions(folder) == ["person/person/0000"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "{}/file/mine"], "mine: cannot be written"),
        (["--to", "{}/deep"], "shop.json: cannot be read (no strict JSON (nested too deeply"),
        (["--to", "{}/mine", "--as", "Nobody"], "--as: unknown shopper 'Nobody'"),
        (["--bring", "{}/deep"], "--bring {}/deep: goes with --to FOLDER and nothing else."),
        (["--bring", "{}/none", "--to", "{}/mine", "--as", "S00003"], "goes with --to FOLDER and nothing else."),
    ],
)
def test_what_could_not_be_kept_is_said_before_anybody_shops(
    shops, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "shop.json").write_text("[" * 100_000)
    assert shops("usb hub\nq\n", *(word.format(tmp_path) for word in words)) == 1
    shown = capsys.readouterr()
    assert said.format(tmp_path) in shown.err.splitlines()[-1] and "Possible now" not in shown.out
    assert not (tmp_path / "mine").exists()


def test_nothing_to_bring_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shop", "--bring", str(tmp_path / "none"), "--to", str(tmp_path / "mine")]) == 1
    assert "none: no session is recorded there" in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


def test_a_folder_in_which_nobody_did_anything_is_described_as_such(
    shops, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shops("?\n", "--to", str(tmp_path / "mine")) == 0
    assert "nothing is recorded" in capsys.readouterr().out
    assert main(["data", "describe", str(tmp_path / "mine")]) == 0
    assert "mine: no session is recorded there yet" in capsys.readouterr().out
