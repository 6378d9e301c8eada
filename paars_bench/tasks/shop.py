"""A whole session in the store: the backbone sees a page, decides, and sees the next, until a typed end.

Every call's message holds the stable head, the intention, what was done so far and, last, the page: the prompt stays
short however long the session, and providers bill its head at the cached rate.
"""

from __future__ import annotations

from dataclasses import replace

from paars_bench.backbones.door import Backbone
from paars_bench.data.schema import event_json
from paars_bench.data.sessions import session_facts
from paars_bench.store import Session, SessionResult, Spending, Stop
from paars_bench.tasks.question import Asker, Question, blank_result
from paars_bench.tasks.result import CaseResult, session_name
from paars_bench.tasks.shopper import Shopper


async def play(question: Question, head: str, backbone: Backbone, asker: Asker) -> CaseResult:
    """Plays one session and returns how it ended, its events in the log schema.

    Args:
        question: of a task with sessions.
        head: the stable head of the prompt (``persona_block``).
        backbone: who shops.
        asker: renderer, catalog and store.
    """
    case, limits = question.case, question.spec.session
    name = session_name(question.spec.task, question.condition, question.repeat, case.session)
    shop = asker.open_shop(limits.store)
    shopper = Shopper(question, head, backbone, asker, shop)
    visit = shop.open(case.shopper, name, case.time, leaves=not shopper.manner.by_itself)
    caps = Spending(limits.max_tokens, limits.max_seconds, limits.max_cost)
    session = Session(visit, max_turns=limits.max_turns, max_errors=limits.max_errors, caps=caps)
    while session.result is None:
        began = asker.clock()
        reply = await backbone.complete(shopper.request(session, visit.events))
        seconds, used = asker.clock() - began if reply.seconds is None else reply.seconds, reply.usage
        session.take(shopper.read(reply, session))
        session.pay(tokens=used.input + used.output, seconds=seconds, cost=used.cost_usd)
        if session.result is None and asker.next_call is not None:
            cut = await asker.next_call(reply)
            if cut is not None:
                session.take(Stop(cut))
    return _result(question, shopper, session.result)


def _result(question: Question, shopper: Shopper, end: SessionResult) -> CaseResult:
    parsed = {
        "intention": question.case.values.get("intention") or None,
        "end": end.end and str(end.end),
        "cut": end.cut and str(end.cut),
        "turns": end.turns,
        "errors": end.errors,
        "leave_asks": end.leave_asks,
        "calls_ignored": shopper.ignored,
        "memory_left_out": shopper.left_out,
    }
    events = [event_json(e) for e in end.events]
    return replace(
        blank_result(question, end.outcome, shopper.error),
        parsed=parsed | session_facts(events).counts,
        reply=shopper.last,
        messages=shopper.transcript,
        prompt_sha256=shopper.first_prompt,
        events=events,
        usage=shopper.usage,
        paid=shopper.paid if shopper.cached else None,
        latency_ms=shopper.latency_ms,
        attempts=shopper.attempts,
        cached=0 < shopper.calls == shopper.cached,
    )
