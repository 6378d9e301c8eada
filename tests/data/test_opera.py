"""OPeRA's traps, one test each, on files in its published schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

pytest.importorskip("lxml", reason="needs pip install 'paars-bench[opera]'")

from opera_fixture import ANN, ASINS, BOB, SHOWN, Opera, item, meta

from paars_bench.data import iter_cases
from paars_bench.data.cases import CaseKind
from paars_bench.data.mined import MinedData
from paars_bench.data.schema import Action, Event, event_of
from paars_bench.data.sources import opera_files
from paars_bench.data.sources.opera import build
from paars_bench.errors import DataError

RED, BLUE, STEEL = (ASINS[title] for title in SHOWN)


def imported(opera: Opera, folder: Path, **options: Any) -> MinedData:
    return build(path=opera.write(folder, **options))


def events(data: MinedData, action: Action | None = None) -> list[Event]:
    found = [event_of(row) for row in data.log.events.to_pylist()]
    return [e for e in found if action is None or e.action is action]


def dropped(data: MinedData, rule: str) -> int:
    return next(step.dropped for step in data.funnel(None) if step.rule.startswith(rule))


def kept(data: MinedData, rule: str) -> int:
    return next(step.kept for step in data.funnel(None) if step.rule.startswith(rule))


def test_the_query_is_what_the_page_searched_for_not_the_typed_prefix(tmp_path):
    data = imported(Opera().search("bike bott").results("bike bottle").view("Red Kettle"), tmp_path)
    assert [e.query for e in events(data, Action.SEARCH)] == ["bike bottle"]


def test_a_product_click_has_the_product_of_its_metadata(tmp_path):
    data = imported(Opera().search().results("kettle").view("Blue Kettle 1.7 L", price="$1,299.00"), tmp_path)
    assert [e.product for e in events(data, Action.VIEW)] == [BLUE]
    assert data.catalog[BLUE].title == "Blue Kettle 1.7 L" and data.catalog[BLUE].price == 1299.0


def test_other_clicks_are_no_views(tmp_path):
    opera = Opera().search().results("kettle")
    opera.act("click", "review", "reviews", element_meta=meta("search_results", item("Red Kettle")))
    assert events(imported(opera, tmp_path), Action.VIEW) == []


@pytest.mark.parametrize("element", ["promotion_items", "active_items", "ads"])
def test_only_products_clicked_in_the_result_list_have_a_rank(tmp_path, element):
    opera = Opera().search().results("kettle").view("Blue Kettle 1.7 L").view("Red Kettle", element=element)
    assert [(e.product, e.rank) for e in events(imported(opera, tmp_path), Action.VIEW)] == [(BLUE, 2), (RED, None)]


def test_the_list_shown_is_the_pages_without_sort_filters_and_ads(tmp_path):
    ads = '<div name="search_results.ads"><a name="search_results.ads.steel_kettle">Steel Kettle</a></div>'
    opera = Opera().search().results("kettle", extra=ads, sponsored="Steel Kettle").view("Steel Kettle")
    data = imported(opera, tmp_path)
    assert [e.shown for e in events(data, Action.SEARCH)] == [(RED, BLUE, STEEL)]
    assert [e.rank for e in events(data, Action.VIEW)] == [3]
    steel = data.catalog[STEEL]
    assert (steel.rating, steel.review_count, steel.sponsored) == (4.5, 1234, True)
    assert not data.catalog[RED].sponsored


def test_a_product_without_asin_gets_it_from_another_page_or_an_id_of_its_title(tmp_path):
    opera = (
        Opera()
        .search()
        .on(Opera().results("kettle", ("Red Kettle", "Nameless Pot")).page, search_term=[{"term": "kettle"}])
    )
    opera.view("Red Kettle").begin(BOB).search().results("kettle", ("Steel Kettle", "Red Kettle")).leave()
    shown = {e.shopper: e.shown for e in events(imported(opera, tmp_path), Action.SEARCH)}
    assert shown[BOB] == (STEEL, RED)
    assert shown[ANN][0] == RED and shown[ANN][1].startswith("t-")


def test_sessions_cut_at_a_purchase_are_one_day(tmp_path):
    opera = Opera().search().results("kettle").view("Red Kettle").buy("buybox.purchase_form.buy_now", "Red Kettle")
    opera.begin(minutes=30).view("Steel Kettle").buy("check_out", "Steel Kettle").begin(minutes=30).view("Red Kettle")
    data = imported(opera.leave(), tmp_path)
    assert data.log.sessions.num_rows == 1 and len(events(data, Action.PURCHASE)) == 2
    assert data.log.sessions["session"].to_pylist() == [f"{ANN}_2025-04-07"]


def test_a_day_is_of_the_eastern_us(tmp_path):
    # 23:21 there is 04:21 of the next day in UTC, and still the same day; an hour on is another.
    opera = Opera().search().results("kettle").view("Red Kettle")
    opera.begin(minutes=12 * 60 + 20).view("Blue Kettle 1.7 L").begin(minutes=60).view("Steel Kettle")
    views = events(imported(opera, tmp_path), Action.VIEW)
    assert [e.session.removeprefix(f"{ANN}_") for e in views] == ["2025-04-07", "2025-04-07", "2025-04-08"]


def test_clicks_on_box_and_button_and_typing_are_one_search(tmp_path):
    data = imported(Opera().search().results("kettle").view("Red Kettle").view("Steel Kettle"), tmp_path)
    assert len(events(data, Action.SEARCH)) == 1
    assert kept(data, "runs of search clicks") == 1
    # its time is when it was submitted, so that the view can be held against it
    search, view = events(data)[:2]
    assert (view.time - search.time).total_seconds() == 10


def test_a_new_term_is_a_new_search_and_going_back_is_none(tmp_path):
    other = ("Green Pot", "Red Kettle")
    opera = Opera().search().results("kettle").view("Red Kettle").search().results("pot", other).view("Green Pot")
    opera.results("kettle").view("Steel Kettle")
    data = imported(opera, tmp_path)
    assert [e.query for e in events(data, Action.SEARCH)] == ["kettle", "pot"]
    assert events(data, Action.VIEW)[-1].rank == 3


def test_a_term_typed_over_the_results_of_another_is_no_search(tmp_path):
    opera = Opera().search().results("kettle").view("Red Kettle").results("kettle for te").view("Blue Kettle 1.7 L")
    assert [e.query for e in events(imported(opera, tmp_path), Action.SEARCH)] == ["kettle"]


def test_a_page_turned_makes_the_list_longer(tmp_path):
    opera = Opera().search().results("kettle").view("Red Kettle").results("kettle", ("Green Pot",)).view("Green Pot")
    data = imported(opera, tmp_path)
    (search,) = events(data, Action.SEARCH)
    assert search.shown is not None and search.shown[:3] == (RED, BLUE, STEEL) and len(search.shown) == 4
    assert events(data, Action.VIEW)[-1].rank == 4


@pytest.mark.parametrize(
    ("button", "action"),
    [
        ("buybox.purchase_form.buy_now", Action.PURCHASE),
        ("buybox.subscribe_save.purchase_form.set_up_now", Action.PURCHASE),
        ("check_out", Action.PURCHASE),
        ("buybox.purchase_form.add_to_cart", Action.CART_ADD),
        ("search_results.red_kettle.add_to_cart", Action.CART_ADD),
        ("", Action.PURCHASE),
    ],
)
def test_which_intent_click_is_a_purchase(tmp_path, button, action):
    data = imported(Opera().buy(button, "Red Kettle", price="$12.99"), tmp_path)
    assert [(e.action, e.product) for e in events(data)] == [(action, RED)]
    assert events(data)[0].price == (12.99 if action is Action.PURCHASE else None)
    assert kept(data, "of them by a button") == (button == "")


def test_a_checkout_of_several_products_is_a_purchase_of_each(tmp_path):
    data = imported(Opera().buy("check_out", "Red Kettle", "Steel Kettle"), tmp_path)
    assert [e.product for e in events(data, Action.PURCHASE)] == [RED, STEEL]


def test_deleting_in_the_cart_takes_out(tmp_path):
    row = meta("active_items", item("Red Kettle"))
    data = imported(
        Opera().act("click", "quantity", "active_item_list.red_kettle.delete", element_meta=row)
        .act("click", "quantity", "active_item_list.red_kettle.increase_quantity_by_one", element_meta=row), tmp_path,
    )  # fmt: skip
    assert [(e.action, e.product) for e in events(data)] == [(Action.CART_REMOVE, RED)]


def test_the_end_of_a_day_is_a_leave_and_an_end_within_it_is_counted(tmp_path):
    opera = Opera().search().results("kettle").view("Red Kettle").leave().begin().view("Blue Kettle 1.7 L").leave()
    data = imported(opera, tmp_path)
    assert events(data)[-1].action is Action.LEAVE and len(events(data, Action.LEAVE)) == 1
    assert dropped(data, "the last act of the day") == 1


def days(opera: Opera, user: str, number: int) -> Opera:
    for _ in range(number):
        opera.begin(user, days=1).search().results("kettle").view("Blue Kettle 1.7 L").leave()
    return opera


def test_both_splits_are_read_and_no_shopper_is_cut_by_the_sources_split(tmp_path):
    opera = days(days(Opera(), ANN, 4), BOB, 4).person(ANN).person(BOB)
    data = imported(opera, tmp_path, in_test=12)
    assert data.log.sessions.num_rows == 8 and data.shoppers == [ANN, BOB]
    assert data.log.shoppers["id"].to_pylist() == [ANN, BOB]


def test_cases_of_every_kind_come_of_it(tmp_path):
    data = imported(days(Opera(), ANN, 4), tmp_path)
    (pair,) = iter_cases(data, CaseKind.QUERY_PAIRS)
    (rank,) = iter_cases(data, CaseKind.RANK_CHOICES)
    assert pair.values["query"] == "kettle" and pair.values["product"] == BLUE
    assert rank.values["shown"] == [RED, BLUE, STEEL] and rank.values["rank"] == 2
    assert len(list(iter_cases(data, CaseKind.SESSIONS))) == 1
    with pytest.raises(DataError):
        data.case_table(CaseKind.ITEM_CHOICES)


def test_only_the_columns_that_are_needed_are_read(tmp_path, monkeypatch):
    asked: list[str] = []
    real = pq.ParquetFile.iter_batches

    def spy(self, *args, columns=None, **options):
        asked.extend(columns)
        return real(self, *args, columns=columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", spy)
    imported(Opera().search().results("kettle").view("Red Kettle").person(ANN), tmp_path)
    assert set(asked) == {*opera_files.ACTION_COLUMNS, *opera_files.PEOPLE_COLUMNS}
    assert not {"image", "input_text", "raw_survey", "interview_transcript", "rationale"} & set(asked)


def test_a_broken_cell_is_counted_and_costs_only_what_it_said(tmp_path):
    opera = Opera().search().results("kettle").view("Red Kettle")
    opera.act("click", "product_link", "search_results.x", element_meta='{"name": "search_results", "data": "{')
    opera.act("click", "product_link", "search_results.x", element_meta="[" * 100_000, page_meta="nan")
    data = imported(opera, tmp_path)
    assert dropped(data, "the JSON is readable") == 2
    assert [e.product for e in events(data, Action.VIEW)] == [RED, None, None]
    assert dropped(data, "the product is known") == 2


@pytest.mark.parametrize("price", ["nan", "", "None", "$10.00 - $20.00", "free", None])
def test_a_price_that_is_none_is_no_price(tmp_path, price):
    data = imported(Opera().buy("buy_now", "Red Kettle", price=price), tmp_path)
    assert events(data)[0].price is None


def test_an_action_recorded_twice_counts_once(tmp_path):
    opera = Opera().search().results("kettle").view("Red Kettle")
    opera.rows.append(dict(opera.rows[-1]))  # the same row
    opera.rows.append(opera.rows[-1] | {"action_id": "another"})  # the same click under another id
    data = imported(opera, tmp_path)
    assert len(events(data, Action.VIEW)) == 1 and dropped(data, "the action was not there before") == 2


def test_rows_that_cannot_be_placed_are_counted(tmp_path):
    opera = Opera().search().act("click", timestamp="yesterday").act("click", session_id="nan")
    data = imported(opera, tmp_path)
    assert (dropped(data, "session id names a user"), dropped(data, "the time is readable")) == (1, 1)


def test_a_page_that_cannot_be_read_leaves_a_search_without_a_list(tmp_path):
    opera = Opera().search().on('<div name="search_results"></div>', search_term=[{"term": "kettle"}])
    data = imported(opera.view("Red Kettle"), tmp_path)
    assert [(e.query, e.shown) for e in events(data, Action.SEARCH)] == [("kettle", None)]
    assert dropped(data, "the page has a readable list") == 1 and dropped(data, "the list shown is known") == 1


def test_a_missing_shard_or_table_is_named_with_the_step_to_take(tmp_path):
    folder = Opera().search().person(ANN).write(tmp_path)
    train = folder / "OPeRA_filtered/action/train-00000-of-00001.parquet"
    train.rename(train.with_name("train-00001-of-00002.parquet"))
    with pytest.raises(DataError, match=r"holds no train-00000-of-00002\.parquet") as caught:
        build(path=folder)
    told = str(caught.value)
    assert f"hf download NEU-HAI/OPeRA --repo-type dataset --revision {opera_files.HUB.revision}" in told
    assert "OPeRA_filtered/user/train/train.parquet" in told and "--dataset opera:path=opera" in told
    assert "\n" not in told


def test_a_file_that_is_none_or_lacks_a_column_is_named(tmp_path):
    folder = Opera().search().person(ANN).write(tmp_path)
    users = folder / "OPeRA_filtered/user/train/train.parquet"
    pq.write_table(pq.read_table(users).drop_columns(["survey"]), users)
    with pytest.raises(DataError, match=r"train\.parquet: no column 'survey'"):
        build(path=folder)
    users.write_bytes(b"PAR1 no more")
    with pytest.raises(DataError, match=r"train\.parquet: no readable Parquet file"):
        build(path=folder)


def test_the_source_is_said(tmp_path):
    about = imported(Opera().search(), tmp_path).about
    assert about.human_reference == "real" and about.licence.startswith("CC BY 4.0")
    assert about.revision == opera_files.HUB.revision and "arXiv:2506.05606" in about.citation
    assert json.dumps([list(s) for s in about.imported])


@pytest.mark.parametrize("content", ["[", "{}", "\udcff", "[" * 100_000])
def test_a_timeline_that_is_none_is_named(tmp_path, content):
    file = tmp_path / "aaaa_2025_04_03T00_18_19_896000Z_2025_04_03T00_22_04_407000Z.json"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=r"407000Z\.json: no .*must be a JSON list of actions"):
        build(path=tmp_path)
