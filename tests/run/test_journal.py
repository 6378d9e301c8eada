"""The journal keeps every finished line through torn ends, damage and odd text."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paars_bench.files import write_atomically
from paars_bench.run.journal import JsonLines

NAMES = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(NAMES, VALUES, max_size=5), max_size=6)


def written(path: Path, *rows: dict[str, Any]) -> JsonLines:
    lines = JsonLines(path)
    for row in rows:
        lines.append(row)
    lines.close()
    return lines


@given(rows=ROWS)
@settings(max_examples=60, deadline=None)
def test_any_rows_come_back_as_they_were(rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j.jsonl"
        loaded = written(path, *rows).load()
        assert loaded.rows == rows
        assert loaded.damaged == 0


@given(rows=ROWS.filter(len), cut=st.integers(min_value=1, max_value=10_000))
@settings(max_examples=60, deadline=None)
def test_a_file_cut_anywhere_keeps_its_whole_lines_and_goes_on(rows: list[dict[str, Any]], cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j.jsonl"
        written(path, *rows)
        whole = path.read_bytes()
        kept = whole[: max(0, len(whole) - cut)]
        path.write_bytes(kept)
        loaded = JsonLines(path).load()
        assert loaded.rows == rows[: kept.count(b"\n")]
        assert loaded.damaged == int(bool(kept) and not kept.endswith(b"\n"))
        written(path, {"after": 1})
        assert JsonLines(path).load() == ([*loaded.rows, {"after": 1}], 0)


@pytest.mark.parametrize("middle", [b"{torn", b"\x00" * 40, b"[1,2]", b"7", b"\xff\xfe{}", b"", b"null"])
def test_a_damaged_line_in_the_middle_is_counted_and_the_rest_kept(tmp_path: Path, middle: bytes) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"a":1}\n' + middle + b'\n{"b":2}\n')
    assert JsonLines(path).load() == ([{"a": 1}, {"b": 2}], 1)
    written(path, {"c": 3})
    assert JsonLines(path).load() == ([{"a": 1}, {"b": 2}, {"c": 3}], 1)


def test_zeros_left_by_a_crash_of_the_machine_are_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"a":1}\n' + b"\x00" * 4096)
    assert JsonLines(path).load() == ([{"a": 1}], 1)
    assert path.read_bytes() == b'{"a":1}\n'


def test_a_line_deeper_than_the_parser_goes_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"a":' + b"[" * 200_000 + b'\n{"b":2}\n')
    assert JsonLines(path).load() == ([{"b": 2}], 1)


def test_half_of_a_character_becomes_a_question_mark(tmp_path: Path) -> None:
    lines = written(tmp_path / "j.jsonl", {"reply": "caf\ud83d"}, {"reply": "mug ☕"})
    assert [r["reply"] for r in lines.load().rows] == ["caf?", "mug ☕"]


def test_line_ends_inside_text_do_not_end_a_line(tmp_path: Path) -> None:
    odd = {"reply": "one\ntwo\r\n\u2028three\x85\x0c"}
    assert written(tmp_path / "j.jsonl", odd, {"n": 1}).load() == ([odd, {"n": 1}], 0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_does_not_have_is_refused(tmp_path: Path, value: float) -> None:
    path = tmp_path / "j.jsonl"
    lines = written(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        lines.append({"x": value})
    lines.close()
    assert lines.load() == ([{"a": 1}], 0)


def test_every_line_is_on_disk_before_append_returns(tmp_path: Path) -> None:
    lines = JsonLines(tmp_path / "j.jsonl")
    for n in range(5):
        lines.append({"n": n})
        assert len(JsonLines(lines.path).load().rows) == n + 1
    lines.close()


def test_no_file_is_no_rows(tmp_path: Path) -> None:
    assert JsonLines(tmp_path / "j.jsonl").load() == ([], 0)


def test_results_are_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write_atomically(path, {"n": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_atomically(path, {"n": float("nan")})
    assert json.loads(path.read_text()) == {"n": 1}
