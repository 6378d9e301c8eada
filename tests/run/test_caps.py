"""Caps reach into a session: each next call is asked for, and what a cap cut is owed and never behaviour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_runs import CHOICES, Bench, FakeBackbone, failing, read, rows, sensible

from paars_bench.backbones.door import Completion, Request, Usage
from paars_bench.outcomes import Outcome
from paars_bench.store import Page, StoreAction, Verb

SESSIONS = {"tasks": ("session_generation",), "conditions": ("base",)}
CALL = Usage(input=90, output=10, cost_usd=0.01)


def dithering(request: Request, number: int) -> str:
    """Searches for eight turns before it leaves."""
    assert request.situation is not None
    assert isinstance(request.situation.page, Page)
    action = StoreAction(Verb.SEARCH, query="mug") if request.situation.turn < 8 else StoreAction(Verb.LEAVE)
    return action.json()


def spent(results: Any, what: str = "tokens") -> float:
    used = results["usage"]["by_role"]["task"]
    return float(used["input"] + used["output"] if what == "tokens" else used["cost_usd"])


@pytest.mark.parametrize(
    ("cap", "outcome"),
    [({"max_tokens_total": 1500}, "token_limit"), ({"max_cost": 0.15}, "cost_limit")],
)
@pytest.mark.parametrize("at_once", [1, 8])
def test_a_session_asks_before_each_call_whether_a_cap_allows_it(
    bench: Bench, tmp_path: Path, cap: dict[str, float], outcome: str, at_once: int
) -> None:
    fake = FakeBackbone(dithering, usage=CALL, max_concurrency=at_once, seconds=0.002)
    done = bench(fake, **SESSIONS, **cap)
    assert len(fake.requests) == 15  # nine of the first session, six of the second
    assert spent(done.results) == 1500
    assert (done.exit_code, done.results["run"]["status"]) == (3, "budget")
    (counts,) = [t["counts"] for t in done.results["tasks"]]
    assert counts["by_outcome"] == {"ok": 1, outcome: 9}
    cut = [r for r in rows(tmp_path / "run") if r["outcome"] == outcome]
    assert [(r["attempts"], r["usage"]["input"]) for r in cut] == [(6, 540)]
    rest = FakeBackbone(dithering, usage=CALL)
    second = bench(rest, **SESSIONS, **{k: v * 100 for k, v in cap.items()})
    assert (second.exit_code, len(rest.requests)) == (0, 81)
    assert spent(second.results) == 1500 + 8100  # what was cut stays paid
    whole = bench(FakeBackbone(dithering, usage=CALL), **SESSIONS, path="whole")
    assert second.results["tasks"] == whole.results["tasks"]


def test_a_session_that_a_cap_cut_is_no_behaviour(bench: Bench, tmp_path: Path) -> None:
    done = bench(FakeBackbone(dithering, usage=CALL), **SESSIONS, max_tokens_total=300)
    assert {r["outcome"] for r in rows(tmp_path / "run")} == {"token_limit"}
    assert not (tmp_path / "run" / "agent_log").exists()
    assert all(t["counts"]["scored"] == 0 for t in done.results["tasks"])
    assert done.exit_code == 3


def test_the_last_session_cut_is_still_a_budget_reached(bench: Bench) -> None:
    """Every case was asked, none is left unasked, and yet one is owed."""
    first = bench(FakeBackbone(dithering, usage=CALL), **SESSIONS, limit=2, max_tokens_total=1000)
    assert [t["counts"]["not_asked"] for t in first.results["tasks"]] == [0]
    assert first.exit_code == 3
    assert bench(FakeBackbone(dithering, usage=CALL), **SESSIONS, limit=2).exit_code == 0


def test_the_time_of_a_run_ends_its_sessions(bench: Bench, tmp_path: Path) -> None:
    done = bench(FakeBackbone(dithering, seconds=0.1), **SESSIONS, max_time=0.35)
    assert {r["outcome"] for r in rows(tmp_path / "run")} == {"time_limit"}
    assert (done.exit_code, done.results["run"]["stop"]) == (3, "max_time")
    assert bench(FakeBackbone(dithering), **SESSIONS).exit_code == 0


def test_a_call_that_the_deadline_cut_ends_the_run_as_time_up(bench: Bench) -> None:
    """The gateway gives a call up at the deadline, which a clock read just before may not have reached."""
    fake = FakeBackbone(failing(Outcome.TIME_LIMIT, 40), max_concurrency=1)
    fake.seconds = 0.01
    done = bench(fake, tasks=CHOICES, max_time=0.01 * 40)
    assert done.exit_code == 3
    assert bench(FakeBackbone(), tasks=CHOICES).exit_code == 0


@pytest.mark.parametrize(("threshold", "code"), [(1, 4), (0.025, 4), (2, 0), (0.03, 0)])
def test_failures_are_counted_to_the_last_case(bench: Bench, tmp_path: Path, threshold: float, code: int) -> None:
    fake = FakeBackbone(failing(Outcome.UNPARSEABLE, 40), max_concurrency=1)
    done = bench(fake, tasks=CHOICES, fail_on_error=threshold, limit=10)
    assert len(fake.requests) == 40
    if code:
        assert (done.exit_code, read(tmp_path / "run")["run"]["status"]) == (4, "failed")
    else:
        assert done.results["run"]["stop"] is None


def test_failures_of_earlier_processes_stay_failures(bench: Bench) -> None:
    first = bench(FakeBackbone(failing(Outcome.REFUSED, 4), max_concurrency=1), tasks=CHOICES, fail_on_error=3)
    assert first.exit_code == 4
    again = FakeBackbone()
    assert bench(again, tasks=CHOICES, fail_on_error=3).exit_code == 4
    assert again.requests == []
    assert bench(again, tasks=CHOICES, fail_on_error=4).results["run"]["stop"] is None


def test_what_a_cap_cut_is_no_failure(bench: Bench) -> None:
    done = bench(FakeBackbone(dithering, usage=CALL), **SESSIONS, max_tokens_total=300, fail_on_error=1)
    assert done.results["run"]["stop"] == "max_tokens_total"


def test_what_a_broken_session_paid_stays_paid(bench: Bench, tmp_path: Path) -> None:
    def answer(request: Request, number: int) -> str:
        if number == 5:
            raise ZeroDivisionError
        return dithering(request, number)

    done = bench(FakeBackbone(answer, usage=CALL, max_concurrency=1), **SESSIONS)
    (broken,) = [r for r in rows(tmp_path / "run") if r["outcome"] != "ok"]
    assert (broken["outcome"], broken["attempts"], broken["usage"]["input"]) == ("env_error", 4, 360)
    assert spent(done.results) == 9 * 900 + 400


def test_estimated_tokens_are_said_and_counted(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    def answer(request: Request, number: int) -> Completion:
        return Completion(sensible(request, number), usage=Usage(50, 0, 5, 0, None, estimated=1))

    done = bench(FakeBackbone(answer), tasks=CHOICES, max_tokens_total=550)
    assert done.exit_code == 3
    assert done.results["usage"]["by_role"]["task"]["estimated_calls"] == 10
    said = " ".join(capsys.readouterr().err.split())
    assert "10 calls came back without a count of tokens: theirs are estimated" in said
