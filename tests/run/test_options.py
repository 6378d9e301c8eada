"""``evaluate()`` takes Python's values and answers a wrong one in a sentence, before anything is made."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import paars_bench
from paars_bench.errors import UsageError
from paars_bench.run.spec import RunSpec

TASK, DATA = "item_selection_individual", "demo:shoppers=20,products=600"

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"limt": 5}, "unknown option of evaluate() 'limt': did you mean 'limit'?"),
    "nothing like it": ({"zzz": 5}, "unknown option of evaluate() 'zzz'"),
    "text for a number": ({"limit": "5"}, "limit='5': needs a whole number of 1 or more"),
    "a fraction": ({"limit": 2.5}, "limit=2.5: needs a whole number"),
    "nothing": ({"limit": 0}, "limit=0: needs a whole number of 1 or more"),
    "a switch for a number": ({"repeats": True}, "repeats=True: needs a whole number"),
    "below zero": ({"seed": -1}, "seed=-1: needs a whole number of 0 or more"),
    "no money": ({"max_cost": 0}, "max_cost=0: needs a number above 0"),
    "no number": ({"max_time": float("nan")}, "max_time=nan: needs a number above 0"),
    "text for a switch": ({"dry_run": "yes"}, "dry_run='yes': needs True or False"),
    "unknown condition": ({"conditions": "persna"}, "unknown condition 'persna': did you mean 'persona'"),
    "no condition": ({"conditions": ()}, "conditions=(): needs names"),
    "a number among names": ({"conditions": ["base", 3]}, "conditions=['base', 3]: needs names"),
    "a gap between names": ({"conditions": "base,,persona"}, "a name is empty"),
    "a number for names": ({"tasks": 3}, "tasks=3: needs names"),
    "arguments as text": ({"model_args": "a=b"}, "model_args='a=b': needs a dictionary"),
    "a number for a path": ({"output_path": 3}, "output_path=3: needs a path"),
    "a number for folders": ({"include_path": 3}, "include_path=3: needs a folder or a list of folders"),
    "a list for a name": ({"dataset": ["demo"]}, "dataset=['demo']: needs a string"),
    "a folder for the cache": (
        {"use_cache": "cache/"},
        "use_cache='cache/': needs one of off, read, write, rw, refresh",
    ),
    "no model": ({"model": None}, "model: is missing"),
}


@pytest.mark.parametrize(("options", "told"), WRONG.values(), ids=WRONG)
def test_a_wrong_option_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as stop:
        paars_bench.evaluate(**{"model": "random", "tasks": TASK, "dataset": DATA, **options})
    assert told in str(stop.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("conditions", ["base,profile", "base, profile", ["profile", "base"], ("base,profile",)])
def test_names_are_a_string_or_a_list(tmp_path: Path, conditions: Any) -> None:
    results = paars_bench.evaluate(
        "random", [TASK], DATA, conditions=conditions, limit=2, output_path=str(tmp_path / "run"), max_cost=1
    )
    assert [t["condition"] for t in results["tasks"]] == ["base", "profile"]
    assert (tmp_path / "run" / "results.json").is_file()


def test_a_single_condition_and_numbers_for_arguments(tmp_path: Path) -> None:
    results = paars_bench.evaluate(
        "random", TASK, DATA, conditions="base", limit=2, model_args={"history_tokens": 500}, output_path=tmp_path / "r"
    )
    assert [t["condition"] for t in results["tasks"]] == ["base"]
    assert results["model"]["params"] == {"history_tokens": "500"}


def test_none_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = paars_bench.evaluate("random", TASK, DATA, dry_run=True, limit=None, conditions=None, seed=None)
    assert (told["config"]["spec"]["limit"], told["config"]["spec"]["seed"]) == (None, 0)


def test_the_docstring_names_every_option() -> None:
    told = inspect.getdoc(paars_bench.evaluate) or ""
    for field in fields(RunSpec):
        assert f"``{field.name}``" in told or f"\n    {field.name}: " in told, field.name
