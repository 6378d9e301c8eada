"""Which option a reply states as its answer; a number that merely occurs in a reply is no choice.

The rule, on the reply without its Markdown marks (``**3**`` is ``3``):

1. **JSON** (also in a fence) that holds exactly one whole number, as ``3`` or ``{"choice": 3}``, states it.
2. **A line of its own** states its number: ``3``, ``3.``, ``(3)``, ``#3``, ``Option 3``, ``Answer: 3``.
3. **The first line** states the number it begins with where a reason, a title or a verdict follows: ``3. Red mug``,
   ``3 because it is red``, ``Option 3 looks best``.
4. **A sentence that decides** states its number, wherever it stands: ``I would buy 3``, ``my choice is option 3``.

All that is stated must be one and the same number, it must be one of the options, and no other option may be named
(``option 2``, ``#2``, a line that begins ``2.``): else the reply holds no answer. What is never a statement: a number
before a noun (``1 of these``, ``4 products``), after a negation (``I cannot choose 1``), beside another (``1 or 3``),
in a price, a decimal or a thousand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_DIGITS = 6
_LONGEST = 2_000  # characters: an essay states no choice
_N = rf"(?<![\d$€£¥-])(?<!\d[.,])(?P<n>\d{{1,{_DIGITS}}})(?!\d|[.,]\d)"
_MARKS = re.compile(r"[*`_]+")
_FENCE = re.compile(r"\A```\w*\n(.*?)\n?```\Z", re.DOTALL)
_OPTION = r"(?:(?:(?:option|product|item|result|number|choice)\b|no\.|nr\.|№|#)\s{0,3})"
_ANSWER = (
    r"(?:(?:(?:the|my|final|best|correct)\s+)*(?:answer|choice|pick|selection)\b\s*(?:is\b|would\s+be\b|[:=-])\s*)"
)
_DECIDES = (
    r"(?<!\bif\s)(?<!\bwhen\s)\b(?:i|they|(?:the|this)\s+(?:shopper|person|customer|buyer|user))"
    r"(?:\s+would|\s+will|['’]d|['’]ll)?(?:\s+(?:most\s+likely|probably|likely|definitely|rather))?\s+"
    r"(?:choose|chose|pick(?:ed)?|select(?:ed)?|buy|bought|take|took|go\s+(?:with|for)|opt\s+for|open(?:ed)?"
    r"|click(?:ed)?(?:\s+on)?|prefer(?:red)?)\s+(?:the\s+)?"
)
_ANOTHER = rf"(?!\s*(?:[,;/&+–—-]|or\b|and\b|to\b)*\s*{_OPTION}?\d)"
_ENDS = rf"{_ANOTHER}(?=\s*(?:\Z|\n|[.,;:!?)\]}}\"'”’(–—-]|because\b|since\b|as\b|for\b))"
_VERDICT = (
    r"(?=\s+(?:is|looks|seems|would\s+be|fits)\s+(?:like\s+)?(?:(?:the|my)\s+)?(?:best|closest|choice|pick|answer)\b)"
)
_LABELS = rf"(?:{_ANSWER}?{_OPTION}{{0,3}})"
_OPENING = r"[\s>\-–•\"'“‘(\[{]{0,12}(?:#{1,6}\s+)?"

_ALONE = re.compile(rf"{_OPENING}{_LABELS}[\"'“‘(\[]*{_N}[\s.,:;!)\]}}\"'”’]*", re.IGNORECASE)
_FIRST = re.compile(rf"{_OPENING}{_LABELS}[(\[]?{_N}(?:{_ENDS}|{_VERDICT})", re.IGNORECASE)
_DECISION = re.compile(rf"(?:{_DECIDES}|{_ANSWER}){_OPTION}{{0,3}}[\"'“‘(\[]?{_N}{_ENDS}", re.IGNORECASE)
_NAMED = re.compile(
    rf"(?:{_OPTION}{{1,3}}|^{_OPENING}){_N}(?!\s+\w)|{_OPTION}{{1,3}}{_N.replace('?P<n>', '?P<m>')}", re.I | re.M
)
_ENDS_IN_NUMBER = re.compile(r"\d\W*\Z")
_LABEL = re.compile(rf"{_OPENING}{_OPTION}{{0,3}}[(\[]?\d+\s*[.):–—-]", re.IGNORECASE)


def stated_choice(reply: str, n_options: int) -> int | None:
    """Returns the option that a reply states as its answer, from 1, or None: the module says by which rule.

    Args:
        reply: the reply's text.
        n_options: how many options there were.
    """
    if len(reply) > _LONGEST:
        return None
    text = reply.strip()
    fenced = _FENCE.match(text)
    held = _from_json(fenced[1] if fenced else text)
    text = _MARKS.sub(" ", text).strip()
    stated = held if held is not None else set(_statements(text))
    if len(stated) != 1:
        return None
    (choice,) = stated
    others = set() if held is not None else {int(m["n"] or m["m"]) for m in _NAMED.finditer(text)} - {choice}
    return choice if 1 <= choice <= n_options and not any(1 <= o <= n_options for o in others) else None


def is_whole_before_more(reply: str) -> bool:
    """Says whether a reply that was cut had ended its answer: words follow it, and it is not the first of a list.

    ``3 because`` had; ``3`` might have become ``3 of these``, and ``1. Mug`` the first line of a list.

    Args:
        reply: a text in which ``stated_choice`` finds an answer.
    """
    text = _MARKS.sub(" ", reply).strip()
    first, _, rest = text.partition("\n")
    if _ALONE.fullmatch(first):
        return bool(rest)
    return not _LABEL.match(first) and not _ENDS_IN_NUMBER.search(text)


def _statements(text: str) -> Iterator[int]:
    lines = [line for line in text.splitlines() if line.strip()]
    for line in lines:
        if alone := _ALONE.fullmatch(line):
            yield int(alone["n"])
    if lines and (first := _FIRST.match(lines[0])):
        yield int(first["n"])
    for decision in _DECISION.finditer(text):
        yield int(decision["n"])


def _from_json(text: str) -> set[int] | None:
    """Returns the whole numbers in a JSON value; None for what is no JSON object, list, number or text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # ten thousand brackets are a reply too
        return None
    return set(_whole(value)) if isinstance(value, dict | list) else None


def _whole(value: Any) -> Iterator[int]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _whole(inner)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value
    elif isinstance(value, str) and (alone := _ALONE.fullmatch(value)):
        yield int(alone["n"])
