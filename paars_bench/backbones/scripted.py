"""Scripted baselines behind the door: reference rows on every board, and shoppers that cost nothing.

They read the situation instead of the messages, and answer in the words a model would use, so their replies
go through the same parsing. A reply depends on the request alone: same seed, case, page and turn, same reply.
"""

from __future__ import annotations

from collections.abc import Sequence

from paars_bench.backbones.door import Completion, Request, Situation, Traits
from paars_bench.backbones.scripted_habits import (
    CannotAnswer,
    category_query,
    generator,
    most_reviewed,
    product,
    random_query,
)
from paars_bench.backbones.scripted_sessions import next_action
from paars_bench.data.cases import CaseKind
from paars_bench.outcomes import Outcome

_CONTEXT = 1_000_000_000  # messages are not read, so no prompt is too long


class ScriptedBackbone:
    """One of the baselines listed in ``baselines.SCRIPTED``."""

    def __init__(self, name: str) -> None:
        self.not_sent: dict[str, str] = {}
        self.remarks: tuple[str, ...] = ()
        self.traits = Traits(
            name=name,
            litellm_model=f"scripted/{name}",
            scripted=True,
            context_tokens=_CONTEXT,
            tools=False,
            reply_schema=True,
            max_concurrency=1,  # it never waits, and between two cases a signal can be heard
        )

    async def complete(self, request: Request) -> Completion:
        """Answers from the situation.

        Ends as ``env_error`` where there is nothing to answer from: no situation, a case whose product the
        catalog does not have, or a human session that the store cannot replay.
        """
        if request.situation is None:
            return _failed(f"the baseline {self.traits.name} needs a situation, not messages")
        try:
            return Completion(self._reply(request.situation))
        except CannotAnswer as why:
            return _failed(f"{request.situation.case.case_id}: {why}")

    def _reply(self, situation: Situation) -> str:
        return _reply(self.traits.name, situation)

    def count_tokens(self, text: str) -> int:
        """Returns a rough length, four characters a token."""
        return len(text) // 4 + 1

    async def aclose(self) -> None:
        """Holds nothing to free."""


def _failed(why: str) -> Completion:
    return Completion("", outcome=Outcome.ENV_ERROR, error=why)


def _reply(name: str, situation: Situation) -> str:
    match situation.case.kind:
        case CaseKind.QUERY_PAIRS:
            return _query(name, situation)
        case CaseKind.ITEM_CHOICES:
            return str(1 + _choice(name, situation, situation.case.values["options"], "answer", 0))
        case CaseKind.RANK_CHOICES:
            return str(1 + _choice(name, situation, situation.case.values["shown"], "rank", 1))
        case CaseKind.SESSIONS:
            return next_action(name, situation).json()


def _query(name: str, situation: Situation) -> str:
    catalog, values = situation.catalog, situation.case.values
    match name:
        case "human":
            return str(values["query"])
        case "random":
            return random_query(catalog, generator(name, situation))
        case "popular":
            return category_query(product(catalog, values["product"]))
        case _:
            return " ".join(product(catalog, values["product"]).title.split()[:4])


def _choice(name: str, situation: Situation, options: Sequence[str], truth: str, base: int) -> int:
    """Returns the 0-based place chosen among product ids; the human's is ``values[truth] - base``."""
    match name:
        case "human":
            return int(situation.case.values[truth]) - base
        case "random":
            return int(generator(name, situation).integers(len(options)))
        case "popular":
            return most_reviewed([product(situation.catalog, pid) for pid in options])
        case _:
            return 0
