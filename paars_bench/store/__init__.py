"""The simulated shop: what a shopper, human or agent, can search, see and do, and the record of it."""

from __future__ import annotations

from paars_bench.store.actions import (
    TOOLS,
    BadAction,
    StoreAction,
    Tool,
    Verb,
    action_schema,
    actions_text,
    parse_action,
    parse_tool_call,
    tool_schemas,
)
from paars_bench.store.flat_schema import flat_action_schema
from paars_bench.store.leaving import (
    LEAVING_TOOL,
    Stay,
    leaving_object,
    leaving_question,
    leaving_tool,
    leaving_word,
    parse_leaving,
    parse_leaving_call,
)
from paars_bench.store.pages import Listed, Page, PageKind
from paars_bench.store.search import SearchIndex, SearchResult
from paars_bench.store.session import Decision, Session, SessionResult, Spending, Stop
from paars_bench.store.shop import SessionEnd, Shop, Visit

__all__ = [
    "LEAVING_TOOL",
    "TOOLS",
    "BadAction",
    "Decision",
    "Listed",
    "Page",
    "PageKind",
    "SearchIndex",
    "SearchResult",
    "Session",
    "SessionEnd",
    "SessionResult",
    "Shop",
    "Spending",
    "Stay",
    "Stop",
    "StoreAction",
    "Tool",
    "Verb",
    "Visit",
    "action_schema",
    "actions_text",
    "flat_action_schema",
    "leaving_object",
    "leaving_question",
    "leaving_tool",
    "leaving_word",
    "parse_action",
    "parse_leaving",
    "parse_leaving_call",
    "parse_tool_call",
    "tool_schemas",
]
