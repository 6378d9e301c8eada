"""Makes text that nobody vouches for safe to put in a prompt: sellers write product text, not the shop.

A title can hold a prompt injection, chat-template tokens, markup, a megabyte of filler, invisible or
bidirectional characters. What comes out here is one printable line without the characters that pages use as
delimiters, so a product can say what it likes inside its quotation marks and cannot reach outside of them.
"""

from __future__ import annotations

import html
import re
import unicodedata

from paars_bench.store.token_cost import affordable, cost

MARK = "…"
"""Stands where text was cut."""

# "&amp;amp;lt;" is "&lt;" to whoever decodes it twice.
_NESTED = re.compile(r"&(?:(?:amp|#0*38|#[xX]0*26);)+")
_DECODINGS = 8
_TAG = re.compile(r"<[^<>]{0,300}>")
_SPACE = re.compile(r"\s+")
# Guillemets delimit product text on pages and square brackets enclose product ids; angle brackets begin the
# special tokens of chat templates (<|im_start|>, </s>) and square ones those of others ([INST]).
_LOOKALIKE = str.maketrans({"«": "‹", "»": "›", "<": "‹", ">": "›", "[": "(", "]": ")"})
# Other: control, format (bidi, zero width), surrogate, private, unassigned.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Hidden characters may fill the front of a text, so more is read than will be shown.
_READ = 40
_LONG = 12  # characters of a token: words of shops that are one have up to eleven, and a space

# Marks on one letter that no script needs more of; a hundred cover the lines above and below on a screen.
_MARKS = 3
LONGEST_ID = 64
_UNSHOWABLE = frozenset(" []«»<>")


def showable(product_id: str) -> bool:
    """Says whether a product id can stand on a page: 1 to 64 printable characters that delimit nothing there."""
    return 0 < len(product_id) <= LONGEST_ID and product_id.isprintable() and not set(product_id) & _UNSHOWABLE


def clean(text: str, limit: int) -> str:
    """Returns untrusted text as one printable line of at most ``limit`` characters, cut with "…".

    HTML entities are decoded, however often they were encoded, and tags dropped; control, format and private
    characters, variation selectors and all but three combining marks on a letter are dropped, and at the front every
    one, which would be put on the quotation mark; white space becomes single spaces; «», <> and [] become ‹› and ().

    Args:
        text: as the catalog or a model wrote it, of any length.
        limit: characters of the result, the mark included; at least 1.
    """
    head = text[: limit * _READ]
    line = _line(head)
    if len(line) > limit or (len(head) < len(text) and line):
        return line[: limit - 1].rstrip() + MARK
    return line if line or not text.strip() else MARK


def fit(text: str, tokens: float) -> str:
    """Returns untrusted text cleaned and cut with "…", so that with the mark it takes ``tokens`` tokens at most.

    The tokens are those of ``token_cost``, an upper bound; where not even the mark has room, nothing is left.
    """
    line = clean(text, max(int(tokens * _LONG), 1))
    if affordable(line, tokens) == len(line):
        return line
    room = tokens - cost(MARK)
    return line[: affordable(line, room)].rstrip() + MARK if room >= 0 else ""


def whole(text: str, tokens: int) -> bool:
    """Says whether ``fit`` would show a text just as it is, so that what is read off a page names it."""
    return bool(text) and len(text) <= tokens * 4 and fit(text, tokens) == text


def _line(text: str) -> str:
    text = _visible(text)
    if "&" in text:
        text = _visible(_decoded(text))
    if "<" in text:
        text = _visible(_TAG.sub(" ", text))
    return _SPACE.sub(" ", text.translate(_LOOKALIKE)).strip()


def _decoded(text: str) -> str:
    for _ in range(_DECODINGS):
        text, before = html.unescape(_NESTED.sub("&", text)), text
        if text == before:
            return text
    return text.replace("&", "+")


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = _MARKS  # a mark at the front has no letter
    for char in text:
        kind = unicodedata.category(char)
        if char.isspace():
            char, marks = " ", _MARKS
        elif kind in _INVISIBLE or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
            continue
        elif kind in ("Mn", "Me"):
            marks += 1
            if marks > _MARKS:
                continue
        else:
            marks = 0
        shown.append(char)
    return "".join(shown)
