"""Whether a result can be the answer to its question: what only the case, its task and the catalog can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from paars_bench.config.spec import TaskSpec
from paars_bench.data.cases import Case
from paars_bench.data.schema import Catalog
from paars_bench.tasks.ask import option_count
from paars_bench.tasks.result import CaseResult, session_name

_ANSWER = {"generate": "query", "choose": "choice", "session": "purchases"}


def check_fit(result: CaseResult, spec: TaskSpec, case: Case, catalog: Catalog) -> None:
    """Checks a well-formed result against the question that it names.

    Args:
        result: as ``line.result_of`` read it.
        spec: of its task.
        case: that was asked.
        catalog: of the data set.

    Raises:
        ValueError: it answers another question, with the key and what would be right.
    """
    if result.shopper != case.shopper:
        raise ValueError(f"shopper: is {result.shopper[:40]!r}, and the case is of {case.shopper!r}")
    if result.parsed is None:
        return
    if _ANSWER[spec.output_type] not in result.parsed:
        raise ValueError(f"parsed: has no {_ANSWER[spec.output_type]}, with which {spec.task} is answered")
    if spec.output_type == "choose" and result.parsed["choice"] > option_count(case):
        raise ValueError(f"parsed.choice: is {result.parsed['choice']}, and there were {option_count(case)} options")
    if result.events:
        name = session_name(result.task, result.condition, result.repeat, case.session)
        _check_events(result.events, name, case, catalog)


def _check_events(events: Sequence[Mapping[str, Any]], name: str, case: Case, catalog: Catalog) -> None:
    first = events[0]
    if first["session"] != name:
        raise ValueError(f"events.0.session: is {first['session'][:80]!r}, and this one is {name!r}")
    if datetime.fromisoformat(first["time"]) < case.time:
        raise ValueError(f"events.0.time: is {first['time']}, before the session began ({case.time.isoformat()})")
    for place, event in enumerate(events):
        unknown = catalog.lacks([*event.get("shown", ()), *([event["product"]] if "product" in event else ())])
        if unknown:
            raise ValueError(f"events.{place}: the catalog has no product {unknown[0][:40]!r}")
