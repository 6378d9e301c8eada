"""Conditional perplexity of a query given the title viewed: how hard it is to predict (paper, 4.3).

The model and its tokenizer are passed in. Title tokens are context and carry no loss. What several sequences begin
with is read once, whatever they go on with (``prefix_tree``), so a title costs the same with one query or ten.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from paars_bench.metrics.prefix_tree import PrefixTree, prefix_trees
from paars_bench.metrics.resampling import Floats, Ints

SEPARATOR = " "
_BATCH_TOKENS = 384  # 66 ms a query, 74 at 256, 75 at 768 (400 queries, 1 busy core): attention grows with the row


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
        model: a causal language model of Transformers in eval mode, on whatever device it lies; each token attends
            to all before it, and positions are those given (GPT-2, Llama and their like).
        tokenizer: its tokenizer.
        contexts: titles viewed; "" leaves the start token as the only context.
        texts: queries, none of them empty.
        batch_tokens: distinct tokens a forward pass.
        progress: called with (done, total) after each batch.

    Raises:
        ValueError: lengths differ, a text has no token, a text alone is longer than the model's window, or the
            model takes no positions or no attention mask.
    """
    if len(contexts) != len(texts):
        raise ValueError(f"each text needs its context, got {len(contexts)} contexts and {len(texts)} texts")
    _check_takes_trees(model)
    window = _window(model)
    sequences = [_sequence(tokenizer, c, t, window) for c, t in zip(contexts, texts, strict=True)]
    values = np.empty(len(sequences))
    done = 0
    # the last token of a sequence predicts nothing and is not read
    for tree in prefix_trees([s.ids[:-1] for s in sequences], batch_tokens):
        values[tree.members] = _tree_loss(model, tree, sequences)
        done += len(tree.members)
        if progress is not None:
            progress(done, len(sequences))
    lengths = np.array([len(s.ids) - s.start for s in sequences], dtype=np.int64)
    return Perplexities(np.exp(values), lengths, sum(s.cut for s in sequences))


def _check_takes_trees(model: Any) -> None:
    known = inspect.signature(model.forward).parameters
    missing = {"position_ids", "attention_mask", "logits_to_keep"} - known.keys()
    if missing:
        raise ValueError(f"{type(model).__name__} takes no {', '.join(sorted(missing))}: it cannot read a prefix tree")


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


def _tree_loss(model: Any, tree: PrefixTree, sequences: Sequence[_Sequence]) -> Floats:
    """Returns the mean negative log likelihood a token of the text of each member, (m,), in nats."""
    import torch  # this module must load without it

    members = [sequences[i] for i in tree.members]
    counts = np.array([len(s.ids) - s.start for s in members])
    before = np.concatenate([path[s.start - 1 :] for s, path in zip(members, tree.paths, strict=True)])
    target = torch.tensor([t for s in members for t in s.ids[s.start :]], device=model.device)
    # the vocabulary layer is dear: only places that predict a token of a text, each of them once
    places, row = (torch.from_numpy(a).to(model.device) for a in np.unique(before, return_inverse=True))
    hidden = torch.from_numpy(~tree.visible()).to(model.device)
    mask = torch.zeros(hidden.shape, dtype=model.dtype, device=model.device)
    with torch.inference_mode():
        logits = model(
            input_ids=torch.tensor([tree.tokens], device=model.device),
            position_ids=torch.tensor([tree.positions], device=model.device),
            attention_mask=mask.masked_fill_(hidden, torch.finfo(model.dtype).min)[None, None],
            logits_to_keep=places,
            use_cache=False,
        ).logits[0]
        loss = torch.logsumexp(logits.float(), 1)[row] - logits[row, target].float()
    nats = loss.double().cpu().numpy()
    if not np.isfinite(nats).all():
        raise ValueError("the language model gave a loss that is not finite")
    return np.asarray(np.add.reduceat(nats, np.cumsum(counts) - counts) / counts, dtype=np.float64)
