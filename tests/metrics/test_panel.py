"""The default panel sees repeats, narrowing and a shift of topic: the script that measures it runs, and means it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from paars_bench.metrics import DEFAULT_PANEL

ROOT = Path(__file__).parents[2]


def rates(*args: str, **environment: str) -> dict[str, int]:
    """Returns the panel's rate in per cent, by scenario."""
    env = {k: v for k, v in os.environ.items() if k != "PAARS_BENCH_REAL_DATA"} | environment
    command = [sys.executable, str(ROOT / "scripts/simulate_power.py"), "--runs", "5", *args]
    done = subprocess.run(command, check=True, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280)
    assert all(name in done.stdout for name in DEFAULT_PANEL)
    rows = re.findall(r"^(.{20}) THE PANEL +(\d+)%", done.stdout, flags=re.M)
    return {name.strip(): int(rate) for name, rate in rows}


@pytest.mark.slow
def test_the_panel_finds_each_on_simulated_topics_and_is_quiet_where_nothing_differs() -> None:
    found = rates("--shoppers", "400")
    assert found.pop("nothing differs") <= 20  # 2 of 5 at a level of 5 %: 1 in 44, and the seed is fixed
    assert len(found) == 4 and min(found.values()) >= 80


@pytest.mark.slow
def test_the_panel_finds_each_on_real_queries() -> None:
    folder = os.environ.get("PAARS_BENCH_REAL_DATA")
    if not folder:
        pytest.skip("PAARS_BENCH_REAL_DATA names no folder of real queries")
    found = rates("--shoppers", "400", PAARS_BENCH_REAL_DATA=folder)
    assert found.pop("nothing differs") <= 20
    assert len(found) == 4 and min(found.values()) >= 80
