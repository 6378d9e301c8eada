"""A run of the embedded model is replayed from its cache to the same results, and the model is not even loaded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from paars_bench.cli import main

xllamacpp = pytest.importorskip(
    "xllamacpp", reason="the extra `local` is not installed: pip install 'paars-bench[local]'"
)
pytestmark = pytest.mark.slow
CHOICES = "item_selection_individual,item_selection_group"


def run(folder: Path, name: str, use: str, context: int = 2048) -> int:
    given = os.environ.get("PAARS_BENCH_GGUF")
    words = ["--model", f"local:{given}" if given else "local", "--model_args", f"n_ctx={context},n_threads=1"]
    words += ["--dataset", "demo:shoppers=20,products=600", "--tasks", CHOICES, "--conditions", "base", "--limit", "2"]
    return main([*words, "--use_cache", use, "--output_path", str(folder / name)])


def results(folder: Path, name: str) -> Any:
    found = json.loads((folder / name / "results.json").read_text())
    for key in ("id", "started", "seconds", "command"):
        del found["run"][key]
    return found


def test_a_local_run_is_replayed_without_loading_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.setattr("paars_bench.backbones.kept_replies.cache_dir", lambda: tmp_path / "cache")
    assert run(tmp_path, "first", "write") == 0
    capsys.readouterr()

    def refuse(*_: object) -> None:
        raise RuntimeError("loaded")

    monkeypatch.setattr(xllamacpp, "Server", refuse)
    assert run(tmp_path, "again", "read") == 0
    assert "4 of 4 calls were served from the cache" in capsys.readouterr().err
    assert results(tmp_path, "again") == results(tmp_path, "first")
    assert run(tmp_path, "other", "read", context=1024) == 1, "another context is another model, and it must be loaded"
    assert "llama.cpp cannot load" in capsys.readouterr().err
