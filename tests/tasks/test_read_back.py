"""Whatever a session in the store leaves is read back from its journal line, in a shop of odd names as well."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from paars_bench.backbones.door import Acting, Completion, Request, Traits
from paars_bench.config import TaskSpec
from paars_bench.data.cases import Case, CaseKind
from paars_bench.data.schema import Catalog, Product, products_table
from paars_bench.files import strict_json
from paars_bench.outcomes import Outcome
from paars_bench.run.journal import JsonLines
from paars_bench.store import Page, Refinement, Shop, StoreAction, Verb
from paars_bench.tasks.fitting import check_fit
from paars_bench.tasks.line import result_of
from paars_bench.tasks.question import Asker, Question
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.shop import play

NAMES = [
    "Mugs",
    'a = "b"',
    "price<=9",
    " café\u0301",
    "杯子",
    "back\\slash",
    "sort=best",
    "x" * 100,
    "",
    '"quoted"',
    "\U0001f375",
]
ACTIONS = 30


@pytest.fixture(scope="module")
def shop() -> Shop:
    chance = random.Random(0)
    goods = [
        Product(
            f"P{n}" if n % 3 else f"id-{n}-" + "é" * 20,
            f"mug {chance.choice(NAMES)} {n}",
            tuple(chance.sample(NAMES[:-3], 2)),
            chance.choice(NAMES) or None,
            chance.choice([None, 0.0, 0.1 + 0.2, 19.99, 1e9, 10.0]),
            chance.choice([None, 1.0, 4.5, 5.0]),
            added=datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=n),
        )
        for n in range(60)
    ]
    return Shop(Catalog(pa.Table.from_batches(products_table(goods).to_batches())))


class Wanderer:
    """Does anything that a page offers, or narrows the list by any numbers, and leaves when it has done enough."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.traits = Traits("wanderer", "scripted/wanderer", True, 32_000, True, True, acting=Acting.TEXT)
        self.not_sent: dict[str, str] = {}
        self.enough = self.chance.randrange(ACTIONS)

    async def complete(self, request: Request) -> Completion:
        assert request.situation is not None
        page: Page = request.situation.page
        verbs = [verb for verb in page.possible if verb is not Verb.LEAVE]
        done = request.situation.turn >= self.enough
        return Completion(self.action(page, Verb.LEAVE if done else self.chance.choice(verbs)).json())

    def action(self, page: Page, verb: Verb) -> StoreAction:
        if verb is Verb.SEARCH:
            return StoreAction(
                verb, query=self.chance.choice([" mug ", "杯子 \t mug", "x" * 300, 'mug "\\', "nothing"])
            )
        if verb is Verb.REFINE:
            price = self.chance.choice([0.1 + 0.2, 1e-7, 1e22, 1 / 3])
            return StoreAction(verb, refinement=self.chance.choice([*page.refinements, Refinement(max_price=price)]))
        targets = page.targets(verb)
        return StoreAction(verb, product=self.chance.choice(targets) if targets else None)

    def count_tokens(self, text: str) -> int:
        return len(text)

    async def aclose(self) -> None:
        pass


def test_any_walk_through_the_store_is_read_back(shop: Shop, specs: dict[str, TaskSpec], tmp_path: Any) -> None:
    spec = specs["session_generation"]
    spec = spec.model_copy(update={"session": spec.session.model_copy(update={"max_turns": ACTIONS - 5})})
    start = datetime(2025, 3, 1, 12, 0, 0, 1, tzinfo=UTC)
    case = Case("sessions/a/b/0", CaseKind.SESSIONS, "s/é", "a/b", start, {"intention": None, "events": "[]"})
    asker = Asker(Renderer(spec, shop.catalog), shop.catalog, lambda settings: shop, told=False)
    journal, seen = JsonLines(tmp_path / "journal.jsonl"), Counter[str]()
    results = []
    for seed in range(150):
        question = Question(spec, "base", False, case, seed, seed)
        results.append(asyncio.run(play(question, "", Wanderer(seed), asker)))
        journal.append(results[-1].row(log_samples=False))
    journal.close()
    for result, line in zip(results, (tmp_path / "journal.jsonl").read_bytes().splitlines(), strict=True):
        read = result_of(strict_json(line))
        check_fit(read, spec, case, shop.catalog)
        assert (read.events, read.parsed, read.outcome) == (result.events, result.parsed, result.outcome)
        seen.update(str(event["action"]) + "?" * ("rank" not in event) for event in read.events or ())
        seen[str(read.outcome)] += 1
    rare = ("refine?", "view", "view?", "cart_add?", "cart_remove?", "purchase?", Outcome.OK, Outcome.TURN_LIMIT)
    assert all(seen[what] > 15 for what in rare), seen
