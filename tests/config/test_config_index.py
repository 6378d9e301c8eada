"""Which tasks are found, and what names, groups, tags and wildcards select."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.config import TaskIndex, keys
from paars_bench.config.metrics import METRICS
from paars_bench.config.spec import CasesSpec, SessionSpec, TaskSpec, TemplateFile
from paars_bench.config.templates import compile_template
from paars_bench.data.cases import CaseKind
from paars_bench.errors import ConfigError

PAPER = ["item_selection_group", "item_selection_individual", "query_generation", "session_generation"]
VALUES = {
    "query_pairs": {"title": "A mug", "category": "Kitchen"},
    "item_choices": {"options": [{"number": n, "title": f"Item {n}", "category": "C"} for n in range(1, 5)]},
    "rank_choices": {
        "query": "mug",
        "results": [
            {"rank": n, "title": f"Item {n}", "price": 9.5, "rating": None, "review_count": None} for n in range(1, 11)
        ],
    },
    "sessions": {"intention": "", "tools": "search, leave", "leaving": "in_reply"},
}


def task(name: str, more: str = "") -> str:
    return f"include: query_generation.yaml\ntask: {name}\n{more}"


def test_the_four_tasks_of_the_paper() -> None:
    index = TaskIndex()
    assert index.names() == PAPER
    assert index.problems() == []
    groups = index.groups()
    assert groups["all"] == groups["paars"] == PAPER
    assert set(groups["individual"]) == {"item_selection_individual", "query_generation"}
    assert set(groups["group"]) == {"item_selection_group", "query_generation", "session_generation"}


@pytest.mark.parametrize("name", PAPER)
def test_a_built_in_task_renders_from_its_variables_alone(name: str) -> None:
    (spec,) = TaskIndex().select([name])
    text = compile_template(str(spec.doc_to_text)).render(**VALUES[spec.dataset.cases])
    assert "{{" not in text
    assert "None" not in text
    assert len(text) < 1_000
    assert spec.version == {"session_generation": "2.1"}.get(name, "1.1")
    assert {m.metric for m in spec.metric_list} <= set(METRICS)


def test_every_metric_is_used_by_a_task() -> None:
    assert {m.metric for s in TaskIndex().select(["all"]) for m in s.metric_list} == set(METRICS)


def test_key_tables_are_the_fields_of_the_spec() -> None:
    assert set(keys.TASK_KEYS) == set(TaskSpec.model_fields)
    required = {k for k, f in TaskSpec.model_fields.items() if f.is_required()}
    assert set(keys.REQUIRED_TASK_KEYS) == required - {"task"}
    for key, model in (("dataset", CasesSpec), ("session", SessionSpec), ("doc_to_text", TemplateFile)):
        assert set(keys.NESTED_KEYS[key]) == set(model.model_fields)
    for table in (keys.PROMPT_VARIABLES, keys.TARGET_VARIABLES, keys.OUTPUT_TYPES):
        assert set(table) == {k.value for k in CaseKind}


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["all"], PAPER),
        (["item_*"], PAPER[:2]),
        (["session_generation", "item_selection_group"], ["session_generation", "item_selection_group"]),
        (
            ["query_generation", "individual", "query_generation"],
            ["query_generation", "item_selection_individual"],
        ),
        (["*_generation"], ["query_generation", "session_generation"]),
    ],
)
def test_select(patterns: list[str], expected: list[str]) -> None:
    assert [s.task for s in TaskIndex().select(patterns)] == expected


@given(st.lists(st.sampled_from([*PAPER, "all", "paars", "group", "individual", "*_selection_*"]), max_size=5))
def test_a_task_is_selected_once_whatever_is_asked(patterns: list[str]) -> None:
    found = [s.task for s in TaskIndex().select(patterns)]
    assert len(found) == len(set(found))
    assert bool(found) == bool(patterns)


def test_include_overrides_key_by_key(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(task("base_task", "generation_kwargs: {temperature: 1e-1}\ntag: [a]\n"))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "mine.yaml").write_text(
        "include: ../base.yaml\ntask: mine\ntag: [b]\ndoc_to_text: {file: p.j2}\n"
    )
    (tmp_path / "sub" / "p.j2").write_text("Guess: {{ title }}")
    mine, built_in = TaskIndex([tmp_path]).select(["mine", "query_generation"])
    assert mine.generation_kwargs == {"temperature": 0.1}  # the whole key, from the nearer file
    assert mine.tag == ["b"]
    assert mine.doc_to_text == "Guess: {{ title }}"
    assert mine.metric_list == built_in.metric_list
    assert mine.system_text == built_in.system_text


def test_later_includes_win(tmp_path: Path) -> None:
    (tmp_path / "_one.yaml").write_text("description: one\nmin_coverage: 0.5\n")
    (tmp_path / "_two.yaml").write_text("description: two\n")
    (tmp_path / "mine.yaml").write_text("include: [query_generation.yaml, _one.yaml, _two.yaml]\ntask: mine\n")
    (mine,) = TaskIndex([tmp_path]).select(["mine"])
    assert (mine.description, mine.min_coverage) == ("two", 0.5)


def test_groups_may_hold_tags_groups_and_wildcards(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(task("mine", "tag: [special]\n"))
    (tmp_path / "g1.yaml").write_text("group: outer\ntask: [inner, item_*]\n")
    (tmp_path / "g2.yaml").write_text("group: inner\ntask: [special]\n")
    index = TaskIndex([tmp_path])
    assert index.groups()["outer"] == ["mine", *PAPER[:2]]
    assert [s.task for s in index.select(["outer"])] == ["mine", *PAPER[:2]]


@pytest.mark.parametrize(
    ("members", "told"),
    [("[query_generatio]", "'query_generation'"), ("[loop]", "holds itself"), ("[]", "list")],
)
def test_a_broken_group(tmp_path: Path, members: str, told: str) -> None:
    (tmp_path / "g.yaml").write_text(f"group: loop\ntask: {members}\n")
    index = TaskIndex([tmp_path])
    assert any(told in p and "g.yaml:2" in p for p in index.problems())
    with pytest.raises(ConfigError, match=told):
        index.select(["loop"])
    assert [s.task for s in index.select(["paars"])] == PAPER


def test_a_name_taken_twice_names_both_files(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(task("query_generation"))
    with pytest.raises(ConfigError) as caught:
        TaskIndex([tmp_path]).select(["query_generation"])
    assert str(tmp_path / "mine.yaml") in str(caught.value)
    assert "task_configs" in str(caught.value)


def test_a_broken_file_hurts_only_those_who_select_it(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(task("bad", "tag: [mine]\nnonsense: 1\n"))
    (tmp_path / "good.yaml").write_text(task("good", "tag: [mine]\n"))
    index = TaskIndex([tmp_path])
    assert "good" in index.names()
    assert "bad" not in index.names()
    assert [s.task for s in index.select(["good"])] == ["good"]
    for pattern in ("bad", "mine", "all", "b*"):
        with pytest.raises(ConfigError, match="nonsense"):
            index.select([pattern])


def test_values_are_checked_in_the_deep_look_at_users_tasks(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(task("bad", "min_coverage: many\n"))
    assert TaskIndex([tmp_path]).problems() == []
    assert "bad.yaml:3" in TaskIndex([tmp_path]).problems(deep=True)[0]


def test_the_same_folder_twice_is_one(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(task("mine"))
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    index = TaskIndex([tmp_path, tmp_path / "."])
    assert index.names().count("mine") == 1
