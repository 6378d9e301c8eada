"""The four built-in tasks on a small demo population."""

from __future__ import annotations

from typing import Any

import pytest

from paars_bench.config import TaskIndex, TaskSpec
from paars_bench.data import load_dataset


@pytest.fixture(scope="session")
def data() -> Any:
    return load_dataset("demo:shoppers=20,products=600")


@pytest.fixture(scope="session")
def specs() -> dict[str, TaskSpec]:
    return {s.task: s for s in TaskIndex().select(("all",))}
