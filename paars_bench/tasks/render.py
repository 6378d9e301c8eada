"""From a case to the messages of a prompt: templates are compiled once a task, in a sandbox, with strict names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from paars_bench.backbones.door import Message
from paars_bench.config.spec import TaskSpec
from paars_bench.config.templates import compile_template
from paars_bench.data.cases import Case, CaseKind
from paars_bench.data.schema import Catalog
from paars_bench.personas.prompt import shared_ends
from paars_bench.store.text import clean

_TITLE_CHARS = 150


class Renderer:
    """Renders the prompts of one task.

    Args:
        spec: the task, templates already read from their files.
        catalog: gives titles, prices and ratings.
    """

    def __init__(self, spec: TaskSpec, catalog: Catalog) -> None:
        self.spec = spec
        self.catalog = catalog
        self._system = compile_template(str(spec.system_text), name=f"{spec.task}: system_text")
        self._text = compile_template(str(spec.doc_to_text), name=f"{spec.task}: doc_to_text")
        self._target = compile_template(spec.doc_to_target, name=f"{spec.task}: doc_to_target")

    def system(self, head: str) -> str:
        """Returns the system message: the task's role text, then what is said of the shopper."""
        return "\n\n".join(part for part in (self._role, head) if part)

    @cached_property
    def _role(self) -> str:
        return self._system.render().strip()

    def stable(self, head: str) -> tuple[int, ...]:
        """Returns the places in the system message up to which other prompts begin alike."""
        whole = len(self.system(head))
        return tuple(whole - len(head) + end for end in shared_ends(head)) or (whole,) * bool(whole)

    def text(self, case: Case, **more: Any) -> str:
        """Returns the user message; ``more`` are variables beside the case's own."""
        return self._text.render(**self._variables(case), **more).strip()

    def messages(self, head: str, case: Case, **more: Any) -> list[Message]:
        """Returns the whole prompt."""
        return [
            {"role": "system", "content": self.system(head)},
            {"role": "user", "content": self.text(case, **more)},
        ]

    def target(self, case: Case) -> str:
        """Returns what the human did, as text: the query, the option's number, the rank."""
        truth = _truth(case)
        more = {} if self._target.variables <= truth.keys() else self._variables(case)  # texts of a list take a while
        return self._target.render(**more, **truth).strip()

    def _variables(self, case: Case) -> dict[str, Any]:
        values = case.values
        match case.kind:
            case CaseKind.QUERY_PAIRS:
                product = self.catalog[values["product"]]
                return {"title": clean(product.title, _TITLE_CHARS), "category": _path(product.category)}
            case CaseKind.ITEM_CHOICES:
                return {"options": [self._item(n, pid) for n, pid in enumerate(values["options"], 1)]}
            case CaseKind.RANK_CHOICES:
                shown = [self._item(n, pid) for n, pid in enumerate(values["shown"], 1)]
                return {"query": clean(values["query"], _TITLE_CHARS), "results": shown}
            case CaseKind.SESSIONS:
                return {"intention": values.get("intention") or ""}

    def _item(self, number: int, product_id: str) -> dict[str, Any]:
        product = self.catalog[product_id]
        return {
            "number": number,
            "rank": number,
            "title": clean(product.title, _TITLE_CHARS),
            "category": _path(product.category),
            "price": product.price,
            "rating": product.rating,
            "review_count": product.review_count,
        }


def _path(category: tuple[str, ...]) -> str:
    return clean(" > ".join(category), _TITLE_CHARS)


def _truth(case: Case) -> Mapping[str, Any]:
    """What the human did: only targets see it, never a prompt."""
    match case.kind:
        case CaseKind.QUERY_PAIRS:
            return {"query": case.values["query"]}
        case CaseKind.ITEM_CHOICES:
            return {"answer": case.values["answer"] + 1}
        case CaseKind.RANK_CHOICES:
            return {"rank": case.values["rank"]} if "rank" in case.values else {}
        case CaseKind.SESSIONS:
            return {}


def prompt_sha256(messages: list[Message]) -> str:
    """Returns the digest of a prompt."""
    text = json.dumps(messages, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
