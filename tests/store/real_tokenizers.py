"""Tokenizers of real models that are at hand: those inside installed packages, and SmolLM2's, read from its weights."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from paars_bench.backbones.model_file import embedded_gguf

_TIKTOKEN = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"


@cache
def counters() -> dict[str, Callable[[str], int]]:
    """Returns by name what counts the tokens of a text: LiteLLM's copy for Claude, and OpenAI's vocabularies."""
    import tiktoken
    from tokenizers import Tokenizer

    found = importlib.util.find_spec("litellm")
    assert found is not None and found.origin is not None
    folder = Path(found.origin).parent / "litellm_core_utils" / "tokenizers"
    readers = {p.stem: Tokenizer.from_file(str(p)) for p in folder.glob("*tokenizer.json")}
    counts = {name: (lambda text, r=r: len(r.encode(text).ids)) for name, r in readers.items()}
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(folder))
    names = ("p50k_base", "cl100k_base", "o200k_base")
    here = [n for n in names if (folder / hashlib.sha1(_TIKTOKEN.format(n).encode()).hexdigest()).exists()]
    encoders = {name: tiktoken.get_encoding(name) for name in here}
    return counts | {n: (lambda text, e=e: len(e.encode(text, disallowed_special=()))) for n, e in encoders.items()}


@cache
def smollm2() -> Callable[[str], int]:
    """Returns what counts the tokens of the embedded model: the vocabulary of its file, split as llama.cpp splits."""
    import gguf
    from tokenizers import Tokenizer, models, pre_tokenizers

    given = os.environ.get("PAARS_BENCH_GGUF")
    fields = gguf.GGUFReader(given or embedded_gguf(lambda _: None)).fields
    vocabulary = {token: n for n, token in enumerate(fields["tokenizer.ggml.tokens"].contents())}
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    reader = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    reader.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return lambda text: len(reader.encode(text).ids)


def most_tokens(text: str) -> int:
    """Returns the most tokens that one of ``counters`` finds in a text."""
    return max(count(text) for count in counters().values())
