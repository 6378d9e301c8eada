"""Stored copies: read back as they were, rebuilt when damaged, never half written."""

import logging
import subprocess
import sys

import pytest

from paars_bench.data import demo, iter_cases, load_dataset
from paars_bench.data.cases import CaseKind
from paars_bench.data.registry import parse_spec
from paars_bench.data.stored import stored_folder

SPEC = "demo:shoppers=6,products=300"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(tmp_path))
    return tmp_path


def forbid_building(monkeypatch):
    def build(**options):
        raise AssertionError("built again")

    monkeypatch.setattr(demo, "build", build)


def test_the_second_load_reads_the_same_data_from_disk(cache, monkeypatch):
    built = load_dataset(SPEC)
    forbid_building(monkeypatch)
    read = load_dataset("demo:products=300,shoppers=6")
    assert read.sha256 == built.sha256
    read._sha256 = None
    assert read.sha256 == built.sha256, "the content on disk has the digest of the content in memory"
    assert read.about == built.about and read.shoppers == built.shoppers
    for kind in CaseKind:
        assert list(iter_cases(read, kind)) == list(iter_cases(built, kind))
        assert read.funnel(kind) == built.funnel(kind)
    for shopper in built.shoppers:
        assert read.background(shopper) == built.background(shopper)
        assert read.truth(shopper) == built.truth(shopper)


@pytest.mark.parametrize("damage", ["cut", "flip", "missing", "meta", "empty"])
def test_a_damaged_copy_is_built_again_and_said(cache, caplog, damage):
    sha = load_dataset(SPEC).sha256
    folder = stored_folder(parse_spec(SPEC))
    events = folder / "events.parquet"
    content = bytearray(events.read_bytes())
    if damage == "cut":
        events.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        content[len(content) // 2] ^= 0xFF
        events.write_bytes(content)
    elif damage == "missing":
        events.unlink()
    elif damage == "meta":
        (folder / "meta.json").write_text("{", encoding="utf-8")
    else:
        for path in folder.iterdir():
            path.unlink()
    with caplog.at_level(logging.WARNING):
        assert load_dataset(SPEC).sha256 == sha
    assert "damaged" in caplog.text
    caplog.clear()
    assert load_dataset(SPEC).sha256 == sha and not caplog.text


def test_a_cache_that_cannot_be_written_costs_the_copy_not_the_run(tmp_path, monkeypatch, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(blocked))
    with caplog.at_level(logging.WARNING):
        assert load_dataset(SPEC).shoppers
    assert "is not stored" in caplog.text


def test_nothing_half_written_is_left_when_storing_fails(cache, monkeypatch):
    from paars_bench.data import stored

    def full_disk(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stored.pq, "write_table", full_disk)
    assert load_dataset(SPEC).shoppers
    assert [p.name for p in (cache / "datasets").iterdir() if not p.name.endswith(".lock")] == []


def test_two_processes_at_once_and_any_hash_seed_give_one_digest(cache):
    code = f"from paars_bench.data import load_dataset; print(load_dataset({SPEC!r}).sha256)"
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            text=True,
            env={"PAARS_BENCH_CACHE": str(cache / where), "PYTHONHASHSEED": seed, "PATH": "/usr/bin"},
        )
        for where, seed in (("a", "1"), ("a", "2"), ("b", "3"))
    ]
    digests = {run.communicate(timeout=120)[0].strip() for run in runs}
    assert len(digests) == 1 and len(digests.pop()) == 64
    assert len([p for p in (cache / "a" / "datasets").iterdir() if p.is_dir()]) == 1
