"""What every run keeps: counts add up, equal commands give equal results, results are what the contract says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from fake_runs import CHOICES, QUICK, Bench, FakeBackbone, essence, failing, keys, read, rows, sensible

from paars_bench.backbones.door import Completion, Request
from paars_bench.outcomes import POLICY, Outcome
from paars_bench.personas.conditions import CONDITIONS
from paars_bench.store import StoreAction, Verb

CONTRACT = {
    "": {"schema_version", "run", "environment", "model", "dataset", "engines", "tasks", "usage"},
    "run": {"id", "status", "command", "seed", "started", "seconds"},
    "environment": {"python", "packages", "git"},
    "model": {"name", "litellm_model", "params"},
    "dataset": {"name", "revision", "sha256", "human_reference", "shoppers", "cases"},
    "engines": {"embedding", "perplexity"},
}
TASK = {"task", "version", "condition", "counts", "metrics"}
METRIC = {"metric", "level", "value", "coverage", "n"}
GROUP = {"strict_value", "direction", "ci", "floor", "reference", "score", "estimator", "clusters"}
LINE = {
    *("case_id", "task", "condition", "repeat", "shopper", "prompt_sha256", "messages", "reply", "parsed"),
    *("outcome", "usage", "latency_ms", "attempts", "cached"),
}


def mixed(request: Request, number: int) -> Completion | str:
    """Ends in every way a backbone can, in turn."""
    ends = [*Outcome, "no number", "99", '"3"', "  2. ", None]
    end = ends[number % len(ends)]
    if end is None or end is Outcome.OK:
        return sensible(request, number)
    return Completion("", end) if isinstance(end, Outcome) else end


def test_planned_is_scored_and_all_other_outcomes(bench: Bench, tmp_path: Path) -> None:
    done = bench(FakeBackbone(mixed), limit=20, conditions=("all",))
    found = Counter((r["task"], r["condition"], r["outcome"]) for r in rows(tmp_path / "run"))
    assert len(done.results["tasks"]) == len(QUICK) * len(CONDITIONS)
    seen: set[str] = set()
    for task in done.results["tasks"]:
        counts = task["counts"]
        by = counts["by_outcome"]
        seen |= set(by)
        assert counts["planned"] == sum(by.values()) == 20
        assert counts["scored"] == sum(n for o, n in by.items() if POLICY[Outcome(o)].scored)
        assert counts["not_asked"] == 0
        assert by == {o: n for (t, c, o), n in found.items() if (t, c) == (task["task"], task["condition"])}
        for metric in task["metrics"]:
            assert metric["coverage"] == pytest.approx(counts["scored"] / 20, abs=1e-6)
    assert seen >= {str(o) for o in Outcome}
    assert done.exit_code == 2
    assert done.results["run"]["status"] == "partial"


def test_results_and_journal_hold_what_the_contract_says(bench: Bench, tmp_path: Path) -> None:
    done = bench(FakeBackbone(mixed), limit=12, log_samples=True)
    results = read(tmp_path / "run")
    assert results == json.loads(json.dumps(done.results))
    for part, wanted in CONTRACT.items():
        assert wanted <= set(results[part] if part else results), part
    for task in results["tasks"]:
        assert set(task) >= TASK
        for metric in task["metrics"]:
            assert set(metric) >= METRIC
            if metric["value"] is not None and "floor" in metric:
                assert set(metric) >= GROUP
    for usage in results["usage"]["by_role"].values():
        assert set(usage) == {"input", "cached", "output", "reasoning", "cost_usd", "estimated_calls"}
    for row in rows(tmp_path / "run"):
        assert set(row) >= LINE
        assert row["reply"] or row["outcome"] != "ok"
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["identity"]["seed"] == 0
    assert not list((tmp_path / "run").glob("*.part"))


@pytest.mark.parametrize(
    ("scripted", "asked", "kept"), [(False, False, False), (False, None, True), (True, None, False)]
)
def test_prompts_and_replies_are_kept_of_models_unless_said_otherwise(
    bench: Bench, tmp_path: Path, scripted: bool, asked: bool | None, kept: bool
) -> None:
    bench(FakeBackbone(scripted=scripted), tasks=CHOICES, conditions=("base",), limit=4, log_samples=asked)
    for row in rows(tmp_path / "run"):
        assert ({"messages", "reply"} <= set(row)) == kept
        assert len(row["prompt_sha256"]) == (0 if scripted else 64)  # a baseline reads no prompt, so none is written


@pytest.mark.parametrize("model", ["random", "first", "popular"])
def test_the_same_command_twice_gives_the_same_results(bench: Bench, model: str) -> None:
    one = bench(model, path="one", conditions=("base", "shuffled"), repeats=2)
    two = bench(model, path="two", conditions=("base", "shuffled"), repeats=2)
    assert essence(one.results) == essence(two.results)


def test_the_order_in_which_replies_come_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    one = bench(FakeBackbone(max_concurrency=1), path="one")
    two = bench(FakeBackbone(max_concurrency=16, seconds=0.001), path="two")
    assert essence(one.results) == essence(two.results)


def test_another_seed_gives_other_answers(bench: Bench) -> None:
    one, two = bench("random", path="one", limit=20), bench("random", path="two", limit=20, seed=1)
    assert one.results["tasks"] != two.results["tasks"]


def test_no_more_calls_are_in_flight_than_allowed(bench: Bench) -> None:
    fake = FakeBackbone(max_concurrency=16, seconds=0.001)
    bench(fake, tasks=CHOICES, max_concurrency=3)
    assert fake.most_in_flight == 3
    assert fake.closed == 1


def test_failures_never_enter_a_metric(bench: Bench) -> None:
    """Values with failures are those of a run in which the failed cases were never there."""

    def answer(request: Request, number: int) -> Completion | str:
        assert request.situation is not None
        shopper = request.situation.case.shopper
        if sum(shopper.encode()) % 3 == 0:
            return Completion("1", Outcome.PROVIDER_ERROR, error="down")
        return sensible(request, number)

    def wrong(request: Request, number: int) -> Completion | str:
        reply = answer(request, number)
        return reply if isinstance(reply, str) else Completion("nonsense", Outcome.REFUSED)

    down, refused = (bench(FakeBackbone(a), path=p, limit=20) for a, p in ((answer, "a"), (wrong, "b")))
    whole = bench(FakeBackbone(), path="c", limit=20)
    for left, right, full in zip(*(r.results["tasks"] for r in (down, refused, whole)), strict=True):
        assert 0 < left["counts"]["scored"] < 20
        assert left["metrics"] == right["metrics"]
        for metric, complete in zip(left["metrics"], full["metrics"], strict=True):
            assert metric["coverage"] < 1 == complete["coverage"]
            if metric["metric"] == "accuracy":
                hits = round(metric["value"] * metric["n"])
                assert metric["value"] == pytest.approx(hits / left["counts"]["scored"])
                assert metric["strict_value"] == pytest.approx(hits / 20)
            elif metric.get("floor") is not None:
                strict = metric["strict_value"]
                assert strict is None or strict >= metric["value"], "where there is a worst case, it is no better"


def test_a_failed_session_is_not_a_session_without_purchases(bench: Bench) -> None:
    """Half of the sessions break after their first search: the others' counts alone are measured."""

    def answer(request: Request, number: int) -> Completion | str:
        assert request.situation is not None
        if request.situation.turn == 0:
            return StoreAction(Verb.SEARCH, query="mug").json()
        return StoreAction(Verb.LEAVE).json() if request.situation.seed % 2 else Completion("", Outcome.ENV_ERROR)

    done = bench(FakeBackbone(answer), tasks=("session_generation",), conditions=("base",), limit=20)
    (task,) = done.results["tasks"]
    purchases = next(m for m in task["metrics"] if m["metric"] == "kl_histogram(purchases)")
    assert purchases["n"] == task["counts"]["scored"] < 20
    assert task["counts"]["by_outcome"]["env_error"] == 20 - purchases["n"]


def test_nothing_scored_is_null_with_a_reason(bench: Bench, tmp_path: Path) -> None:
    done = bench(FakeBackbone(failing(Outcome.REFUSED, 1)))
    assert done.exit_code == 2
    for task in read(tmp_path / "run")["tasks"]:
        assert task["coverage"] == 0
        for metric in task["metrics"]:
            assert (metric["value"], metric["n"], metric["why"]) == (None, 0, "no scored case")


def test_one_shopper_is_counted_and_said_not_to_be_measurable(bench: Bench) -> None:
    done = bench("random", limit=1)
    for task in done.results["tasks"]:
        assert task["metrics"] == []
        assert "only one shopper has cases" in task["why_no_metrics"]
    assert done.exit_code == 0


def test_two_shoppers_are_enough(bench: Bench, tmp_path: Path) -> None:
    bench("random", limit=2)
    assert all(t["metrics"] for t in read(tmp_path / "run")["tasks"])


def test_a_run_with_a_fresh_folder_names_one_by_itself(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import paars_bench

    monkeypatch.chdir(tmp_path)
    results = paars_bench.evaluate(
        "random", tasks="item_selection_individual", dataset="demo:shoppers=20,products=600", limit=5
    )
    (folder,) = (tmp_path / "runs").iterdir()
    assert read(folder) == results
    assert sum(keys(folder).values()) == 10
