"""The simulated shop: what a shopper, human or agent, can search, see and do, and the record of it."""

from __future__ import annotations

from paars_bench.config.store_settings import StoreSettings, default_settings, load_store_settings
from paars_bench.store.actions import (
    TOOLS,
    Argument,
    BadAction,
    StoreAction,
    Tool,
    Verb,
    action_schema,
    actions_text,
    tool_schemas,
    tools_offered,
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
from paars_bench.store.refine import Refinement, Sort
from paars_bench.store.replies import parse_action, parse_tool_call
from paars_bench.store.search import SearchIndex, SearchResult
from paars_bench.store.search_folder import open_index
from paars_bench.store.search_suggest import Suggestion
from paars_bench.store.session import Decision, Session, SessionResult, Spending, Stop
from paars_bench.store.shop import SessionEnd, Shop, Visit

__all__ = [
    "LEAVING_TOOL",
    "TOOLS",
    "Argument",
    "BadAction",
    "Decision",
    "Listed",
    "Page",
    "PageKind",
    "Refinement",
    "SearchIndex",
    "SearchResult",
    "Session",
    "SessionEnd",
    "SessionResult",
    "Shop",
    "Sort",
    "Spending",
    "Stay",
    "Stop",
    "StoreAction",
    "StoreSettings",
    "Suggestion",
    "Tool",
    "Verb",
    "Visit",
    "action_schema",
    "actions_text",
    "default_settings",
    "flat_action_schema",
    "leaving_object",
    "leaving_question",
    "leaving_tool",
    "leaving_word",
    "load_store_settings",
    "open_index",
    "parse_action",
    "parse_leaving",
    "parse_leaving_call",
    "parse_tool_call",
    "tool_schemas",
    "tools_offered",
]
