"""Times batched conditional perplexity against one query after the other, and compares the values.

    python scripts/bench_perplexity.py             # 100 query pairs of the demo, whichever model can be had
    python scripts/bench_perplexity.py --pairs 40

The peer is the loop that a model card shows: one sequence a call, ``labels`` masked over the title, exp of the loss it
returns. The model is GPT-2 where the Hub has it, else SmolLM2 from its GGUF file, as in a run. Peer and ours take
turns over slices of the pairs, so that a busy moment of the machine falls on both. No value comes from the cache.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from rich.console import Console

from paars_bench.backbones.engines import perplexity_engine
from paars_bench.backbones.model_file import embedded_gguf
from paars_bench.data import iter_cases
from paars_bench.data.cases import CaseKind
from paars_bench.data.demo import build
from paars_bench.metrics import conditional_perplexity
from paars_bench.metrics.perplexity import SEPARATOR

BAR_RATIO, BAR_ERROR = 3, 1e-4


def demo_pairs(count: int) -> list[tuple[str, str]]:
    """Returns (title viewed, query) of the demo's simulated shoppers."""
    data = build(shoppers=max(20, count), seed=0, products=3000)
    cases = list(iter_cases(data, CaseKind.QUERY_PAIRS))[:count]
    return [(data.catalog[c.values["product"]].title, c.values["query"]) for c in cases]


def one_by_one(model: Any, tokenizer: Any, pairs: Sequence[tuple[str, str]]) -> list[float]:
    values = []
    for title, query in pairs:
        begin = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        context = [begin, *tokenizer.encode(title, add_special_tokens=False)]
        ids = torch.tensor([context + tokenizer.encode(SEPARATOR + query, add_special_tokens=False)])
        labels = ids.clone()
        labels[0, : len(context)] = -100
        ids, labels = ids.to(model.device), labels.to(model.device)
        with torch.no_grad():
            values.append(float(torch.exp(model(input_ids=ids, labels=labels).loss)))
    return values


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--pairs", type=int, default=100)
    arguments.add_argument("--slices", type=int, default=2)
    chosen = arguments.parse_args()
    console = Console(width=110)
    engine = perplexity_engine(lambda: embedded_gguf(console.print))
    model, tokenizer = engine.loaded()
    pairs = demo_pairs(chosen.pairs)
    conditional_perplexity(model, tokenizer, *zip(*pairs[:4], strict=True))  # warm up
    theirs: list[float] = []
    ours: list[float] = []
    seconds = {"one by one": 0.0, "batched": 0.0}
    size = -(-len(pairs) // chosen.slices)
    for start in range(0, len(pairs), size):
        part = pairs[start : start + size]
        began = time.perf_counter()
        theirs += one_by_one(model, tokenizer, part)
        between = time.perf_counter()
        ours += conditional_perplexity(model, tokenizer, *zip(*part, strict=True)).values.tolist()
        seconds["one by one"] += between - began
        seconds["batched"] += time.perf_counter() - between
    error = float(np.max(np.abs(np.array(ours) / np.array(theirs) - 1)))
    ratio = seconds["one by one"] / seconds["batched"]
    console.print(f"{len(pairs)} pairs, {engine.name}, {model.device}, {torch.get_num_threads()} threads")
    for name, took in seconds.items():
        console.print(f"{name}: {took:.1f} s, {1000 * took / len(pairs):.0f} ms a query")
    console.print(f"ratio {ratio:.1f} (wanted {BAR_RATIO} and over), values within {error:.1e} ({BAR_ERROR:g} allowed)")
    if error > BAR_ERROR:
        sys.exit("the batched values are off")


if __name__ == "__main__":
    main()
