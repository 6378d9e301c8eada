"""What a run will take, before it is asked: calls, tokens and dollars of each task and condition.

A seeded sample of the owed questions is put to a stand-in for the model. Visits are walked as the humans of the cases
walked them; how many calls they all take is read off all of their logs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from paars_bench.backbones.aliases import resolve
from paars_bench.backbones.door import Request
from paars_bench.backbones.open import OWN_ARGS
from paars_bench.backbones.prices import Prices
from paars_bench.backbones.remote import RemoteBackbone
from paars_bench.backbones.sizes import Sizer
from paars_bench.boundary import unforeseen
from paars_bench.outcomes import Outcome
from paars_bench.run.heads import Heads
from paars_bench.run.loop import run_to_end
from paars_bench.run.plan import Plan
from paars_bench.run.sample import MINING_CALLS, Part, parts_of
from paars_bench.run.schedule import Work
from paars_bench.run.stand_in import Call, StandIn
from paars_bench.tasks.ask import ASK
from paars_bench.tasks.question import Question

MINING = "persona mining"
_FEW, _MANY = 0.1, 0.9
"""Quantiles of the humans' visits between which agents' are expected to last."""


class Measured(NamedTuple):
    """What the stand-in was asked for a sample, and the share of the sample that could be asked at all."""

    calls: list[Call]
    asked: float


def say_estimate(plan: Plan, work: Work) -> None:
    """Says in a line what a run at a provider will take, and which cap will stop it before its end."""
    if resolve(work.spec.model).kind != "litellm":
        return
    if isinstance(work.backbone, RemoteBackbone) and not work.backbone.traits.priced:
        return  # LiteLLM would be imported once more to count tokens that have no price: --dry_run does
    from paars_bench.report.estimate_table import caps_met, in_short

    with unforeseen() as caught:  # nothing that an estimate needs may cost the run
        told = estimate(plan, work)
        if not told["rows"]:
            return
        spent, spec = work.account.spent, work.spec
        left = None if spec.max_cost is None else spec.max_cost - spent.dollars
        tokens = None if spec.max_tokens_total is None else spec.max_tokens_total - spent.tokens
        if spec.use_cache.reads:
            work.say(f"{in_short(told)}; what the cache holds takes nothing of it")
            return
        for line in (in_short(told), *caps_met(told, max_cost=left, max_tokens=tokens)):
            work.say(line)
    if caught.error is not None:
        work.say(f"no estimate of tokens and cost ({work.clean(caught.words)})")


def estimate(plan: Plan, work: Work) -> dict[str, Any]:
    """Returns what asking the questions that are owed would take, in plain JSON.

    Args:
        plan: of the run.
        work: what asking them needs.

    Returns:
        ``rows`` (one for each task and condition, and one for mining), their ``total``, by whose tokens they are
        ``counted_by``, whose ``prices`` they are, what would be ``not_sent``, whether the model ``thinks``, and how
        many calls are ``in_flight``.
        ``cached`` is expected if the provider caches; ``cost_usd`` is ``low`` with all of that cached, short replies
        and short visits, ``high`` without caching, with replies at their cap and long visits; None where LiteLLM
        knows no price.
    """
    traits = work.backbone.traits
    parts, mined = parts_of((q for q in plan.questions() if work.finished.owes(q)), work)
    if traits.scripted:
        rows = [_row(key, part, Measured([], 1.0), None) for key, part in parts.items()]
        return _told(rows, work)
    sizer = Sizer(traits, {k: v for k, v in work.spec.model_args.items() if k not in OWN_ARGS})
    prices = Prices(traits, batch=work.spec.batch)
    rows = []

    async def measure() -> None:
        stand_in = StandIn(work.backbone, sizer)
        heads = work.heads.mined_by(stand_in)
        rows.extend([_row(key, part, await _asked(part, work, heads, stand_in), prices) for key, part in parts.items()])
        if mined.calls:
            heads = work.heads.mined_by(stand_in)  # in which nobody of the sample is mined yet
            rows.append(_row((MINING, ""), mined, await _mined(mined, heads, stand_in), prices))

    run_to_end(measure(), lambda: None)
    return _told(rows, work) | {
        "provider": sizer.provider,
        "counted_by": sizer.counted_by,
        "prices": prices.source if prices.known else None,
        "not_sent": dict(sizer.not_sent),
        "thinks": prices.thinks,
    }


async def _asked(part: Part, work: Work, heads: Heads, stand_in: StandIn) -> Measured:
    calls: list[Call] = []
    asked = 0
    for _, _, question, before in part.drawn:
        head = await heads.head(question.condition, question.case)
        if head.outcome is not Outcome.OK:
            continue
        asker = work.askers[question.spec.task]
        stand_in.begin("" if before is None else await _prompt(before, work, heads, stand_in))
        await ASK[question.spec.output_type](question, head.text, stand_in, asker)
        calls += stand_in.calls
        asked += 1
    return Measured(calls, asked / len(part.drawn))


async def _prompt(question: Question, work: Work, heads: Heads, stand_in: StandIn) -> str:
    """Returns how the first prompt of a question begins: of a visit without what it says of acting."""
    head = await heads.head(question.condition, question.case)
    more = {"tools": "", "leaving": ""} if question.spec.output_type == "session" else {}
    messages = work.askers[question.spec.task].renderer.messages(head.text, question.case, **more)
    return stand_in.text(Request(messages))


async def _mined(part: Part, heads: Heads, stand_in: StandIn) -> Measured:
    calls: list[Call] = []
    for _, _, question, _ in part.drawn:
        stand_in.begin()
        await heads.head(question.condition, question.case)
        calls += stand_in.calls
    return Measured(calls, len(calls) / (MINING_CALLS * len(part.drawn)))


class _Mean(NamedTuple):
    """The mean call of a sample, in tokens.

    Attributes:
        sent: of the prompt.
        cached: of it, those that the provider may have in its cache.
        marked: of it, those that it is told to write there.
        written: of those, what it has to write although it reads the rest.
        said: of a reply as short as the human's.
        cap: of a reply at most.
    """

    sent: float = 0.0
    cached: float = 0.0
    marked: float = 0.0
    written: float = 0.0
    said: float = 0.0
    cap: float = 0.0

    def low(self, prices: Prices) -> float:
        """Returns the least that it may cost."""
        return prices.of_call(self.sent, self.said, cached=self.cached, written=self.written)

    def high(self, prices: Prices) -> float:
        """Returns the most that is expected."""
        return prices.of_call(self.sent, self.cap or self.said, cached=0.0, written=self.marked)


def _mean_call(calls: Sequence[Call], least: int) -> _Mean:
    """Returns the mean of calls; a beginning of fewer than ``least`` tokens is not cached."""
    if not calls:
        return _Mean()
    sent, _, _, said, cap = np.mean(calls, axis=0).tolist()
    shared, marked = np.array([(c.shared, c.marked) for c in calls]).T
    shared, marked = (np.where(tokens >= least, tokens, 0) for tokens in (shared, marked))
    cached, to_mark, written = (float(n.mean()) for n in (shared, marked, np.maximum(marked - shared, 0)))
    return _Mean(sent, cached, to_mark, written, said, cap)


def _row(key: tuple[str, str], part: Part, measured: Measured, prices: Prices | None) -> dict[str, Any]:
    """Returns a row: the mean call of the sample, times the calls of all."""
    each, calls = np.array(part.calls), measured.asked * sum(part.calls)
    least = most = calls
    if part.visits:
        least, most = (measured.asked * float(np.quantile(each, q)) * len(each) for q in (_FEW, _MANY))
    mean = _mean_call(measured.calls, 0 if prices is None else prices.least_cached)
    came = (mean.said + mean.cap) / 2 if part.free_text and mean.cap else mean.said
    cost: dict[str, float] | None = {"low": 0.0, "high": 0.0}
    if prices is not None:
        cost = {"low": least * mean.low(prices), "high": most * mean.high(prices)} if prices.known else None
    return {
        "task": key[0],
        "condition": key[1],
        "cases": len(each),
        "measured": len(part.drawn),
        "calls": round(calls),
        "calls_range": [round(least), round(most)],
        "input": round(calls * mean.sent),
        "cached": round(calls * mean.cached),
        "output": round(calls * came),
        "cost_usd": cost,
    }


def _told(rows: Sequence[Mapping[str, Any]], work: Work) -> dict[str, Any]:
    """Returns what there is to say of a baseline; of a model more is known."""
    traits = work.backbone.traits
    in_flight = work.spec.max_concurrency or traits.max_concurrency
    nothing: dict[str, Any] = {"provider": None, "counted_by": None, "prices": None, "not_sent": {}, "thinks": False}
    return {"model": traits.litellm_model, "rows": rows, "total": _total(rows), "in_flight": in_flight, **nothing}


def _total(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    costs = [row["cost_usd"] for row in rows]
    return {
        **{name: sum(row[name] for row in rows) for name in ("calls", "input", "cached", "output")},
        "cases": sum(row["cases"] for row in rows if row["task"] != MINING),
        "calls_range": [sum(row["calls_range"][end] for row in rows) for end in (0, 1)],
        "cost_usd": None if None in costs else {end: sum(c[end] for c in costs) for end in ("low", "high")},
    }
