"""The examples of CONTRIBUTING.md work as they stand there."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from paars_bench.backbones.door import Request
from paars_bench.config import TaskIndex
from paars_bench.config.keys import OUTPUT_TYPES, PROMPT_VARIABLES, TARGET_VARIABLES
from paars_bench.data import iter_cases
from paars_bench.data.cases import CaseKind

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "CONTRIBUTING.md", "exec"), names)
    return names


def test_the_task(tmp_path: Path) -> None:
    (block,) = blocks("yaml")
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


def test_the_data_set() -> None:
    data = run(blocks("python")[0])["build"]()
    for kind in data.kinds:
        cases = list(iter_cases(data, kind))
        assert cases
        assert {c.shopper for c in cases} == {"ann"}
    assert data.background("ann").events


def test_the_backbone() -> None:
    echo = run(blocks("python")[1])["Echo"]()
    done = asyncio.run(echo.complete(Request([{"role": "user", "content": "one\ntwo"}])))
    assert (done.text, done.outcome) == ("two", "ok")
    asyncio.run(echo.aclose())


def test_the_examples_are_short() -> None:
    for block in (*blocks("yaml"), *blocks("python")):
        assert len(block.splitlines()) <= 35
