"""In the place of a model: measures every request of a run and answers as the human of the case did, for nothing.

So an estimate comes out of the code that asks: the same prompts, pages and questions to leave, at the same lengths.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

from paars_bench.backbones.baselines import scripted_backbone
from paars_bench.backbones.door import Backbone, Completion, Request
from paars_bench.backbones.sizes import Sizer
from paars_bench.outcomes import Outcome
from paars_bench.store import leaving_question
from paars_bench.store.leaving import Form

# Characters of the texts of a mined persona. SmolLM2, demo, 20 personas: see docs/cost.md.
_REASONING, _WORDS = 260, 20
_TEXT = "This customer buys for the home and the family, compares prices and reads reviews before a choice is made. "
_LEAVING = tuple(leaving_question(form) for form in get_args(Form))


class Call(NamedTuple):
    """One call, in tokens.

    Attributes:
        sent: of the prompt.
        shared: of it, those that begin one of the two calls before as well: a provider may have them in its cache.
        marked: of it, those before the last mark for the provider's cache; 0 where it needs none.
        came: of the reply, had the human given it.
        most: of the reply at most.
    """

    sent: int
    shared: int
    marked: int
    came: int
    most: int


class StandIn:
    """A backbone that asks nobody.

    Args:
        model: in whose place it stands.
        sizer: measures requests to it.

    Attributes:
        calls: made since ``begin``.
        remarks: none, since nobody was asked.
    """

    def __init__(self, model: Backbone, sizer: Sizer) -> None:
        self.traits = model.traits
        self.not_sent = sizer.not_sent
        self.calls: list[Call] = []
        self.remarks = ()
        self._model, self._sizer = model, sizer
        self._before = ["", ""]  # questions to leave come between, and may bring other tools
        self._answers = [scripted_backbone(name) for name in ("human", "first")]

    def begin(self, before: str = "") -> None:
        """Begins to count anew, after a call with this text."""
        self.calls, self._before = [], ["", before]

    def text(self, request: Request) -> str:
        """Returns a request as it would be sent, as one text."""
        return self._sizer.measure(request).text

    async def complete(self, request: Request) -> Completion:
        """Measures a request and answers it as the human of its case did, or nearly."""
        sized = self._sizer.measure(request)
        same = max(_alike(text, sized.text) for text in self._before) / len(sized.text)
        reply = await self._reply(request)
        came = self._sizer.count(reply) + 1  # its end is a token too
        shared = int(same * sized.tokens)
        shared = min(shared, sized.marked) if self._sizer.marks else shared
        self.calls.append(Call(sized.tokens, shared, sized.marked, came, sized.most))
        self._before = [self._before[1], sized.text]
        return Completion(reply)

    async def _reply(self, request: Request) -> str:
        if request.role == "persona":
            assert request.reply_schema is not None
            return json.dumps({k: _filled(k, v) for k, v in request.reply_schema["properties"].items()})
        human, other = [await answer.complete(request) for answer in self._answers]
        if request.messages[-1]["content"].endswith(_LEAVING):
            done = human if human.outcome is Outcome.OK else other
            return "leave" if '"leave"' in done.text else "stay"
        return human.text if human.outcome is Outcome.OK else other.text

    def count_tokens(self, text: str) -> int:
        """Returns what the model would: histories are cut by it."""
        return self._model.count_tokens(text)

    async def aclose(self) -> None:
        """Holds nothing to free."""


def _alike(one: str, other: str) -> int:
    """Returns with how many equal characters two texts begin."""
    return bisect_left(range(1, min(len(one), len(other)) + 1), True, key=lambda n: one[:n] != other[:n])


def _filled(name: str, schema: Mapping[str, Any]) -> Any:
    """Returns a value of a persona as long as they are on average."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "array":
        return [_TEXT[:_WORDS]] * 3
    return (_TEXT * 4)[:_REASONING] if name == "reasoning" else _TEXT[:_WORDS]
