"""A backbone that says what a test wants, and what of two runs must be equal."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paars_bench.backbones.door import Completion, Request, Traits, Usage
from paars_bench.data.cases import CaseKind
from paars_bench.outcomes import Outcome
from paars_bench.run import RunOutcome
from paars_bench.store import StoreAction, Verb
from paars_bench.tasks.ask import option_count

DATA = "demo:shoppers=20,products=600"
CHOICES = ("item_selection_individual", "item_selection_group")
QUICK = (*CHOICES, "session_generation")
PRICED = Usage(input=100, output=2, cost_usd=0.001)

Answer = Callable[[Request, int], Completion | str]
Bench = Callable[..., RunOutcome]


def sensible(request: Request, number: int) -> str:
    """Answers any request in a valid way that depends on the request alone."""
    if request.role == "persona":
        assert request.reply_schema is not None
        return json.dumps({k: _value(v) for k, v in request.reply_schema["properties"].items()})
    assert request.situation is not None
    match request.situation.case.kind:
        case CaseKind.QUERY_PAIRS:
            return "a red mug"
        case CaseKind.SESSIONS:
            return StoreAction(Verb.LEAVE).json()
        case _:
            return str(1 + request.situation.seed % option_count(request.situation.case))


def _value(schema: Any) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    return ["tea"] if schema["type"] == "array" else "a word"


class FakeBackbone:
    """Answers with what ``answer(request, number of the call)`` returns."""

    def __init__(
        self,
        answer: Answer = sensible,
        *,
        scripted: bool = True,
        max_concurrency: int = 4,
        usage: Usage = PRICED,
        seconds: float = 0.0,
    ) -> None:
        self.answer, self.usage, self.seconds = answer, usage, seconds
        self.requests: list[Request] = []
        self.in_flight = self.most_in_flight = 0
        self.closed = 0
        self.not_sent: dict[str, str] = {}
        self.remarks: tuple[str, ...] = ()
        self.traits = Traits(
            name="fake",
            litellm_model="fake/1",
            scripted=scripted,
            context_tokens=100_000,
            tools=False,
            reply_schema=True,
            max_concurrency=max_concurrency,
        )

    async def complete(self, request: Request) -> Completion:
        self.requests.append(request)
        number = len(self.requests)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.in_flight -= 1
        reply = self.answer(request, number)
        return reply if isinstance(reply, Completion) else Completion(reply, usage=self.usage)

    def count_tokens(self, text: str) -> int:
        return len(text) // 4 + 1

    async def aclose(self) -> None:
        self.closed += 1


def failing(outcome: Outcome, every: int) -> Answer:
    """Every n-th call ends as ``outcome``; the others are answered."""

    def answer(request: Request, number: int) -> Completion | str:
        if number % every == 0:
            return Completion("", outcome, error="as the test wants")
        return sensible(request, number)

    return answer


def rows(path: Path) -> list[dict[str, Any]]:
    """Returns the lines of a run's journal."""
    return [json.loads(line) for line in (path / "journal.jsonl").read_text(encoding="utf-8").splitlines()]


def keys(path: Path) -> Counter[str]:
    """Returns how often each question stands in a run's journal."""
    return Counter(f"{r['task']}|{r['condition']}|{r['case_id']}|{r['repeat']}" for r in rows(path))


def essence(results: Any) -> dict[str, Any]:
    """Returns results without what may differ between equal runs: id, times and the command."""
    run = {k: v for k, v in results["run"].items() if k not in ("id", "started", "seconds", "command")}
    return {**results, "run": run, "environment": None}


def read(path: Path) -> Any:
    """Returns ``results.json`` of a run; a constant that strict JSON does not have is an error."""

    def refuse(constant: str) -> Any:
        raise AssertionError(f"results.json holds {constant}")

    return json.loads((path / "results.json").read_text(encoding="utf-8"), parse_constant=refuse)
