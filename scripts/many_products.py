"""A catalog of any size from a seed, for measuring the store's search: titles, brands, paths, bullets and descriptions.

Each product begins as a query that a shop's visitors type: most of its words are in the title, and the category path
ends in its last words, so a query finds many products that hold all of its words and more that hold some. The other
words follow Zipf's law over the words of the queries, the demo's vocabulary and invented words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from paars_bench.data.demo.vocabulary import categories
from paars_bench.data.schema import CATALOG

_CHUNK = 50_000
_POOL = 60_000  # different bullets, and as many sentences of descriptions
_BRANDS = 20_000
_INVENTED = 60_000
_SYLLABLES = [c + v for c in "bcdfghjklmnprstvwz" for v in "aeiou"] + ["an", "or", "el", "is", "um"]
_DEPARTMENTS = 40


def batches(count: int, queries: Sequence[str], seed: int = 0) -> Iterator[pa.Table]:
    """Yields ``count`` products of schema ``CATALOG`` in tables of 50,000 rows, the same for the same arguments."""
    rng = np.random.default_rng(seed)
    maker = _Maker(queries, rng)
    for low in range(0, count, _CHUNK):
        yield maker.chunk(low, min(_CHUNK, count - low))


class _Maker:
    def __init__(self, queries: Sequence[str], rng: np.random.Generator) -> None:
        self.rng = rng
        self.queries = [q.split() for q in queries if q.split()]
        counts = Counter(word.lower() for query in self.queries for word in query)
        for category in categories():
            counts.update(w for text in (*category.features, *category.types) for w in text.lower().split())
        common = [w for w, _ in sorted(counts.items(), key=lambda c: (-c[1], c[0]))]
        self.words = np.array(common + self._invented(_INVENTED), dtype=object)
        zipf = 1 / (np.arange(len(self.words)) + 10.0)
        self.cumulated = np.cumsum(zipf / zipf.sum())
        self.brands = np.array([w.title() for w in self._invented(_BRANDS)], dtype=object)
        self.bullets = self._sentences(_POOL, 5, 12)
        self.sentences = self._sentences(_POOL, 10, 24)

    def _invented(self, count: int) -> list[str]:
        parts = self.rng.choice(np.array(_SYLLABLES, dtype=object), (count, 4))
        sizes = self.rng.integers(2, 5, count)
        return ["".join(row[:size]) for row, size in zip(parts.tolist(), sizes.tolist(), strict=True)]

    def _draw(self, count: int) -> list[str]:
        return list(self.words[np.searchsorted(self.cumulated, self.rng.random(count)).clip(0, len(self.words) - 1)])

    def _sentences(self, count: int, low: int, high: int) -> list[str]:
        sizes = self.rng.integers(low, high + 1, count).tolist()
        words = iter(self._draw(sum(sizes)))
        return [" ".join(next(words) for _ in range(size)) for size in sizes]

    def chunk(self, low: int, n: int) -> pa.Table:
        rng = self.rng
        seeds = [self.queries[i] for i in rng.integers(len(self.queries), size=n).tolist()]
        brands = self.brands[(len(self.brands) * rng.random(n) ** 2).astype(int)].tolist()
        extra = rng.integers(2, 7, n).tolist()
        words = iter(self._draw(sum(extra)))
        kept = iter((rng.random(sum(map(len, seeds))) < 0.7).tolist())
        titles = []
        for brand, query, more in zip(brands, seeds, extra, strict=True):
            titles.append(" ".join([brand, *(w for w in query if next(kept)), *(next(words) for _ in range(more))]))
        paths = [
            [f"Department {len(q[-1]) * 7 % _DEPARTMENTS}", q[-1].title(), " ".join(q[-2:]).title()] for q in seeds
        ]
        bullets = [[self.bullets[i] for i in row] for row in rng.integers(_POOL, size=(n, 3)).tolist()]
        said = [f"{self.sentences[i]}. {self.sentences[j]}." for i, j in rng.integers(_POOL, size=(n, 2)).tolist()]
        rated = rng.random(n) < 0.9
        columns = {
            "id": [f"B{row:09d}" for row in range(low, low + n)],
            "title": titles,
            "category": paths,
            "brand": brands,
            "price": pa.array(np.exp(rng.normal(3.2, 0.9, n)).round(2), mask=rng.random(n) < 0.03),
            "rating": pa.array(rng.normal(4.2, 0.4, n).clip(1, 5).round(1), mask=~rated),
            "review_count": pa.array(np.exp(rng.normal(3.5, 1.8, n)).astype(np.int64), mask=~rated),
            "description": said,
            "bullets": bullets,
            "reviews": [[]] * n,
            "sponsored": rng.random(n) < 0.04,
            "added": [datetime.fromtimestamp(s, UTC) for s in (1.6e9 + 1e8 * rng.random(n)).astype(int).tolist()],
        }
        return pa.table([pa.array(columns[f.name], f.type) for f in CATALOG], schema=CATALOG)
