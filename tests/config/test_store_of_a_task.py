"""The store of a task: settings inline or in a file beside it, checked when the task is, and recorded with the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from paars_bench.config import TaskIndex, TaskSpec
from paars_bench.errors import ConfigError
from paars_bench.store import default_settings

TASK = """\
task: mine
dataset: {cases: sessions}
output_type: session
doc_to_text: "Shop. {{ tools }}"
doc_to_target: ""
metric_list: [{metric: no_purchase, level: group}]
"""


def loaded(folder: Path, session: str, **files: str) -> TaskSpec:
    (folder / "mine.yaml").write_text(f"{TASK}session: {session}\n")
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    (spec,) = TaskIndex(include_path=(folder,)).select(["mine"])
    return spec


def test_a_task_that_names_none_has_the_store_as_shipped(tmp_path: Path) -> None:
    assert loaded(tmp_path, "{max_turns: 5}").session.store == default_settings()


def test_settings_stand_in_the_task_or_in_a_file_beside_it(tmp_path: Path) -> None:
    inline = loaded(tmp_path, "{store: {page_size: 5, features: {popularity: 3}}}").session.store
    filed = loaded(tmp_path, "{store: {file: _shop.yaml}}", _shop="page_size: 5\nfeatures: {popularity: 3}\n")
    assert inline == filed.session.store and inline.digest == filed.session.store.digest
    assert (inline.page_size, inline.features.popularity, inline.fields.title) == (5, 3, 3)


@pytest.mark.parametrize(
    ("session", "words"),
    [
        ("{store: {page_sise: 5}}", "mine.yaml:7: unknown key 'page_sise': did you mean 'page_size'"),
        ("{store: {features: {popularty: 5}}}", "mine.yaml:7: unknown key 'popularty': did you mean 'popularity'"),
        ("{store: {file: _shp.yaml}}", "mine.yaml:7: `session.store` names the file '_shp.yaml'.*'_shop.yaml'"),
        ("{store: {file: ../_shop.yaml}}", "outside the folder of the tasks"),
        ("{store: {file: 3}}", "takes settings or {file: NAME}"),
        (
            "{store: {file: _shop.yaml, page_size: 3}}",
            "mine.yaml:7: `session.store` has 'page_size' beside `file`, which stands alone: .*'_shop.yaml'",
        ),
        ("{store: {page_size: true}}", "mine.yaml:7: `session.store.page_size` is True: .*integer"),
        ("{store: {file: _text.yaml}}", "_text.yaml:1: `page_size` is '5': .*integer"),
        ("{store: {file: _broken.yaml}}", "_broken.yaml:2: .*less than or equal to 100"),
        ("{store: cheap}", "mine.yaml:7: `session.store` is 'cheap'"),
        ("{page_size: 5}", "mine.yaml:7: in `session`: unknown key 'page_size'"),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_the_nearest_key(tmp_path: Path, session: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        loaded(tmp_path, session, _shop="page_size: 5\n", _broken="seed: 1\npage_size: 500\n", _text="page_size: '5'\n")
