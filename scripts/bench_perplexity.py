"""Times conditional perplexity against one query after the other, and compares the values.

    python scripts/bench_perplexity.py                # 400 query pairs of the demo, whichever model can be had
    python scripts/bench_perplexity.py --pairs 1000   # as many as a first run scores

The peer is the loop that a model card shows: one sequence a call, ``labels`` masked over the title, exp of the loss it
returns. Both score the same pairs, a random draw from those of the default demo, repeats as they fall. The model is
GPT-2 where the Hub has it, else SmolLM2 from its GGUF file, as in a run. The peer runs half before ours and half after,
on one thread, and the bar is on processor time, so that a busy machine harms neither. No value comes from the cache.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
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
    """Returns (title viewed, query) of cases drawn from the default demo without replacement."""
    data = build()
    cases = list(iter_cases(data, CaseKind.QUERY_PAIRS))
    drawn = np.random.default_rng(0).permutation(len(cases))[:count]
    return [(data.catalog[cases[i].values["product"]].title, cases[i].values["query"]) for i in drawn]


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


def clocked(work: Callable[[], list[float]]) -> tuple[list[float], np.ndarray]:
    """Returns what the work gives, and its seconds: (wall, processor)."""
    began = np.array([time.perf_counter(), time.process_time()])
    return work(), np.array([time.perf_counter(), time.process_time()]) - began


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--pairs", type=int, default=400)
    arguments.add_argument("--threads", type=int, default=1)
    chosen = arguments.parse_args()
    torch.set_num_threads(chosen.threads)
    console = Console(width=110)
    engine = perplexity_engine(lambda: embedded_gguf(console.print))
    model, tokenizer = engine.loaded()
    pairs = demo_pairs(chosen.pairs)
    titles, queries = zip(*pairs, strict=True)
    one_by_one(model, tokenizer, pairs[:4])  # warm up
    half = len(pairs) // 2
    first, spent = clocked(lambda: one_by_one(model, tokenizer, pairs[:half]))
    ours, our_spent = clocked(lambda: conditional_perplexity(model, tokenizer, titles, queries).values.tolist())
    second, more = clocked(lambda: one_by_one(model, tokenizer, pairs[half:]))
    spent += more
    error = float(np.max(np.abs(np.array(ours) / np.array(first + second) - 1)))
    console.print(
        f"{len(pairs)} pairs, {len(set(pairs))} distinct, {len(set(titles))} distinct titles; "
        f"{engine.name}, {model.device}, {torch.get_num_threads()} threads"
    )
    for name, seconds in (("one by one", spent), ("prefix trees", our_spent)):
        wall, processor = 1000 * seconds / len(pairs)
        console.print(f"{name}: {wall:.0f} ms a query, {processor:.0f} ms of processor time")
    wall, processor = spent / our_spent
    console.print(f"ratio {processor:.1f} by processor time ({BAR_RATIO} and over wanted), {wall:.1f} by the clock")
    console.print(f"values within {error:.1e} of the peer's, relative ({BAR_ERROR:g} allowed)")
    if processor < BAR_RATIO or error > BAR_ERROR:
        sys.exit(1)


if __name__ == "__main__":
    main()
