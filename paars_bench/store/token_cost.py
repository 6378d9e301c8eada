"""How many tokens a text takes at most, without a tokenizer: pages keep a budget whatever model reads them.

A bound for tokenizers that join pairs of neighbours (BPE), which those of current language models are: a letter stays
alone only beside a letter with which it makes no pair that every vocabulary has, and what stands in no list falls into
bytes. Words of ``token_words.txt`` were counted. Both lists hold in nine vocabularies of 32,000 to 200,000 entries:
SmolLM2's, the one LiteLLM ships for Claude, p50k, cl100k, o200k, Qwen's, two of Mistral's SentencePiece and Tekken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

# Pairs of letters that each of the nine joins wherever both stand alone: after each letter those that follow it.
_FOLLOWERS = (
    "aabcdefghijklmnoprstuvwxyz babcdefgilmnoprstuy cabcdefhiklmnoprstuvyz dabcdefhiklmnoprstuxy "
    "eabcdefghiklmnpqrstuvwxyz fabcdefgilmnoprstuwxy gabeghilnoprstuyz hadehilmnoprstuwy iabcdefghijklmnopqrstuvwxyz "
    "jaeijosu kabeghiklmnorstuwy labcdeilnoprstuvy mabcdegiklmnoprstuxy nabcdegilmnoprstuy oabcdefghijklmnoprstuvwxyz "
    "pabcdeghilmnoprstuxy qalqstu rabcdefghilmnorstuxy sabcdefghiklmnopqrstuvwy tacdefhiklmnoprstuvwxyz "
    "uabcdefghijklmnoprstuvxyz vacdeilmorstvy wabdehilnoprstwxy xabcdefistxy yadeglmnoprsty zaehiouyz "
    "AABCDEFGHIKLMNPRSTUVXYbcdfghlmnprstvz BABCDEFGILMNOPRSTUYeiloruy CABCDEFGHILMNOPRSTUVhlor DABCDEFILMNOPRSTaeioru "
    "EACDEFLMNPRSTVXdlmnrsvx FACDEFILMNOPRSTWeilr GABCDEFGILMNOPRSTaeloru HACDEILOPRSTaeiyz "
    "IABCDEFGILMNOPRSTVXZdflmnrst JOSeo KESe LACDEILMOPSTYaeio MABCDEILMOPRSTYaceorsuy NACDEFGILMNOPRSTVYaeos "
    "OBCDFGKLMNOPRSTbfhknprs PACDEFGHIKLMNOPRSTUehilorsy QLUu RABCDEFGILMOPRSTeo SABCDEFHIKLMNOPRSTUWYacehiklmnoptuwy "
    "TACEFHILMOPRSTVXYehorwy UBCDEGIKLMNPRSTVXnpst VACDEIMORSTi WACDEHMPRSTWeh XXY YPY ZEZ"
)
_JOINED = frozenset(letters[0] + second for letters in _FOLLOWERS.split(" ") for second in letters[1:])
# Other characters that are one token in each, and those of them that take a space before them along.
_SINGLE = frozenset("£§©«®°±·»ÂÃÉ×ßàáâãäåæçèéêëíîïðñóôöøúûüāćčğīıłōşšūαβγεικλμνοπρστωавдеиклмнорстуыья‐–—†•…′€→−─")
_LED = r"!-/:-@\[-`{-~£§©«°±·»×–—•…€→−"
# A list counts for a word that stands apart from letters of other alphabets, and from an apostrophe before it.
_PIECE = re.compile(
    rf"((?<![^\x00-\x26\x28-\x7f«·–—•]) ?[A-Za-z]++(?![^\x00-\x7f»·…–—•]))| ?[A-Za-z]++| ?[{_LED}]|.", re.DOTALL
)


def cost(text: str) -> int:
    """Returns how many tokens a line of text takes at most.

    A listed word costs what was counted; other words of ASCII letters, with the space before them, fall into letters
    and pairs. A digit, a sign and a known character of another alphabet cost 1, a space 1 where what follows does not
    take it along, all else its bytes in UTF-8.
    """
    return sum(_whole(piece, listed=listed) for piece, listed, _ in _pieces(text))


def affordable(text: str, tokens: float) -> int:
    """Returns how many characters from the front of a line cost ``tokens`` at most."""
    used = 0
    for piece, listed, place in _pieces(text):
        whole = _whole(piece, listed=listed)
        if used + whole > tokens:
            if piece[-1].isascii() and piece[-1].isalpha():
                return place + sum(used + most <= tokens for most in _split(piece))
            return place
        used += whole
    return len(text)


def _pieces(text: str) -> Iterator[tuple[str, bool, int]]:
    """Yields words, each with the space before it, and other characters; whether a list counts for it; its place."""
    for found in _PIECE.finditer(text):
        yield found[0], found[1] is not None, found.start()


@lru_cache(maxsize=20_000)
def _whole(piece: str, *, listed: bool) -> int:
    word = piece.removeprefix(" ")
    if not (word.isascii() and word.isalpha()):
        return 1 if piece.isascii() or word in _SINGLE else _bytes(piece)
    most = _split(piece)[-1]
    counted = (_words().get(word) or _words().get(word[0].lower() + word[1:])) if listed else None
    return most if counted is None else min(most, counted[word == piece])


def _bytes(char: str) -> int:
    """Returns the bytes of a character, or of what it stands for where a tokenizer writes that instead (NFKC)."""
    return max(len(text.encode("utf-8", "replace")) for text in (char, unicodedata.normalize("NFKC", char)))


def _split(piece: str) -> list[int]:
    """Returns for every beginning of a word, with the space before it if there is one, its most tokens."""
    most, alone, longer = [0], 0, 0  # of all, and of those that end in a letter alone or in several together
    for place, char in enumerate(piece):
        last = piece[place - 1 : place]
        apart = last != " " and last + char not in _JOINED  # a space is joined to every letter
        alone, longer = (max(longer, alone if apart else 0) + 1, most[place - 1] + 1) if place else (1, 0)
        most.append(max(alone, longer))
    return most[1:]


@cache
def _words() -> dict[str, tuple[int, int]]:
    """Returns the tokens of words, in lower case or with a capital: after a space, and after a sign or digit."""
    lines = files("paars_bench.store").joinpath("token_words.txt").read_text(encoding="ascii").splitlines()
    return {word: (int(line[0]), int(line[1])) for line in lines for word in line.split(" ")[1:]}
