"""Batched conditional perplexity against one-by-one, on small random models of two architectures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from paars_bench.metrics import conditional_perplexity

torch = pytest.importorskip("torch")
TITLES = ["Red Shoe", "", "A very long title of a garden hose with many words", "x", "Blue Boot size 9"] * 5
QUERIES = [f"query {'ab' * (i % 4)} {i}" for i in range(25)]


class Bytes:
    """A tokenizer of bytes, 2 to 257; 1 begins."""

    bos_token_id = 1
    eos_token_id = 1

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]:
        assert not add_special_tokens
        return [b + 2 for b in text.encode()]


def gpt2(window: int = 128) -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(vocab_size=258, n_positions=window, n_embd=32, n_layer=2, n_head=2)
    return GPT2LMHeadModel(config).eval()


def llama() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=258, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2
    )
    return LlamaForCausalLM(config).eval()


def one_by_one(model: Any, context: str, text: str) -> float:
    before = [1, *Bytes().encode(context, add_special_tokens=False)]
    target = Bytes().encode(" " + text, add_special_tokens=False)
    with torch.no_grad():
        logs = torch.log_softmax(model(torch.tensor([before + target])).logits[0].double(), -1)
    loss = [-logs[len(before) + i - 1, t].item() for i, t in enumerate(target)]
    return float(np.exp(np.mean(loss)))


@pytest.mark.parametrize("build", [gpt2, llama])
@pytest.mark.parametrize("batch_tokens", [1, 100, 5000])
def test_batches_equal_one_by_one(build: Any, batch_tokens: int) -> None:
    model = build()
    got = conditional_perplexity(model, Bytes(), TITLES, QUERIES, batch_tokens=batch_tokens)
    expected = [one_by_one(model, c, t) for c, t in zip(TITLES, QUERIES, strict=True)]
    assert got.values == pytest.approx(expected, rel=1e-4)
    assert got.cut == 0 and got.tokens.tolist() == [len(q) + 1 for q in QUERIES]


def test_the_context_matters_and_carries_no_loss() -> None:
    model = gpt2()
    a, b = conditional_perplexity(model, Bytes(), ["one", "two"], ["same", "same"]).values
    assert a != pytest.approx(b, rel=1e-6)
    assert conditional_perplexity(model, Bytes(), ["one"], ["same"]).tokens.tolist() == [5]


def test_a_long_context_loses_its_beginning_and_says_so() -> None:
    model = gpt2(window=32)
    long = "z" * 100 + "0123456789"
    got = conditional_perplexity(model, Bytes(), [long], ["abc"])
    assert got.cut == 1
    assert got.values[0] == pytest.approx(one_by_one(model, long[-27:], "abc"), rel=1e-4)


def test_what_has_no_perplexity_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match="without any token"):
        conditional_perplexity(gpt2(), Bytes(), ["a"], [" "])
    with pytest.raises(ValueError, match="does not fit the model's window of 16"):
        conditional_perplexity(gpt2(window=16), Bytes(), ["a"], ["b" * 40])
    with pytest.raises(ValueError, match="needs its context"):
        conditional_perplexity(gpt2(), Bytes(), [], ["b"])


def test_progress_ends_at_the_total() -> None:
    seen: list[tuple[int, int]] = []
    conditional_perplexity(
        gpt2(), Bytes(), TITLES, QUERIES, batch_tokens=200, progress=lambda d, t: seen.append((d, t))
    )
    assert len(seen) > 1 and seen[-1] == (25, 25)
