"""Odd files beside a task hurt nobody who does not select them, and are one sentence for those who do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from paars_bench.config import TaskIndex
from paars_bench.errors import ConfigError

HEAD = "include: query_generation.yaml\ntask: odd\n"


def text(content: str | bytes) -> Callable[[Path], None]:
    return lambda file: file.write_bytes(content if isinstance(content, bytes) else content.encode()) and None


def doubling_includes(file: Path) -> None:
    (file.parent / "_b0.yaml").write_text("description: x\n")
    for i in range(1, 26):
        (file.parent / f"_b{i}.yaml").write_text(f"include: [_b{i - 1}.yaml, _b{i - 1}.yaml]\n")
    file.write_text("include: [query_generation.yaml, _b25.yaml]\ntask: odd\n")


def large(file: Path) -> None:
    with file.open("wb") as handle:
        handle.truncate(1 << 30)  # sparse: it takes no room


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "dataset without a kind": (text(HEAD + "dataset: {}\n"), "takes {cases: KIND}"),
    "dataset in words": (text(HEAD + "dataset: text\n"), "takes {cases: KIND}"),
    "kind as a list": (text(HEAD + "dataset: {cases: [x]}\n"), "takes {cases: KIND}"),
    "no int": (text(HEAD + "min_coverage: !!int abc\n"), "odd.yaml:3: 'abc' is no int"),
    "no float": (text(HEAD + "min_coverage: !!float abc\n"), "'abc' is no float"),
    "no bool": (text(HEAD + "min_coverage: !!bool abc\n"), "'abc' is no bool"),
    "many digits": (text(HEAD + f"min_coverage: 1{'0' * 5_000}\n"), "too large"),
    "many hexadecimal digits": (text(HEAD + f"min_coverage: 0x1{'0' * 5_000}\n"), "18 digits"),
    "not a number": (text(HEAD + "metadata: {x: .nan}\n"), "no finite number"),
    "infinite": (text(HEAD + "metadata: {x: -.inf}\n"), "no finite number"),
    "no condition": (text(HEAD + "conditions: []\n"), "names no condition"),
    "include of a long name": (text(f"include: {'x' * 300}.yaml\ntask: odd\n"), "names no file"),
    "include with a zero byte": (text('include: "a\\0b"\ntask: odd\n'), "names no file"),
    "include of a folder": (text("include: ../odd_folder\ntask: odd\n"), "no regular file"),
    "template of a long name": (text(HEAD + f"doc_to_text: {{file: {'y' * 300}}}\n"), "does not exist"),
    "template in a long folder": (text(HEAD + f"doc_to_text: {{file: {'y' * 300}/x}}\n"), "does not exist"),
    "includes that double": (doubling_includes, "more than 100 files"),
    "deep lists": (text(HEAD + f"metadata: {'[' * 100_000}{']' * 100_000}\n"), "nesting"),
    "deep mappings": (text(HEAD + f"metadata: {'{a: ' * 50_000}{'}' * 50_000}\n"), "nesting"),
    "binary": (text(bytes(range(256)) * 20), "odd.yaml"),
    "zeros": (text(b"\0" * 100), "odd.yaml"),
    "a gigabyte": (large, "larger than"),
    "a pipe": (lambda file: os.mkfifo(file), "no regular file"),
    "a device": (lambda file: file.symlink_to("/dev/zero"), "no regular file"),
    "a link to nothing": (lambda file: file.symlink_to("/nowhere/at/all"), "cannot be read"),
    "a link to itself": (lambda file: file.symlink_to(file), "cannot be read"),
}


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices")
@pytest.mark.parametrize(("make", "told"), ODD.values(), ids=ODD)
def test_an_odd_file_hurts_only_those_who_select_it(tmp_path: Path, make: Callable[[Path], object], told: str) -> None:
    folder = tmp_path / "tasks"
    (folder / "sub" / "odd_folder").mkdir(parents=True)
    (folder / "odd_folder").mkdir()
    (folder / "sub" / "good.yaml").write_text("include: query_generation.yaml\ntask: good\n")
    make(folder / "sub" / "odd.yaml")
    started = time.process_time()
    index = TaskIndex([folder])
    assert [s.task for s in index.select(["good"])] == ["good"]
    assert any(told in problem for problem in index.problems(deep=True))
    with pytest.raises(ConfigError) as caught:
        index.select(["odd"])
    assert told in str(caught.value)
    assert len(str(caught.value)) < 1_500
    assert time.process_time() - started < 20


def test_a_folder_named_like_a_file_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").mkdir()
    (tmp_path / "x.yaml" / "mine.yaml").write_text("include: query_generation.yaml\ntask: mine\n")
    assert "mine" in TaskIndex([tmp_path]).names()


def test_a_folder_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    whole = Path.iterdir

    def iterdir(self: Path) -> object:
        if self == locked:  # the owner of a test machine is often root, who may read all
            raise PermissionError(13, "Permission denied")
        return whole(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert any(str(locked) in problem for problem in TaskIndex([tmp_path]).problems())
