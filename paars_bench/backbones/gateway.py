"""Every language model is reached here, through LiteLLM: one call in, one typed completion out.

What a provider does wrong becomes an outcome. Only what no case could survive (wrong key, unknown model) is raised.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from paars_bench.backbones.acting import acting_as
from paars_bench.backbones.attempts import ATTEMPTS, Attempt
from paars_bench.backbones.body import REASONING_HEADROOM, BodyMaker
from paars_bench.backbones.cache_key import CallKeys
from paars_bench.backbones.counted import Counted, usage_of
from paars_bench.backbones.door import Acting, Completion, Request, ToolCall, Traits, Usage
from paars_bench.backbones.endings import ending_of
from paars_bench.backbones.faults import fault_of, shortened
from paars_bench.backbones.litellm import import_litellm
from paars_bench.backbones.patience import PATIENCE, Patience
from paars_bench.backbones.redact import Redactor, secrets_of
from paars_bench.backbones.response_cache import ResponseCache
from paars_bench.backbones.route import Route, route_of, unpriced, unrecorded
from paars_bench.backbones.throttle import LONGEST_WAIT, UNLIMITED, Gate, Throttle
from paars_bench.boundary import unforeseen
from paars_bench.errors import BackboneUnusable
from paars_bench.outcomes import POLICY, Outcome
from paars_bench.personas.history import estimate_tokens

if TYPE_CHECKING:
    from paars_bench.backbones.batch import Batches

DEADLINE = 600.0  # seconds for a request, all its attempts and waits together
MOST_FAILED = 25  # requests one after another, each after every retry: the provider is broken, not a case


class _Attempt(NamedTuple):
    """One call made.

    Attributes:
        completion: what came of it.
        retry_after: seconds that the provider asks to wait before the next.
        crowded: it was refused because there were too many.
    """

    completion: Completion
    retry_after: float | None = None
    crowded: bool = False


@dataclass(slots=True)
class _Tries:
    """The calls made for one request so far.

    Attributes:
        number: how many.
        last: the last one.
        latency_ms: of that.
        usage: of all.
        over: the run ended before the next.
    """

    number: int = 0
    last: _Attempt | None = None
    latency_ms: float = 0.0
    usage: Usage = field(default_factory=Usage)
    over: bool = False

    def add(self, made: _Attempt, latency_ms: float) -> None:
        self.number, self.last, self.latency_ms = self.number + 1, made, latency_ms
        self.usage += made.completion.usage


class LiteLLMBackbone:
    """A language model behind LiteLLM.

    Args:
        name: as the user typed it.
        model: the name LiteLLM knows.
        options: sent with every call (``api_base``, ``api_key``, ``timeout``, …).
        traits: what is known of the model beforehand (the local one), or None to ask LiteLLM.
        attempts: calls made at most for one request.
        acting: how it is to act in sessions, where ``traits`` do not say; None: the first way that LiteLLM lists.
        deadline: seconds for one request, its attempts and waits together.
        calls_per_minute: begun at most; None: as many as the provider takes.
        gate: lets calls begin in the place of one's own; None: one's own.
        cache: keeps replies and serves them again; None keeps none.
        batches: through which calls go; None: each by itself.
    """

    def __init__(
        self,
        name: str,
        model: str,
        options: Mapping[str, Any],
        *,
        traits: Traits | None = None,
        attempts: int = 5,
        acting: Acting | None = None,
        deadline: float = DEADLINE,
        calls_per_minute: float | None = None,
        gate: Gate | None = None,
        cache: ResponseCache | None = None,
        batches: Batches | None = None,
    ) -> None:
        self._litellm = import_litellm()
        self._model = model
        self._attempts, self._deadline = attempts, deadline
        self._redact = Redactor(secrets_of({k: str(v) for k, v in options.items()}))
        self._reasons = bool(self._litellm.supports_reasoning(model=model))
        self.not_sent: dict[str, str] = {}
        info: Mapping[str, Any] = {}
        with unforeseen():  # LiteLLM raises a bare Exception for a model it has no entry for
            info = self._litellm.get_model_info(model)
        options = {"timeout": 120.0, **options}
        route = route_of(self._litellm, model, options) if batches is None else Route(model, options)
        self.traits = traits or acting_as(self._ask_traits(name, info, route), acting)
        if batches is not None:
            self.traits = replace(self.traits, max_concurrency=batches.in_flight)
        self._batches = batches
        self._body = BodyMaker(self._litellm, route, self.traits, self.not_sent, reasons=self._reasons)
        self._free = self.traits.details.get("cost") == "none"
        self._cache, self._keys = cache, CallKeys(self._litellm, options, self.traits)
        self._unrecorded = unrecorded()
        if route.light:
            unpriced(self._litellm, route.model)
        self._throttle: Gate
        if batches is None:
            self._throttle, self._breaker = gate or Throttle(calls_per_minute), _Breaker(model)
        else:  # all of a batch are under way at once, and an expired one is no sign of a broken provider
            self._throttle, self._breaker = Throttle(first=UNLIMITED), _Breaker(model, math.inf)

    def _ask_traits(self, name: str, info: Mapping[str, Any], route: Route) -> Traits:
        litellm, model = self._litellm, self._model
        details: dict[str, str] = {}
        context = info.get("max_input_tokens") or 0
        if not context:
            context = 32_000
            details["context"] = "not known to LiteLLM, taken as 32,000 tokens"
        if route.light:
            details["route"] = f"{route.model}, LiteLLM's lighter way to a server of this format"
        if self._reasons:
            details["max_tokens"] = f"raised by {REASONING_HEADROOM} for reasoning"
        return Traits(
            name=name,
            litellm_model=model,
            scripted=False,
            context_tokens=int(context),
            tools=bool(litellm.supports_function_calling(model=model)),
            reply_schema=bool(litellm.supports_response_schema(model=model)),
            priced=any(value for key, value in info.items() if "cost" in key),  # an absent price reads as 0 here
            details=details,
        )

    def count_tokens(self, text: str) -> int:
        """Returns an upper estimate of the tokens of ``text``, without loading a tokenizer."""
        return estimate_tokens(text)

    async def complete(self, request: Request) -> Completion:
        """Answers one request, retried while that can help.

        Raises:
            BackboneUnusable: no request can succeed (wrong key, no permission, unknown model), or none does.
            PaarsError: the cache has no reply and none can be asked for (no key, no model).
        """
        import openai

        entry = self._cache.entry(self._keys, self._body(request), request.draw) if self._cache else None
        if entry is not None and entry.reply is not None:
            return entry.reply
        patience = PATIENCE.get() or Patience()
        told, tries = ATTEMPTS.get(), _Tries()
        if self._unrecorded is not None:
            self._unrecorded.set(True)
        async for _ in self._turns(tries, patience):
            over = patience.over if tries.last is not None else None
            began = None if over is not None else await self._throttle.enter(patience)
            if began is None:
                tries.over = True
                continue
            room, last, started = self._throttle.limit, None, time.perf_counter()
            try:
                body = self._body.marked(request)
                if self._batches is None:
                    reply = await self._litellm.acompletion(**body)
                else:
                    reply = await self._batches.acompletion(self._keys, request.draw, **body)
                last = _Attempt(self._read(reply, request))
            except openai.OpenAIError as error:  # the root of everything LiteLLM raises for a call
                last = self._failed(error)
            finally:
                self._throttle.leave(began, refused=last is not None and last.crowded, wait=last and last.retry_after)
            latency_ms = (time.perf_counter() - started) * 1000
            tries.add(last, latency_ms)
            if told is not None:
                ended, why = last.completion.outcome, last.completion.error
                told(Attempt(request.role, tries.number, ended, latency_ms, room, last.retry_after, why))
        if tries.over or tries.last is None:
            return _not_tried(tries, patience.over)
        self._breaker.see(tries.last.completion)
        done = replace(tries.last.completion, usage=tries.usage, latency_ms=tries.latency_ms, attempts=tries.number)
        return done if entry is None else entry.keep(done)

    async def _turns(self, tries: _Tries, patience: Patience) -> AsyncIterator[None]:
        """Yields before each call to make; most requests need no second, and none of what makes one."""
        began = time.monotonic()
        yield
        if tries.over or tries.last is None or not POLICY[tries.last.completion.outcome].retried:
            return
        handed = False
        async for attempt in self._retrying(patience, self._deadline - (time.monotonic() - began)):
            if handed:
                yield
            if tries.over:
                return
            handed = True
            attempt.retry_state.set_result(tries.last)

    def _retrying(self, patience: Patience, seconds: float) -> Any:
        import tenacity

        return tenacity.AsyncRetrying(
            sleep=patience.sleep,
            retry=tenacity.retry_if_result(lambda a: POLICY[a.completion.outcome].retried),
            stop=_Enough(self._attempts, seconds),
            wait=_Backoff(),
            retry_error_callback=lambda state: None,  # the last failure is the outcome
        )

    def _failed(self, error: Exception) -> _Attempt:
        fault = fault_of(error, self._litellm.exceptions)
        words = shortened(self._redact(fault.words))
        if fault.hopeless:
            raise BackboneUnusable(
                f"--model {self._model}: {fault.hopeless} ({words.rstrip('.')}); stopped, what is done is kept"
            ) from None
        return _Attempt(Completion("", fault.outcome, error=words), fault.retry_after, fault.crowded)

    def _read(self, reply: Any, request: Request) -> Completion:
        if not getattr(reply, "choices", None):
            return Completion("", Outcome.EMPTY_OUTPUT, usage=self._usage(reply, request, ""), error="no choices")
        choice = reply.choices[0]
        text = self._redact.known(_sound(choice.message.content))
        calls = tuple(
            ToolCall(*(self._redact.known(_sound(part)) for part in (c.id, c.function.name, c.function.arguments)))
            for c in choice.message.tool_calls or ()
        )
        usage = self._usage(reply, request, text + "".join(f"{c.name} {c.arguments}" for c in calls))
        outcome, words = ending_of(choice)
        if outcome is Outcome.OK and not text.strip() and not calls:
            outcome = Outcome.EMPTY_OUTPUT
        return Completion(text, outcome, calls, usage, error=shortened(self._redact(words)) if words else None)

    def _usage(self, reply: Any, request: Request, said: str) -> Usage:
        hidden = getattr(reply, "_hidden_params", None) or {}
        cost = hidden.get("response_cost")
        return usage_of(
            getattr(reply, "usage", None),
            prompt=json.dumps([*request.messages, *(request.tools or ())], ensure_ascii=False, default=str),
            said=said,
            cost=0.0 if self._free else cost if cost or self.traits.priced else None,
            price=self._price,
        )

    def _price(self, counted: Counted) -> float | None:
        if self._free:
            return 0.0
        if not self.traits.priced:
            return None
        parts = self._litellm.cost_per_token(
            self._model,
            prompt_tokens=counted.sent,
            completion_tokens=counted.came,
            cache_read_input_tokens=counted.cached,
            cache_creation_input_tokens=counted.written,
        )
        return float(sum(parts))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the calls so far taught about the provider, in words."""
        return self._throttle.remarks if self._batches is None else self._batches.remarks

    async def aclose(self) -> None:
        """Closes LiteLLM's connections and the cache."""
        if self._batches is not None:
            await self._batches.aclose()
        if self._cache is not None:
            self._cache.close()
        await self._litellm.close_litellm_async_clients()


class _Enough:
    """Ends the attempts at a request: after so many, or when the next would begin too late.

    A call that was refused because there were too many costs the provider nothing and says nothing of the request:
    it is no attempt.
    """

    def __init__(self, attempts: int, deadline: float) -> None:
        self._left, self._deadline = attempts, deadline

    def __call__(self, retry_state: Any) -> bool:
        self._left -= not retry_state.outcome.result().crowded
        late = retry_state.seconds_since_start + retry_state.upcoming_sleep > self._deadline
        return self._left <= 0 or bool(late)


class _Backoff:
    """Waits as long as the provider asks (Retry-After), else exponentially, with jitter either way.

    Without jitter all calls that hit a limit together would come back together and hit it again.
    """

    def __call__(self, retry_state: Any) -> float:
        import tenacity

        ended = retry_state.outcome
        asked: float | None = ended.result().retry_after if ended is not None else None
        if asked is None:
            return float(tenacity.wait_random_exponential(multiplier=0.5, max=30)(retry_state))
        asked = min(asked, LONGEST_WAIT)
        return asked + float(tenacity.wait_random(0, asked / 10)(retry_state))


class _Breaker:
    """Stops a run whose requests all fail: asking on would turn every case into a failure.

    Raises:
        BackboneUnusable: from ``see``, so many requests one after another failed at the provider.
    """

    def __init__(self, model: str, most: float = MOST_FAILED) -> None:
        self._model, self._most, self._failed = model, most, 0

    def see(self, ended: Completion) -> None:
        """Counts how a request ended."""
        self._failed = self._failed + 1 if ended.outcome is Outcome.PROVIDER_ERROR else 0
        if self._failed >= self._most:
            raise BackboneUnusable(
                f"--model {self._model}: the last {self._failed} requests all failed at the provider, each after "
                f"every retry ({(ended.error or '').rstrip('.')}); stopped, what is done is kept"
            )


def _not_tried(tries: _Tries, over: Outcome | None) -> Completion:
    """Returns how a request ends whose next call was not made since the run is over."""
    why = "not asked: the run ended first" if tries.last is None else f"not tried again: {_why(tries.last.completion)}"
    return Completion("", over or Outcome.CANCELLED, usage=tries.usage, attempts=tries.number, error=why)


def _why(ended: Completion) -> str:
    return ended.error or str(ended.outcome)


def _sound(text: str | None) -> str:
    """Returns a provider's text without lone surrogates, which JSON can hold and no file or tokenizer can."""
    return (text or "").encode("utf-8", "replace").decode()
