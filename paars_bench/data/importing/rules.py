"""Every defect a log can have, by name: what it is in words, and what becomes of the row."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from paars_bench.data.schema import MOST_PRICE

LONGEST = 10_000
"""Characters of a name, query or title: more is a mistake of the export and would fill a prompt."""


class Fate(StrEnum):
    """What becomes of a row with a defect; in every case it is counted and kept in the quarantine file."""

    QUARANTINED = "quarantined"  # not loaded
    EMPTIED = "loaded without the value"
    NOTED = "loaded as it is"


class Rule(NamedTuple):
    """One rule: its name, what a row that breaks it has, and its fate."""

    name: str
    words: str
    fate: Fate


_OUT, _EMPTY, _NOTE = Fate.QUARANTINED, Fate.EMPTIED, Fate.NOTED
_RULES = (
    # of any file
    Rule("fields", "more or fewer fields than the header", _OUT),
    Rule("quoting", "a quotation mark that is not closed, or text after one that is", _OUT),
    Rule("json", "not a JSON object, or an empty one", _OUT),
    Rule("encoding", "not text in the encoding of the file", _OUT),
    Rule("nul", "a NUL character", _OUT),
    Rule("text_long", f"a text of more than {LONGEST:,} characters", _OUT),
    # of events
    Rule("shopper_missing", "no shopper", _OUT),
    Rule("time_missing", "no time", _OUT),
    Rule("time_unreadable", "a time that cannot be read", _OUT),
    Rule("time_impossible", "a time before 1990 or in the future", _OUT),
    Rule("time_zone", "a time with a zone where most have none, or without one where most have one", _OUT),
    Rule("action_missing", "no action", _OUT),
    Rule("action_unknown", "an action that is none of the schema's", _OUT),
    Rule("query_empty", "a search without a query", _OUT),
    Rule("product_missing", "an action on a product that names none", _OUT),
    Rule("product_unknown", "a product that is not in the catalog", _OUT),
    Rule("session_missing", "no session", _OUT),
    Rule("session_shared", "a session with events of two shoppers", _OUT),
    Rule("duplicate", "the same event as an earlier row", _OUT),
    Rule("list_unreadable", "a list that cannot be read", _EMPTY),
    Rule("list_repeats", "a list shown that holds a product twice", _NOTE),
    Rule("rank_unreadable", "a rank that is no whole number from the first place on", _EMPTY),
    Rule("rank_outside", "a rank past the end of the list shown", _EMPTY),
    Rule("rank_other", "a rank at which the list shown has another product", _EMPTY),
    Rule("price_unreadable", "a price that is no number", _EMPTY),
    Rule("price_outside", f"a price below 0 or above {MOST_PRICE:,.0f}", _EMPTY),
    Rule("unordered", "an earlier time than the row before it in the session", _NOTE),
    Rule("after_leave", "an event after the session was left", _NOTE),
    # of the catalog and of shoppers
    Rule("id_missing", "no id", _OUT),
    Rule("id_unshowable", "an id that cannot stand on a page: spaces, brackets or over 64 characters", _OUT),
    Rule("id_twice", "an id that an earlier row has", _OUT),
    Rule("title_missing", "no title", _OUT),
    Rule("rating_outside", "a rating that is no number from 1 to 5", _EMPTY),
    Rule("count_unreadable", "a review count that is no whole number from 0 on", _EMPTY),
    Rule("sponsored_unreadable", "a sponsored flag that is neither yes nor no", _EMPTY),
    Rule("added_unreadable", "a time since when it is sold that cannot be read or is impossible", _EMPTY),
)
RULES: dict[str, Rule] = {rule.name: rule for rule in _RULES}
