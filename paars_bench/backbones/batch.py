"""Stands in for LiteLLM's chat call where requests go in batches: half the price, and replies within a day.

LiteLLM itself makes the request and reads the reply, as for any call: it is given an HTTP client that sends nothing.
The first time the client keeps what would be sent; the second time, hours later, it answers what the batch brought.
So parameters, outcomes and usage are those of a call that is not batched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpx

from paars_bench.backbones.batch_calls import BatchCalls
from paars_bench.backbones.batch_log import BatchLog, Lines
from paars_bench.backbones.batch_provider import BATCH_PATHS, BatchProvider, Reply
from paars_bench.backbones.batch_rounds import ROUND, Rounds
from paars_bench.backbones.cache_key import CallKeys
from paars_bench.backbones.patience import PATIENCE, Patience
from paars_bench.backbones.redact import Redactor, secrets_of
from paars_bench.boundary import unforeseen
from paars_bench.errors import PaarsError, UsageError

_NOWHERE = "http://batch.invalid"
_AT_ONCE = 16  # calls inside LiteLLM; without this bound a request in flight took 73 kB of memory, with it 24
_KEY = 32  # characters of a request's name in a batch; providers take 64
_CANNED = Reply(
    200,
    {
        "id": "none",
        "object": "chat.completion",
        "created": 0,
        "model": "none",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "none"}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    },
)


@dataclass(slots=True)
class _Exchange:
    """What LiteLLM would send, and what it is answered."""

    reply: Reply
    path: str = ""
    sent: bytes = b""

    def taken(self) -> bytes:
        """Returns what would be sent, and holds it no longer."""
        sent, self.sent = self.sent, b""
        return sent


_EXCHANGE: ContextVar[_Exchange] = ContextVar("_EXCHANGE")


class _NoWire(httpx.AsyncBaseTransport):
    """Takes what a client would send and answers what the exchange of this call says."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _EXCHANGE.get()
        exchange.sent, exchange.path = await request.aread(), request.url.path
        return httpx.Response(exchange.reply.status, json=dict(exchange.reply.body), request=request)


class Batches:
    """The batches of one run.

    Args:
        litellm: the module.
        model: the name LiteLLM knows.
        options: of ``--model_args``.
        lines: of ``batches.jsonl`` in the run folder.
        say: says one line.

    Raises:
        UsageError: LiteLLM has no way to send batches to this provider.
    """

    in_flight = ROUND
    """Calls under way at once, where ``--max_concurrency`` says no other number."""

    def __init__(
        self, litellm: Any, model: str, options: Mapping[str, Any], lines: Lines, say: Callable[[str], None]
    ) -> None:
        route, provider, *_ = litellm.get_llm_provider(model, api_base=options.get("api_base"))
        _refuse(litellm, model, provider)
        self._litellm, self._model, self._provider = litellm, route, provider
        self._client, self._few = _client(provider, options), asyncio.Semaphore(_AT_ONCE)
        clean = Redactor(secrets_of({k: str(v) for k, v in options.items()}))
        sender = BatchProvider(litellm, provider, options)
        self._rounds = Rounds(sender, BatchCalls(sender, say, litellm.exceptions, clean), BatchLog(lines), say)

    async def acompletion(self, keys: CallKeys, draw: int, /, **body: Any) -> Any:
        """Returns LiteLLM's reply to a request that goes with the next batch, or lies in an earlier one.

        Args:
            keys: of this backbone's calls.
            draw: tells requests apart that ask the same.
            **body: as for ``litellm.acompletion``.

        Raises:
            asyncio.CancelledError: the run is over first, and the question has not ended.
        """
        asked, patience = _Exchange(_CANNED), PATIENCE.get() or Patience()
        async with self._few:
            if patience.over is not None:
                raise asyncio.CancelledError
            await self._call(asked, body)
        if not asked.path.endswith("/chat/completions"):
            raise PaarsError(
                f"--batch: LiteLLM reaches {self._model} by {asked.path or 'another client'}, and batches hold chat "
                "requests; leave --batch out"
            )
        key = keys.of(body, draw).hex()[:_KEY]
        reply = await self._rounds.reply(key, asked.taken(), patience)
        async with self._few:
            answered = await self._call(_Exchange(reply), body)
        answered._hidden_params["response_cost"] = self._price(answered)
        return answered

    @property
    def price_listed(self) -> bool:
        """Whether LiteLLM lists what batches of this model cost."""
        info: Mapping[str, Any] = {}
        with unforeseen():  # LiteLLM raises a bare Exception for a model it has no entry for
            info = self._litellm.get_model_info(self._model, custom_llm_provider=self._provider)
        return info.get("input_cost_per_token_batches") is not None

    @property
    def remarks(self) -> tuple[str, ...]:
        """Which batches go on at the provider, in words."""
        return tuple(
            f"batch {name} goes on at the provider; the same command takes its replies"
            for name in self._rounds.open_batches()
        )

    async def aclose(self) -> None:
        """Follows no batch any longer."""
        await self._rounds.aclose()
        await self._client.close()

    async def _call(self, exchange: _Exchange, body: Mapping[str, Any]) -> Any:
        nowhere = {"client": self._client, "max_retries": 0}
        if self._provider == "azure":  # LiteLLM keeps an Azure client by its address, for later calls too
            nowhere |= {"api_base": _NOWHERE, "api_key": "none"}
        _EXCHANGE.set(exchange)
        return await self._litellm.acompletion(**{**body, **nowhere})

    def _price(self, answered: Any) -> float | None:
        """Returns US dollars at the price of batches, at half the price where LiteLLM lists no other."""
        usage = getattr(answered, "usage", None)
        if usage is None:
            return None
        cost = self._litellm.cost_calculator.batch_cost_calculator(
            usage=usage, model=self._model, custom_llm_provider=self._provider
        )
        return float(sum(cost))


def _refuse(litellm: Any, model: str, provider: str) -> None:
    if provider not in BATCH_PATHS:
        able = " and ".join(f"{name}/…" for name in BATCH_PATHS)
        raise UsageError(
            f"--batch: no batches of {model} (provider {provider}); they are sent to {able}, a server with OpenAI's "
            "/files and /batches included (openai/MODEL with --model_args api_base=…); leave --batch out"
        )
    if litellm.model_cost.get(model.removeprefix("openai/"), {}).get("mode") == "responses":
        raise UsageError(
            f"--batch: {model} is reached by /responses, and batches hold chat requests; leave --batch out"
        )


def _client(provider: str, options: Mapping[str, Any]) -> Any:
    import openai

    http = httpx.AsyncClient(transport=_NoWire())
    if provider == "azure":
        version = str(options.get("api_version") or "none")
        return openai.AsyncAzureOpenAI(
            api_key="none", azure_endpoint=_NOWHERE, api_version=version, http_client=http, max_retries=0
        )
    return openai.AsyncOpenAI(api_key="none", base_url=f"{_NOWHERE}/v1", http_client=http, max_retries=0)
