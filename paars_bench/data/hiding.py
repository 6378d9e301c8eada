"""What an agent may not see of the products that a case asks about (paper, section 4.3: no contamination).

An agent reads titles, not ids. Catalogs sell one title under many ids (Complete Journey: 91,504 products, 20,506
titles), so whatever reads like the title of a hidden product is hidden with it: as prompts show it, cleaned and cut,
and whatever its case, signs and width of letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paars_bench.data.schema import Action, Catalog, Event
from paars_bench.store.text import clean

_WORD = re.compile(r"\w+")
_CHARS = 1_000
_ALIKE = 80
"""Characters in which two titles must differ: a history shows 90, so what differs later may read the same there."""


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
        """Equal for products whose titles read the same, see ``reading``: shape ``(products,)``."""
        codes: dict[str, int] = {}
        titles = self._catalog.table.column("title").combine_chunks().dictionary_encode()
        of_title = [codes.setdefault(reading(t), len(codes)) for t in titles.dictionary.to_pylist()]
        return np.asarray(np.array(of_title, np.int64)[np.asarray(titles.indices.to_numpy())])

    def hidden(self, ids: Collection[str]) -> Hidden:
        """Returns what must be hidden so that none of some products can be seen; ids not in the catalog count too."""
        known = [p for p in ids if p in self._catalog]
        order, ordered = self._by_code
        codes = np.unique(self.code[[self._catalog.row(p) for p in known]]) if known else np.empty(0, np.int64)
        low, high = np.searchsorted(ordered, codes), np.searchsorted(ordered, codes, side="right")
        rows = np.concatenate([order[a:b] for a, b in zip(low, high, strict=True)] or [np.empty(0, np.int64)])
        alike = self._catalog.table.column("id").take(pa.array(rows)).to_pylist()
        titles = {reading(self._catalog[p].title) for p in known} - {""}
        return Hidden(frozenset(ids).union(alike), tuple(sorted(titles)))

    @cached_property
    def _by_code(self) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(self.code, kind="stable")
        return order, self.code[order]


def reading(title: str) -> str:
    """Returns what a title reads as in a prompt that may cut it: its first words, in lower case."""
    line = _shown(title)
    head = line[:_ALIKE]
    if len(line) > _ALIKE and line[_ALIKE].isalnum() and " " in head:
        head = head.rsplit(" ", 1)[0]  # no half word: what is typed has whole ones
    return " ".join(_WORD.findall(head)) or head


def words_of(text: str) -> str:
    """Returns the words of a text in lower case, one blank between them."""
    return " ".join(_WORD.findall(_shown(text)))


def _shown(text: str) -> str:
    """Returns a text as a prompt would show it, in lower case, letters of any width and composition made alike."""
    if is_plain(text):
        return " ".join(text.split()).lower()
    return unicodedata.normalize("NFKC", clean(text, _CHARS)).casefold()


def is_plain(text: str) -> bool:
    """Says whether cleaning leaves the words of a text as they are; most texts are, and cleaning costs more."""
    return len(text) <= _CHARS and text.isascii() and text.isprintable() and "&" not in text and "<" not in text
