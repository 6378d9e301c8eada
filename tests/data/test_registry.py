"""Naming data sets: what is listed, what is understood, and what the user is told."""

import json
import subprocess
import sys

import pytest

from paars_bench.data import list_datasets, load_dataset, registry
from paars_bench.data.cases import CaseKind
from paars_bench.data.registry import parse_spec
from paars_bench.errors import DataError, MissingExtraError


def test_listing_loads_no_data_library():
    code = (
        "import json, sys; from paars_bench.data import list_datasets; list_datasets();"
        "print(json.dumps([m for m in ('numpy','pyarrow','pandas','datasets','tantivy') if m in sys.modules]))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(out.stdout) == []


def test_every_data_set_says_what_it_is():
    infos = {info.name: info for info in list_datasets()}
    assert infos["demo"].human_reference == "simulated" and infos["completejourney"].human_reference == "real"
    for info in infos.values():
        assert {CaseKind(kind) for kind in info.kinds} and info.summary


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("dmeo", ["unknown data set 'dmeo'", "'demo'"]),
        ("demo:shopers=5", ["unknown option of demo 'shopers'", "'shoppers'"]),
        ("demo:shoppers=many", ["shoppers=many", "whole number"]),
        ("demo:shoppers=0", ["shoppers=0", "from 1"]),
        ("demo:shoppers=-3", ["shoppers=-3"]),
        ("demo:shoppers", ["shoppers=(nothing)"]),
        ("demo:shoppers=5,shoppers=6", ["'shoppers' is given twice"]),
        ("amazon_reviews", ["name the category", "amazon_reviews:Video_Games"]),
        ("amazon_reviews:video_games", ["unknown category 'video_games'", "'Video_Games'"]),
        ("demo:", ["unknown option of demo ''"]),
        ("demo:shoppers=²", ["whole number"]),
        ("", ["unknown data set ''"]),
    ],
)
def test_a_wrong_spec_is_one_sentence_that_helps(spec, words):
    with pytest.raises(DataError) as caught:
        load_dataset(spec)
    message = str(caught.value)
    assert all(word in message for word in words) and "\n" not in message


def test_spellings_of_one_spec_are_one_data_set():
    assert parse_spec("demo").text == parse_spec(" demo:seed=0, shoppers=600").text
    assert parse_spec("demo").text != parse_spec("demo:seed=1").text
    assert parse_spec("demo:shoppers=1_000").text == parse_spec("demo:shoppers=1000").text


def test_a_path_keeps_its_comma(tmp_path):
    (tmp_path / "a,b, c").mkdir()
    for spec in (f"bestbuy:path={tmp_path}/a,b, c,seed=3", f"bestbuy:seed=3,path={tmp_path}/a,b, c"):
        found = parse_spec(spec)
        assert found.options["path"] == str(tmp_path / "a,b, c") and found.options["seed"] == 3
        assert parse_spec(found.text) == found
    with pytest.raises(DataError, match="unknown option of bestbuy 'sed'"):
        parse_spec(f"bestbuy:path={tmp_path},sed=3")
    with pytest.raises(DataError, match="a,d is no file or folder here"):
        parse_spec(f"bestbuy:path={tmp_path}/a,d")


def test_a_missing_extra_names_the_pip_line(monkeypatch):
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'paars-bench\[completejourney\]'"):
        load_dataset("completejourney")
