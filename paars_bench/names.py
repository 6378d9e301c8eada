"""Lists of names as users write them, on the command line and in Python."""

from __future__ import annotations

from collections.abc import Sequence

from paars_bench.errors import UsageError


def names(values: Sequence[str], flag: str) -> tuple[str, ...]:
    """Splits comma lists, as lm-eval users write them, and drops repeats.

    Raises:
        UsageError: a list holds an empty name.
    """
    parts = [part.strip() for value in values for part in value.split(",")]
    if any(not part for part in parts):
        raise UsageError(f"{flag} {','.join(values)!r}: a name is empty; write names as a,b without a gap.")
    return tuple(dict.fromkeys(parts))
