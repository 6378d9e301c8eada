"""Kept numbers survive damage, and what cannot be kept is not lost."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest

from paars_bench.backbones.converted import DIGEST, WEIGHTS, _sound
from paars_bench.backbones.kept_values import KeptValues
from paars_bench.files import file_sha256

MANY = {f"key{i}": 1.0 + i for i in range(1200)}


def test_values_come_back_and_nothing_else(tmp_path: Path) -> None:
    kept = KeptValues(tmp_path / "deep" / "values.sqlite")
    assert kept.get(["key1"]) == {} and not kept.path.exists(), "asking makes no file"
    kept.put(MANY)
    assert KeptValues(kept.path).get([*MANY, "other"]) == MANY
    kept.put({"key1": 7.0})
    assert kept.get(["key1"]) == {"key1": 7.0}


@pytest.mark.parametrize("damage", ["garbage", "torn", "overwritten"])
def test_a_damaged_file_is_set_aside_said_and_begun_again(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    kept = KeptValues(tmp_path / "values.sqlite")
    kept.put(MANY)
    whole = kept.path.read_bytes()
    changed = {
        "garbage": b"not a database at all" * 100,
        "torn": whole[: len(whole) // 2],
        "overwritten": whole[:4096] + b"\xff" * (len(whole) - 4096),
    }[damage]
    kept.path.write_bytes(changed)
    with caplog.at_level(logging.WARNING):
        assert kept.get(list(MANY)) == {}
        assert "is damaged" in caplog.text and "computed again" in caplog.text
    kept.put({"new": 2.0})
    assert kept.get(["new"]) == {"new": 2.0}
    (aside,) = tmp_path.glob("values.sqlite.corrupt-*")
    assert aside.read_bytes() == changed


def test_damage_found_while_writing_costs_nothing(tmp_path: Path) -> None:
    kept = KeptValues(tmp_path / "values.sqlite")
    kept.path.write_bytes(b"garbage" * 1000)
    kept.put({"a": 1.5})
    assert kept.get(["a"]) == {"a": 1.5}


def test_impossible_values_are_computed_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = KeptValues(tmp_path / "values.sqlite", least=1.0)
    kept.put({"good": 3.0, "low": 0.5, "endless": float("inf")})
    with sqlite3.connect(kept.path) as connection:
        connection.execute("INSERT INTO perplexity VALUES ('text', 'four')")
    with caplog.at_level(logging.WARNING):
        assert kept.get(["good", "low", "endless", "text"]) == {"good": 3.0}
    assert "3 values are damaged" in caplog.text


@pytest.mark.parametrize("obstacle", ["file for a folder", "folder for a file"])
def test_where_nothing_can_be_kept_it_is_said_and_no_error(
    tmp_path: Path, obstacle: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cache" / "values.sqlite"
    if obstacle == "file for a folder":
        path.parent.write_text("in the way")
    else:
        path.mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        KeptValues(path).put({"a": 1.0})
        assert KeptValues(path).get(["a"]) == {}
    assert "values are computed and not kept" in caplog.text


def test_a_file_that_may_only_be_read_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptValues(tmp_path / "values.sqlite")
    kept.put({"a": 1.5})
    connect = sqlite3.connect
    # root may write everywhere, so SQLite's own read-only mode stands for the missing permission
    monkeypatch.setattr(sqlite3, "connect", lambda path, **kw: connect(f"file:{path}?mode=ro", uri=True, **kw))
    with caplog.at_level(logging.WARNING):
        assert kept.get(["a"]) == {"a": 1.5}
        assert not caplog.text
        kept.put({"b": 2.0})
        assert "readonly" in caplog.text and "values are computed and not kept" in caplog.text
    assert kept.get(["a", "b"]) == {"a": 1.5}


def test_converted_weights_are_sound_only_as_they_were_written(tmp_path: Path) -> None:
    assert not _sound(tmp_path)
    (tmp_path / WEIGHTS).write_bytes(b"weights")
    assert not _sound(tmp_path)
    (tmp_path / DIGEST).write_text(file_sha256(tmp_path / WEIGHTS))
    assert _sound(tmp_path)
    (tmp_path / WEIGHTS).write_bytes(b"weight")
    assert not _sound(tmp_path)
