"""The agents' log holds the sessions that count now, none of an earlier scoring, and no link is written through."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fake_runs import Bench

from paars_bench.run import rescore

FILES = ("events.parquet", "sessions.parquet")


@pytest.fixture
def run(bench: Bench, tmp_path: Path) -> Path:
    bench("popular", tasks=("session_generation",), conditions=("base",), limit=3)
    return tmp_path / "run"


@pytest.fixture
def emptied(run: Path) -> Path:
    """A run whose sessions do not count any more."""
    (run / "journal.jsonl").write_text("")
    return run


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_the_log_of_an_earlier_scoring_goes_when_no_session_counts_any_more(emptied: Path) -> None:
    assert names(emptied / "agent_log") == [*FILES]
    (emptied / "agent_log" / "events.parquet.part").write_text("of a killed process")
    rescore(emptied)
    assert not (emptied / "agent_log").exists()


def test_what_others_put_beside_the_log_stays(emptied: Path) -> None:
    (emptied / "agent_log" / "notes.txt").write_text("mine")
    rescore(emptied)
    assert names(emptied / "agent_log") == ["notes.txt"]


@pytest.mark.parametrize("counts", [True, False])
def test_a_link_in_the_place_of_the_folder_is_taken_away_and_not_followed(
    run: Path, tmp_path: Path, counts: bool
) -> None:
    if not counts:
        (run / "journal.jsonl").write_text("")
    (run / "agent_log").rename(tmp_path / "elsewhere")
    for file in FILES:
        (tmp_path / "elsewhere" / file).write_text("somebody's")
    (run / "agent_log").symlink_to(tmp_path / "elsewhere")
    rescore(run)
    assert not (run / "agent_log").is_symlink()
    assert (run / "agent_log").exists() is counts
    assert [(tmp_path / "elsewhere" / file).read_text() for file in FILES] == ["somebody's"] * 2


@pytest.mark.parametrize("suffix", ["", ".part"])
@pytest.mark.parametrize("counts", [True, False])
def test_a_link_in_the_place_of_a_file_is_not_followed(run: Path, tmp_path: Path, counts: bool, suffix: str) -> None:
    if not counts:
        (run / "journal.jsonl").write_text("")
    for file in FILES:
        (tmp_path / file).write_text("somebody's")
        (run / "agent_log" / f"{file}{suffix}").unlink(missing_ok=True)
        (run / "agent_log" / f"{file}{suffix}").symlink_to(tmp_path / file)
    rescore(run)
    assert [(tmp_path / file).read_text() for file in FILES] == ["somebody's"] * 2
    if counts:
        assert names(run / "agent_log") == [*FILES]
        assert pq.read_table(run / "agent_log" / "sessions.parquet").num_rows == 3
    else:
        assert not (run / "agent_log").exists()
