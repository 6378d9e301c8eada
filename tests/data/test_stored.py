"""Stored copies: read back as they were, rebuilt when damaged, never half written."""

import ast
import logging
import subprocess
import sys
from pathlib import Path

import pytest

import paars_bench
from paars_bench.data import demo, iter_cases, load_dataset
from paars_bench.data.cases import CaseKind
from paars_bench.data.registry import DATASETS, parse_spec
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


@pytest.mark.parametrize("damage", ["cut", "flip", "missing", "meta", "deep", "empty"])
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
    elif damage == "deep":
        (folder / "meta.json").write_text("[" * 100_000, encoding="utf-8")
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


def module_file(module):
    path = Path(paars_bench.__file__).parent.parent.joinpath(*module.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def made_by(builder):
    """Modules that are imported, one by the other, when the module of a builder is; of other rooms no whole room."""
    found, todo = set(), [builder]
    while todo:
        module = todo.pop()
        file = module_file(module)
        if file is None or module in found or (file.name == "__init__.py" and ".data" not in module):
            continue
        found.add(module)
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                todo += [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
    return found


@pytest.mark.parametrize("name", [*DATASETS, "a folder"])
def test_every_module_of_the_store_that_makes_a_data_set_makes_its_copy_stale(name, tmp_path):
    if name in DATASETS:
        info = DATASETS[name]
    else:
        (tmp_path / "dataset.json").write_text("{}")
        info = parse_spec(str(tmp_path)).info
    made = made_by(info.builder.partition(":")[0])
    assert "paars_bench.data.mining" in made
    used = {m for m in made if m.startswith("paars_bench.store.") or m == "paars_bench.config.store_settings"}
    assert used <= set(info.depends)
    assert ("paars_bench.store.search_rank" in used) == (name == "demo")


@pytest.mark.parametrize("module", ["store.search_rank", "store.search_words", "store.refine", "store.text"])
def test_other_code_of_the_search_has_another_copy_of_the_demo(module, monkeypatch):
    before = stored_folder(parse_spec(SPEC))
    changed, read = module_file(f"paars_bench.{module}"), Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + b"#" * (path == changed))
    assert stored_folder(parse_spec(SPEC)) != before
