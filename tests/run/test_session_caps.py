"""A session that met its own cap has ended; one that the run's cap cut is owed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fake_runs import Bench, FakeBackbone, rows
from test_caps import CALL, dithering

from paars_bench.errors import UsageError

TASK = """
include: session_generation.yaml
task: {name}
session: {{max_turns: 100, max_errors: 3, {cap}}}
metadata: {{version: 1.0}}
"""


@pytest.mark.parametrize(
    ("cap", "outcome"),
    [("max_tokens: 250", "token_limit"), ("max_cost: 0.025", "cost_limit"), ("max_seconds: 0.05", "time_limit")],
)
def test_a_session_ended_by_its_own_cap_is_not_asked_again(
    bench: Bench, tmp_path: Path, cap: str, outcome: str
) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "short.yaml").write_text(TASK.format(name="short", cap=cap))
    asked = {"tasks": ("short",), "conditions": ("base",), "include_path": (folder,), "limit": 3}
    first = bench(FakeBackbone(dithering, usage=CALL, seconds=0.02), **asked)
    assert [t["counts"]["by_outcome"] for t in first.results["tasks"]] == [{outcome: 3}]
    assert {r["parsed"]["cut"] for r in rows(tmp_path / "run")} == {"session"}
    assert first.results["run"]["status"] == "partial"
    assert not (tmp_path / "run" / "agent_log").exists()
    again = FakeBackbone(dithering, usage=CALL)
    assert bench(again, **asked).results["run"]["status"] == "partial"
    assert again.requests == []


def test_a_cap_on_money_that_could_never_act_is_refused(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "short.yaml").write_text(TASK.format(name="short", cap="max_cost: 0.1"))
    fake = FakeBackbone(dithering)
    fake.traits = replace(fake.traits, priced=False)
    asked = {"tasks": ("short",), "include_path": (folder,)}
    with pytest.raises(UsageError) as of_session:
        bench(fake, **asked)
    with pytest.raises(UsageError) as of_run:
        bench(fake, **asked, max_cost=2)
    why = f"LiteLLM knows no price for {fake.traits.litellm_model}, so this cap could never act; use "
    assert str(of_session.value) == f"short: session.max_cost 0.1: {why}session.max_tokens instead"
    assert str(of_run.value) == f"--max_cost 2: {why}--max_tokens_total N instead"
    assert fake.requests == []


def test_a_session_ended_by_its_own_cap_is_a_failure_like_any_other(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "short.yaml").write_text(TASK.format(name="short", cap="max_tokens: 250"))
    asked = {"tasks": ("short",), "conditions": ("base",), "include_path": (folder,)}
    done = bench(FakeBackbone(dithering, usage=CALL, max_concurrency=1), **asked, fail_on_error=2)
    assert (done.exit_code, done.results["run"]["stop"]) == (4, "fail_on_error")
