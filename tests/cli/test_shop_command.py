"""A person shops in the terminal: by pipe, at a real terminal, broken off, and again in the same folder."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from paars_bench.cli import main
from paars_bench.cli.shop_words import Aside, Reader
from paars_bench.data.agent_folder import read_agent_log
from paars_bench.data.schema import Catalog, Product, products_table
from paars_bench.store import BadAction, Refinement, Shop, Sort, StoreAction, Verb

COMMAND = [sys.executable, "-m", "paars_bench.cli", "shop", "--dataset", "demo:shoppers=20"]


def piped(typed: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "--to", str(folder), *words]
    return subprocess.run(command, input=typed, capture_output=True, text=True, check=False)


def test_a_pipe_shops_and_leaves_a_log_that_can_be_described(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    done = piped("usb hub\nf price<=50 sort=price_low\n1\nadd\nbuy\nq\n", folder, "--as", "S00003")
    assert done.returncode == 0, done.stderr
    for said in (
        "simulated",
        "You are S00003.",
        "Why you came: ",
        "Results 1-10",
        "narrowed to max_price 50",
        "bought",
    ):
        assert said in done.stdout
    log = read_agent_log(folder)
    actions = log.events.column("action").to_pylist()
    assert actions == ["search", "refine", "view", "cart_add", "purchase", "leave"]
    assert log.events.column("refined").to_pylist()[1] == "price<=50 sort=price_low"
    assert set(log.events.column("shopper").to_pylist()) == {"S00003"}
    assert log.sessions.column("intention")[0].as_py() in done.stdout
    assert main(["data", "describe", str(folder)]) == 0
    described = capsys.readouterr().out
    assert "1 shoppers, 1 sessions, 6 events" in described
    assert "1 queries, 100% distinct" in described  # the refinement names the same query again and is none


def test_sessions_are_added_and_what_is_broken_off_has_no_end(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    first = piped("mug\n", folder, "--intention", "a gift\x1b[31m")
    assert "not ended" in first.stdout and "Why you came: a gift[31m" in first.stdout
    second = piped("tea\nq\n", folder)
    assert second.returncode == 0
    log = read_agent_log(folder)
    assert log.sessions.num_rows == 2
    assert log.events.column("action").to_pylist().count("leave") == 1
    other = piped("q\n", folder, "--dataset", "demo:shoppers=21")
    assert other.returncode == 1 and "another shop (dataset demo:products=3000,seed=0,shoppers=20)" in other.stderr
    assert "nothing is recorded" in piped("?\n", folder).stdout
    assert read_agent_log(folder).sessions.num_rows == 2


def test_errors_are_told_as_agents_see_them(tmp_path: Path) -> None:
    done = piped("add\nusb hub\n99\nf brand=Nobody\nf cheap\nq\n", tmp_path / "mine")
    problems = [line for line in done.stdout.splitlines() if line.startswith("Not done: ")]
    assert [p.partition(": ")[2].split(";")[0] for p in problems] == [
        "say which product, by its id.",
        "this visit has shown no product «99»",
        "the shop has no brand «Nobody»",
        "'cheap' is no filter",
    ]
    assert "not done 4" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--as", "S0003"], "or 'S00003'"),
        (["--store", "nowhere.yaml"], "nowhere.yaml"),
        (["--dataset", "dmo"], "'demo'"),
        (["--sa", "S00003"], "'--as'"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    done = piped("q\n", tmp_path / "mine", *words)
    assert done.returncode == 1
    assert said in done.stderr.splitlines()[-1]


def test_a_folder_of_something_else_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    done = piped("q\n", tmp_path)
    assert done.returncode == 1 and "holds something else" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("end", ["q\n", "\x04", "\x03"])
def test_at_a_terminal_a_person_types_and_may_break_off(tmp_path: Path, end: str) -> None:
    import pty

    folder = tmp_path / "mine"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "--to", str(folder)], stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=_own_terminal
    )
    os.close(theirs)
    try:
        seen = _read_until(ours, "", "> ")
        os.write(ours, b"usb hub\n")
        seen = _read_until(ours, seen, "leave\r\n\r\n> ")
        time.sleep(0.5)  # a signal between the prompt and the reading behind it is seen only at the next line
        os.write(ours, end.encode())
        seen = _read_until(ours, seen, "data describe demo:")
        assert process.wait(30) == (130 if end == "\x03" else 0)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert "[P" in seen and "Session person/person/0000" in seen
    assert ("not ended" in seen) == (end != "q\n")
    actions = read_agent_log(folder).events.column("action").to_pylist()
    assert actions == (["search", "leave"] if end == "q\n" else ["search"])


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_terminal_that_is_closed_leaves_what_was_done(tmp_path: Path) -> None:
    import pty

    folder = tmp_path / "mine"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "--to", str(folder)], stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=_own_terminal
    )
    os.close(theirs)
    try:
        seen = _read_until(ours, "", "> ")
        os.write(ours, b"usb hub\n")
        _read_until(ours, seen, "leave\r\n\r\n> ")
        os.close(ours)
        assert process.wait(30) != 0
    finally:
        process.kill()
        process.wait()
    assert read_agent_log(folder).events.column("action").to_pylist() == ["search"]


def _own_terminal() -> None:
    import fcntl
    import termios

    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _read_until(file: int, said: str, text: str) -> str:
    """Reads on from a terminal until what it has said since ``said`` holds a text; fails after a minute."""
    before, until = len(said), time.monotonic() + 60
    while text not in said[before:]:
        ready = select.select([file], [], [], max(until - time.monotonic(), 0))[0]
        assert ready, said
        said += os.read(file, 65536).decode()
    return said


@pytest.fixture(scope="module")
def mugs() -> Shop:
    goods = [Product(f"M{n}", f"Mug number {n}", ("Mugs",), price=5.0 + n) for n in range(12)]
    return Shop(Catalog(products_table(goods)))


WORDS = {
    "mug": StoreAction(Verb.SEARCH, query="mug"),
    "  usb   hub": StoreAction(Verb.SEARCH, query="usb   hub"),
    "s buy": StoreAction(Verb.SEARCH, query="buy"),
    "buy a mug": StoreAction(Verb.SEARCH, query="buy a mug"),
    "3": StoreAction(Verb.VIEW, product="M2"),
    "M2": StoreAction(Verb.VIEW, product="M2"),
    "v M2": StoreAction(Verb.VIEW, product="M2"),
    "99": StoreAction(Verb.VIEW, product="99"),
    "n": StoreAction(Verb.NEXT_PAGE),
    "f price<=20 sort=price_low": StoreAction(Verb.REFINE, refinement=Refinement(max_price=20, sort=Sort.PRICE_LOW)),
    "f": StoreAction(Verb.REFINE, refinement=Refinement()),
    "add 2": StoreAction(Verb.CART_ADD, product="M1"),
    "add": StoreAction(Verb.CART_ADD),
    "rm M1": StoreAction(Verb.CART_REMOVE, product="M1"),
    "BUY": StoreAction(Verb.BUY),
    "b": StoreAction(Verb.BACK),
    "q": StoreAction(Verb.LEAVE),
    "?": Aside.HELP,
    "cart": Aside.CART,
}


@pytest.mark.parametrize("line", WORDS)
def test_each_line_stands_for_one_action(mugs: Shop, line: str) -> None:
    from datetime import UTC, datetime

    visit, reader = mugs.open("s", "s/1", datetime(2026, 3, 1, tzinfo=UTC)), Reader()
    reader.see(visit.act(StoreAction(Verb.SEARCH, query="mug")))
    assert reader.read(line, visit.page) == WORDS[line]
    assert isinstance(reader.read("f cheap", visit.page), BadAction)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("f sort=zz", "unknown sort 'zz': valid are newest, price_high, price_low, rating, relevance."),
        ("f sort=ratings", "unknown sort 'ratings': did you mean 'rating'?"),
        ("f price<=cheap", "max_price is 'cheap', no number; write one such as 20."),
        ('f category="Ki', """category is '"Ki', where the quotation mark is not closed; write category="…"."""),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(mugs: Shop, line: str, said: str) -> None:
    from datetime import UTC, datetime

    page = mugs.open("s", "s/1", datetime(2026, 3, 1, tzinfo=UTC)).page
    assert Reader().read(line, page) == BadAction(said)


def test_numbers_are_those_of_the_list_last_shown(mugs: Shop) -> None:
    from datetime import UTC, datetime

    visit, reader = mugs.open("s", "s/1", datetime(2026, 3, 1, tzinfo=UTC)), Reader()
    for action in (StoreAction(Verb.SEARCH, query="mug"), StoreAction(Verb.NEXT_PAGE)):
        reader.see(visit.act(action))
    assert reader.read("12", visit.page) == StoreAction(Verb.VIEW, product="M11")
    assert reader.read("1", visit.page) == StoreAction(Verb.VIEW, product="M0")
    reader.see(visit.act(StoreAction(Verb.REFINE, refinement=Refinement(sort=Sort.PRICE_HIGH))))
    assert reader.read("1", visit.page) == StoreAction(Verb.VIEW, product="M11")
    assert reader.read("12", visit.page) == StoreAction(Verb.VIEW, product="12")
    reader.see(visit.act(StoreAction(Verb.VIEW, product="M11")))
    assert reader.read("add", visit.page) == StoreAction(Verb.CART_ADD, product="M11")
