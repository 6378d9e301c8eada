"""The log of a shop's sessions: each is added once under a name of its own, and what cannot be read is named."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from paars_bench.data import shop_log
from paars_bench.data.agent_folder import read_agent_log
from paars_bench.data.schema import Action, Event, SessionInfo
from paars_bench.data.shop_log import SHOP, add_next, add_session, bring_sessions, sessions_of, shop_folder
from paars_bench.errors import DataError

SHOP_OF = ("demo", "0" * 64)
AT = datetime(2026, 1, 1, tzinfo=UTC)
HAMMER = """
import sys
from pathlib import Path
from test_shop_log import add_next, session
for _ in range(4):
    add_next(Path(sys.argv[1]), *session("ann"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shop_folder(tmp_path / "mine", *SHOP_OF, make=True)
    return tmp_path / "mine"


def session(shopper: str, query: str = "mug", name: str | None = None) -> tuple[SessionInfo, list[Event]]:
    name = name or f"person/{shopper}"
    events = [Event(shopper, name, AT, Action.SEARCH, query=query, shown=()), Event(shopper, name, AT, Action.LEAVE)]
    return SessionInfo(name, shopper, AT), events


def names(folder: Path) -> list[str]:
    return sorted(read_agent_log(folder).sessions.column("session").to_pylist())


def test_sessions_get_the_next_number_of_their_shopper_and_their_events_its_name(folder: Path) -> None:
    given = [
        add_next(folder, *session(shopper, query)) for shopper, query in (("ann", "a"), ("bob", "b"), ("ann", "c"))
    ]
    assert given == ["person/ann/0000", "person/bob/0000", "person/ann/0001"]
    events = read_agent_log(folder).events
    named = zip(events.column("query").to_pylist(), events.column("session").to_pylist(), strict=True)
    assert {query: name for query, name in named if query} == dict(zip("abc", given, strict=True))
    assert set(events.column("session").to_pylist()) == set(given) == set(names(folder))
    assert sessions_of(folder) == ["ann", "ann", "bob"]


def test_a_number_that_is_held_is_passed_over(folder: Path) -> None:
    add_session(folder, *session("ann", name="person/ann/0001"))
    assert add_next(folder, *session("ann")) == "person/ann/0002"


def test_a_name_that_is_held_is_refused_and_nothing_is_changed(folder: Path) -> None:
    name = add_next(folder, *session("ann"))
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(DataError, match="holds a session 'person/ann/0000' already"):
        add_session(folder, *session("ann", name=name))
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_processes_that_add_at_once_lose_nothing(folder: Path) -> None:
    command = [sys.executable, "-c", HAMMER, str(folder)]
    path = {"PYTHONPATH": ":".join([str(Path(__file__).parent), *sys.path]), "OMP_NUM_THREADS": "1"}
    running = [subprocess.Popen(command, env=path, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(p.communicate(timeout=120)[1], p.returncode) for p in running] == [("", 0)] * 3
    assert names(folder) == [f"person/ann/{n:04d}" for n in range(12)]
    assert read_agent_log(folder).events.num_rows == 24


@pytest.mark.parametrize("at", ["sessions", "events"])
def test_a_full_disk_leaves_the_log_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    add_next(folder, *session("ann"))
    before = {p.name: p.read_bytes() for p in folder.iterdir()}

    def full(table: object, where: Path) -> None:
        if where.name.startswith(at):
            where.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        pq.write_table(table, where)

    monkeypatch.setattr(shop_log, "pq", type("Full", (), {"write_table": staticmethod(full)}))
    with pytest.raises(DataError, match=r"mine: cannot be written \(No space left on device\)"):
        add_next(folder, *session("bob"))
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_a_folder_that_another_process_does_not_let_go_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    monkeypatch.setattr(shop_log, "_WAIT", 0.05)
    with FileLock(str(folder / ".lock")), pytest.raises(DataError, match="mine: another process has held it"):
        add_next(folder, *session("ann"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, r"shop\.json: cannot be read \(no strict JSON \(nested too deeply"),
        ("{", r"shop\.json: cannot be read"),
        ("[]", r"shop\.json: names no shop"),
        ('{"dataset": "demo"}', r"shop\.json: names no shop \(dataset and settings as text\)"),
        ('{"dataset": "demo", "settings": 1}', r"shop\.json: names no shop"),
        ('{"dataset": "demo:seed=1", "settings": ""}', r"mine: .*another shop \(dataset demo:seed=1\)"),
    ],
)
@pytest.mark.parametrize("make", [False, True])
def test_what_is_no_shop_of_ours_is_named(folder: Path, text: str, said: str, make: bool) -> None:
    (folder / SHOP).write_text(text)
    with pytest.raises(DataError, match=said):
        shop_folder(folder, *SHOP_OF, make=make)


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_added(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="sub: cannot be written"):
        shop_folder(tmp_path / "file" / "sub", *SHOP_OF, make=True)


def test_what_a_killed_process_left_is_no_stranger(tmp_path: Path) -> None:
    for name in (".lock", "shop.json.part"):
        (tmp_path / name).write_text("")
    shop_folder(tmp_path, *SHOP_OF, make=True)
    assert add_next(tmp_path, *session("ann"))


def test_the_sessions_of_one_folder_are_brought_into_another(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shop_folder(other, *SHOP_OF, make=True)
    for query in ("a", "b"):
        add_next(other, *session("ann", query))
    add_next(folder, *session("ann", "c"))
    assert bring_sessions(other, folder) == ["person/ann/0001", "person/ann/0002"]
    log = read_agent_log(folder)
    assert [q for q in log.events.column("query").to_pylist() if q] == ["c", "a", "b"]
    assert bring_sessions(folder, tmp_path / "new") == names(folder) == names(tmp_path / "new")


def test_sessions_of_another_shop_and_of_none_are_not_brought(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mine: no session is recorded there"):
        bring_sessions(folder, tmp_path / "new")
    add_next(folder, *session("ann"))
    shop_folder(tmp_path / "new", "demo:seed=1", SHOP_OF[1], make=True)
    with pytest.raises(DataError, match="another shop"):
        bring_sessions(folder, tmp_path / "new")
