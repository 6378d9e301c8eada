"""The examples of CONTRIBUTING.md work as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from paars_bench.config import TaskIndex
from paars_bench.config.keys import OUTPUT_TYPES, PROMPT_VARIABLES, TARGET_VARIABLES
from paars_bench.data.cases import CaseKind

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_task(tmp_path: Path) -> None:
    block, _ = blocks("yaml")
    (tmp_path / "short_query.yaml").write_text(block)
    (spec,) = TaskIndex([tmp_path]).select(["mine"])
    assert spec.task == "short_query"
    assert "three words" in str(spec.doc_to_text)
    assert spec.metric_list == TaskIndex().select(["query_generation"])[0].metric_list


def test_the_table_of_variables() -> None:
    for kind in CaseKind:
        (row,) = (line for line in TEXT.splitlines() if line.startswith(f"| `{kind}` |"))
        _, _, prompt, target, output, _ = row.split("|")
        for cell, names in ((prompt, PROMPT_VARIABLES), (target, TARGET_VARIABLES), (output, OUTPUT_TYPES)):
            outside = re.sub(r"\([^)]*\)", "", cell)
            assert tuple(re.findall(r"`(\w+)`", outside)) == names[kind]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the examples where the text says to put them."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ("paars_bench", "task_configs"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for block in blocks("python"):
        first = block.splitlines()[0]
        if first.startswith("# paars_bench/"):
            (root / first.removeprefix("# ")).write_text(block)
    tables, entry, line = blocks("text")
    insert_parts(root, tables)
    insert(root / "paars_bench/data/registry.py", "_DATASETS = (\n", entry)
    insert(root / "paars_bench/backbones/baselines.py", "SCRIPTED: dict[str, Baseline] = {\n", line)
    return root


def insert(file: Path, after: str, text: str) -> None:
    before = file.read_text()
    assert before.count(after) == 1
    file.write_text(before.replace(after, after + text))


def insert_parts(root: Path, text: str) -> None:
    """Puts each part of a block in the file, and in or before the table, that its first line names."""
    _, *parts = re.split(r"^# (\S+), (in|before) (\w+)\n", text, flags=re.MULTILINE)
    for file, where, table, lines in zip(*(parts[i::4] for i in range(4)), strict=True):
        source = (root / file).read_text()
        (start,) = re.findall(rf"^{table}: .*\{{$\n", source, re.MULTILINE)
        put = start + lines if where == "in" else lines + start
        (root / file).write_text(source.replace(start, put))


def paars_bench(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(checkout), "PAARS_BENCH_CACHE": str(checkout / "cache")}
    command = [sys.executable, "-m", "paars_bench.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=checkout)


def test_the_data_set(checkout: Path) -> None:
    listed = paars_bench(checkout, "ls", "datasets")
    assert "two shoppers and three mugs" in listed.stdout
    tasks = ("--tasks", "item_selection_group", "--dataset", "corner_shop")
    checked = paars_bench(checkout, "validate", *tasks)
    assert (checked.returncode, " 0 wrong" in checked.stdout) == (0, True), checked.stdout + checked.stderr
    done = paars_bench(checkout, "--model", "human", *tasks, "--output_path", "run")
    assert done.returncode == 0, done.stderr
    results = json.loads((checkout / "run" / "results.json").read_text())
    assert results["dataset"]["shoppers"] == 2
    assert {m["metric"]: m["value"] for m in results["tasks"][0]["metrics"]}["accuracy"] == 1


def test_the_metric(checkout: Path) -> None:
    assert "share of queries equal to the human's" in paars_bench(checkout, "ls", "metrics").stdout
    _, block = blocks("yaml")
    (checkout / "my_tasks").mkdir()
    (checkout / block.splitlines()[0].removeprefix("# ")).write_text(block)
    tasks = ("--tasks", "exact_query", "--include_path", "my_tasks", "--dataset", "corner_shop", "--limit", "4")
    values = {}
    for model in ("human", "first"):  # one types what the human typed, the other the title
        done = paars_bench(checkout, "--model", model, *tasks, "--output_path", f"exact_{model}")
        assert done.returncode == 0, done.stderr
        results = json.loads((checkout / f"exact_{model}" / "results.json").read_text())
        values[model] = {m["metric"]: m["value"] for m in results["tasks"][0]["metrics"]}
    assert values == {"human": {"query_exact(unit=text)": 1}, "first": {"query_exact(unit=text)": 0}}


def test_the_backbone(checkout: Path) -> None:
    assert "repeats the last line it was told" in paars_bench(checkout, "ls", "models").stdout
    tasks = ("--tasks", "item_selection_group", "--dataset", "corner_shop", "--limit", "2")
    done = paars_bench(checkout, "--model", "echo", *tasks, "--log_samples", "--output_path", "echoed")
    assert done.returncode == 2, done.stderr  # what it repeats is no number: unparseable, so the run is partial
    (line, *_) = (checkout / "echoed" / "journal.jsonl").read_text().splitlines()
    case = json.loads(line)
    assert case["reply"] == case["messages"][-1]["content"].splitlines()[-1]
    assert case["outcome"] == "unparseable"


def test_the_examples_are_short() -> None:
    for block in (*blocks("yaml"), *blocks("python")):
        assert len(block.splitlines()) <= 35
