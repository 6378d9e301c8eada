"""What an agent may not see of the products that a case asks about (paper, section 4.3: no contamination).

An agent reads titles, not ids. Catalogs sell one title under many ids (Complete Journey: 91,504 products, 20,506
titles), so whatever bears the title of a hidden product is hidden with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paars_bench.data.schema import Action, Catalog, Event
from paars_bench.store.text import clean

_WORD = re.compile(r"\w+")
_CHARS = 1_000


class Hidden(NamedTuple):
    """Products that an agent may not see.

    Attributes:
        ids: the products and all that bear a title of theirs.
        titles: their titles as words, lower case.
    """

    ids: frozenset[str]
    titles: tuple[str, ...]

    def without(self, events: Iterable[Event]) -> tuple[Event, ...]:
        """Returns events without those on hidden products and without searches that type a hidden title.

        Other searches stay, with hidden products taken out of the list shown.
        """
        kept = (e for e in events if e.product not in self.ids and not self._types(e))
        return tuple(self._cut(e) for e in kept)

    def _types(self, event: Event) -> bool:
        if event.action is not Action.SEARCH or not event.query or not self.titles:
            return False
        typed = f" {words_of(event.query)} "
        # Scripts without blanks have no words to tell apart, so there any occurrence counts.
        return any((f" {t} " if t.isascii() else t) in typed for t in self.titles)

    def _cut(self, event: Event) -> Event:
        if event.shown is None or not self.ids.intersection(event.shown):
            return event
        return replace(event, shown=tuple(p for p in event.shown if p not in self.ids))


class Titles:
    """Which products of a catalog bear the same title.

    Args:
        catalog: the products.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    @cached_property
    def code(self) -> npt.NDArray[np.int64]:
        """Equal for products whose titles read the same but for case and blanks: shape ``(products,)``."""
        titles = self._catalog.table.column("title").combine_chunks()
        even = pc.utf8_trim_whitespace(pc.replace_substring_regex(pc.utf8_lower(titles), r"\s+", " "))
        return np.asarray(even.dictionary_encode().indices.to_numpy()).astype(np.int64)

    def hidden(self, ids: Collection[str]) -> Hidden:
        """Returns what must be hidden so that none of some products can be seen; ids not in the catalog count too."""
        known = [p for p in ids if p in self._catalog]
        order, ordered = self._by_code
        codes = np.unique(self.code[[self._catalog.row(p) for p in known]]) if known else np.empty(0, np.int64)
        low, high = np.searchsorted(ordered, codes), np.searchsorted(ordered, codes, side="right")
        rows = np.concatenate([order[a:b] for a, b in zip(low, high, strict=True)] or [np.empty(0, np.int64)])
        alike = self._catalog.table.column("id").take(pa.array(rows)).to_pylist()
        titles = {words_of(self._catalog[p].title) for p in known} - {""}
        return Hidden(frozenset(ids).union(alike), tuple(sorted(titles)))

    @cached_property
    def _by_code(self) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(self.code, kind="stable")
        return order, self.code[order]


def words_of(text: str) -> str:
    """Returns the words of a text in lower case, one blank between them."""
    if not is_plain(text):
        text = clean(text, _CHARS)
    return " ".join(_WORD.findall(text.casefold()))


def is_plain(text: str) -> bool:
    """Says whether cleaning leaves the words of a text as they are; most texts are, and cleaning costs more."""
    return len(text) <= _CHARS and text.isascii() and text.isprintable() and "&" not in text and "<" not in text
