"""Session metrics on populations of which is known what they do."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from populations import LEAVE, Population, act, drawn, measured, search, view

from paars_bench.config import TaskSpec
from paars_bench.report.scored import strict_json
from paars_bench.tasks.scoring import Row
from paars_bench.tasks.scoring.observed import KINDS_OF_REFINEMENT

OF = ("searches", "views", "cart_adds", "purchases", "steps", "view_rank", "query_words")
METRICS: list[dict[str, Any]] = [
    *({"metric": f"{kind}_histogram", "of": of} for kind in ("kl", "js", "tv", "w1") for of in OF),
    *({"metric": f"{kind}_histogram", "of": "refinement"} for kind in ("kl", "js", "tv")),
    *({"metric": "mean_gap", "of": of} for of in OF),
    {"metric": "hazard_gap"},
    {"metric": "no_purchase"},
]


@pytest.fixture(scope="session")
def session_task(specs: dict[str, TaskSpec]) -> TaskSpec:
    return specs["session_generation"]


def the(rows: dict[str, Row]) -> Row:
    (row,) = rows.values()
    return row


def compare(
    task: TaskSpec, data: Any, human: Population, agent: Population, metrics: Any = METRICS, **more: Any
) -> dict[str, Row]:
    rows = measured(task, data.catalog, human, agent, metrics, **more)
    json.dumps(strict_json(list(rows.values())), allow_nan=False)
    return rows


def test_another_sample_of_the_same_people_lies_among_them_and_a_shift_does_not(
    session_task: TaskSpec, data: Any
) -> None:
    rng = np.random.default_rng(7)
    human = drawn(rng, 80)
    same, other = drawn(rng, 80), drawn(rng, 80, leaving=0.6, buying=0.95)
    alike, unlike = (compare(session_task, data, human, agent) for agent in (same, other))
    # of 37 figures, most of them about the same sessions, a few may lie outside a band of 95 %
    outside = [name for name, row in alike.items() if not row["value"] <= row["null_band"][1]]
    assert len(outside) <= 3, outside
    seen = ("kl_histogram(views)", "w1_histogram(steps)", "tv_histogram(purchases)", "mean_gap(cart_adds)")
    for name in (*seen, "hazard_gap", "no_purchase"):
        row = unlike[name]
        assert row["value"] > 1.5 * row["null_band"][1], name
        assert row["ci"]["low"] > row["floor"], name


def test_people_beside_themselves_read_the_floor_and_differ_by_nothing(session_task: TaskSpec, data: Any) -> None:
    human = drawn(np.random.default_rng(1), 30)
    for name, row in compare(session_task, data, human, human).items():
        assert row["value"] == pytest.approx(row["floor"], abs=1e-12), name
        assert row["strict_value"] == row["value"]
        for line in row.get("beside", []) + row.get("curve", []):
            assert line["difference"] == pytest.approx(0, abs=1e-12), (name, line["what"])
            assert line["humans"] == line["agents"]


def test_the_order_of_cases_and_results_does_not_matter(session_task: TaskSpec, data: Any) -> None:
    rng = np.random.default_rng(2)
    human, agent = drawn(rng, 25), drawn(rng, 25, leaving=0.4)
    panel = {"metric": "panel_test", "permutations": 99}
    first = compare(session_task, data, human, agent, [*METRICS, panel])
    again = compare(session_task, data, human, agent, [*METRICS, panel], order=np.random.default_rng(5))
    assert strict_json(list(first.values())) == approximately(strict_json(list(again.values())))


def approximately(value: Any) -> Any:
    """Sums of floats depend on their order in the last digits."""
    if isinstance(value, dict):
        return {k: approximately(v) for k, v in value.items()}
    if isinstance(value, list):
        return [approximately(v) for v in value]
    return pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value


def test_the_hazard_of_people_who_leave_at_random_is_flat(session_task: TaskSpec, data: Any) -> None:
    rng = np.random.default_rng(3)

    def population(p: float) -> Population:
        return {f"{n}": [[view(1)] * (int(rng.geometric(p)) - 1) + [LEAVE] for _ in range(4)] for n in range(150)}

    row = the(compare(session_task, data, population(0.2), population(0.5), [{"metric": "hazard_gap"}]))
    curve = row["curve"]
    assert [line["step"] for line in curve] == list(range(len(curve)))
    assert row["tail"]["from_step"] == len(curve)
    assert curve[0]["n_human"] == 600
    assert all(line["n_human"] >= 20 for line in curve)
    held = [line["humans_ci"]["low"] <= 0.2 <= line["humans_ci"]["high"] for line in curve]
    assert sum(held) >= 0.8 * len(held) and len(held) >= 8
    assert curve[0]["agents_ci"]["low"] <= 0.5 <= curve[0]["agents_ci"]["high"]
    gaps = [abs((1 if line["agents"] is None else line["agents"]) - line["humans"]) for line in curve]
    assert row["value"] == pytest.approx(np.average(gaps, weights=[line["n_human"] for line in curve]), abs=0.02)
    assert curve[1]["difference_ci"]["low"] > 0.2


def test_steps_that_no_agent_reaches_are_said(session_task: TaskSpec, data: Any) -> None:
    human = {f"{n}": [[view(1)] * k + [LEAVE] for k in (1, 2)] for n in range(30)}
    hasty = {f"{n}": [[view(1), LEAVE]] * 2 for n in range(30)}
    row = the(compare(session_task, data, human, hasty, [{"metric": "hazard_gap"}]))
    assert row["estimator"]["human_steps_unreached"] == pytest.approx(30 / (60 + 60 + 30))
    assert (row["curve"][2]["agents"], row["curve"][2]["n"]) == (None, 0)
    assert row["value"] == pytest.approx(0.5 * 60 / 150, abs=0.02)  # they all leave where half of the humans do


def test_where_everybody_buys_the_share_without_a_purchase_is_0_with_room_above(
    session_task: TaskSpec, data: Any
) -> None:
    buying = {f"{n}": [[search("mug"), act("purchase"), LEAVE]] * 2 for n in range(40)}
    (line,) = the(compare(session_task, data, buying, buying, [{"metric": "no_purchase"}]))["beside"]
    assert (line["humans"], line["agents"], line["difference"]) == (0, 0, 0)
    assert line["humans_ci"]["low"] == 0 and 0.01 < line["humans_ci"]["high"] < 0.15
    assert line["difference_ci"]["low"] < 0 < line["difference_ci"]["high"]


def test_the_difference_of_shares_has_a_sign(session_task: TaskSpec, data: Any) -> None:
    human = {f"{n}": [[act("purchase"), LEAVE], [view(1), LEAVE]] for n in range(40)}
    never = {f"{n}": [[view(1), LEAVE]] * 2 for n in range(40)}
    row = the(compare(session_task, data, human, never, [{"metric": "no_purchase"}]))
    (line,) = row["beside"]
    assert (line["humans"], line["agents"], line["difference"]) == (0.5, 1, 0.5)
    assert row["value"] == pytest.approx(0.5)
    assert line["difference_ci"]["low"] > 0.3


def test_refinements_are_counted_by_kind_on_both_sides(session_task: TaskSpec, data: Any) -> None:
    typed = [search("mug"), search("red mug"), search("mug"), search("mug!"), search("mug lamp"), search("mug wool")]
    refined = [search("mug"), {"action": "refine", "refined": "price up"}, search("lamp"), view(1)]
    human = {f"{n}": [[*typed, LEAVE]] for n in range(20)}
    agent = {f"{n}": [[*refined, LEAVE]] for n in range(20)}
    row = the(compare(session_task, data, human, agent, [{"metric": "tv_histogram", "of": "refinement"}]))
    assert row["estimator"]["kinds"] == list(KINDS_OF_REFINEMENT)
    shares = {line["what"].split()[-1]: (line["humans"], line["agents"]) for line in row["beside"]}
    assert shares == {
        "repeated": (0.2, 0),
        "narrowed": (0.4, 0),
        "widened": (0.2, 0),
        "changed": (0.2, 0),
        "new": (0, 0.5),
        "filtered": (0, 0.5),
    }
    assert row["value"] == pytest.approx(1)
    assert (row["n"], row["n_human"]) == (40, 100)


@pytest.mark.parametrize(
    ("of", "session", "why"),
    [
        ("view_rank", [search("mug"), view(None), LEAVE], "a view whose rank is known"),
        ("query_words", [view(1), LEAVE], "a query"),
        ("refinement", [search("mug"), view(1), LEAVE], "a second query or a list filtered or sorted"),
    ],
)
@pytest.mark.parametrize("side", ["human", "agent"])
def test_a_side_without_an_observation_says_why(
    session_task: TaskSpec, data: Any, of: str, session: Any, why: str, side: str
) -> None:
    full = drawn(np.random.default_rng(4), 6)
    lacking: Population = {name: [session] * 4 for name in full}
    human, agent = (lacking, full) if side == "human" else (full, lacking)
    metrics = [{"metric": "kl_histogram", "of": of}] + (
        [{"metric": "mean_gap", "of": of}] if of != "refinement" else []
    )
    for row in compare(session_task, data, human, agent, metrics).values():
        assert row["value"] is None
        assert row["why"] == f"no {side} session has {why}"
    panel = the(compare(session_task, data, human, agent, [{"metric": "panel_test", "permutations": 99}]))
    assert {f"kl({of})"} <= {left["statistic"] for left in panel["left_out"]}
    assert panel["value"] is not None


def test_what_one_shopper_alone_does_has_no_halves_and_says_so(session_task: TaskSpec, data: Any) -> None:
    human: dict[str, Any] = {f"{n}": [[search("mug"), LEAVE]] for n in range(10)}
    human["0"] = [[search("mug"), view(3), LEAVE]]
    row = the(compare(session_task, data, human, human, [{"metric": "mean_gap", "of": "view_rank"}]))
    assert row["value"] is None
    assert row["why"] == "no half-split has observations on both sides"
    (line,) = row["beside"]
    assert (line["humans"], line["humans_ci"]) == (3, None)


def test_too_few_sessions_have_no_hazard(session_task: TaskSpec, data: Any) -> None:
    human = drawn(np.random.default_rng(4), 4)
    row = the(compare(session_task, data, human, human, [{"metric": "hazard_gap"}]))
    assert row["value"] is None
    assert row["why"].startswith("16 human sessions, and a step needs 20")


def test_a_failed_session_counts_as_the_worst_where_there_is_one(session_task: TaskSpec, data: Any) -> None:
    rng = np.random.default_rng(6)
    human, agent = drawn(rng, 20), drawn(rng, 20)
    metrics = [{"metric": "no_purchase"}, {"metric": "kl_histogram", "of": "view_rank"}, {"metric": "hazard_gap"}]
    rows = compare(session_task, data, human, agent, metrics, failed=8)
    share = rows["no_purchase"]
    assert share["coverage"] == pytest.approx(0.9)
    assert share["strict_value"] == pytest.approx(0.9 * share["value"] + 0.1)
    assert rows["kl_histogram(view_rank)"]["strict_value"] is None
    assert "unknown number" in rows["kl_histogram(view_rank)"]["estimator"]["strict"]
    assert rows["hazard_gap"]["strict_value"] is None
