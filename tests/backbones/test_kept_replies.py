"""One file of replies for several processes: what is damaged, full, locked or read-only costs as little as it can."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from paars_bench.backbones.kept_replies import KeptReplies, count

MANY = 2000
PAGE = 4096


def key(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def value(number: int) -> bytes:
    return f"reply {number} ".encode() * 30


class Told:
    """Opens a file and keeps what is said of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said: list[str] = []

    def __call__(self, *, writable: bool = True) -> KeptReplies:
        return KeptReplies(self.path, self.said.append, writable=writable)

    def fill(self) -> None:
        kept = self()
        for n in range(MANY):
            kept.put(key(n), value(n))
        kept.close()


@pytest.fixture
def opened(tmp_path: Path) -> Told:
    return Told(tmp_path / "deep" / "replies.sqlite")


def found(kept: KeptReplies) -> set[int]:
    return {n for n in range(MANY) if kept.get(key(n)) == value(n)}


def test_values_come_back_and_asking_makes_no_file(opened: Told) -> None:
    assert opened(writable=False).get(key(1)) is None
    assert not opened.path.parent.exists()
    opened.fill()
    kept = opened(writable=False)
    assert len(found(kept)) == MANY == count(opened.path)
    assert kept.get(key(MANY)) is None
    kept.close()
    assert opened.said == []


def test_a_value_is_seen_by_other_processes_before_the_file_is_closed(opened: Told) -> None:
    writer, reader = opened(), opened(writable=False)
    for n in range(3):
        writer.put(key(n), value(n))
        assert reader.get(key(n)) == value(n)
    writer.put(key(0), b"another")
    assert reader.get(key(0)) == b"another"
    assert count(opened.path) == 3


def damage(path: Path, kind: str) -> int:
    """Damages a file of replies and returns how many of them are gone for certain."""
    whole = bytearray(path.read_bytes())
    match kind:
        case "bit":
            place = whole.index(value(7))
            whole[place] ^= 1
        case "cut":
            whole = whole[: len(whole) * 2 // 3 // PAGE * PAGE]
        case "pages":
            middle = len(whole) // 2 // PAGE * PAGE
            whole[middle : middle + 4 * PAGE] = b"\xff" * 4 * PAGE
        case "foreign":
            whole = bytearray(b"nothing of ours " * 1000)
    path.write_bytes(whole)
    return sum(value(n) not in bytes(whole) for n in range(MANY))


@pytest.mark.parametrize(("kind", "aside"), [("bit", 0), ("cut", 1), ("pages", 1), ("foreign", 1)])
def test_no_damaged_value_is_returned_and_every_sound_one_is_kept(opened: Told, kind: str, aside: int) -> None:
    opened.fill()
    gone = damage(opened.path, kind)
    assert gone
    kept = opened()
    sound = found(kept)
    assert MANY - gone - len(sound) <= 40, "some rows lie across pages"
    assert kept.damaged == (1 if kind == "bit" else 0)
    assert len(list(opened.path.parent.glob("replies.sqlite.corrupt-*[0-9]"))) == len(opened.said) == aside
    for n in set(range(MANY)) - sound:
        kept.put(key(n), value(n))
    kept.close()
    assert len(found(opened())) == MANY
    assert all("is damaged" in line and f"{len(sound):,} sound replies kept" in line for line in opened.said)


def test_who_only_reads_leaves_a_damaged_file_where_it_is(opened: Told) -> None:
    opened.fill()
    damage(opened.path, "foreign")
    kept = opened(writable=False)
    assert found(kept) == set()
    (said,) = opened.said
    assert "is damaged" in said and "it is not used" in said
    assert sorted(p.name for p in opened.path.parent.iterdir()) == ["replies.sqlite", "replies.sqlite.lock"]


def test_a_write_that_another_process_holds_up_waits_and_is_not_lost(opened: Told) -> None:
    kept = opened()
    kept.put(key(0), value(0))
    other = sqlite3.connect(opened.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for n in range(1, 50):  # only the first of them waits
        kept.put(key(n), value(n))
    assert kept.get(key(49)) == value(49)
    other.execute("ROLLBACK")
    other.close()
    kept.close()
    assert (kept.kept, kept.lost, opened.said) == (50, 0, [])
    assert found(opened()) == set(range(50))


def test_a_file_that_may_only_be_read_is_read(opened: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    opened.fill()
    connect = sqlite3.connect
    # root may write everywhere, so SQLite's own read-only mode stands for the missing permission
    monkeypatch.setattr(
        sqlite3,
        "connect",
        lambda path, **kw: (
            connect(f"file:{path}?mode=ro", **{**kw, "uri": True}) if "uri" not in kw else connect(path, **kw)
        ),
    )
    kept = opened()
    kept.put(key(MANY), value(MANY))
    assert len(found(kept)) == MANY
    kept.put(key(MANY + 1), value(MANY + 1))
    kept.close()
    assert (kept.kept, kept.lost) == (0, 2)
    (said,) = opened.said
    assert "cannot be written" in said and "readonly" in said


PROCESS = """
import resource, sys
sys.path.insert(0, {tests!r})
from test_kept_replies import Told, key, value
from pathlib import Path
first, last, most = map(int, sys.argv[2:])
if most:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
opened = Told(Path(sys.argv[1]))
kept = opened()
print("ready", flush=True)
sys.stdin.readline()
for n in range(first, last):
    kept.put(key(n), value(n))
readable = sum(kept.get(key(n)) == value(n) for n in range(last))
kept.close()
print(kept.kept, kept.lost, readable, len(opened.said))
"""


def begin(path: Path, first: int, last: int, most_bytes: int = 0) -> subprocess.Popen[str]:
    code = PROCESS.format(tests=str(Path(__file__).parent))
    words = [sys.executable, "-c", code, str(path), *map(str, (first, last, most_bytes))]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def end(process: subprocess.Popen[str]) -> list[int]:
    said, _ = process.communicate("\n", timeout=120)
    assert process.returncode == 0
    return [int(word) for word in said.split()]


def test_two_processes_write_one_file_at_once_and_nothing_is_lost(opened: Told) -> None:
    half, overlap = MANY // 2, 100
    two = [begin(opened.path, 0, half + overlap), begin(opened.path, half - overlap, MANY)]
    for process in two:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for kept, lost, _, said in map(end, two):
        assert (kept, lost, said) == (half + overlap, 0, 0)
    assert count(opened.path) == MANY
    assert len(found(opened())) == MANY


def test_a_full_disk_costs_the_keeping_and_not_what_is_kept(opened: Told) -> None:
    kept, lost, readable, said = end(begin(opened.path, 0, MANY, most_bytes=200_000))
    assert kept + lost == MANY
    assert 0 < kept < MANY and readable >= kept and said == 1
    assert len(found(opened())) == kept


def test_a_process_that_is_killed_loses_nothing_it_kept(opened: Told) -> None:
    code = (
        f"{PROCESS.format(tests=str(Path(__file__).parent)).split('readable')[0]}\nimport os; os.kill(os.getpid(), 9)"
    )
    words = [sys.executable, "-c", code, str(opened.path), "0", "50", "0"]
    assert subprocess.run(words, input="\n", stdout=subprocess.PIPE, text=True, check=False).returncode == -9
    assert found(opened()) == set(range(50))
