"""What of a run was sent in batches, on disk: a resumed run takes those replies before it asks for any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class Lines(Protocol):
    """A file of JSON lines."""

    def each(self, take: Callable[[dict[str, Any], int], None]) -> object:
        """Hands out the lines on disk."""
        ...

    def append(self, row: Mapping[str, Any]) -> int:
        """Writes a line."""
        ...


@dataclass(slots=True)
class Sent:
    """A file of requests that was sent.

    Attributes:
        file: its name at the provider.
        keys: of its requests, without those that ended and are owed again.
        batch: that was begun of it; None where that was not heard of.
        ended: its replies are complete.
    """

    file: str
    keys: set[str] = field(default_factory=set)
    batch: str | None = None
    ended: bool = False


class BatchLog:
    """``batches.jsonl`` of a run: a line when a file was sent, one when its batch began and one when that ended.

    Args:
        lines: of the file.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def load(self) -> list[Sent]:
        """Returns what earlier processes of the run sent."""
        sent: dict[str, Sent] = {}

        def take(row: dict[str, Any], _: int) -> None:
            if "keys" in row:
                sent[str(row["file"])] = Sent(str(row["file"]), set(map(str, row["keys"])))
            elif "owed" in row:
                ended = sent[row["file"]]
                ended.ended = True
                ended.keys.difference_update(row["owed"])
            else:
                sent[row["file"]].batch = str(row["batch"])

        self._lines.each(take)
        return list(sent.values())

    def uploaded(self, file: str, keys: Iterable[str]) -> None:
        """Writes down a file before a batch of it is begun."""
        self._lines.append({"file": file, "keys": list(keys)})

    def begun(self, file: str, batch: str) -> None:
        """Writes down the batch of a file."""
        self._lines.append({"file": file, "batch": batch})

    def ended(self, file: str, status: str, owed: Iterable[str]) -> None:
        """Writes down that a batch ended, with the requests that got no good reply."""
        self._lines.append({"file": file, "status": status, "owed": list(owed)})
