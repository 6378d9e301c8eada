"""Makes text that nobody vouches for safe to put in a prompt: sellers write product text, not the shop.

A title can hold a prompt injection, chat-template tokens, markup, a megabyte of filler, invisible or
bidirectional characters. What comes out here is one printable line without the characters that pages use as
delimiters, so a product can say what it likes inside its quotation marks and cannot reach outside of them.
"""

from __future__ import annotations

import html
import re
import unicodedata

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


def fit(text: str, tokens: int) -> str:
    """Returns untrusted text cleaned and cut with "…" so that it takes about ``tokens`` tokens at most.

    The estimate is an upper one for the tokenizers of current models: see ``cost``.
    """
    line = clean(text, tokens * 6)
    used = 0.0
    for place, one in enumerate(map(_char_cost, "  " + line, " " + line, line)):
        used += one
        if used > tokens:
            return line[: max(place - 1, 0)].rstrip() + MARK
    return line


def cost(text: str) -> float:
    """Returns an upper estimate of the tokens in a line of text.

    Counted per character. ASCII letters: 1 where a word begins, then 0.3 where the two letters are as common together
    as in English and 0.9 where not, 0.6 where they go back and forth ("thth"), in capitals 0.7. Digits and signs 1,
    and a digit 2 where a word begins; spaces 0.15; other Latin letters 1.4; all else the bytes in UTF-8 (byte-level
    vocabularies split rare scripts into bytes).
    """
    return sum(map(_char_cost, "  " + text, " " + text, text))


# The 230 commonest pairs of letters, 96 % of those in WebShop's instructions, the demo's catalog and our documents.
_FOLLOWERS = (
    "abcdfgiklmnprstuvy baeloruy caehklorstu daeiorsu eacdefgilmnprstvwxy faefilortu gaehilor haeiotu "
    "iacdefgklmnoprstvz kaeils ladeilostuy mabeiop nacdegiknostu oacdefgiklmnoprstuvwz paeiloprstu qu "
    "racdegimnoprstuy sacehiklmopstuy taehilorstuwy uacegilmnprsty vaei waehinos yeos ze"
)
_COMMON = frozenset(letters[0] + second for letters in _FOLLOWERS.split(" ") for second in letters[1:])


def _char_cost(earlier: str, before: str, char: str) -> float:
    if char == " ":
        return 0.15
    if not char.isascii():
        return 1.4 if char < "\u0100" else float(len(char.encode("utf-8", "replace")))
    if not char.isalpha():
        return 2.0 if char.isdigit() and before == " " else 1.0
    if not (before.isascii() and before.isalpha()):
        return 1.0
    if char.isupper():
        return 0.7 if before.isupper() else 1.0
    if before.lower() + char not in _COMMON:
        return 0.9
    return 0.6 if char == earlier else 0.3


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
