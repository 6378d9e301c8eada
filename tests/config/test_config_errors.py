"""A broken YAML ends in one sentence that names file, line, key and the nearest valid one."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from paars_bench.config import TaskIndex
from paars_bench.errors import ConfigError, UsageError

GOOD = """\
task: mine
dataset: {cases: query_pairs}
output_type: generate
doc_to_text: "Product: {{ title }}"
doc_to_target: "{{ query }}"
metric_list:
  - {metric: query_similarity, level: individual}
"""


def load(folder: Path, text: str, name: str = "mine") -> object:
    (folder / "mine.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return TaskIndex([folder]).select([name])[0]


def test_the_good_one_loads(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).task == "mine"


# each: what replaces what in GOOD, and what the sentence must hold
BROKEN = {
    "unknown key": ("output_type:", "ouput_type:", ["mine.yaml:3", "'ouput_type'", "'output_type'"]),
    "unknown nested key": ("cases:", "case:", ["mine.yaml:2", "'case'", "'cases'"]),
    "unknown strata key": (
        "level: individual}",
        "level: individual, strata: {by: query_perplexity, bin: 5}}",
        ["mine.yaml:7", "'bin'", "'bins'"],
    ),
    "a server that is no task's business": (
        "metric_list:",
        "generation_kwargs: {base_url: 'http://elsewhere/v1'}\nmetric_list:",
        ["mine.yaml:6", "'base_url'", "temperature"],
    ),
    "a sampling key misspelt": (
        "metric_list:",
        "generation_kwargs: {temprature: 0.5}\nmetric_list:",
        ["mine.yaml:6", "'temprature'", "'temperature'"],
    ),
    "a sampling value of another kind": (
        "metric_list:",
        "generation_kwargs: {max_tokens: lots}\nmetric_list:",
        ["mine.yaml:6", "max_tokens", "'lots'"],
    ),
    "bad value": (
        "output_type: generate",
        "output_type: generat",
        ["mine.yaml:3", "'generat'", "'generate'"],
    ),
    "a word for a number": (
        "metric_list:",
        "min_coverage: '0.9'\nmetric_list:",
        ["mine.yaml:6", "`min_coverage` is '0.9'", "number"],
    ),
    "yes for a count": (
        "metric_list:",
        "session: {max_turns: true}\nmetric_list:",
        ["mine.yaml:6", "`session.max_turns` is True", "integer"],
    ),
    "yes for a weight": (
        "level: individual}",
        "level: individual, weight: true}",
        ["mine.yaml:7", "`metric_list.0.weight` is True", "number"],
    ),
    "a text for a count of bins": (
        "level: individual}",
        "level: individual, strata: {by: query_perplexity, bins: '5'}}",
        ["mine.yaml:7", "bins` is '5'", "integer"],
    ),
    "bad kind": ("query_pairs", "query_pair", ["mine.yaml:2", "'query_pair'", "'query_pairs'"]),
    "wrong output type for the kind": ("generate", "session", ["mine.yaml:3", "'session'", "generate"]),
    "unknown metric": ("query_similarity", "query_similarty", ["mine.yaml:7", "'query_similarity'"]),
    "unknown level": ("individual", "individul", ["mine.yaml:7", "'individul'", "'individual'"]),
    "metric without level": (", level: individual", "", ["mine.yaml:7", "level", "missing"]),
    "missing key": ('doc_to_target: "{{ query }}"\n', "", ["mine.yaml:1", "doc_to_target"]),
    "unknown condition": (
        "task: mine",
        "task: mine\nconditions: [base, persna]",
        ["mine.yaml:2", "'persona'"],
    ),
    "unknown filter": (
        "task: mine",
        "task: mine\nfilter_list: [{filter: frst_line}]",
        [":2", "'first_line'"],
    ),
    "filter option": ("task: mine", "task: mine\nfilter_list: [{filter: strip, x: 1}]", [":2", "'x'"]),
    "number without options": ("task: mine", "task: mine\nfilter_list: [{filter: number}]", [":2", "choose"]),
    "regex that does not parse": (
        "task: mine",
        'task: mine\nfilter_list: [{filter: regex, pattern: "(?P<a>x"}]',
        [":2", "regex", "missing )"],
    ),
    "regex with an unnamed group": (
        "task: mine",
        'task: mine\nfilter_list: [{filter: regex, pattern: "(x)(?P<a>y)"}]',
        [":2", "(?P<answer>"],
    ),
    "coverage out of range": ("task: mine", "task: mine\nmin_coverage: 98", [":2", "min_coverage", "98"]),
    "no metrics": ("\n  - {metric: query_similarity, level: individual}", " []", [":6", "metric_list"]),
    "Jinja syntax": ("{{ title }}", "{{ title", ["mine.yaml:4", "doc_to_text"]),
    "unknown variable": ("{{ title }}", "{{ titel }}", ["mine.yaml:4", "'titel'", "'title'"]),
    "the answer in the prompt": ("{{ title }}", "{{ query }}", ["mine.yaml:4", "'query'"]),
    "unknown Jinja filter": ("{{ title }}", "{{ title | shout }}", ["mine.yaml:4", "shout"]),
    "chance in a prompt": ("{{ title }}", "{{ title | random }}", ["mine.yaml:4", "random"]),
    "a template that loads another": ("{{ title }}", "{% include 'x' %}", ["mine.yaml:4", "loads"]),
    "variable in the system text": ("task: mine", 'task: mine\nsystem_text: "{{ title }}"', [":2", "none"]),
    "missing template": ('"Product: {{ title }}"', "{file: nothing.j2}", ["mine.yaml:4", "'nothing.j2'"]),
    "template outside": ('"Product: {{ title }}"', "{file: ../../etc/passwd}", ["mine.yaml:4", "outside"]),
    "duplicate key": (
        "output_type: generate",
        "output_type: generate\ntask: again",
        [":4", "'task'", "line 1"],
    ),
    "Python tag": ("task: mine", "task: !!python/object/apply:os.system [id]", ["mine.yaml:1", "python"]),
    "merge key": ("task: mine", "<<: {a: 1}\ntask: mine", ["mine.yaml:1", "include"]),
    "not YAML": ("task: mine", "task: mine: other", ["mine.yaml:1", "YAML"]),
    "tab": ("task: mine", "task: mine\n\tx: 1", ["mine.yaml:2", "YAML"]),
    "bad name": ("task: mine", "task: My Task", ["mine.yaml:1", "'My Task'"]),
    "reserved name": ("task: mine", "task: all", ["mine.yaml:1", "'all'"]),
    "include of nothing": ("task: mine", "task: mine\ninclude: nope.yaml", ["mine.yaml:2", "nope.yaml"]),
    "include of itself": ("task: mine", "task: mine\ninclude: mine.yaml", ["mine.yaml:2", "circle"]),
    "include outside": ("task: mine", "task: mine\ninclude: ../outside.yaml", ["mine.yaml:2", "leaves"]),
}


@pytest.mark.parametrize(("old", "new", "told"), BROKEN.values(), ids=BROKEN)
def test_broken_yaml(tmp_path: Path, old: str, new: str, told: list[str]) -> None:
    (tmp_path / "outside.yaml").write_text("description: x\n")
    folder = tmp_path / "tasks"
    folder.mkdir()
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load(folder, GOOD.replace(old, new, 1), "all")
    sentence = str(caught.value)
    assert "\n" not in sentence
    for part in told:
        assert part in sentence


def test_a_line_inside_a_template_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "p.j2").write_text("one\ntwo {{ titel }}\n")
    with pytest.raises(ConfigError, match=r"p\.j2:2: .*'titel'.*'title'"):
        load(tmp_path, GOOD.replace('"Product: {{ title }}"', "{file: p.j2}"))


def test_a_line_inside_a_block_is_named(tmp_path: Path) -> None:
    block = "|\n  Product\n  {{ titel }}"
    with pytest.raises(ConfigError, match=r"mine\.yaml:6: "):
        load(tmp_path, GOOD.replace('"Product: {{ title }}"', block))


def test_aliases_that_grow_without_end_are_refused(tmp_path: Path) -> None:
    bomb = "metadata:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"  a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
    with pytest.raises(ConfigError, match="aliases"):
        load(tmp_path, GOOD + bomb)


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", b"\xff\xfe\x00", b"just text\n"])
def test_a_file_that_is_no_mapping(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"odd\.yaml"):
        TaskIndex([tmp_path]).select(["odd"])


@pytest.mark.parametrize("name", ["query_generaton", "queri", "Query"])
def test_an_unknown_task_names_the_nearest(name: str) -> None:
    with pytest.raises(UsageError, match=rf"'{name}'.*'query_generation'.*ls tasks"):
        TaskIndex().select([name])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        TaskIndex([tmp_path / "nope"])
