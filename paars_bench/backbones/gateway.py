"""Every language model is reached here, through LiteLLM: one call in, one typed completion out.

What a provider does wrong becomes an outcome. Only what no case could survive (wrong key, unknown model) is raised.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from paars_bench.backbones.acting import acting_as
from paars_bench.backbones.body import REASONING_HEADROOM, BodyMaker
from paars_bench.backbones.cache_key import CallKeys
from paars_bench.backbones.counted import usage_of
from paars_bench.backbones.door import Acting, Completion, Request, ToolCall, Traits, Usage
from paars_bench.backbones.endings import ending_of
from paars_bench.backbones.faults import fault_of, shortened
from paars_bench.backbones.litellm import import_litellm
from paars_bench.backbones.patience import PATIENCE, Patience
from paars_bench.backbones.redact import Redactor, secrets_of
from paars_bench.backbones.response_cache import ResponseCache
from paars_bench.boundary import unforeseen
from paars_bench.errors import PaarsError
from paars_bench.outcomes import POLICY, Outcome
from paars_bench.personas.history import estimate_tokens

LONGEST_WAIT = 120.0  # seconds; a daily limit asks for hours, and a resumed run is the answer to that


class BackboneUnusable(PaarsError):
    """No case can succeed: wrong key, no permission, unknown model. The run stops and keeps what is done."""

    exit_code = 4


class _Attempt(NamedTuple):
    """One call made, and the seconds that the provider asks to wait before the next."""

    completion: Completion
    retry_after: float | None = None


class LiteLLMBackbone:
    """A language model behind LiteLLM.

    Args:
        name: as the user typed it.
        model: the name LiteLLM knows.
        options: sent with every call (``api_base``, ``api_key``, ``timeout``, …).
        traits: what is known of the model beforehand (the local one), or None to ask LiteLLM.
        attempts: calls made at most for one request.
        acting: how it is to act in sessions, where ``traits`` do not say; None: the first way that LiteLLM lists.
        cache: keeps replies and serves them again; None keeps none.
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
        cache: ResponseCache | None = None,
    ) -> None:
        self._litellm = import_litellm()
        self._model = model
        self._options = {"timeout": 120.0, **options}
        self._attempts = attempts
        self._redact = Redactor(secrets_of({k: str(v) for k, v in options.items()}))
        self._reasons = bool(self._litellm.supports_reasoning(model=model))
        self.not_sent: dict[str, str] = {}
        self.traits = traits or acting_as(self._ask_traits(name), acting)
        self._body = BodyMaker(self._litellm, self._options, self.traits, self.not_sent, reasons=self._reasons)
        self._cache = cache
        self._keys = CallKeys(self._litellm, self._options, self.traits)
        self._free = self.traits.details.get("cost") == "none"

    def _ask_traits(self, name: str) -> Traits:
        litellm, model = self._litellm, self._model
        details: dict[str, str] = {}
        info: Mapping[str, Any] = {}
        with unforeseen():  # LiteLLM raises a bare Exception for a model it has no entry for
            info = litellm.get_model_info(model)
        context = info.get("max_input_tokens") or 0
        if not context:
            context = 32_000
            details["context"] = "not known to LiteLLM, taken as 32,000 tokens"
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
            BackboneUnusable: no request can succeed (wrong key, no permission, unknown model).
            PaarsError: the cache has no reply and none can be asked for (no key, no model).
        """
        import openai
        import tenacity

        entry = self._cache.entry(self._keys, self._body(request), request.draw) if self._cache else None
        if entry is not None and entry.reply is not None:
            return entry.reply
        usage = Usage()
        last: _Attempt | None = None
        patience = PATIENCE.get() or Patience()
        retrying = tenacity.AsyncRetrying(
            sleep=patience.sleep,
            retry=tenacity.retry_if_result(lambda a: POLICY[a.completion.outcome].retried),
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=_Backoff(),
            retry_error_callback=lambda state: None,  # the last failure is the outcome
        )
        async for attempt in retrying:
            state = attempt.retry_state
            over = patience.over if last is not None else None
            if last is not None and over is not None:
                why = last.completion.error or last.completion.outcome
                cut = replace(last.completion, outcome=over, error=f"not tried again: {why}")
                return replace(cut, usage=usage, attempts=state.attempt_number - 1)
            started = time.perf_counter()
            try:
                last = _Attempt(self._read(await self._litellm.acompletion(**self._body(request)), request))
            except openai.OpenAIError as error:  # the root of everything LiteLLM raises for a call
                last = self._failed(error)
            usage += last.completion.usage
            state.set_result(last)
        assert last is not None, "the first attempt is always made"
        done = replace(
            last.completion,
            usage=usage,
            latency_ms=(time.perf_counter() - started) * 1000,
            attempts=state.attempt_number,
        )
        return done if entry is None else entry.keep(done)

    def _failed(self, error: Exception) -> _Attempt:
        fault = fault_of(error, self._litellm.exceptions)
        words = shortened(self._redact(fault.words))
        if fault.hopeless:
            raise BackboneUnusable(
                f"--model {self._model}: {fault.hopeless} ({words.rstrip('.')}); stopped, what is done is kept"
            ) from None
        return _Attempt(Completion("", fault.outcome, error=words), fault.retry_after)

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
        return usage_of(
            getattr(reply, "usage", None),
            prompt=json.dumps([*request.messages, *(request.tools or ())], ensure_ascii=False, default=str),
            said=said,
            cost=0.0 if self._free else hidden.get("response_cost"),
            price=self._price,
        )

    def _price(self, sent: int, came: int) -> float | None:
        if self._free:
            return 0.0
        if not self.traits.priced:
            return None
        return float(sum(self._litellm.cost_per_token(self._model, prompt_tokens=sent, completion_tokens=came)))

    async def aclose(self) -> None:
        """Closes LiteLLM's connections and the cache."""
        if self._cache is not None:
            self._cache.close()
        await self._litellm.close_litellm_async_clients()


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


def _sound(text: str | None) -> str:
    """Returns a provider's text without lone surrogates, which JSON can hold and no file or tokenizer can."""
    return (text or "").encode("utf-8", "replace").decode()
