"""A whole session in the store: the backbone sees a page, acts, and sees the next, until a typed end.

Every turn is one call whose message holds the stable head, the intention, what was done so far and, last, the page: the
prompt stays short however long the session, and providers bill its head at the cached rate.
"""

from __future__ import annotations

from dataclasses import replace

from paars_bench.backbones.door import Backbone, Completion, Message, Request, Usage
from paars_bench.data.schema import event_json
from paars_bench.data.sessions import session_counts
from paars_bench.outcomes import Outcome
from paars_bench.personas.history import event_words
from paars_bench.store import (
    BadAction,
    Decision,
    Page,
    Session,
    SessionResult,
    Shop,
    Stop,
    Visit,
    action_schema,
    actions_text,
    parse_action,
    parse_tool_call,
    tool_schemas,
)
from paars_bench.tasks.question import Asker, Question, blank_result, request_params
from paars_bench.tasks.render import prompt_sha256
from paars_bench.tasks.result import CaseResult

_AGENT = "agent"


class _Player:
    """The side of the backbone in one session: writes the prompts, reads the replies, keeps the account."""

    def __init__(
        self, question: Question, head: str, backbone: Backbone, asker: Asker, shop: Shop, visit: Visit
    ) -> None:
        self._question, self._backbone, self._asker, self._shop, self._visit = question, backbone, asker, shop, visit
        self._params = request_params(question)
        self._catalog = asker.catalog
        self._system: Message = {"role": "system", "content": asker.renderer.system(head)}
        tools = "" if backbone.traits.tools else actions_text()
        self._task = asker.renderer.text(question.case, tools=tools)
        self.transcript: list[Message] = [self._system]
        self._user: Message = {}
        self.first_prompt: str = ""
        self.usage = Usage()
        self.latency_ms = 0.0
        self.attempts = 0
        self.last = ""
        self.error: str | None = None

    def request(self, page: Page, turn: int) -> Request:
        """Returns the call that asks for the next action."""
        self._user = {"role": "user", "content": self._prompt(page)}
        messages = [self._system, self._user]
        self.first_prompt = self.first_prompt or prompt_sha256(messages)
        return Request(
            messages,
            # One seed for all turns would make every turn draw the same random numbers.
            params={**self._params, "seed": self._question.seed + turn},
            reply_schema=None if self._backbone.traits.scripted else action_schema(page),
            tools=tool_schemas() if self._backbone.traits.tools else None,
            situation=self._asker.situation(self._question, page, turn, self._shop),
        )

    def read(self, reply: Completion) -> Decision:
        """Returns what a reply decides, and counts what it took."""
        self.usage += reply.usage
        self.latency_ms += reply.latency_ms
        self.attempts += reply.attempts
        self.last = _reply_text(reply)
        self.transcript += [self._user, {"role": "assistant", "content": self.last}]
        if reply.outcome not in (Outcome.OK, Outcome.TRUNCATED):
            self.error = reply.error
            return Stop(reply.outcome)
        if reply.tool_calls:
            # Only the first of parallel calls: the page that the second was meant for no longer shows.
            return parse_tool_call(reply.tool_calls[0].name, reply.tool_calls[0].arguments)
        action = parse_action(reply.text)
        if isinstance(action, BadAction) and reply.outcome is Outcome.TRUNCATED:
            return Stop(Outcome.TRUNCATED)
        return action

    def _prompt(self, page: Page) -> str:
        done = [w for e in self._visit.events if (w := event_words(e, self._catalog))]
        memory = "\n".join(f"{n}. {words}" for n, words in enumerate(done, 1)) or "nothing yet"
        ask = "Your next action:" if self._backbone.traits.tools else "Your next action, as JSON:"
        return f"{self._task}\n\nDone so far:\n{memory}\n\nThe page you see:\n{page.text}\n\n{ask}"


async def play(question: Question, head: str, backbone: Backbone, asker: Asker) -> CaseResult:
    """Plays one session and returns how it ended, its events in the log schema.

    Args:
        question: of a task with sessions.
        head: the stable head of the prompt (``persona_block``).
        backbone: who shops.
        asker: renderer, catalog and store.
    """
    case, limits = question.case, question.spec.session
    name = f"{_AGENT}/{question.spec.task}/{question.condition}/{question.repeat}/{case.session}"
    shop = asker.open_shop(limits.page_size)
    visit = shop.open(case.shopper, name, case.time)
    session = Session(visit, max_turns=limits.max_turns, max_errors=limits.max_errors)
    player = _Player(question, head, backbone, asker, shop, visit)
    while session.result is None:
        reply = await backbone.complete(player.request(session.page, session.turns))
        session.take(player.read(reply))
        if session.result is None and asker.next_call is not None:
            cut = await asker.next_call(reply.usage)
            if cut is not None:
                session.take(Stop(cut))
    return _result(question, player, session.result)


def _result(question: Question, player: _Player, end: SessionResult) -> CaseResult:
    return replace(
        blank_result(question, end.outcome, player.error),
        parsed={"end": end.end and str(end.end), "turns": end.turns, "errors": end.errors} | session_counts(end.events),
        reply=player.last,
        messages=player.transcript,
        prompt_sha256=player.first_prompt,
        events=[event_json(e) for e in end.events],
        usage=player.usage,
        latency_ms=player.latency_ms,
        attempts=player.attempts,
    )


def _reply_text(reply: Completion) -> str:
    calls = "".join(f"\n[tool call] {c.name} {c.arguments}" for c in reply.tool_calls)
    return (reply.text + calls).strip()
