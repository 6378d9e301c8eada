"""How many functions of the project lie between the command line and the request, measured on a real command.

``design/request-path.md`` draws what is measured here, and must say the same.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from paars_bench.backbones.litellm import import_litellm
from paars_bench.cli import main

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = str(ROOT / "paars_bench")
CEILING = 8
BACK_CEILING = 5


def name_of(code: CodeType) -> str | None:
    """Returns ``room.module.function`` of a function of the project, None of any other."""
    if not code.co_filename.startswith(PACKAGE) or code.co_name.startswith("<"):
        return None
    module = Path(code.co_filename).relative_to(PACKAGE).with_suffix("")
    return ".".join((*module.parts, code.co_qualname))


def frames(frame: FrameType | None) -> list[str]:
    """Returns the project's functions from the outermost to ``frame``; asyncio's frames lie between them."""
    found: list[str] = []
    while frame is not None:
        name = name_of(frame.f_code)
        if name:
            found.append(name)
        frame = frame.f_back
    return found[::-1]


def waiting() -> list[str]:
    """Returns the functions of the tasks that wait for this one: they began it and are on no stack now."""
    found: list[str] = []
    for task in asyncio.all_tasks() - {asyncio.current_task()}:  # type: ignore[arg-type]
        step: Any = task.get_coro()
        while inspect.iscoroutine(step):
            name = name_of(step.cr_code)
            if name:
                found.append(name)
            step = step.cr_await
    return [name for name in dict.fromkeys(found) if "_worker" not in name]


class Trace:
    """Stands in for ``litellm.acompletion`` and keeps the way that led to it."""

    def __init__(self, reply: str) -> None:
        self.reply = reply
        self.path: list[str] = []

    async def acompletion(self, **body: Any) -> Any:
        if not self.path:
            way = frames(sys._getframe(1))
            first = next(i for i, name in enumerate(way) if name.endswith("_worker"))
            self.path = [*way[:first], *(n for n in waiting() if n not in way), *way[first:]]
        return import_litellm().mock_completion(body["model"], body["messages"], mock_response=self.reply)


def traced(task: str, reply: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    trace = Trace(reply)
    monkeypatch.setattr(import_litellm(), "acompletion", trace.acompletion)
    words = (
        f"--model openai/traced --model_args api_key=x --tasks {task} --conditions base --limit 2 --max_concurrency 1"
    )
    code = main([*words.split(), "--dataset", "demo:shoppers=20,products=600", "--output_path", str(path / task)])
    assert code in (0, 2)
    return trace.path


CASES = {
    "generate": ("item_selection_individual", "1"),
    "session": ("session_generation", '{"action": "leave"}'),
}


@pytest.mark.parametrize("kind", CASES)
def test_the_way_from_the_command_line_to_the_request(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = traced(*CASES[kind], tmp_path, monkeypatch)
    assert path[0] == "cli.app.main"
    assert path[-1].startswith("backbones.gateway.")
    assert len(path) == len(set(path)) <= CEILING, path
    assert_drawn(path)


def assert_drawn(path: list[str]) -> None:
    drawing = (ROOT / "design" / "request-path.md").read_text(encoding="utf-8")
    places = [drawing.find(f"`{name}`") for name in path]
    assert -1 not in places, [n for n, place in zip(path, places, strict=True) if place < 0]
    assert places == sorted(places), "drawn in the order in which they are called"


def test_the_way_from_the_journal_to_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    score = importlib.import_module("paars_bench.tasks.scoring.asked")
    paths: list[list[str]] = []
    real = score.clustered_mean

    def clustered_mean(*args: Any, **options: Any) -> Any:
        paths.append(frames(sys._getframe(1)))
        return real(*args, **options)

    monkeypatch.setattr(score, "clustered_mean", clustered_mean)
    words = "--model random --tasks item_selection_individual --conditions base --limit 3"
    assert (
        main([*words.split(), "--dataset", "demo:shoppers=20,products=600", "--output_path", str(tmp_path / "r")]) == 0
    )
    back = paths[0][paths[0].index("report.results.build_results") :]
    assert len(back) <= BACK_CEILING, back
    assert_drawn(back)
