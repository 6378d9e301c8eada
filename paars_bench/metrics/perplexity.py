"""Conditional perplexity of a query given the title viewed: how hard it is to predict (paper, 4.3).

The model and its tokenizer are passed in. Title tokens are context and carry no loss. Sequences of like
length share a batch, padded on the right: under causal attention a token never sees what follows, so padding
cannot change a value.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from paars_bench.metrics.resampling import Floats, Ints

SEPARATOR = " "
_BATCH_TOKENS = 2048  # padded tokens a batch: 150 queries took 31 s, 42 s at 768 and 102 s at 256 (2 busy cores)


class Perplexities(NamedTuple):
    """Perplexities of texts given their contexts.

    Attributes:
        values: (n,) exp of the mean negative log likelihood a token, 1 and over.
        tokens: (n,) tokens of each text, the context not counted.
        cut: how many contexts lost their beginning because the model's window was too short.
    """

    values: Floats
    tokens: Ints
    cut: int


class _Sequence(NamedTuple):
    ids: list[int]
    start: int  # place of the text's first token
    cut: bool


def conditional_perplexity(
    model: Any,
    tokenizer: Any,
    contexts: Sequence[str],
    texts: Sequence[str],
    *,
    batch_tokens: int = _BATCH_TOKENS,
    progress: Callable[[int, int], None] | None = None,
) -> Perplexities:
    """Returns the perplexity of each text given its context.

    A sequence is the start token, the context, a space and the text; loss is taken over the text's tokens
    alone.

    Args:
        model: a causal language model of Transformers in eval mode, on whatever device it lies.
        tokenizer: its tokenizer.
        contexts: titles viewed; "" leaves the start token as the only context.
        texts: queries, none of them empty.
        batch_tokens: padded tokens a batch.
        progress: called with (done, total) after each batch.

    Raises:
        ValueError: lengths differ, a text has no token, or a text alone is longer than the model's window.
    """
    if len(contexts) != len(texts):
        raise ValueError(f"each text needs its context, got {len(contexts)} contexts and {len(texts)} texts")
    window = _window(model)
    sequences = [_sequence(tokenizer, c, t, window) for c, t in zip(contexts, texts, strict=True)]
    values = np.empty(len(sequences))
    done = 0
    for batch in _batches(sequences, batch_tokens):
        values[batch] = _batch_loss(model, [sequences[i] for i in batch])
        done += len(batch)
        if progress is not None:
            progress(done, len(sequences))
    lengths = np.array([len(s.ids) - s.start for s in sequences], dtype=np.int64)
    return Perplexities(np.exp(values), lengths, sum(s.cut for s in sequences))


def _window(model: Any) -> int:
    for name in ("n_positions", "max_position_embeddings"):
        size = getattr(model.config, name, None)
        if isinstance(size, int) and size > 1:
            return size
    return 1024


def _sequence(tokenizer: Any, context: str, text: str, window: int) -> _Sequence:
    begin = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    # `text` and `context` are encoded apart, so that the loss begins exactly at the text
    target = tokenizer.encode(SEPARATOR + text.strip(), add_special_tokens=False)
    if not text.strip() or not target:
        raise ValueError("a text without any token has no perplexity")
    if len(target) + 1 > window:
        raise ValueError(f"a text of {len(target)} tokens does not fit the model's window of {window}")
    before = tokenizer.encode(context.strip(), add_special_tokens=False) if context.strip() else []
    room = window - 1 - len(target)
    kept = before[len(before) - room :] if len(before) > room else before
    return _Sequence([begin, *kept, *target], 1 + len(kept), len(kept) < len(before))


def _batches(sequences: Sequence[_Sequence], batch_tokens: int) -> list[list[int]]:
    order = sorted(range(len(sequences)), key=lambda i: (len(sequences[i].ids), sequences[i].start))
    batches: list[list[int]] = []
    for i in order:
        # the order ascends, so this one's length is the batch's padded length
        if not batches or (len(batches[-1]) + 1) * len(sequences[i].ids) > batch_tokens:
            batches.append([])
        batches[-1].append(i)
    return batches


def _batch_loss(model: Any, batch: Sequence[_Sequence]) -> Floats:
    """Returns the mean negative log likelihood a token of each text, (b,), in nats."""
    import torch  # this module must load without it

    longest = max(len(s.ids) for s in batch)
    ids = torch.zeros((len(batch), longest), dtype=torch.long)
    targets = torch.full((len(batch), longest), -100, dtype=torch.long)
    for row, s in enumerate(batch):
        ids[row, : len(s.ids)] = torch.tensor(s.ids)
        targets[row, s.start : len(s.ids)] = torch.tensor(s.ids[s.start :])
    # the vocabulary layer is half of the work of a small model: only positions that predict a text are kept
    keep = longest - min(s.start for s in batch) + 1
    ids, targets = ids.to(model.device), targets[:, longest - keep + 1 :].to(model.device)
    with torch.inference_mode():
        logits = _logits(model, ids, keep)[:, :-1].float()
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-100, reduction="none"
        ).reshape(targets.shape)
        mean = loss.double().sum(1) / (targets != -100).sum(1)
    result = np.asarray(mean.cpu().numpy(), dtype=np.float64)
    if not all(math.isfinite(v) for v in result):
        raise ValueError("the language model gave a loss that is not finite")
    return result


def _logits(model: Any, ids: Any, keep: int) -> Any:
    if "logits_to_keep" in inspect.signature(model.forward).parameters:
        return model(input_ids=ids, logits_to_keep=keep, use_cache=False).logits
    return model(input_ids=ids, use_cache=False).logits[:, -keep:]
