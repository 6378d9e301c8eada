"""The row types are the one definition: Arrow, Features and pydantic say the same of every column."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from paars_bench.data.definition import adapter, arrow_schema, bounds, features, read_row
from paars_bench.data.schema import (
    CATALOG,
    EVENTS,
    SESSIONS,
    SHOPPERS,
    Action,
    Event,
    Product,
    Review,
    SessionInfo,
    Shopper,
    event_json,
    event_of,
    events_table,
    product_of,
    products_table,
)
from paars_bench.errors import DataError

ROWS = {Event: EVENTS, Product: CATALOG, Shopper: SHOPPERS, SessionInfo: SESSIONS}
JSON = {"string": "string", "double": "number", "int32": "integer", "int64": "integer", "bool": "boolean"}
NOW = datetime(2025, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("row", ROWS)
def test_arrow_features_and_pydantic_agree_on_every_column(row):
    schema, described = ROWS[row], adapter(row).json_schema()
    assert arrow_schema(row) is schema
    assert features(row).arrow_schema.names == schema.names == list(described["properties"])
    assert set(described["required"]) == {f.name for f in schema if not f.nullable}
    for field in schema:
        assert features(row).arrow_schema.field(field.name).type == field.type
        said = described["properties"][field.name]
        said = next(s for s in said.get("anyOf", [said]) if s.get("type") != "null")
        if pa.types.is_list(field.type):
            assert said["type"] == "array"
        elif pa.types.is_timestamp(field.type):
            assert said["format"] == "date-time" and str(field.type) == "timestamp[us, tz=UTC]"
        else:
            assert said.get("type", "string") == JSON[str(field.type)]


def test_features_hold_the_rows_that_the_dataclasses_make():
    import datasets

    event = Event("ann", "s1", NOW, Action.SEARCH, query="red", shown=("p1", "p2"))
    product = Product("p1", "Mug", ("Kitchen",), reviews=(Review(4.0, "fine"),), sponsored=True)
    events = datasets.Dataset.from_list(events_table([event]).to_pylist(), features=features(Event))
    products = datasets.Dataset.from_list(products_table([product]).to_pylist(), features=features(Product))
    assert event_of(events[0]) == event and product_of(products[0]) == product


OUTSIDE = {
    "rank of 0": (Event, {"rank": 0}),
    "rank past int32": (Event, {"rank": 2**31}),
    "negative price": (Event, {"price": -0.01}),
    "infinite price": (Event, {"price": float("inf")}),
    "unknown action": (Event, {"action": "hover"}),
    "no zone": (Event, {"time": "2025-03-01T10:00:00"}),
    "no shopper": (Event, {"shopper": ""}),
    "unknown field": (Event, {"rnk": 1}),
    "rating of 6": (Product, {"rating": 6}),
    "rating of 0": (Product, {"rating": 0.5}),
    "no title": (Product, {"title": ""}),
    "fewer reviews than none": (Product, {"review_count": -1}),
    "review without a text": (Product, {"reviews": [{"rating": 3}]}),
}
SOUND = {
    Event: {"shopper": "ann", "session": "s", "time": "2025-03-01T10:00:00Z", "action": "view", "rank": 1, "price": 0},
    Product: {"id": "p1", "title": "Mug", "rating": 5, "review_count": 0, "reviews": [{"rating": 1, "text": ""}]},
}  # fmt: skip


@pytest.mark.parametrize("case", OUTSIDE)
def test_a_row_outside_the_bounds_is_refused_by_name(case):
    row, change = OUTSIDE[case]
    assert read_row(row, SOUND[row])
    with pytest.raises(DataError, match=next(iter(change))):
        read_row(row, SOUND[row] | change)


def test_json_of_an_event_is_read_back_checked():
    event = Event("ann", "s1", NOW.astimezone(timezone(timedelta(hours=8))), Action.VIEW, product="p1", rank=3)
    assert read_row(Event, event_json(event)) == event == event_of(event_json(event))


def test_bounds_are_those_that_importers_use():
    assert bounds(Product, "rating") == (1, 5) and bounds(Event, "price") == (0, 1e12)
    assert bounds(Event, "rank") == (1, 2**31 - 1) and bounds(Product, "review_count").least == 0


def test_making_an_event_checks_nothing_and_the_schema_loads_no_data_library():
    assert Event("", "", NOW, Action.VIEW, rank=-1).rank == -1
    code = "import sys, paars_bench.data.schema; sys.exit('datasets' in sys.modules or 'pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
