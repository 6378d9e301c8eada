"""The paper's tables beside ours: what is printed is computed, and disagreement would be said."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from script_modules import SCRIPTS, script

from paars_bench.metrics import Smoothing, histogram_kl


@pytest.fixture(scope="module")
def b() -> Any:
    return script("reproduce_appendix_b")


def test_table_5_agrees_within_sampling_error_and_would_say_where_not(b: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = b.simulate(1000, 0)
    assert list(b.table_5(runs).columns[-1].cells) == ["yes"] * 5
    monkeypatch.setitem(b.PAPER, ("A", "MSE"), 2.2)
    assert list(b.table_5(runs).columns[-1].cells) == ["NO", "yes", "yes", "yes", "yes"]
    # first order: (K - 1) / 2 * (1/n + 1/m)
    assert runs.measured["B", "KL"].mean() == pytest.approx(0.004, rel=0.1)
    assert runs.measured["A", "MSE"].mean() == pytest.approx(2, rel=0.01)


def test_the_epsilon_of_the_papers_kl_gives_it_back(b: Any) -> None:
    human = np.array([211.0, 190, 203, 198, 198])
    epsilon = b.epsilon_for(human, 10.04)
    assert 2e-7 < epsilon < 9e-7
    back = histogram_kl(human, [0, 0, 1000, 0, 0], smoothing=Smoothing("epsilon", epsilon))
    assert back.value == pytest.approx(10.04)


def test_appendix_b_prints_both_tables() -> None:
    command = [sys.executable, str(SCRIPTS / "reproduce_appendix_b.py"), "--runs", "100"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    assert len(re.findall(r"│\s*yes │|│\s*NO │", said)) == 5
    marked = next(line for line in said.splitlines() if "the paper's" in line)
    assert "10.04" in marked and re.search(r"\d\.\de-07", marked)
    assert "1.84 nats a decade" in said


def test_appendix_d_says_that_the_demos_queries_are_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    d = script("reproduce_appendix_d")
    monkeypatch.delenv("PAARS_BENCH_REAL_DATA", raising=False)
    said: list[str] = []
    found = d.populations(said.append)
    assert "SIMULATED" in said[0] and all("simulated" in name for name in found.names)
    assert min(map(len, found.texts)) > 100
    assert len(set(found.texts[0])) == len(found.texts[0])


def test_appendix_d_measures_halves_and_others_at_one_size() -> None:
    d = script("reproduce_appendix_d")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 8)), 1 + rng.normal(size=(200, 8))
    got = d.measure(x / 3, y / 3, 100, 0.3, 2)
    means = {key: np.mean(values) for key, values in got.items()}
    assert means["paper", "halves"] > 0.4 > abs(means["leave_one_out", "halves"])
    assert means["leave_one_out", "others"] > 1 and means["paper", "others"] > means["paper", "halves"]
    assert {len(values) for values in got.values()} == {2}
