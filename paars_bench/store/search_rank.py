"""From text scores to a ranking: declared features of products, weighted by settings, are added to the best matches.

tantivy's own weight by a field multiplies and knows no negative weight, and a field for each set of weights would mean
an index for each arm of an experiment. So the text score comes from the index, and the features from columns.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from paars_bench.config.store_settings import StoreSettings
from paars_bench.store.search_shelf import FEATURES, Shelf


class Ranker:
    """Ranks the products of a query.

    Args:
        shelf: the features.
        settings: their weights, the window, and the seed of chance.
    """

    def __init__(self, shelf: Shelf, settings: StoreSettings) -> None:
        self._shelf, self._settings = shelf, settings
        weights = settings.features
        self._weights = np.array([getattr(weights, name) for name in FEATURES])
        self._by_text_alone = not self._weights.any() and not weights.chance

    def page(self, searcher: Any, query: Any, limit: int, offset: int) -> tuple[list[int], int]:
        """Returns the rows of a page, and how many products match.

        The ``window`` best text matches are ordered by text score plus weighted features, equals as the text orders
        them; the others follow in order of text score, equals in the catalog's order.
        """
        window = self._settings.features.window
        if self._by_text_alone or offset >= window:
            found = searcher.search(query, limit=limit, offset=offset)
            return [address.doc for _, address in found.hits], found.count
        found = searcher.search(query, limit=max(window, offset + limit))
        rows = np.array([address.doc for _, address in found.hits], dtype=np.int64)
        head = rows[:window]
        scores = np.array([score for score, _ in found.hits[:window]])
        order = np.argsort(-(scores + self._features(head)), kind="stable")
        return np.concatenate([head[order], rows[window:]])[offset : offset + limit].tolist(), found.count

    def _features(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        added = (self._shelf.features[rows].astype(np.float64) * self._weights).sum(axis=1)
        if self._settings.features.chance:
            added += self._settings.features.chance * self._chance[rows]
        return np.asarray(added)

    @cached_property
    def _chance(self) -> npt.NDArray[np.float64]:
        return np.random.default_rng(self._settings.seed).random(len(self._shelf))
