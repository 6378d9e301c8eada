from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from search_goods import made

from paars_bench.store import SearchIndex
from paars_bench.store.refine import Refinement, Sort
from paars_bench.store.search_folder import IN_MEMORY, UnusableIndex, open_index

QUERIES = ("red mug", "steel kettle lid glass", "ketle", "office", "cafe", "red blue steel travel large lid zzz")
GOODS = made(500, seed=2)

LISTS = """
import json, sys
from pathlib import Path
from paars_bench.store import SearchIndex
from paars_bench.store.refine import Refinement, Sort
index = SearchIndex.open(Path(sys.argv[1]))
asked = json.loads(sys.argv[2])
sys.stdout.write(json.dumps([index.search(q, limit=50, refine=Refinement(sort=s)) for q in asked for s in Sort]))
"""


def lists(index: SearchIndex) -> list[object]:
    return [index.search(q, limit=50, refine=Refinement(sort=s)) for q in QUERIES for s in Sort]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    SearchIndex.build(GOODS, tmp_path / "index", digest="d1")
    return tmp_path / "index"


def test_on_disk_in_memory_and_rebuilt_it_lists_the_same(folder: Path, tmp_path: Path) -> None:
    expected = lists(SearchIndex.build(GOODS))
    assert lists(SearchIndex.open(folder, digest="d1")) == expected
    assert lists(SearchIndex.build(GOODS, tmp_path / "again", digest="d1")) == expected


def test_another_process_lists_the_same_from_the_same_files(folder: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    words = [sys.executable, "-c", LISTS, str(folder), json.dumps(QUERIES)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    expected = lists(SearchIndex.open(folder))
    assert json.loads(done.stdout) == json.loads(json.dumps(expected))
    assert before.items() <= {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p in before}.items()


@pytest.mark.parametrize("harm", ["cut", "flip", "lose", "meta", "deep"])
def test_a_damaged_index_is_found(folder: Path, harm: str) -> None:
    of_meta = harm in ("meta", "deep")
    victims = [folder / "meta.json"] if of_meta else [p for p in folder.rglob("*") if p.suffix != ".lock"]
    victims = [p for p in victims if p.is_file() and p.stat().st_size]
    if not of_meta:
        victims.remove(folder / "meta.json")
    assert victims
    for victim in victims:
        content = victim.read_bytes()
        middle = len(content) // 2
        match harm:
            case "cut" | "meta":
                victim.write_bytes(content[:middle])
            case "flip":
                victim.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
            case "deep":
                victim.write_text("[" * 100_000)
            case "lose":
                victim.unlink()
        with pytest.raises(UnusableIndex, match="index"):
            SearchIndex.open(folder)
        victim.write_bytes(content)
    assert SearchIndex.open(folder).search("mug").total


@pytest.mark.parametrize(("key", "value"), [("tantivy", "0.1.0"), ("format", 0), ("digest", "d0")])
def test_a_stale_index_is_found(folder: Path, key: str, value: object) -> None:
    meta = json.loads((folder / "meta.json").read_text("utf-8"))
    (folder / "meta.json").write_text(json.dumps(meta | {key: value}), "utf-8")
    with pytest.raises(UnusableIndex, match=f"is of {key} {value!r}"):
        SearchIndex.open(folder, digest="d1")


def test_no_index_is_said() -> None:
    with pytest.raises(UnusableIndex, match="nowhere"):
        SearchIndex.open(Path("nowhere"))


def test_an_unusable_index_is_said_and_built_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    catalog = made(IN_MEMORY + 1, seed=3)
    told: list[tuple[str, int, int]] = []

    def opened() -> SearchIndex:
        told.clear()
        return open_index(catalog, digest="d", folder=tmp_path, progress=lambda *said: told.append(said))

    with caplog.at_level(logging.WARNING):
        expected = lists(opened())
        assert told[-1] == ("indexing the catalog for search", len(catalog), len(catalog))
        assert lists(opened()) == expected and not told and not caplog.records
        (meta,) = tmp_path.glob("*/meta.json")
        next(meta.parent.glob("tantivy/*.pos"), next(meta.parent.glob("tantivy/*.term"))).write_bytes(b"")
        assert lists(opened()) == expected and told
        assert "built again" in caplog.text and "changed since it was written" in caplog.text
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == [meta.parent.name]


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    catalog = made(IN_MEMORY + 1, seed=3)
    with caplog.at_level(logging.WARNING):
        index = open_index(catalog, digest="d", folder=tmp_path / "file")
    assert index.search("mug").total and "not stored" in caplog.text


def test_a_small_catalog_leaves_nothing_on_disk(tmp_path: Path) -> None:
    assert open_index(GOODS, digest="d", folder=tmp_path).search("mug").total
    assert not list(tmp_path.iterdir())


def test_an_interrupted_build_leaves_the_old_index(folder: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SearchIndex.build(GOODS, folder, digest="d2", progress=interrupt)
    assert SearchIndex.open(folder, digest="d1").search("mug").total
    assert [p.name for p in folder.parent.iterdir()] == ["index"]


OPENS = """
import json, sys
from pathlib import Path
from search_goods import made
from paars_bench.store.search_folder import IN_MEMORY, open_index
told = []
index = open_index(
    made(IN_MEMORY + 1, seed=3), digest="d", folder=Path(sys.argv[1]), progress=lambda *said: told.append(said)
)
sys.stdout.write(json.dumps([bool(told), index.search("red mug", limit=50)]))
"""


def test_processes_that_come_at_once_build_one_index(tmp_path: Path) -> None:
    words = [sys.executable, "-c", OPENS, str(tmp_path)]
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    running = [
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})
        for _ in range(3)
    ]
    said = [json.loads(process.communicate()[0]) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert sorted(built for built, _ in said) == [False, False, True]
    assert said[0][1] == said[1][1] == said[2][1]
