"""``config.json``: a run as it was resolved, so that the same command resumes it and ``score`` reads it again."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from paars_bench.backbones.door import Backbone
from paars_bench.backbones.open import NOT_ASKED
from paars_bench.backbones.redact import is_secret, public_args
from paars_bench.config import TaskSpec
from paars_bench.data.cases import ShoppingData
from paars_bench.data.registry import parse_spec
from paars_bench.errors import RunDirectoryError, UsageError
from paars_bench.run.directory import CONFIG
from paars_bench.run.environment import environment
from paars_bench.run.heads import history_budget
from paars_bench.run.options import spec_from
from paars_bench.run.plan import Plan
from paars_bench.run.spec import RunSpec

SCHEMA_VERSION = 1


def config_of(spec: RunSpec, plan: Plan, data: ShoppingData, backbone: Backbone) -> dict[str, Any]:
    """Returns what ``config.json`` holds: the command resolved, and the identity that a resumed run must share."""
    public = asdict(spec) | {
        "model_args": public_args(spec.model_args),
        "dataset": _found_again(spec.dataset),
        "output_path": str(spec.output_path),
        "include_path": [str(p) for p in spec.include_path],
    }
    traits = backbone.traits
    tasks = [json.loads(s.model_dump_json()) for s in plan.specs.values()]
    return {
        "schema_version": SCHEMA_VERSION,
        "id": f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": spec.command,
        "spec": public,
        "identity": {
            "model": traits.litellm_model,
            "model_details": {k: v for k, v in traits.details.items() if k in ("file_sha256",)},
            "model_args": public_args(
                {k: v for k, v in spec.model_args.items() if k not in NOT_ASKED and not is_secret(k)}
            ),
            "dataset": data.name,
            "dataset_sha256": data.sha256,
            "tasks": {t["task"]: _digest(t) for t in tasks},
            "conditions": {t: list(c) for t, c in plan.conditions.items()},
            "limit": spec.limit,
            "repeats": spec.repeats,
            "seed": spec.seed,
            "history_tokens": history_budget(traits.context_tokens, spec.model_args.get("history_tokens")),
        },
        "model": {
            "name": traits.name,
            "litellm_model": traits.litellm_model,
            "scripted": traits.scripted,
            "params": public_args(spec.model_args),
            "context_tokens": traits.context_tokens,
            "tools": traits.tools,
            **traits.details,
        },
        "tasks": tasks,
        "unsupported": dict(plan.unsupported),
        "environment": environment(),
    }


def _found_again(dataset: str) -> str:
    """A folder is written with its whole path, so that scoring again finds it from anywhere."""
    spec = parse_spec(dataset)
    return dataset if spec.folder is None else spec.text


def spec_of(path: Path, config: Mapping[str, Any]) -> RunSpec:
    """Returns the specification that ``config.json`` of a run holds.

    Raises:
        RunDirectoryError: a value is of another kind.
    """
    names = {k: v for k, v in config["spec"].items() if k in RunSpec.__dataclass_fields__ and v != []}
    try:
        return spec_from(names)
    except UsageError as error:
        raise RunDirectoryError(f"{path / CONFIG}: not the configuration of a run (spec: {error})") from error


def tasks_of(path: Path, config: Mapping[str, Any]) -> list[TaskSpec]:
    """Returns the tasks that ``config.json`` of a run holds.

    Raises:
        RunDirectoryError: one of them is no task.
    """
    try:
        return [TaskSpec.model_validate(task) for task in config["tasks"]]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RunDirectoryError(f"{path / CONFIG}: holds a broken task (key {where}: {first['msg']})") from error


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
