"""How a backbone is asked to act in a session, and how its reply is read: by tool call, by schema or by free text.

Each of the ways has two calls where leaving is asked for by itself. They share their whole prompt but its last line,
and with tools the tools too, so that providers and llama.cpp read the beginning of the second from their cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from paars_bench.backbones.door import Acting, Completion, Traits
from paars_bench.config.refusal import is_refusal
from paars_bench.config.spec import SessionSpec
from paars_bench.outcomes import Outcome
from paars_bench.store import (
    LEAVING_TOOL,
    BadAction,
    Decision,
    Page,
    Stop,
    action_schema,
    actions_text,
    flat_action_schema,
    leaving_object,
    leaving_question,
    leaving_tool,
    leaving_word,
    parse_action,
    parse_leaving,
    parse_leaving_call,
    parse_tool_call,
    tool_schemas,
)
from paars_bench.store.leaving import Form

_CALL = "call one of the tools"


@dataclass(frozen=True, slots=True)
class Manner:
    """How one backbone acts in the sessions of one task.

    Attributes:
        acting: the way.
        by_itself: leaving is asked for by itself.
        any_schema: a reply can be held to any schema, not only to a flat object.
    """

    acting: Acting
    by_itself: bool
    any_schema: bool

    @classmethod
    def of(cls, traits: Traits, session: SessionSpec) -> Manner:
        """Returns how a backbone acts; baselines plan their own leaving and answer in JSON."""
        if traits.scripted:
            return cls(Acting.TEXT, False, False)
        return cls(traits.acts_by, session.leaving == "own_call", traits.any_schema)

    @property
    def explanation(self) -> str:
        """What the prompt says of acting; nothing where the backbone is given tools."""
        return "" if self.acting is Acting.TOOLS else actions_text(leaving=not self.by_itself)

    def last_line(self, *, leaving: bool) -> str:
        """Returns the end of the prompt: what is asked now."""
        if leaving:
            return leaving_question(self._form)
        return f"Your next action, {_CALL}:" if self.acting is Acting.TOOLS else "Your next action, as JSON:"

    def constraints(self, page: Page, *, leaving: bool) -> dict[str, Any]:
        """Returns what a request holds beside its messages: tools, or the schema of the reply.

        Args:
            page: on which the shopper acts.
            leaving: the question is whether to leave.
        """
        match self.acting:
            case Acting.TOOLS:
                tools = tool_schemas(leaving=not self.by_itself)
                if not self.by_itself:
                    return {"tools": tools}
                return {"tools": [leaving_tool(), *tools], "tool": LEAVING_TOOL if leaving else None}
            case Acting.SCHEMA if leaving:
                return {"reply_schema": leaving_word() if self.any_schema else leaving_object()}
            case Acting.SCHEMA:
                return {"reply_schema": action_schema(page) if self.any_schema else flat_action_schema(page)}
            case Acting.TEXT:
                return {}

    def read(self, reply: Completion, page: Page, *, leaving: bool) -> Decision:
        """Returns what a reply decides; of parallel calls the first, as the others were meant for a page now gone."""
        if reply.outcome not in (Outcome.OK, Outcome.TRUNCATED):
            return Stop(reply.outcome)
        decision = self._leaving(reply) if leaving else self._action(reply, page)
        cut = reply.outcome is Outcome.TRUNCATED
        if isinstance(decision, BadAction):
            # who declines and still acts has acted
            return Stop(reply.outcome) if cut else Stop(Outcome.REFUSED) if is_refusal(reply.text) else decision
        unsaid = bool(reply.tool_calls) and not reply.tool_calls[0].arguments.strip()
        return Stop(reply.outcome) if cut and unsaid else decision

    def _leaving(self, reply: Completion) -> Decision:
        if reply.tool_calls:
            return parse_leaving_call(reply.tool_calls[0].name, reply.tool_calls[0].arguments)
        return parse_leaving(reply.text, self._form)

    def _action(self, reply: Completion, page: Page) -> Decision:
        if not reply.tool_calls:
            action = parse_action(reply.text, page)
            if self.acting is Acting.TOOLS and isinstance(action, BadAction):
                return BadAction(f"no tool was called; {_CALL}: {', '.join(page.possible)}.")
            return action
        name, arguments = reply.tool_calls[0].name, reply.tool_calls[0].arguments
        if name == LEAVING_TOOL and self.by_itself:
            return BadAction(f"{name} is not asked for now; {_CALL}: {', '.join(page.possible)}.")
        return parse_tool_call(name, arguments, page)

    @property
    def _form(self) -> Form:
        match self.acting:
            case Acting.TOOLS:
                return "call"
            case Acting.SCHEMA if not self.any_schema:
                return "object"
            case _:
                return "word"
