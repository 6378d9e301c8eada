"""The embedded model shops: whatever it says is valid by construction, and its sessions differ in length."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from paars_bench.backbones.door import Acting, Backbone
from paars_bench.backbones.open import open_backbone
from paars_bench.config import TaskIndex
from paars_bench.data.cases import Case, CaseKind
from paars_bench.data.schema import Catalog, Product, products_table
from paars_bench.outcomes import CutBy, Outcome
from paars_bench.store import Shop
from paars_bench.tasks.question import Asker, Question
from paars_bench.tasks.render import Renderer
from paars_bench.tasks.result import CaseResult
from paars_bench.tasks.shop import play

pytest.importorskip("xllamacpp", reason="the extra `local` is not installed: pip install 'paars-bench[local]'")
pytestmark = pytest.mark.slow

CATALOG = Catalog(products_table([Product(f"M{n}", f"Blue mug {n}", ("Kitchen",), price=5.0 + n) for n in range(3)]))
MOST_TURNS = 5


@pytest.fixture(scope="module")
def local() -> Iterator[Backbone]:
    """The file that ``PAARS_BENCH_GGUF`` names, else the embedded model, on one thread: two wait for each other."""
    given = os.environ.get("PAARS_BENCH_GGUF")
    door = open_backbone(
        f"local:{given}" if given else "local", {"n_ctx": "2048", "n_threads": "1"}, note=lambda _: None
    )
    yield door
    asyncio.run(door.aclose())


def sessions(local: Backbone, leaving: str, count: int) -> list[CaseResult]:
    (spec,) = TaskIndex().select(["session_generation"])
    settings = {"leaving": leaving, "max_turns": MOST_TURNS, "max_errors": 1}
    spec = spec.model_copy(update={"session": spec.session.model_copy(update=settings)})
    shop = Shop(CATALOG)
    asker = Asker(Renderer(spec, CATALOG), CATALOG, lambda size: shop)
    values: dict[str, Any] = {"intention": "Needs a blue mug.", "events": []}

    async def all_of_them() -> list[CaseResult]:
        ended = []
        for n in range(count):
            case = Case(f"c{n}", CaseKind.SESSIONS, f"s{n}", f"s{n}/1", datetime(2026, 3, 1, tzinfo=UTC), values)
            ended.append(await play(Question(spec, "base", False, case, 0, seed=n), "", local, asker))
        return ended

    return asyncio.run(all_of_them())


def test_every_step_is_valid_and_every_end_is_typed(local: Backbone) -> None:
    assert local.traits.acts_by is Acting.SCHEMA
    ended = [*sessions(local, "own_call", 2), *sessions(local, "in_reply", 2)]
    parsed = [dict(r.parsed or {}) for r in ended]
    assert [p["errors"] for p in parsed] == [0] * len(ended)
    for result, values in zip(ended, parsed, strict=True):
        left, capped = values["end"] is not None, values["cut"] == CutBy.SESSION
        assert (result.outcome is Outcome.OK, result.outcome is Outcome.TURN_LIMIT) == (left, capped)
        assert left != capped
    assert len({p["turns"] for p in parsed}) > 1
    assert all(p["leave_asks"] > 0 for p in parsed)
