"""The text of WebShop's pages, as its human trajectories hold them: instruction, result list, in either spelling.

A page is lines of text with buttons as ``[button] Buy Now [button_]``, or the same pieces parted by ``[SEP]``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_PIECES = re.compile(r"\n|\[SEP\]", re.IGNORECASE)
_BUTTON = re.compile(r"^\s*\[(?:clicked )?button\]\s*(.*?)\s*\[(?:clicked )?button_\]\s*$", re.IGNORECASE)
_ASIN = re.compile(r"[A-Z0-9]{10}")
_PRICE = re.compile(r"^\$[\d,.]+( to \$[\d,.]+)?$")
_RESULTS = re.compile(r"^page \d+ \(total results: \d+\)$", re.IGNORECASE)
# WebShop draws its prices at random and appends a limit made of one: not what the writer of the instruction said.
_LIMIT = re.compile(r",? and price lower than [\d.,]+ dollars\s*\.?\s*$", re.IGNORECASE)


class Listed(NamedTuple):
    """A product in a result list: its ASIN, and its title where the page gives one."""

    asin: str
    title: str


def pieces(state: str) -> list[str]:
    """Returns the pieces of a page, without the marks of buttons."""
    found = (_BUTTON.sub(r"\1", piece).strip() for piece in _PIECES.split(state))
    return [piece for piece in found if piece]


def instruction(state: str) -> str | None:
    """Returns what the shopper was told to buy, None where the page does not say; without the appended price limit."""
    parts = pieces(state)
    for place, part in enumerate(parts):
        if part.lower().startswith("instruction:"):
            said = part[len("instruction:") :].strip() or (parts[place + 1] if place + 1 < len(parts) else "")
            return _LIMIT.sub("", " ".join(said.split())) or None
    return None


def listed(state: str) -> tuple[Listed, ...] | None:
    """Returns the products of a result page in the order shown, None where the page is none.

    A title is the piece after the ASIN; WebShop's prices, which are drawn at random, are not read.
    """
    parts = pieces(state)
    start = next((n for n, part in enumerate(parts) if _RESULTS.match(part)), None)
    if start is None:
        return None
    found: list[Listed] = []
    for place, part in enumerate(parts[start + 1 :], start + 1):
        if is_asin(part):
            after = parts[place + 1] if place + 1 < len(parts) else ""
            found.append(Listed(part, "" if is_asin(after) or _PRICE.match(after) else after))
    return tuple(found)


def is_asin(text: str) -> bool:
    """Says whether a text has the form of an Amazon product id: ten capitals and digits, a digit among them."""
    return bool(_ASIN.fullmatch(text)) and any(c.isdigit() for c in text)
