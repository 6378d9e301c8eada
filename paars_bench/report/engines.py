"""The models that measure: loaded when a metric first needs them, and named in the results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from paars_bench.errors import PaarsError


class Teller(Protocol):
    """Says what takes time; the screen of a run."""

    def note(self, text: str) -> None:
        """Says one line."""
        ...

    def stage(self, text: str, done: int, total: int) -> None:
        """Says how far a stage is."""
        ...


class Engines:
    """The embedding and perplexity models, loaded when a metric first needs them and named in the results."""

    def __init__(self, screen: Teller) -> None:
        self._screen = screen
        self._embedding: Any = None
        self._perplexity: Any = None
        self._vectors: dict[str, Any] = {}
        self.problem: str | None = None

    def say(self, text: str) -> None:
        """Says one line on the screen of the run."""
        self._screen.note(text)

    def embed(self, texts: Sequence[str]) -> Any:
        """Returns unit vectors of texts, (n, d); each distinct text is embedded once a run."""
        import numpy as np

        if self._embedding is None:
            from paars_bench.backbones.engines import embedding_engine

            self._embedding = embedding_engine()
            self._screen.note(f"embedding with {self._embedding.name} ({self._embedding.source})")
        # The same human queries come back for every metric and condition: embedding them was 9 tenths of scoring.
        new = sorted(set(texts) - self._vectors.keys())
        if new:
            vectors = self._embedding.encode(new, progress=partial(self._screen.stage, "embedding"))
            self._vectors |= dict(zip(new, vectors, strict=True))
        return np.stack([self._vectors[t] for t in texts])

    def perplexity(self, pairs: Sequence[tuple[str, str]]) -> Any:
        """Returns the perplexity of each (context, text), (n,); NaN where no engine can be had."""
        import numpy as np

        if self.problem is None and self._perplexity is None:
            self._open_perplexity()
        if self._perplexity is None:
            return np.full(len(pairs), math.nan)
        told = partial(self._screen.stage, "perplexity of the human queries")
        values = self._perplexity.perplexity([c for c, _ in pairs], [t for _, t in pairs], progress=told)
        # the values are on disk: other conditions ask for the same pairs, and the metrics that follow need the memory
        self._perplexity.release()
        return values

    def _open_perplexity(self) -> None:
        from paars_bench.backbones.engines import perplexity_engine
        from paars_bench.backbones.model_file import embedded_gguf

        try:
            self._perplexity = perplexity_engine(lambda: embedded_gguf(self._screen.note))
        except PaarsError as error:
            self.problem = str(error)
            self._screen.note(f"no perplexity strata: {error}")
            return
        self._screen.note(f"perplexity with {self._perplexity.name} (kept on disk, so only the first run waits)")

    def describe(self) -> dict[str, Any]:
        """Returns the engines by name; null where no metric needed one."""

        def one(engine: Any) -> dict[str, Any] | None:
            if engine is None:
                return None
            source = getattr(engine, "source", None)
            return {"name": engine.name, "revision": engine.revision} | ({"source": source} if source else {})

        return {
            "embedding": one(self._embedding),
            "perplexity": one(self._perplexity),
            "perplexity_problem": self.problem,
        }
