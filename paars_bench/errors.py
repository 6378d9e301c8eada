"""Everything that may stop a command, each with its exit code: a bad reply is data, not one of these.

A message is one sentence that names the file or flag, the key, the value, the nearest valid one and the fix.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PaarsError(Exception):
    """A command cannot go on; the text is shown as it is, without a traceback."""

    exit_code = 4


class UsageError(PaarsError):
    """A flag, name, file or key given by the user is wrong; nothing was run and nothing was spent."""

    exit_code = 1


class ConfigError(UsageError):
    """A task YAML is broken: the text holds file, line, key and the nearest valid key."""


class MissingExtraError(UsageError):
    """A package of an extra is not installed: the text holds the pip line that adds it."""


class MissingKeyError(UsageError):
    """A provider needs an API key that is not set: the text names the variable."""


class DataError(UsageError):
    """A data set is unknown, unreadable or does not fit the schema."""


class RunDirectoryError(UsageError):
    """The output path cannot be written or belongs to another run: the text says what differs."""


class BudgetReached(PaarsError):
    """A budget of the run is used up; the same command with a higher one resumes."""

    exit_code = 3


class BackboneUnusable(PaarsError):
    """No case can succeed: wrong key, no permission, unknown model. The run stops and keeps what is done."""


def printable(text: str) -> str:
    """Returns text as one line without control characters: a model's words may hold a terminal's commands."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def escaped(text: str) -> str:
    """Returns a name as it may be shown: what a terminal would obey, or no encoding holds, is written out as hex."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def nearest(name: str, valid: Iterable[str], *, most: int = 3) -> list[str]:
    """Returns up to ``most`` valid names that look like ``name``, the closest first."""
    names = sorted(set(valid))
    folded = {n.lower(): n for n in names}
    hits = difflib.get_close_matches(name.lower(), folded, n=most, cutoff=0.55)
    if len(name) >= 3:  # a name begun and not ended looks like nothing to difflib
        hits += [n for n in folded if n.startswith(name.lower()[:4]) and n not in hits]
    return [folded[h] for h in hits[:most]]


def unknown(kind: str, name: str, valid: Iterable[str], *, see: str = "") -> str:
    """Returns the sentence for an unknown name: what it is, the nearest valid names, where all are listed."""
    names = sorted(set(valid))
    close = nearest(name, names)
    if close:
        hint = f"did you mean {' or '.join(repr(c) for c in close)}?"
    elif len(names) <= 12:
        hint = f"valid are {', '.join(names)}."
    else:
        hint = f"valid are {', '.join(names[:10])} and {len(names) - 10} more."
    return f"unknown {kind} {name!r}: {hint}" + (f" See `{see}`." if see else "")
