"""What a shopper did and saw in a session, in lines of a prompt: the newest are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from paars_bench.data.schema import Catalog, Event
from paars_bench.personas.history import event_words


class Memory:
    """The lines of one session, made once each.

    Args:
        catalog: gives titles and prices.
        most: lines shown at most.

    Attributes:
        left_out: lines that the last text left out.
    """

    def __init__(self, catalog: Catalog, most: int) -> None:
        self._catalog, self._most = catalog, most
        self._lines: list[str] = []
        self._read = 0
        self.left_out = 0

    def text(self, events: Sequence[Event]) -> str:
        """Returns what was done, numbered, one line each, and how many older lines are left out.

        Args:
            events: of the session so far: those of an earlier call, and what came since.
        """
        new = [self._words(e) for e in events[self._read :]]
        self._lines += [f"{n}. {words}" for n, words in enumerate(filter(None, new), len(self._lines) + 1)]
        self._read = len(events)
        self.left_out = max(0, len(self._lines) - self._most)
        if not self._lines:
            return "nothing yet"
        cut = [f"({self.left_out} older lines are left out)"] if self.left_out else []
        return "\n".join([*cut, *self._lines[self.left_out :]])

    def _words(self, event: Event) -> str:
        """Returns an event in words, with price and id of its product: a shopper may go back to it."""
        if event.product is None or event.product not in self._catalog:
            return event_words(event, self._catalog)
        price = self._catalog[event.product].price if event.price is None else event.price
        return f"{event_words(replace(event, price=price), self._catalog)} [{event.product}]"
