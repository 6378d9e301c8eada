"""The one place where an error nobody foresaw is caught: it ends the block around it and nothing more, and is said.

A block is a case, a metric, a command. Whoever opens one says what becomes of it; an error is never dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Caught:
    """How a block ended.

    Attributes:
        error: what ended it, None where it ran to its end.
    """

    error: Exception | None = None

    @property
    def words(self) -> str:
        """The error's class and message, of a group the first one's; "" without one."""
        error: BaseException | None = self.error
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        return "" if error is None else f"{type(error).__name__}: {error}".removesuffix(": ")


@contextmanager
def unforeseen(*foreseen: type[Exception]) -> Iterator[Caught]:
    """Ends the block at an error and hands it out.

    Args:
        foreseen: errors that are raised on: whoever called knows what they mean.
    """
    caught = Caught()
    try:
        yield caught
    except foreseen:
        raise
    except Exception as error:  # noqa: BLE001 - the one place, see above
        caught.error = error
