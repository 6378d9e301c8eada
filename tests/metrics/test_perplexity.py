"""Conditional perplexity on prefix trees against one-by-one, on small random models of two architectures."""

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


class Counted:
    """Counts the tokens and the vocabulary rows that a model computes."""

    def __init__(self, model: Any) -> None:
        self.tokens, self.rows = 0, 0
        model.get_input_embeddings().register_forward_hook(self._read)
        model.get_output_embeddings().register_forward_hook(self._predicted)

    def _read(self, _module: Any, inputs: Any, _output: Any) -> None:
        # GPT-2's position table is another module
        self.tokens += inputs[0].numel()

    def _predicted(self, _module: Any, inputs: Any, _output: Any) -> None:
        self.rows += inputs[0].shape[:-1].numel()


@pytest.mark.parametrize("build", [gpt2, llama])
def test_a_title_is_read_once_for_all_its_queries(build: Any) -> None:
    model = build()
    counted = Counted(model)
    titles, queries = ["a title", "a title", "a title", "a tide"], ["red", "blue", "red", "red"]
    got = conditional_perplexity(model, Bytes(), titles, queries)
    # start and "a title", "de" of the second title, and a space and each distinct query without its last token
    assert counted.tokens == 1 + len("a title") + len("de") + len(" re" + "blu") + len(" re")
    assert counted.rows == len("e" + " re" + "blu") + len("e" + " re")
    assert got.values == pytest.approx([one_by_one(model, *p) for p in zip(titles, queries, strict=True)], rel=1e-4)
    assert got.values[0] == got.values[2]


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("build", [gpt2, llama])
def test_no_text_sees_another_under_either_attention(build: Any, attention: str) -> None:
    model = build()
    model.set_attn_implementation(attention)
    titles, queries = ["same"] * 20, [f"{'xyz'[i % 3] * (1 + i)} end" for i in range(20)]
    together = conditional_perplexity(model, Bytes(), titles, queries).values
    alone = [conditional_perplexity(model, Bytes(), [t], [q]).values[0] for t, q in zip(titles, queries, strict=True)]
    assert together == pytest.approx(alone, rel=1e-5)


def test_a_model_that_cannot_read_a_tree_is_a_clear_error() -> None:
    from transformers import BloomConfig, BloomForCausalLM

    model = BloomForCausalLM(BloomConfig(vocab_size=258, hidden_size=16, n_layer=1, n_head=2))
    with pytest.raises(ValueError, match="BloomForCausalLM takes no position_ids"):
        conditional_perplexity(model, Bytes(), ["a"], ["b"])


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
        gpt2(), Bytes(), TITLES, QUERIES, batch_tokens=100, progress=lambda d, t: seen.append((d, t))
    )
    assert len(seen) > 1 and seen[-1] == (25, 25)
