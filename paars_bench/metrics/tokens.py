"""What counts as a token: words of any script, runs of two or three of them, or the whole text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

Unit = Literal["word", "bigram", "trigram", "text"]
_WORDS = "NFKC, casefold, runs of letters, marks and digits; in scripts without spaces every character"
TOKENISATION: dict[Unit, str] = {
    "word": _WORDS,
    "bigram": f"two neighbouring words of one text ({_WORDS})",
    "trigram": f"three neighbouring words of one text ({_WORDS})",
    "text": "the whole text: NFKC, casefold, white space collapsed",
}
_RUNS = {"word": 1, "bigram": 2, "trigram": 3}
_LACKING: dict[Unit, str] = {
    "word": "no text has a word",
    "bigram": "no text has 2 words",
    "trigram": "no text has 3 words",
    "text": "every text is empty",
}

# Thai, Lao, Myanmar, Khmer, kana, Han: written without spaces between words.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)
# \w leaves out combining marks, which would cut Hindi, Tamil or pointed Hebrew inside a word.
_MARKS = "".join(re.escape(chr(c)) for c in range(0x300, 0x10000) if unicodedata.category(chr(c)) in ("Mn", "Mc"))
_TOKEN = re.compile(rf"[{_UNSPACED}][{_MARKS}]*|(?:(?![{_UNSPACED}_])[\w{_MARKS}])+")


def tokenise(text: str, unit: Unit = "word") -> list[str]:
    """Returns the tokens of a text; ``TOKENISATION`` says the rule in words.

    A text of fewer words than the unit needs has no token, and so has the empty text.

    Raises:
        ValueError: the unit is unknown.
    """
    return list(_tokens(text, unit) if len(text) <= _LONG else _tokens.__wrapped__(text, unit))


_LONG = 1_000  # characters: the texts that are kept, since they come again, take a few megabytes


@lru_cache(maxsize=8_192)
def _tokens(text: str, unit: Unit) -> tuple[str, ...]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    if unit == "text":
        whole = " ".join(folded.split())
        return (whole,) if whole else ()
    check_unit(unit)
    words, size = _TOKEN.findall(folded), _RUNS[unit]
    return tuple(words if size == 1 else (" ".join(words[i : i + size]) for i in range(len(words) - size + 1)))


def check_unit(unit: str) -> None:
    """Raises ValueError unless ``unit`` is a unit."""
    if unit not in TOKENISATION:
        raise ValueError(f"unknown unit {unit!r}: valid are {', '.join(TOKENISATION)}")


def check_texts(texts: Sequence[str], name: str) -> None:
    """Raises ValueError where ``texts`` is one text, which would be read as a list of its letters."""
    if isinstance(texts, str):
        raise ValueError(f"{name} must be a list of texts, got one text: {texts[:40]!r}")


def check_any_token(count: int, unit: Unit, name: str) -> None:
    """Raises ValueError where texts hold no token, and says which unit they lack."""
    check_unit(unit)
    if count == 0:
        raise ValueError(f"{name} must hold at least one token of the unit {unit!r}, and {_LACKING[unit]}")
