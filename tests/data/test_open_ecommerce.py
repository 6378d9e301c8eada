"""Open e-commerce: which purchases are kept, what a product is, and that no answer of the survey can reach a prompt."""

import asyncio
import csv
import json
import os
import random
import shutil
from pathlib import Path

import pytest
from told import assert_told

from paars_bench.backbones.door import Completion, Request, Traits, Usage
from paars_bench.config import TaskIndex
from paars_bench.data import iter_cases
from paars_bench.data.cases import CaseKind
from paars_bench.data.schema import event_of
from paars_bench.data.sources.open_ecommerce import build
from paars_bench.data.sources.open_ecommerce_survey import LOADED, OPINIONS, SENSITIVE, SHOPPER
from paars_bench.errors import DataError
from paars_bench.personas.conditions import CONDITIONS
from paars_bench.personas.mine import PREFERENCE_FIELDS, PROFILE_FIELDS
from paars_bench.run.heads import Heads
from paars_bench.run.journal import JsonLines
from paars_bench.tasks.render import Renderer

PURCHASES = [
    "Order Date",
    "Purchase Price Per Unit",
    "Quantity",
    "Shipping Address State",
    "Title",
    "ASIN/ISBN (Product Code)",
    "Category",
    SHOPPER,
]
MARK = "ZZQ"
ODD = [
    ["2019-01-02", "5.00", "1.0", "NJ", "Blue mug", "B1", "DRINKING_CUP", "R_odd"],
    ["2019-01-02", "6.50", "2.0", "NJ", "Blue mug, new name", "B1", "DRINKING_CUP", "R_odd"],
    ["2019-01-03", "7.00", "1.0", "NJ", "No code", "", "ABIS_BOOK", "R_odd"],
    ["2019-01-04", "7.00", "1.0", "NJ", "No code", "", "ABIS_BOOK", "R_odd"],
    ["2019-01-05", "25.00", "1.0", "NJ", "A card", "B2", "GIFT_CARD", "R_odd"],
    ["2019-01-05", "25.00", "1.0", "NJ", "A card", "B2", "ABIS_GIFT_CARD", "R_odd"],
    ["2019-01-05", "5.00", "1.0", "NJ", "", "B3", "CUP", "R_odd"],
    ["2019-01-05", "5.00", "1.0", "NJ", "Nameless kind", "B4", "", "R_odd"],
    ["2019-01-05", "5.00", "0.0", "NJ", "Sent back", "B5", "CUP", "R_odd"],
    ["2019-01-05", "free", "1.0", "NJ", "No price", "B6", "CUP", "R_odd"],
    ["2019-01-05", "-3.00", "1.0", "NJ", "Paid to take", "B7", "CUP", "R_odd"],
    ["someday", "5.00", "1.0", "NJ", "No date", "B8", "CUP", "R_odd"],
    ["43100", "5.00", "1.0", "NJ", "A spreadsheet's date", "B8", "CUP", "R_odd"],
    ["2019-01-05", "5.00", "1.0", "NJ", "Nobody's", "B9", "CUP", ""],
    ["2019-01-05", "5.00"],
]
DROPPED = {
    "row has the fields of the header, in UTF-8": 1,
    "names who bought": 1,
    "date can be read and lies between 1990 and now": 2,
    "quantity above 0": 1,
    "price is a number from 0 to 1e12": 2,
    "product has a title": 1,
    "product has a category": 1,
    "no gift card": 2,
}


def folder(place: Path, *, people: int = 6, odd: bool = False) -> Path:
    """Six people who buy on 30 days each, among kinds of their own, and whose every answer is a marker."""
    rng = random.Random(1)
    rows = list(ODD) if odd else []
    for person in range(people):
        for day in range(30):
            n = 10 * person + rng.randrange(10)
            date = f"2020-{1 + day // 28:02d}-{1 + day % 28:02d}"
            rows.append([date, "9.99", "1.0", "OH", f"Thing {n}", f"B{n:05d}", f"KIND_{n}", f"R_{person}"])
    with (place / "amazon-purchases.csv").open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([PURCHASES, *rows])
    questions = [*LOADED, *OPINIONS, *SENSITIVE, "Q-new-question"]
    with (place / "survey.csv").open("w", newline="", encoding="utf-8") as out:
        write = csv.writer(out)
        write.writerow([SHOPPER, *questions])
        write.writerows([f"R_{n}", *(f"{MARK} {q} {n}" for q in questions)] for n in range(people + 2))
    return place


def steps(data):
    return {step.rule: step for step in data.funnel(None)}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return build(path=folder(tmp_path_factory.mktemp("survey")))


def test_every_purchase_is_kept_or_counted(tmp_path):
    odd = build(path=folder(tmp_path, odd=True))
    found = {}
    for step in odd.funnel(None):
        found.setdefault(step.rule, step)  # the survey has rows, too
    assert {rule: found[rule].dropped for rule in DROPPED} == DROPPED
    assert odd.log.events.num_rows == found["purchases in the source"].kept - sum(DROPPED.values()) == 184


def test_a_product_is_its_code_else_its_title_and_the_first_title_counts(tmp_path):
    odd = build(path=folder(tmp_path, odd=True))
    own = [event_of(row) for row in odd.log.events.to_pylist() if row["shopper"] == "R_odd"]
    assert [e.product for e in own[:2]] == ["B1", "B1"] and odd.catalog["B1"].title == "Blue mug"
    assert own[2].product == own[3].product and own[2].product.startswith("title-")
    book = odd.catalog[own[2].product]
    assert (book.title, book.category) == ("No code", ("Book",)) and odd.catalog["B1"].category == ("Drinking cup",)
    assert steps(odd)["… without a code, told apart by title"].kept == 2
    assert steps(odd)["… with more than one title, known by their first"].kept == 1


def test_a_session_is_a_day_and_the_price_is_for_one(tmp_path):
    odd = build(path=folder(tmp_path, odd=True))
    own = [event_of(row) for row in odd.log.events.to_pylist() if row["shopper"] == "R_odd"]
    assert [(e.session, e.price) for e in own] == [
        ("R_odd-2019-01-02", 5.0),
        ("R_odd-2019-01-02", 6.5),
        ("R_odd-2019-01-03", 7.0),
        ("R_odd-2019-01-04", 7.0),
    ]
    assert own[0].time.isoformat() == "2019-01-02T00:00:00+00:00"


def test_people_give_item_choices_only(data):
    assert data.kinds == {CaseKind.ITEM_CHOICES} and data.human_reference == "real"
    cases = list(iter_cases(data, CaseKind.ITEM_CHOICES))
    assert len(cases) == 24 and len(data.shoppers) == 6  # four each
    assert "doi.org/10.1038" in data.citation and "Dataverse" in data.licence


def test_answers_are_truth_by_readable_name_and_sensitive_ones_are_nowhere(data):
    truth = data.truth("R_3")
    assert set(truth) == {*LOADED.values(), *OPINIONS.values()} and truth["age"] == f"{MARK} Q-demos-age 3"
    everything = str(data.log.shoppers.to_pylist())
    assert not [q for q in [*SENSITIVE, "Q-new-question"] if q in everything]
    found = steps(data)
    assert found["with a purchase kept, first row of each"][1:3] == (6, 2)
    rule = next(r for r in found if r.startswith("not sensitive"))
    assert all(word in rule for word in ("race", "sexual orientation", "substance use", "health", "life changes"))
    assert found[rule].dropped == 6 * len(SENSITIVE) and found["to a question that is known"].dropped == 6
    assert {"Q-demos-race", "Q-sexual-orientation", "Q-life-changes"} <= set(SENSITIVE)
    assert not set(SENSITIVE) & {*LOADED, *OPINIONS}


class _Listens:
    """A backbone that answers as it is asked to and keeps every word that it was sent."""

    traits = Traits("fake", "fake/fake", False, 100_000, False, False)

    def __init__(self):
        self.heard: list[str] = []

    async def complete(self, request: Request) -> Completion:
        self.heard += [m["content"] for m in request.messages]
        fields = PROFILE_FIELDS if "age_range" in request.reply_schema["properties"] else PREFERENCE_FIELDS
        answer = {k: ["tea"] if v.get("type") == "array" else "x" for k, v in fields.items()}
        return Completion(json.dumps({"reasoning": "r", **answer}), usage=Usage())

    def count_tokens(self, text: str) -> int:
        return len(text) // 4

    async def aclose(self) -> None:
        pass


def test_no_prompt_of_any_condition_holds_an_answer(data, tmp_path):
    door = _Listens()
    shoppers = data.shoppers
    donors = dict(zip(shoppers, shoppers[1:] + shoppers[:1], strict=True))
    store = JsonLines(tmp_path / "personas.jsonl")
    heads = Heads(data, door, store, budget=50_000, donors=donors, seed=0, pay=lambda usage: None)
    specs = [s for s in TaskIndex().select(("all",)) if s.dataset.cases in data.kinds]
    prompts = []
    for spec in specs:
        renderer = Renderer(spec, data.catalog)
        for condition in CONDITIONS:
            for case in iter_cases(data, spec.dataset.cases):
                head = asyncio.run(heads.head(condition, case))
                assert head.error is None
                prompts += [m["content"] for m in renderer.messages(head.text, case)]
    texts = prompts + door.heard
    assert len(prompts) == 2 * 24 * len(CONDITIONS) and len(door.heard) >= 2 * len(shoppers)
    assert any("bought Thing" in text for text in texts)  # they do hold what an agent may know
    assert not [text for text in texts if MARK in text]
    assert MARK in str(data.truth(shoppers[0]))  # and the marker is one that would be seen


def test_a_smaller_choice_is_part_of_a_larger_with_the_same_cases(data, tmp_path):
    fewer = build(path=folder(tmp_path), shoppers=2)
    assert len(fewer.shoppers) == 2 and set(fewer.shoppers) < set(data.shoppers)
    larger = {c.case_id: c for c in iter_cases(data, CaseKind.ITEM_CHOICES)}
    assert all(larger[c.case_id] == c for c in iter_cases(fewer, CaseKind.ITEM_CHOICES))


@pytest.mark.parametrize("taken", ["amazon-purchases.csv", "survey.csv"])
def test_a_missing_file_is_one_sentence_with_the_step(tmp_path, taken):
    folder(tmp_path)
    (tmp_path / taken).unlink()
    with pytest.raises(DataError) as caught:
        build(path=tmp_path)
    words = ("10.7910/DVN/YGLYDY", taken, "--dataset open_ecommerce:path=open_ecommerce")
    assert all(word in str(caught.value) for word in words) and "\n" not in str(caught.value)
    with pytest.raises(DataError, match="must be downloaded by hand"):
        build()


def test_the_command_line_tells_licence_citation_and_every_rule(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "files").mkdir()
    spec = f"open_ecommerce:path={folder(tmp_path / 'files')}"
    assert_told(
        spec,
        capsys,
        "open_ecommerce, real shoppers",
        "licence: as its page on Harvard Dataverse",
        "citation: Berke, Calacci",
    )


REAL = Path(os.environ.get("PAARS_BENCH_REAL_DATA") or "/nowhere")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs PAARS_BENCH_REAL_DATA")
def test_the_real_survey_is_read_as_it_is(tmp_path):
    folder(tmp_path)
    shutil.copy(REAL / "open_ecommerce_survey" / "survey.pub.csv", tmp_path / "survey.csv")
    with (tmp_path / "survey.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    text = (tmp_path / "amazon-purchases.csv").read_text()
    for n in range(6):
        text = text.replace(f",R_{n}\n", f",{rows[n][SHOPPER]}\n").replace(f",R_{n}\r", f",{rows[n][SHOPPER]}\r")
    (tmp_path / "amazon-purchases.csv").write_text(text)
    real = build(path=tmp_path)
    assert steps(real)["people in the survey"].kept == 5027
    for row in rows[:6]:
        said = {LOADED[q]: a for q, a in row.items() if q in LOADED and a != "Prefer not to say"}
        assert real.truth(row[SHOPPER]) == said
