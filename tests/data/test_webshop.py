"""WebShop's trajectories, in their published form: six lists a line, pages as text, actions as ``click[…]``."""

from __future__ import annotations

import json
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from paars_bench.data import iter_cases
from paars_bench.data.cases import CaseKind
from paars_bench.data.mined import MinedData
from paars_bench.data.schema import Action, Event, event_of
from paars_bench.data.sources.webshop import build
from paars_bench.data.sources.webshop_pages import Listed, instruction, listed
from paars_bench.errors import DataError

TOLD = "i would like a 3 ounce bottle of bright citrus deodorant for sensitive skin"
HEAD = f"Instruction:\n{TOLD}, and price lower than 50.00 dollars\n"
START = f"Amazon Shopping Game\n{HEAD}[button] Search [button_]"
ONE, TWO, THREE = "B078GWRC1J", "B078GTKVXY", "B08KBVJ4XN"


def page(number: int, *products: str) -> str:
    rows = "".join(f"\n[button] {p} [button_]\nDeodorant {p[-2:]}\n$10.99" for p in products)
    return (
        f"{HEAD}[button] Back to Search [button_]\nPage {number} (Total results: 50)\n[button] Next > [button_]{rows}"
    )


def product(asin: str) -> str:
    return f"{HEAD}[button] < Prev [button_]\nsize\n  [button] 3 ounce [button_]\nDeodorant {asin}\nPrice: $10.99"


def trajectory(*steps: tuple[str, str]) -> dict[str, Any]:
    """Steps of an action and the page it led to; the last page is not in the source."""
    return {
        "states": [START, *(after for _, after in steps[:-1])],
        "actions": [action for action, _ in steps],
        "available_actions": [["click[buy now]"] for _ in steps],
        "actions_translate": [action for action, _ in steps],
        "action_idxs": [-1 if action.startswith("search") else 0 for action, _ in steps],
        "images": [[0.0] * 4 for _ in steps],
    }


BOUGHT = trajectory(
    ("search[bright citrus deodorant]", page(1, ONE, TWO)),
    (f"click[{TWO.lower()}]", product(TWO)),
    ("click[3 ounce]", product(TWO)),
    ("click[< prev]", page(1, ONE, TWO)),
    ("click[next >]", page(2, THREE)),
    (f"click[{THREE.lower()}]", product(THREE)),
    ("click[buy now]", ""),
)


def written(folder: Path, *rows: Any, name: str = "il_trajs_finalized_images.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def events(data: MinedData, action: Action | None = None) -> list[Event]:
    found = [event_of(row) for row in data.log.events.to_pylist()]
    return [e for e in found if action is None or e.action is action]


def step(data: MinedData, rule: str) -> tuple[int, int]:
    return next((s.kept, s.dropped) for s in data.funnel(None) if s.rule == rule)


def test_a_trajectory_is_a_session_of_a_shopper_of_its_own(tmp_path):
    data = build(path=written(tmp_path, BOUGHT, BOUGHT))
    assert data.log.sessions["shopper"].to_pylist() == ["w00000", "w00001"]
    assert [e.action for e in events(data)[:4]] == [Action.SEARCH, Action.VIEW, Action.VIEW, Action.PURCHASE]
    assert events(data, Action.PURCHASE)[0].product == THREE


def test_the_list_grows_with_the_page_and_the_rank_is_the_place_in_it(tmp_path):
    data = build(path=written(tmp_path, BOUGHT))
    (search,) = events(data, Action.SEARCH)
    assert search.query == "bright citrus deodorant" and search.shown == (ONE, TWO, THREE)
    assert [(e.product, e.rank) for e in events(data, Action.VIEW)] == [(TWO, 2), (THREE, 3)]


def test_prices_are_drawn_at_random_so_none_is_imported(tmp_path):
    data = build(path=written(tmp_path, BOUGHT))
    assert data.catalog.table["price"].null_count == len(data.catalog) == 3
    assert data.catalog.table["rating"].null_count == 3
    assert all(e.price is None for e in events(data))
    assert data.log.sessions["intention"].to_pylist() == [TOLD]  # without the limit made of a random price


def test_clicks_that_are_no_events_are_counted(tmp_path):
    odd = trajectory(("search[a]", page(1, ONE)), ("click[b0nolist01]", ""), ("click[buy now]", ""), ("think[hm]", ""))
    data = build(path=written(tmp_path, BOUGHT, odd))
    assert step(data, "actions") == (11, 0)
    assert step(data, "a search or a click")[1] == 1
    assert step(data, "not between pages")[1] == 2
    assert step(data, "not on an option or a detail of a product")[1] == 2
    assert step(data, "not buying without a product open") == (5, 1)
    assert len(events(data)) == 5


def test_cases_come_of_it_without_any_history(tmp_path):
    data = build(path=written(tmp_path, BOUGHT))
    (pair,) = iter_cases(data, CaseKind.QUERY_PAIRS)
    (rank,) = iter_cases(data, CaseKind.RANK_CHOICES)
    (session,) = iter_cases(data, CaseKind.SESSIONS)
    assert (pair.values["query"], pair.values["product"]) == ("bright citrus deodorant", TWO)
    assert (rank.values["shown"], rank.values["rank"]) == ([ONE, TWO, THREE], 2)
    assert session.values["intention"] == TOLD
    assert data.background("w00000").events == ()


def test_the_zip_file_is_read_as_it_is_and_so_is_a_folder(tmp_path):
    file = written(tmp_path, BOUGHT)
    with zipfile.ZipFile(tmp_path / "il_trajs_finalized_images.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file, file.name)
    zipped = build(path=tmp_path / "il_trajs_finalized_images.zip")
    plain = build(path=file)
    assert zipped.sha256 == plain.sha256 and zipped.revision == plain.revision
    file.unlink()
    assert build(path=tmp_path).sha256 == plain.sha256


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "line 1 is no JSON"),
        (b'{"states": []}\n', "line 1 has no list 'actions'"),
        (b"[]\n", "line 1 has no list 'states'"),
        (b'{"states": [], "actions": []}\n{"states": "x"}\n', "line 2 has no list 'states'"),
        (b"\n" + b"[" * 100_000, "line 2 is no JSON"),
        (b"\n\n", "no case can be mined from its 0 trajectories"),
        (b'{"states": [], "actions": []}\n', "no case can be mined from its 1 trajectories"),
    ],
)
def test_a_line_that_is_no_trajectory_is_located(tmp_path, content, words):
    file = tmp_path / "il_trajs_finalized_images.jsonl"
    file.write_bytes(content)
    with pytest.raises(DataError, match=words):
        build(path=file)


@pytest.mark.parametrize("packed", [True, False])
def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(tmp_path, packed):
    """A ZIP file of half a megabyte can hold one such line."""
    file = written(tmp_path, BOUGHT)
    with file.open("ab") as out:
        for _ in range(300):
            out.write(b" " * (1 << 20))
    if packed:
        with zipfile.ZipFile(tmp_path / "il_trajs_finalized_images.zip", "w", zipfile.ZIP_DEFLATED, 1) as archive:
            archive.write(file, file.name)
        file.unlink()
    tracemalloc.start()
    with pytest.raises(DataError, match="line 2 is longer than 64 MiB"):
        build(path=tmp_path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 200 << 20


def test_what_is_missing_or_damaged_is_said_with_the_step_to_take(tmp_path):
    (tmp_path / "il_trajs_finalized_images.zip").write_bytes(b"PK no zip")
    for path, words in ((None, "downloaded by hand"), (tmp_path, "cannot be read"), (tmp_path / "no", "holds neither")):
        with pytest.raises(DataError, match=words) as caught:
            build(path=path)
        assert "curl -LO https://github.com/princeton-nlp/WebShop/raw/64fa2a5c" in str(caught.value)


def test_instructions_with_queries_alone_are_refused_and_why(tmp_path):
    root = os.environ.get("PAARS_BENCH_REAL_DATA")
    file = Path(root) / "webshop_queries" / "goal_query_map.json" if root else tmp_path / "goal_query_map.json"
    if not root:
        file.write_text('{"i need a mug": ["mug"]}')
    with pytest.raises(DataError, match="without a list shown, a product or a session, so no case can be mined"):
        build(path=file)


@pytest.mark.parametrize("parted", [False, True])
def test_pages_are_read_in_both_spellings(parted):
    text, start = page(1, ONE, TWO), START
    if parted:
        text, start = (
            t.replace("[button] ", "").replace(" [button_]", "").replace("\n", " [SEP] ") for t in (text, start)
        )
    assert listed(text) == (Listed(ONE, "Deodorant 1J"), Listed(TWO, "Deodorant XY"))
    assert instruction(start) == TOLD
    assert listed(start) is None and listed(product(ONE)) is None


@pytest.mark.parametrize("state", ["", "Instruction:", "no word of it", "Page 1 (Total results: 0)", "[SEP]" * 1000])
def test_a_page_without_what_is_looked_for_has_none(state):
    assert instruction(state) is None and not listed(state)


def test_a_product_clicked_before_is_still_in_the_list():
    text = page(1, ONE, TWO).replace(f"[button] {ONE} [button_]", f"[clicked button] {ONE} [clicked button_]")
    assert [p.asin for p in listed(text) or ()] == [ONE, TWO]
