"""The only door to a model: a request goes in, a completion comes out, whatever stands behind it.

``Backbone`` is implemented by the LiteLLM gateway and by the scripted baselines. A completion never raises for what a
provider did: it carries an outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from paars_bench.data.cases import Background, Case
from paars_bench.data.schema import Catalog
from paars_bench.outcomes import Outcome

_MOST_TOKENS, _MOST_USD = 10**15, 10**9
Message = dict[str, Any]
"""A chat message in the OpenAI format."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money of one or more calls.

    Attributes:
        input: tokens of the prompts, ``cached`` of them read from the provider's cache.
        output: tokens of the replies, ``reasoning`` of them thought and not said.
        cost_usd: None where the price is unknown.
        estimated: calls whose tokens the server did not count: they are estimated from the text.
    """

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    cost_usd: float | None = 0.0
    estimated: int = 0

    def __add__(self, other: Usage) -> Usage:
        known = self.cost_usd is not None and other.cost_usd is not None
        return Usage(
            self.input + other.input,
            self.cached + other.cached,
            self.output + other.output,
            self.reasoning + other.reasoning,
            (self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None,
            self.estimated + other.estimated,
        )

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Usage:
        """Returns the usage of a row that was written to disk.

        Raises:
            TypeError: a key is unknown or a value is no number.
            ValueError: a number is negative or beyond what anybody could use.
        """
        usage = cls(**row)
        counts = (usage.input, usage.cached, usage.output, usage.reasoning, usage.estimated)
        if not all(type(count) is int for count in counts) or type(usage.cost_usd) not in (int, float, type(None)):
            raise TypeError("usage is no numbers")
        if not (min(counts) >= 0 and max(counts) <= _MOST_TOKENS and 0 <= (usage.cost_usd or 0.0) <= _MOST_USD):
            raise ValueError("usage is negative or too large")
        return usage


@dataclass(frozen=True, slots=True)
class Situation:
    """What a scripted baseline may see instead of text: a model never receives it.

    Attributes:
        case: the case asked, with what the human did.
        catalog: the shop's products.
        seed: of this case, condition and repeat.
        page: in a session, the store page now shown (``paars_bench.store.Page``).
        turn: in a session, how many actions were made before.
        shop: in a session, the store (``paars_bench.store.Shop``).
        dataset: the data set with its options in full, as in ``demo:products=3000,seed=0,shoppers=600``.
        background: gives what an agent may know of a shopper.
    """

    case: Case
    catalog: Catalog
    seed: int
    page: Any = None
    turn: int = 0
    shop: Any = None
    dataset: str = ""
    background: Callable[[str], Background] | None = None


class Acting(StrEnum):
    """How a backbone acts in a session."""

    TOOLS = "tools"
    SCHEMA = "schema"
    TEXT = "text"

    @property
    def meaning(self) -> str:
        """In words, for the screen."""
        return {
            Acting.TOOLS: "native tool calls",
            Acting.SCHEMA: "JSON held to a schema",
            Acting.TEXT: "JSON in free text, as the prompt explains",
        }[self]


@dataclass(frozen=True, slots=True)
class Request:
    """One call to a backbone.

    Attributes:
        messages: chat messages, the stable prefix (system, history, persona) first.
        params: temperature, max_tokens, seed, stop, in LiteLLM's names.
        reply_schema: JSON schema that the reply must follow, where the backbone can do that.
        tools: tool definitions in the OpenAI format, where the backbone can call tools; it is made to call one, as far
            as its provider can make it.
        tool: the one of them that it is made to call; None: any.
        draw: tells calls apart that ask the same: of a repeated question each is a draw of its own.
        stable: of each message, the places in its text up to which other calls begin alike, in characters and in
            order; for providers that cache what is marked. Messages after the last such place may be left out.
        role: which part of the run pays for it: ``task`` or ``persona``.
        situation: for scripted baselines only.
    """

    messages: Sequence[Message]
    params: Mapping[str, Any] = field(default_factory=dict)
    reply_schema: Mapping[str, Any] | None = None
    tools: Sequence[Mapping[str, Any]] | None = None
    tool: str | None = None
    draw: int = 0
    stable: Sequence[Sequence[int]] = ()
    role: str = "task"
    situation: Situation | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call of a reply; ``arguments`` is the raw JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back.

    Attributes:
        text: the reply's text, "" if there was none.
        outcome: ``ok``, or what went wrong at the provider.
        tool_calls: in the order given.
        usage: of this call, every attempt counted; of a reply from the cache as it was when that was made.
        latency_ms: of the last attempt.
        attempts: calls made, at least 1.
        cached: served from the response cache.
        seconds: that its call took when it was made, waits between attempts included; None where no cache is used.
        error: the provider's words, without keys, where the outcome is a failure.
    """

    text: str
    outcome: Outcome = Outcome.OK
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    latency_ms: float = 0.0
    attempts: int = 1
    cached: bool = False
    seconds: float | None = None
    error: str | None = None

    @property
    def paid(self) -> Usage:
        """What it cost now: nothing where it was served from the cache."""
        return Usage() if self.cached else self.usage


def paid_of(replies: Iterable[Completion]) -> Usage | None:
    """Returns what some replies cost now; None where that is all their usage, since none came from the cache."""
    listed = list(replies)
    return sum((r.paid for r in listed), Usage()) if any(r.cached for r in listed) else None


@dataclass(frozen=True, slots=True)
class Traits:
    """What a backbone can do.

    Attributes:
        name: as the user typed it.
        litellm_model: the name LiteLLM knows, or ``scripted/NAME``.
        scripted: a baseline: reads the situation, not the messages; no persona is mined for it.
        context_tokens: room for prompt and reply together.
        tools: native tool calling.
        reply_schema: replies can be constrained to a JSON schema.
        any_schema: to one of any form; else to a flat object only.
        acting: how it is to act in sessions; None: by the first of tools, schema and text that it can.
        max_concurrency: calls it can usefully serve at once.
        priced: the cost of a call is known, nothing included; a cap on money can act.
        details: what a reader needs to know (file, quantisation, digest), shown in results.
    """

    name: str
    litellm_model: str
    scripted: bool
    context_tokens: int
    tools: bool
    reply_schema: bool
    max_concurrency: int = 16
    priced: bool = True
    details: Mapping[str, str] = field(default_factory=dict)
    any_schema: bool = False
    acting: Acting | None = None

    @property
    def acts_by(self) -> Acting:
        """How it acts in sessions."""
        if self.acting is not None:
            return self.acting
        return Acting.TOOLS if self.tools else Acting.SCHEMA if self.reply_schema else Acting.TEXT


class Backbone(Protocol):
    """A language model or a baseline."""

    traits: Traits
    not_sent: dict[str, str]
    """Parameters that were asked for and that the provider does not take, with the reason; it fills during a run."""

    @property
    def remarks(self) -> Sequence[str]:
        """What the calls so far taught about the provider, in words for the end of a run."""
        ...

    async def complete(self, request: Request) -> Completion:
        """Answers one request; never raises for what a provider did."""
        ...

    def count_tokens(self, text: str) -> int:
        """Returns the length of ``text`` in the backbone's tokens, or an upper estimate where unknown."""
        ...

    async def aclose(self) -> None:
        """Frees connections and models."""
        ...
