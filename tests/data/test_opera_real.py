"""Real OPeRA timelines: what the import counts, a short computation in pandas counts too.

The excerpt has 120 of OPeRA's sessions, of 4 people, without queries, products or lists: what can be held against it is
the order of acts, their types, and the regrouping by person and day.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("lxml", reason="needs pip install 'paars-bench[opera]'")

from paars_bench.data.sessions import session_facts
from paars_bench.data.sources.opera import build

COUNTED = ["searches", "views", "purchases"]


@pytest.fixture(scope="module")
def folder() -> Path:
    root = os.environ.get("PAARS_BENCH_REAL_DATA")
    if not root:
        pytest.skip("PAARS_BENCH_REAL_DATA names no folder with OPeRA's timelines")
    return Path(root) / "opera_sessions" / "timelines"


@pytest.fixture(scope="module")
def acts(folder: Path) -> pd.DataFrame:
    """All rows with their file, and who and on which day: nothing of the package is used."""
    rows = pd.concat([pd.read_json(f, convert_dates=False).assign(file=f.stem) for f in sorted(folder.glob("*.json"))])
    rows["user"] = rows.file.str.split("_2025").str[0].str.replace("_", "-")
    rows["time"] = pd.to_datetime(rows.timestamp, utc=True, format="ISO8601")
    rows["day"] = (rows.time - pd.Timedelta(hours=5)).dt.strftime("%Y-%m-%d")
    return rows.sort_values(["user", "time"], kind="stable")


def counted(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Searches (runs of search acts), views (product clicks) and purchases (intent clicks)."""
    rows = rows[~rows.action_type.isin(["scroll", "tab_activate"])].copy()
    act = (rows.action_type == "input") | rows.click_type.isin(["search", "suggested_term"])
    before = act.groupby([rows[c] for c in by]).shift(fill_value=False)
    rows["searches"], rows["views"] = act & ~before, rows.click_type == "product_link"
    rows["purchases"] = rows.click_type == "purchase"
    return rows.groupby(by)[COUNTED].sum().astype(int)


def imported(path: Path) -> pd.DataFrame:
    """The same counts of the imported log, by session."""
    log = build(path=path).log
    events = log.events.to_pandas()
    names = {"search": "searches", "view": "views", "purchase": "purchases"}
    table = pd.crosstab(events.session, events.action.map(names)).reindex(columns=COUNTED, fill_value=0)
    return table.reindex(log.sessions["session"].to_pylist(), fill_value=0)


def test_every_person_and_day_has_the_counts_of_pandas(folder: Path, acts: pd.DataFrame) -> None:
    ours, theirs = imported(folder), counted(acts, ["user", "day"])
    theirs.index = [f"{user}_{day}" for user, day in theirs.index]
    every = sorted(set(acts.user + "_" + acts.day))
    pd.testing.assert_frame_equal(
        ours.sort_index(), theirs.reindex(every, fill_value=0), check_names=False, check_dtype=False
    )
    totals = ours.sum().to_dict()
    print(f"{len(ours)} people and days of {acts.user.nunique()} people: {totals}")
    assert len(ours) == 42 and totals == {"searches": 141, "views": 144, "purchases": 70}


def test_every_session_of_the_source_has_the_counts_of_pandas(folder: Path, acts: pd.DataFrame, tmp_path: Path) -> None:
    theirs = counted(acts, ["file"])
    for file in sorted(folder.glob("*.json")):
        alone = tmp_path / file.stem
        alone.mkdir()
        (alone / file.name).symlink_to(file)
        expected = theirs.loc[file.stem] if file.stem in theirs.index else pd.Series(0, COUNTED)
        # A session over midnight is two days; a search begun before it is the day's own then.
        assert imported(alone).sum().to_dict() == expected.to_dict(), file.stem
    totals = theirs.sum().to_dict()
    print(f"{acts.file.nunique()} sessions of the source: {totals}")
    assert acts.file.nunique() == 120 and totals["views"] == 144 and totals["purchases"] == 70


def test_the_package_counts_a_session_as_it_does_for_agents(folder: Path) -> None:
    data = build(path=folder)
    assert session_facts(data.log.events.to_pylist()).counts == {"searches": 141, "views": 144, "purchases": 70}


def test_nothing_is_made_up_where_the_source_is_silent(folder: Path) -> None:
    data = build(path=folder)
    events = data.log.events
    assert len(data.catalog) == 0 and {str(k) for k in data.kinds} == {"sessions"}
    for column in ("query", "shown", "product", "rank", "price"):
        assert events.column(column).null_count == events.num_rows
    steps = {s.rule: (s.kept, s.dropped) for s in data.funnel(None)}
    assert steps["rows of the timelines"] == (8415, 0)
    assert steps["the product is known"] == (0, 144)
