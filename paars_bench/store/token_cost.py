"""How many tokens a text takes at most, without a tokenizer: pages keep a budget whatever model reads them.

Measured with the tokenizers of two models (SmolLM2's of 49,000 entries and an older one of 65,000): of 32 kinds of
filler, from English to letters drawn at random, rare scripts, digits and signs, none took more than 1.06 times the
estimate; plain English takes about 0.6 of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Words of shop talk that are one token in both, in lower case and with a capital: half of the words of WebShop's
# instructions and of the demo's catalog.
_SHOP_TALK = (
    "about add after again ages alcohol all also and anti apple apply arch are assistant baby back bag bar based "
    "battery bed before being best better black blue board body box brand brown building but butter button buy "
    "cable camera can car carbon care cart case cat category chair changing chicken choose classic clean clear "
    "cold color colour come computer control core cotton could count cover cream cup daily dark day deep density "
    "description desktop digital does dog dogs dry dust duty easy eco elastic electronics extra eye face family "
    "far fast few find fine finish first fit floor food foot for frame free fresh friends from fruit full game "
    "games garden get gift glass gold good goods gray great green grey had handle happy harvest has have health "
    "heat heavy height help high home how hub install its job just keyboard kids king kit kitchen lamp large last "
    "leave light like lip living long look looking low machine made make maker male medium memory men mesh mid "
    "milk mint mix more motion mouse natural navy need next night noise non not nothing now oil okay olive one "
    "open our over pack page pair paper party performance person phone pick pink plant play players please ply "
    "port possible power price products proof protein purple quality range ready red regular related remote "
    "remove required results returns reviews room rose running safe salmon salt screen search season second see "
    "sent serve set setup shop short should silver simple single size skin small smart soft solid some sound soy "
    "space speaker special speed sports steel still storage straw strength style sugar super support sure table "
    "tang tea than that the they this three throw tools top total touch travel twin two ultra use useful video "
    "view vision voice wall want warm was wash water weight well what which white whole wide will wireless with "
    "without women wood wool works would year yellow you"
)
_WORDS = frozenset(_SHOP_TALK.split(" "))
# The 230 commonest pairs of letters, 96 % of those in WebShop's instructions, the demo's catalog and our documents.
_FOLLOWERS = (
    "abcdfgiklmnprstuvy baeloruy caehklorstu daeiorsu eacdefgilmnprstvwxy faefilortu gaehilor haeiotu "
    "iacdefgklmnoprstvz kaeils ladeilostuy mabeiop nacdegiknostu oacdefgiklmnoprstuvwz paeiloprstu qu "
    "racdegimnoprstuy sacehiklmopstuy taehilorstuwy uacegilmnprsty vaei waehinos yeos ze"
)
_COMMON = frozenset(letters[0] + second for letters in _FOLLOWERS.split(" ") for second in letters[1:])
_PIECE = re.compile(r"[A-Za-z]+|.", re.DOTALL)
_WORD = 1.1  # some are two where a sign stands before them


def cost(text: str) -> float:
    """Returns an upper estimate of the tokens in a line of text.

    A common word of shops costs 1.1. Of other words of ASCII letters the first letter costs 1, and each that follows
    0.3 where the two letters are as common together as in English, 0.9 where not, 0.6 where they go back and forth
    ("thth"), 0.7 in capitals. Digits and signs cost 1, a digit after a space 2, spaces 0.15, other Latin letters 1.4,
    all else the bytes in UTF-8 (byte-level vocabularies split rare scripts into bytes).
    """
    return sum(_word(piece) or sum(_chars(piece, before)) for piece, before, _ in _pieces(text))


def affordable(text: str, tokens: float) -> int:
    """Returns how many characters from the front of a line cost ``tokens`` at most."""
    used = 0.0
    for piece, before, place in _pieces(text):
        whole = _word(piece)
        if whole and used + whole <= tokens:
            used += whole
            continue
        for offset, one in enumerate(_chars(piece, before)):
            used += one
            if used > tokens:
                return place + offset
    return len(text)


def _pieces(text: str) -> Iterator[tuple[str, str, int]]:
    """Yields words and other characters, each with the character before it and its place."""
    before = " "
    for found in _PIECE.finditer(text):
        yield found[0], before, found.start()
        before = found[0][-1]


def _word(piece: str) -> float:
    """Returns the cost of a common word, 0 for anything else."""
    common = len(piece) > 2 and piece.lower() in _WORDS and piece[1:].islower()
    return _WORD if common else 0.0


def _chars(piece: str, before: str) -> Iterator[float]:
    if not (piece.isascii() and piece.isalpha()):
        yield _sign(piece, before)
        return
    yield 1.0
    for place in range(1, len(piece)):
        char, last = piece[place], piece[place - 1]
        if char.isupper():
            yield 0.7 if last.isupper() else 1.0
        elif last.lower() + char not in _COMMON:
            yield 0.9
        else:
            yield 0.6 if place > 1 and piece[place - 2] == char else 0.3


def _sign(char: str, before: str) -> float:
    if char == " ":
        return 0.15
    if char.isascii():
        return 2.0 if char.isdigit() and before == " " else 1.0
    return 1.4 if char < "\u0100" else float(len(char.encode("utf-8", "replace")))
