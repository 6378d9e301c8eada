"""The side of the backbone in one session: writes its prompts, reads its replies, keeps what they took."""

from __future__ import annotations

from paars_bench.backbones.door import Backbone, Completion, Message, Request, Usage
from paars_bench.data.schema import Event
from paars_bench.seeds import derive
from paars_bench.store import Decision, Page, Session, Shop, Stop
from paars_bench.tasks.acting import Manner
from paars_bench.tasks.memory import Memory
from paars_bench.tasks.question import Asker, Question, request_params
from paars_bench.tasks.render import prompt_sha256


class Shopper:
    """Who shops in one session.

    Args:
        question: of a task with sessions.
        head: the stable head of the prompt.
        backbone: who decides.
        asker: renderer and catalog.
        shop: the store, for scripted baselines.

    Attributes:
        transcript: the whole exchange; of two calls about one page the second is kept as the line that differs.
        first_prompt: digest of the first prompt.
        usage: of every call.
        paid: of it, what was not served from a cache.
        calls: made so far, ``cached`` of them served from one.
        latency_ms: spent waiting.
        attempts: calls made.
        last: the last reply.
        error: the backbone's words, where it failed.
        ignored: parallel calls that were not done.
        left_out: lines of memory that the longest prompt left out.
    """

    def __init__(self, question: Question, head: str, backbone: Backbone, asker: Asker, shop: Shop) -> None:
        self._question, self._asker, self._shop = question, asker, shop
        self._scripted = backbone.traits.scripted
        self._params = request_params(question)
        settings = question.spec.session
        self.manner = Manner.of(backbone.traits, settings)
        leaving = "own_call" if self.manner.by_itself else "in_reply"
        self._system: Message = {}
        self._stable: tuple[int, ...] = ()
        self._task = ""
        if asker.told:
            self._stable = asker.renderer.stable(head)
            self._system = {"role": "system", "content": asker.renderer.system(head)}
            self._task = asker.renderer.text(question.case, tools=self.manner.explanation, leaving=leaving)
        self._memory = Memory(asker.catalog, settings.memory_lines)
        self._said: Message = {}
        self._before = self._notice = ""
        self._same: tuple[int, ...] = ()
        self.transcript: list[Message] = [self._system] if asker.told else []
        self.first_prompt = self.last = ""
        self.calls = self.cached = 0
        self.usage, self.paid, self.latency_ms, self.attempts = Usage(), Usage(), 0.0, 0
        self.error: str | None = None
        self.ignored = self.left_out = 0

    def request(self, session: Session, events: list[Event]) -> Request:
        """Returns the call for the next decision; ``events`` are what was done so far."""
        page, leaving = session.page, session.asks_leaving
        messages = self._messages(page, events, leaving=leaving) if self._asker.told else []
        # One seed for all calls would make each of them draw the same random numbers.
        seed = derive(self._question.seed, "call", self.calls)
        self.calls += 1
        return Request(
            messages,
            params={**self._params, "seed": seed},
            draw=seed,
            stable=(self._stable, self._same),
            situation=self._asker.situation(self._question, page, session.turns, self._shop),
            **({} if self._scripted else self.manner.constraints(page, leaving=leaving)),
        )

    def _messages(self, page: Page, events: list[Event], *, leaving: bool) -> list[Message]:
        memory = self._memory.text(events)
        self.left_out = max(self.left_out, self._memory.left_out)
        before = f"{self._task}\n\nDone so far:\n{memory}\n\nThe page you see:\n{self._notice}{page.text}\n\n"
        line = self.manner.last_line(leaving=leaving)
        two_calls = leaving or before == self._before  # about one page: whether to leave, then what to do there
        self._same = (len(self._task), len(before)) if two_calls else (len(self._task),)
        self._said = {"role": "user", "content": line if before == self._before else before + line}
        self._before = before
        messages = [self._system, {"role": "user", "content": before + line}]
        self.first_prompt = self.first_prompt or prompt_sha256(messages)
        return messages

    def read(self, reply: Completion, session: Session) -> Decision:
        """Returns what a reply decides, and counts what it took."""
        self.usage += reply.usage
        self.paid += reply.paid
        self.cached += reply.cached
        self.latency_ms += reply.latency_ms
        self.attempts += reply.attempts
        self.last = _reply_text(reply)
        if self._asker.told:
            self.transcript += [self._said, {"role": "assistant", "content": self.last}]
        ignored = max(0, len(reply.tool_calls) - 1)
        self.ignored += ignored
        self._notice = f"Only the first of your {ignored + 1} calls was done: one at a time.\n" if ignored else ""
        decision = self.manner.read(reply, session.page, leaving=session.asks_leaving)
        self.error = reply.error if isinstance(decision, Stop) else None
        return decision


def _reply_text(reply: Completion) -> str:
    calls = "".join(f"\n[tool call] {c.name} {c.arguments}" for c in reply.tool_calls)
    return (reply.text + calls).strip()
