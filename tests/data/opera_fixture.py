"""OPeRA in small: Parquet files in the schema of its dataset card, written action by action by a test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from paars_bench.data.sources.opera_pages import slug

ANN, BOB = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
NOON = datetime(2025, 4, 7, 16, tzinfo=UTC)  # noon in the east of the US
COLUMNS = (
    "session_id", "action_id", "timestamp", "action_type", "click_type", "semantic_id", "mouse_position",
    "element_meta", "url", "window_size", "page_meta", "simplified_html", "rationale", "products", "input_text",
    "image",
)  # fmt: skip
USER_COLUMNS = ("user_id", "survey", "raw_survey", "interview_transcript", "interview_transcript_processed")
SURVEY = {
    "Demographic Information": {"Gender": "Female", "Age": "25-34 years old", "Living situation": ""},
    "Shopping Preference": {
        "Online shopping frequency": "Once to twice a week",
        "To what extent do you agree with the following statements": {
            "Once I find a brand I like, I stick with it.": "Somewhat agree"
        },
    },
}

SHOWN = ("Red Kettle", "Blue Kettle 1.7 L", "Steel Kettle")
ASINS = {"Red Kettle": "B000000001", "Blue Kettle 1.7 L": "B000000002", "Steel Kettle": "B000000003"}


def item(title: str, price: str = "$12.99") -> dict[str, Any]:
    """A product as the recorder's metadata have it; titles outside ``ASINS`` have no ASIN."""
    return {"title": title, "asin": ASINS.get(title), "price": price, "url": "https://www.amazon.com/[MASKED]"}


def meta(name: str, data: Any) -> str:
    """Metadata of an element: JSON in JSON."""
    return json.dumps({"name": name, "data": json.dumps(data)})


def result_page(titles: Sequence[str] = SHOWN, *, extra: str = "", sponsored: str = "") -> str:
    """A result page as the recorder simplifies it, with the navigation, filters and the sort menu."""
    return (
        "<html><head><title>Amazon.com</title></head><body>"
        '<div name="nav_bar"><input name="nav_bar.search_input" value="kettle"></div>'
        '<div name="refinements"><a name="refinements.brand.acme">Acme</a></div>'
        '<div name="search_results">'
        '<div name="search_results.sort"><span name="search_results.sort.price">Price</span></div>'
        f"{extra}{''.join(_result(t, sponsored == t) for t in titles)}</div></body></html>"
    )


def _result(title: str, sponsored: bool) -> str:
    name = f"search_results.{slug(title)}"
    return (
        f'<div name="{name}" class="search-result">{"<span>Sponsored</span>" if sponsored else ""}'
        f'<a name="{name}.product_name" class="product-name">{escape(title)}</a>'
        f'<div name="{name}.product_image">Product Image</div>'
        '<div class="product-review"><span class="product-rating">4.5 out of 5 stars</span>'
        f'<span name="{name}.product_rating_count" class="product-rating-count">1,234 reviews</span></div>'
        f'<div class="product-price"><span>$19.99</span></div></div><split-marker></split-marker>'
    )


class Opera:
    """A small OPeRA; ``write`` puts it into a folder with the repository's tree."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.people: list[dict[str, Any]] = []
        self.user, self.now = ANN, NOON
        self.session = ""
        self.page, self.page_meta = "", "{}"
        self.begin()

    def begin(self, user: str | None = None, *, days: int = 0, minutes: int = 1) -> Opera:
        """Begins a session of the source, as its recorder cuts them."""
        self.user = user or self.user
        self.now += timedelta(days=days, minutes=minutes)
        start = self.now.isoformat().replace("+00:00", "Z")
        self.session = f"{self.user}_{start}_2025-05-30T00:00:00.000000Z"
        return self.on("")

    def on(self, page: str, **page_meta: Any) -> Opera:
        """Says on which page the next actions happen, and its metadata."""
        self.page, self.page_meta = page, json.dumps(page_meta)
        return self

    def results(self, term: str, titles: Sequence[str] = SHOWN, **options: Any) -> Opera:
        """Is on the result page of a term; only titles in ``ASINS`` have one in the page's metadata."""
        return self.on(
            result_page(titles, **options), search_term=[{"term": term}], search_results=[item(t) for t in titles]
        )

    def act(self, kind: str, click: str | None = None, target: str = "", *, after: float = 10, **values: Any) -> Opera:
        """Writes a row, some seconds after the last."""
        self.now += timedelta(seconds=after)
        row = dict.fromkeys(COLUMNS) | {
            "session_id": self.session,
            "action_id": f"a{len(self.rows)}",
            "timestamp": self.now.isoformat().replace("+00:00", "Z"),
            "action_type": kind,
            "click_type": click,
            "semantic_id": target,
            "element_meta": meta("", ""),
            "page_meta": self.page_meta,
            "simplified_html": self.page,
        }
        self.rows.append(row | values)
        return self

    def search(self, typed: str = "kett", after: float = 10) -> Opera:
        """Types a prefix into the search box and clicks the button: three rows for one search."""
        self.act("click", "search", "nav_bar.search_input", after=after)
        self.act("input", None, "nav_bar.search_input", input_text=typed, after=2)
        return self.act("click", "search", "nav_bar.search_button", after=1)

    def view(self, title: str, *, element: str = "search_results", price: str = "$12.99", after: float = 10) -> Opera:
        """Clicks a product."""
        where = f"search_results.{slug(title)}.product_name" if element == "search_results" else f"{element}.product"
        return self.act("click", "product_link", where, element_meta=meta(element, item(title, price)), after=after)

    def buy(self, button: str, *titles: str, price: str = "$12.99") -> Opera:
        """Clicks a button of purchase intent."""
        return self.act("click", "purchase", button, products=json.dumps([item(t, price) for t in titles]))

    def leave(self) -> Opera:
        """Ends a session of the source."""
        return self.act("terminate", after=0)

    def person(self, user: str, survey: Any = SURVEY, *, interview: str = "", transcript: str = "") -> Opera:
        """Adds a row of the user table."""
        text = survey if isinstance(survey, str) else json.dumps(survey)
        self.people.append(dict(zip(USER_COLUMNS, (user, text, "{}", transcript, interview), strict=True)))
        return self

    def write(self, folder: Path, *, in_test: int = 0) -> Path:
        """Writes both splits, the last ``in_test`` actions and the last person into the second."""
        cut = len(self.rows) - in_test
        _write(self.rows[:cut], COLUMNS, folder / "OPeRA_filtered/action/train-00000-of-00001.parquet")
        _write(self.rows[cut:], COLUMNS, folder / "OPeRA_filtered/action/test-00000-of-00001.parquet")
        _write(self.people, USER_COLUMNS, folder / "OPeRA_filtered/user/train/train.parquet")
        _write(self.people[-1:], USER_COLUMNS, folder / "OPeRA_filtered/user/test/test.parquet")
        return folder


def _write(rows: list[dict[str, Any]], columns: Sequence[str], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema([(c, pa.string()) for c in columns])), file)
