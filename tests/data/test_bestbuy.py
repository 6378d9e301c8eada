"""Best Buy: both forms of its CSV, searches made of clicks, every dropped click counted, the real excerpt's figures."""

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from told import assert_told

from paars_bench.data import iter_cases
from paars_bench.data.cases import CaseKind
from paars_bench.data.schema import Action, event_of
from paars_bench.data.sources.bestbuy import build
from paars_bench.errors import DataError

HEADER = "user,sku,category,query,click_time,query_time"
PLAIN = '''\
ann,11,abcat01,"tv, 50 inch",2011-09-01 10:00:20.5,2011-09-01 10:00:00
ann,12,abcat01,"tv, 50 inch",2011-09-01 10:01:30,2011-09-01 10:00:00
ann,13,abcat01,"say ""hi""",2011-09-01 10:40:00,2011-09-01 10:35:00
ann,11,abcat01,late,2011-09-03 08:00:59,2011-09-03 08:00:00
bob,12,pcm2,sharp,2011-09-02 09:00:30,2011-09-02 09:00:00
bob,12,pcm2,sharp,2011-09-02 09:00:30,2011-09-02 09:00:00
bob,99,pcm2,nook,2011-09-05 09:00:30,2011-09-05 09:00:00
cat,12,pcm2,,2011-09-02 09:00:30,2011-09-02 09:00:00
cat,12,pcm2,nook,soon,2011-09-02 09:00:00
cat,12,pcm2,nook,2011-09-02 09:00:00,2011-09-02 09:00:30
cat,12,pcm2,nook
'''
TITLES = {"11": "Panasonic &amp; Co TV", "12": "Sharp TV", "13": "A record", "77": "Never clicked"}
DROPPED = {
    "row has the fields of the header, in UTF-8": 1,
    "user, sku, query and both times are written": 1,
    "both times can be read and lie between 1990 and now": 1,
    "clicked after the search": 1,
    "not the same row again": 1,
}


def folder(place: Path, lines: str = PLAIN) -> Path:
    (place / "train.csv").write_text(f"{HEADER}\n{lines}", encoding="utf-8")
    (place / "sku_title.json").write_text(json.dumps(TITLES))
    return place


def quoted(lines: str) -> str:
    """Each line as one quoted field, its quotes doubled: how the published excerpt writes it."""
    return "".join('"' + line.replace('"', '""') + '"\n' for line in lines.splitlines())


def events(data):
    return [event_of(row) for row in data.log.events.to_pylist()]


def steps(data):
    return {step.rule: step for step in data.funnel(None)}


def test_every_click_is_loaded_or_counted(tmp_path):
    data = build(path=folder(tmp_path))
    assert {rule: step.dropped for rule, step in steps(data).items() if step.rule in DROPPED} == DROPPED
    views = [e for e in events(data) if e.action is Action.VIEW]
    assert len(views) == steps(data)["clicks in the source"].kept - sum(DROPPED.values()) == 6


def test_clicks_of_one_search_are_one_search_and_several_views(tmp_path):
    first = [e for e in events(build(path=folder(tmp_path))) if e.session == "ann-0000"]
    assert [(e.action, e.query, e.product) for e in first] == [
        (Action.SEARCH, "tv, 50 inch", None),
        (Action.VIEW, None, "11"),
        (Action.VIEW, None, "12"),
    ]
    assert all(e.rank is None and e.shown is None and e.price is None for e in first)


def test_a_gap_of_more_than_half_an_hour_begins_a_session(tmp_path):
    data = build(path=folder(tmp_path))
    sessions = {e.query: e.session for e in events(data) if e.action is Action.SEARCH}
    assert sessions == {
        "tv, 50 inch": "ann-0000",
        'say "hi"': "ann-0001",  # 33.5 minutes after the last click
        "late": "ann-0002",
        "sharp": "bob-0000",
        "nook": "bob-0001",
    }


def test_both_forms_of_the_file_are_the_same_data(tmp_path):
    for name in ("plain", "quoted"):
        (tmp_path / name).mkdir()
    plain = build(path=folder(tmp_path / "plain"))
    wrapped = folder(tmp_path / "quoted", "")
    (wrapped / "train.csv").write_text(quoted(f"{HEADER}\n{PLAIN}"), encoding="utf-8")
    assert build(path=wrapped).sha256 == plain.sha256
    assert build(path=wrapped).funnel(None) == plain.funnel(None)


def test_pairs_need_a_title_and_nobody_needs_a_history(tmp_path):
    data = build(path=folder(tmp_path))
    assert data.kinds == {CaseKind.QUERY_PAIRS} and data.human_reference == "real"
    pairs = [
        (c.values["query"], data.catalog[c.values["product"]].title) for c in iter_cases(data, CaseKind.QUERY_PAIRS)
    ]
    assert pairs == [("late", "Panasonic & Co TV")]  # bob's last search led to a product without a title
    assert steps(data)["… within 60 s of the search"].kept == 4
    assert steps(data)["… and on a product with a title"].kept == 3
    one = build(path=folder(tmp_path, PLAIN.splitlines(keepends=True)[4]))
    assert [c.values["query"] for c in iter_cases(one, CaseKind.QUERY_PAIRS)] == ["sharp"]
    assert one.background("bob").events == ()


def test_titles_come_as_two_lists_too(tmp_path):
    data = build(path=folder(tmp_path))
    (tmp_path / "sku_title.json").unlink()
    (tmp_path / "product_ids.json").write_text(json.dumps([*TITLES, "11"]))
    (tmp_path / "titles.json").write_text(json.dumps([*TITLES.values(), "a second title"]))
    assert build(path=tmp_path).sha256 == data.sha256
    (tmp_path / "titles.json").write_text(json.dumps(["one"]))
    with pytest.raises(DataError, match=r"1 titles but .* 5 SKUs"):
        build(path=tmp_path)


def test_a_smaller_choice_of_shoppers_is_part_of_a_larger(tmp_path):
    both = {e.shopper for e in events(build(path=folder(tmp_path), shoppers=2))}
    one = {e.shopper for e in events(build(path=folder(tmp_path), shoppers=1))}
    assert len(one) == 1 and one < both == {"ann", "bob"}
    with pytest.raises(DataError, match="shoppers=3 but the source has 2"):
        build(path=folder(tmp_path), shoppers=3)


@pytest.mark.parametrize(
    ("taken", "words"),
    [
        ("train.csv", ["train.csv", "kaggle competitions download -c acm-sf-chapter-hackathon-big"]),
        ("sku_title.json", ["product_ids.json", "hf download dtunkelang/bag-of-documents-bestbuy"]),
    ],
)
def test_a_missing_file_is_one_sentence_with_the_step(tmp_path, taken, words):
    folder(tmp_path)
    (tmp_path / taken).unlink()
    with pytest.raises(DataError) as caught:
        build(path=tmp_path)
    assert all(word in str(caught.value) for word in [*words, "--dataset bestbuy:path=bestbuy"])
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="must be downloaded by hand"):
        build()


def test_files_that_are_something_else_are_named(tmp_path):
    folder(tmp_path, "ann,11,abcat01,,2011-09-01 10:00:20,2011-09-01 10:00:00\n")
    with pytest.raises(DataError, match=r"no row of .*train.csv is a click"):
        build(path=tmp_path)
    (tmp_path / "train.csv").write_text("user,sku\nann,1\n")
    with pytest.raises(DataError, match="has no column 'query', it has user, sku"):
        build(path=tmp_path)
    folder(tmp_path)
    (tmp_path / "sku_title.json").write_text("[")
    with pytest.raises(DataError, match=r"sku_title.json cannot be read"):
        build(path=tmp_path)


def test_the_command_line_tells_licence_citation_and_every_rule(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "files").mkdir()
    spec = f"bestbuy:path={folder(tmp_path / 'files')}"
    assert_told(
        spec, capsys, "bestbuy, real shoppers", "licence: (c) Best Buy; Kaggle competition rules", "citation: ACM SF"
    )


def test_a_test_set_without_a_case_says_which_rule_took_the_last(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "my,files").mkdir()
    (folder(tmp_path / "my,files") / "sku_title.json").write_text("{}")
    assert_told(f"bestbuy:path={tmp_path / 'my,files'},seed=1", capsys, "query_pairs 0 none of ")


REAL = Path(os.environ.get("PAARS_BENCH_REAL_DATA") or "/nowhere")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs PAARS_BENCH_REAL_DATA")
@pytest.mark.parametrize("wrapped", [False, True])
def test_of_999_real_clicks_538_are_within_a_minute_and_43_of_those_have_a_title(tmp_path, wrapped):
    text = (REAL / "bestbuy_clicks" / "clicks_clean.csv").read_text(encoding="utf-8")
    rows = [{k: row[k] for k in HEADER.split(",")} for row in csv.DictReader(io.StringIO(text))]
    made = io.StringIO()
    write = csv.DictWriter(made, HEADER.split(","), lineterminator="\n")
    write.writeheader()
    write.writerows(rows)
    (tmp_path / "train.csv").write_text(quoted(made.getvalue()) if wrapped else text, encoding="utf-8")
    shutil.copy(REAL / "bestbuy_titles" / "sku_title.json", tmp_path)
    found = steps(build(path=tmp_path))
    assert found["clicks in the source"].kept == found["not the same row again"].kept == 999
    assert found["… within 60 s of the search"][1:3] == (538, 461)
    assert found["… and on a product with a title"][1:3] == (43, 495)
