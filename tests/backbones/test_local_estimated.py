"""The embedded model uses what a dry run estimated: exactly where a prompt is known, nearly where a persona is not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import paars_bench
from paars_bench.run.estimate import MINING

pytest.importorskip("xllamacpp", reason="the extra `local` is not installed: pip install 'paars-bench[local]'")
pytestmark = pytest.mark.slow

TASKS = ("query_generation", "item_selection_individual", "item_selection_group")
NEAR = 0.15


def used(path: Path) -> dict[tuple[str, str], dict[str, int]]:
    """Returns what each task and condition of a run used, and the mining of its personas."""
    lines = [json.loads(line) for line in (path / "journal.jsonl").read_text().splitlines()]
    mined = [json.loads(line) for line in (path / "personas.jsonl").read_text().splitlines()]
    found: dict[tuple[str, str], dict[str, int]] = {}
    for key, usage in [((r["task"], r["condition"]), r["usage"]) for r in lines] + [
        ((MINING, ""), r["usage"]) for r in mined
    ]:
        sums = found.setdefault(key, {"input": 0, "output": 0})
        for name in sums:
            sums[name] += usage[name]
    return found


def test_a_run_uses_the_tokens_that_a_dry_run_estimated(tmp_path: Path) -> None:
    given = os.environ.get("PAARS_BENCH_GGUF")
    asked: dict[str, Any] = {
        "model": f"local:{given}" if given else "local",
        "tasks": TASKS,
        "dataset": "demo:shoppers=30,products=600",
        "conditions": "base,persona",
        "limit": 1,  # of one shopper there are no metrics, and no embedding is loaded for them
        "model_args": {"history_tokens": 500},
    }
    told = paars_bench.evaluate(**asked, dry_run=True)["estimate"]
    paars_bench.evaluate(**asked, output_path=tmp_path / "run")
    actual = used(tmp_path / "run")
    rows = {(r["task"], r["condition"]): r for r in told["rows"]}
    assert rows.keys() == actual.keys()
    base = {key: row["input"] for key, row in rows.items() if key[1] == "base"}
    assert base == {key: sums["input"] for key, sums in actual.items() if key[1] == "base"}
    sent, came = (sum(sums[name] for sums in actual.values()) for name in ("input", "output"))
    assert told["total"]["input"] == pytest.approx(sent, rel=NEAR)
    assert told["total"]["input"] + told["total"]["output"] == pytest.approx(sent + came, rel=NEAR)
