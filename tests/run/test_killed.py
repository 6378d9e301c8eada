"""A run that is killed, interrupted or out of disk, as it really happens: in another process, by a real signal."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_runs import CHOICES, DATA, Bench, FakeBackbone, essence, keys, read

SLOW = Path(__file__).with_name("slow_run.py")
PERSONAS = {"tasks": CHOICES, "conditions": ("base", "persona", "shuffled")}
PLANNED = 60


def words(path: Path) -> list[str]:
    flags = f"--model random --tasks {','.join(CHOICES)} --conditions base,persona,shuffled --dataset {DATA} --limit 10"
    return [*flags.split(), "--output_path", str(path)]


def start(path: Path, *, seconds: float = 0.05, most_bytes: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, str(SLOW), str(seconds), str(most_bytes), *words(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def when_lines(run: subprocess.Popen[str], path: Path, lines: int) -> None:
    """Waits until the journal has so many lines."""
    deadline = time.monotonic() + 60
    journal = path / "journal.jsonl"
    while not journal.exists() or journal.read_bytes().count(b"\n") < lines:
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def stopped(run: subprocess.Popen[str], how: signal.Signals) -> tuple[int, str]:
    run.send_signal(how)
    _, err = run.communicate(timeout=60)
    return run.returncode, err


def test_killed_three_times_it_ends_with_the_same_numbers_and_asks_nothing_twice(bench: Bench, tmp_path: Path) -> None:
    whole = bench(FakeBackbone(scripted=False), path="whole", **PERSONAS)
    path = tmp_path / "run"
    for lines in (3, 17, 41):
        run = start(path)
        when_lines(run, path, lines)
        assert stopped(run, signal.SIGKILL)[0] == -signal.SIGKILL
        with (path / "journal.jsonl").open("a") as handle:
            handle.write('{"case_id":"torn')  # what a death between two writes leaves
        assert not (path / "results.json").exists()
    finished = set(keys_of_whole_lines(path))
    rest = FakeBackbone(scripted=False)
    done = bench(rest, **PERSONAS)
    assert essence(done.results)["tasks"] == essence(whole.results)["tasks"]
    assert keys(path) == keys(tmp_path / "whole")
    assert set(keys(path).values()) == {1}
    assert sum(r.role == "task" for r in rest.requests) == PLANNED - len(finished)
    assert done.exit_code == 0


def keys_of_whole_lines(path: Path) -> list[str]:
    journal = path / "journal.jsonl"
    text = journal.read_bytes()
    journal.write_bytes(text[: text.rfind(b"\n") + 1])
    found = list(keys(path))
    journal.write_bytes(text)
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_is_in_flight_end_and_the_same_command_goes_on(
    bench: Bench, tmp_path: Path, how: signal.Signals
) -> None:
    path = tmp_path / "run"
    run = start(path)
    when_lines(run, path, 8)
    code, err = stopped(run, how)
    assert code == 130
    assert "Traceback" not in err
    said = " ".join(err.split())
    assert "stopping after the calls in flight; Ctrl-C again to break off" in said
    assert said.index("stopping after") < said.index("scoring ")
    assert said.count(f"the same command with --output_path {path} goes on from here") == 2  # at its start and its end
    results = read(path)
    assert (results["run"]["status"], results["run"]["stop"]) == ("interrupted", "interrupted")
    asked = sum(keys(path).values())
    assert 8 <= asked < PLANNED
    counts = [t["counts"] for t in results["tasks"]]
    assert sum(c["scored"] for c in counts) == asked
    assert sum(c["by_outcome"].get("cancelled", 0) for c in counts) == PLANNED - asked
    whole = bench(FakeBackbone(scripted=False), path="whole", **PERSONAS)
    assert essence(bench(FakeBackbone(scripted=False), **PERSONAS).results) == essence(whole.results)
    assert set(keys(path).values()) == {1}


def test_ended_while_it_opens_it_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run = start(path)
    deadline = time.monotonic() + 60
    while not (path / ".lock").exists():
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.001)
    code, err = stopped(run, signal.SIGTERM)
    assert code == 130
    assert "Traceback" not in err
    assert not path.exists() or (path / "config.json").exists()


def test_a_resumed_run_says_at_its_start_what_is_on_disk(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench(FakeBackbone(), tasks=CHOICES, max_tokens_total=102 * 7)
    capsys.readouterr()
    bench(FakeBackbone(), tasks=CHOICES)
    said = capsys.readouterr().err
    assert said.index("resumed: 7 of 40 cases were on disk\n") < said.index("first case")
    assert "33 asked now" in " ".join(said.split())


@pytest.mark.parametrize("times", [2, 3])
def test_ctrl_c_again_breaks_off_in_one_line(bench: Bench, tmp_path: Path, times: int) -> None:
    path = tmp_path / "run"
    run = start(path, seconds=3)
    when_lines(run, path, 1)
    began = time.monotonic()
    for _ in range(times):
        run.send_signal(signal.SIGINT)
        time.sleep(0.2)
    _, err = run.communicate(timeout=60)
    assert time.monotonic() - began < 2.7  # sooner than the calls in flight end
    assert run.returncode in ((130,) if times == 2 else (130, -signal.SIGINT))
    assert "Traceback" not in err
    if run.returncode == 130:
        last = " ".join(err[err.rindex("error: ") :].split())
        assert last == f"error: interrupted; the same command with --output_path {path} goes on from here."
    assert bench(FakeBackbone(scripted=False), **PERSONAS).exit_code == 0


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_file_that_cannot_grow_is_one_sentence_and_the_run_goes_on_when_it_can(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "run"
    run = start(path, seconds=0.0, most_bytes=60_000)
    _, err = run.communicate(timeout=120)
    assert run.returncode == 4, err
    assert "Traceback" not in err
    assert err.strip().splitlines()[-1].startswith("error: ")
    assert "what was finished is kept, repeat the command" in err
    kept = len(keys_of_whole_lines(path))
    assert 0 < kept < PLANNED
    rest = FakeBackbone(scripted=False)
    assert bench(rest, **PERSONAS).exit_code == 0
    assert sum(r.role == "task" for r in rest.requests) == PLANNED - kept


def test_a_full_disk_is_one_sentence_and_the_run_goes_on_when_there_is_room(bench: Bench, tmp_path: Path) -> None:
    disk, full, copied = (tmp_path / name for name in ("disk", "full.jsonl", "copied"))
    disk.mkdir()
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    run = shlex.join([sys.executable, str(SLOW), "0", "0", *words(disk / "run")])
    script = f"""
        mount -t tmpfs -o size=72k tmpfs {disk}
        {run}; echo first $? >&2
        cp {disk}/run/journal.jsonl {full}
        mount -o remount,size=16m {disk}
        {run}; echo second $? >&2
        cp -r {disk}/run {copied}
    """
    shell = ["unshare", "-rm", "sh", "-c", script]
    said = subprocess.run(shell, capture_output=True, text=True, timeout=120, check=False).stderr
    assert "Traceback" not in said
    first, second = said.split("first 4")
    assert "No space left on device" in first.strip().splitlines()[-1]
    assert second.strip().endswith("second 0")
    kept = full.read_bytes()
    kept = kept[: kept.rfind(b"\n") + 1]
    assert 0 < kept.count(b"\n") < PLANNED
    assert (copied / "journal.jsonl").read_bytes().startswith(kept)
    whole = bench(FakeBackbone(scripted=False), path="whole", **PERSONAS)
    assert read(copied)["tasks"] == whole.results["tasks"]


def test_ctrl_c_ends_a_baseline_between_two_cases(tmp_path: Path) -> None:
    flags = f"--model random --tasks {CHOICES[0]} --conditions base --dataset {DATA} --repeats 400 --output_path"
    command = [sys.executable, "-m", "paars_bench.cli", *flags.split(), str(tmp_path / "run")]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    when_lines(run, tmp_path / "run", 50)
    code, said = stopped(run, signal.SIGINT)
    assert code == 130, said
    counts = read(tmp_path / "run")["tasks"][0]["counts"]
    assert 50 <= counts["scored"] < counts["planned"]
