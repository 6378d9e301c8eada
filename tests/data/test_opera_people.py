"""What OPeRA's people said of themselves: kept as truth, never in a prompt; and what is hostile in the source."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest

pytest.importorskip("lxml", reason="needs pip install 'paars-bench[opera]'")

from opera_fixture import ANN, BOB, SHOWN, SURVEY, Opera, result_page

from paars_bench.backbones.door import Completion, Request, Traits, Usage
from paars_bench.config import TaskIndex
from paars_bench.data import iter_cases
from paars_bench.data.mined import MinedData
from paars_bench.data.sources.opera import build
from paars_bench.data.sources.opera_pages import LONGEST, result_list
from paars_bench.data.sources.opera_people import INTERVIEW, SENSITIVE
from paars_bench.outcomes import Outcome
from paars_bench.personas.conditions import CONDITIONS
from paars_bench.run.heads import Heads
from paars_bench.run.journal import JsonLines
from paars_bench.tasks.render import Renderer

MARK = "zq-said-in-confidence"


def lived(folder, survey: Any = SURVEY, **said: str) -> MinedData:
    opera = Opera()
    for user in (ANN, BOB):
        for _ in range(4):
            opera.begin(user, days=1).search().results("kettle").view("Blue Kettle 1.7 L").leave()
    return build(path=opera.person(ANN, survey, **said).person(BOB).write(folder))


def test_answers_are_truth_by_the_path_of_their_question(tmp_path):
    truth = lived(tmp_path, interview="Buys what lasts.").truth(ANN)
    assert truth["Demographic Information / Age"] == "25-34 years old"
    assert truth["Shopping Preference / Online shopping frequency"] == "Once to twice a week"
    agree = "Shopping Preference / To what extent do you agree with the following statements"
    assert truth[f"{agree} / Once I find a brand I like, I stick with it."] == "Somewhat agree"
    assert truth[INTERVIEW] == "Buys what lasts."
    assert not any("Living situation" in key for key in truth)  # asked, not answered


@pytest.mark.parametrize(
    "question",
    [
        "Race", "What is your ethnicity?", "Sexual orientation", "Religion", "Political views", "Health conditions",
        "Do you have a disability?", "Nationality", "How often do you smoke?",
    ],
)  # fmt: skip
def test_answers_on_sensitive_attributes_are_dropped_and_counted(tmp_path, question):
    survey = {"Demographic Information": {"Age": "25", question: MARK}}
    data = lived(tmp_path, survey)
    assert data.truth(ANN) == {"Demographic Information / Age": "25"}
    step = next(s for s in data.funnel(None) if s.rule == "not on a sensitive attribute")
    assert step.dropped == 1


def test_what_the_survey_asks_of_everyone_is_not_taken_for_sensitive():
    asked = ("Gender", "Age", "City", "Education level", "Living situation", "Employment status", "Emotional Stability")
    assert not any(SENSITIVE.search(key) for key in asked)


def test_the_words_of_an_interview_are_not_kept(tmp_path):
    data = lived(tmp_path, transcript=f"Interviewer: … Participant: {MARK}")
    assert MARK not in json.dumps(data.log.shoppers.to_pylist())


@pytest.mark.parametrize("survey", ["{", "[" * 100_000, "nan", '"text"', "[1, 2]", json.dumps({"a": {"b": [1, 2]}})])
def test_no_survey_crashes_the_import(tmp_path, survey):
    assert lived(tmp_path, survey).truth(BOB)


class Repeats:
    """Mines a persona that says all it was told, so that whatever leaks into a prompt comes out in the next."""

    traits = Traits("repeats", "repeats/1", False, 100_000, tools=False, reply_schema=True)

    def __init__(self) -> None:
        self.told: list[str] = []

    async def complete(self, request: Request) -> Completion:
        self.told.append("\n".join(str(m["content"]) for m in request.messages))
        fields = (request.reply_schema or {}).get("properties", {})
        answer = {k: ["some"] if v.get("type") == "array" else v.get("enum", ["some"])[0] for k, v in fields.items()}
        return Completion(json.dumps(answer | {"reasoning": self.told[-1]}), usage=Usage(1, 0, 1))

    def count_tokens(self, text: str) -> int:
        return len(text) // 3

    async def aclose(self) -> None:
        """Holds nothing."""


def prompts(data: MinedData, folder) -> list[str]:
    """Every prompt of every built-in task and condition, and what persona mining was told."""
    backbone = Repeats()
    heads = Heads(
        data, backbone, JsonLines(folder / "personas.jsonl"), budget=50_000, donors={ANN: BOB, BOB: ANN}, seed=0,
        pay=lambda usage: None,
    )  # fmt: skip
    written = []
    for spec in TaskIndex().select(("all",)):
        if spec.dataset.cases not in data.kinds:
            continue
        renderer = Renderer(spec, data.catalog)
        for case in iter_cases(data, spec.dataset.cases):
            for condition in CONDITIONS:
                head = asyncio.run(heads.head(condition, case))
                assert head.outcome is Outcome.OK
                more = {"tools": "", "leaving": "own_call"} if spec.output_type == "session" else {}
                written += [str(m["content"]) for m in renderer.messages(head.text, case, **more)]
    assert len(written) > 2 * len(CONDITIONS)
    return written + backbone.told


def test_nothing_said_in_a_survey_or_interview_reaches_a_prompt(tmp_path):
    marked = {"Demographic Information": {"Age": f"25 {MARK}", "City": MARK}, MARK: MARK, "Personality": [MARK]}
    data = lived(tmp_path / "data", marked, interview=MARK, transcript=MARK)
    assert MARK in json.dumps(data.truth(ANN))
    written = prompts(data, tmp_path)
    assert not [text for text in written if MARK in text]
    assert [text for text in written if "kettle" in text]  # the history does reach them


def test_hostile_pages_end_soon_and_say_nothing():
    node = '<div name="search_results.a" class="search-result product-name">'
    pages = [
        '<div name="search_results">' + "<div>" * 200_000,
        node * 20_000 + "x",
        '<div name="search_results" ' + " ".join(f'a{n}="x"' for n in range(60_000)) + ">",
        '<div name="search_results">' + "<a " * 200_000,
        '<div name="search_results">' + "<!--" * 200_000,
        '<div name="search_results">' + "<table><tr><td>" * 20_000,
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b "&b;&b;">]><div name="search_results">&b;',
        '<div name="search_results.\ud800.product_name">\0</div>',
        'name="search_results',
        result_page() + " " * LONGEST,
    ]
    start = time.perf_counter()
    lists = [result_list(page) for page in pages]
    assert time.perf_counter() - start < 20  # measured: 3 s, where a quadratic step took 17 s to 180 s
    assert [len(places) for places in lists] == [0, 1, 0, 0, 0, 0, 0, 1, 0, 0]


def test_a_page_is_read_through_broken_markup():
    page = result_page().replace("</a>", "").replace("</span>", "").replace("<html>", "<html><!-- <p")
    assert [p.title for p in result_list(result_page())] == list(SHOWN)
    assert [p.slug for p in result_list(page.replace("<!-- <p", ""))] == [p.slug for p in result_list(result_page())]


@pytest.mark.parametrize("offline", ["1", "0"])
def test_without_the_hub_one_sentence_names_the_step_and_soon(tmp_path, offline):
    code = (
        "from paars_bench.data.sources.opera import build\nfrom paars_bench.errors import DataError\n"
        "try: build()\nexcept DataError as error: print(error)"
    )
    # A proxy that nobody listens at stands for a machine without a network.
    nowhere = "http://127.0.0.1:9"
    env = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": offline, "HTTPS_PROXY": nowhere, "NO_PROXY": ""}
    start = time.perf_counter()
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=env, check=True)
    assert time.perf_counter() - start < 60  # measured: 2.5 s
    assert out.stdout.count("\n") == 1 and "cannot be had from the Hub" in out.stdout
    assert "hf download NEU-HAI/OPeRA" in out.stdout and "--dataset opera:path=opera" in out.stdout


def test_a_revision_in_the_cache_is_read_without_a_network(tmp_path):
    revision = "6f26a2c5cc69084f1714e39db9776e61791344d6"
    snapshot = tmp_path / "hub" / "datasets--NEU-HAI--OPeRA" / "snapshots" / revision
    Opera().search().results("kettle").view("Red Kettle").person(ANN).write(snapshot)
    code = "from paars_bench.data.sources.opera import build; print(build().log.events.num_rows)"
    env = os.environ | {"HF_HOME": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=env, check=True)
    assert out.stdout == "2\n"
