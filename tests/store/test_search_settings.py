from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from paars_bench.config import TaskIndex
from paars_bench.config.store_settings import StoreSettings, default_settings, load_store_settings
from paars_bench.errors import ConfigError
from paars_bench.paths import task_configs_dir


def written(folder: Path, text: str) -> Path:
    file = folder / "store.yaml"
    file.write_text(text, "utf-8")
    return file


def test_the_shipped_file_says_every_setting_as_it_is() -> None:
    said = yaml.safe_load((task_configs_dir() / "_store" / "default.yaml").read_text("utf-8"))
    assert said == StoreSettings().model_dump() and default_settings() == StoreSettings()


def test_the_shipped_store_ranks_by_text_alone() -> None:
    features = default_settings().features.model_dump(exclude={"window"})
    assert set(features.values()) == {0}


def test_a_store_file_is_no_task() -> None:
    assert not TaskIndex().problems()
    assert not [e.file for e in TaskIndex().entries if "_store" in e.file.parts]


def test_a_file_says_only_what_differs(tmp_path: Path) -> None:
    settings = load_store_settings(written(tmp_path, "features: {sponsored: 2}\npages: {bullets: 2}\n"))
    assert settings.features.sponsored == 2 and settings.pages.bullets == 2 and settings.fields.title == 3


def test_the_digest_is_of_the_values_not_of_the_file(tmp_path: Path) -> None:
    same = load_store_settings(written(tmp_path, "seed: 0\nfields: {title: 3}\n"))
    other = load_store_settings(written(tmp_path, "fields: {title: 3.5}\n"))
    assert same.digest == StoreSettings().digest != other.digest
    assert StoreSettings.model_validate(other.model_dump(mode="json")) == other


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("page_sise: 5\n", r"store.yaml:1: unknown key 'page_sise': did you mean 'page_size'"),
        ("seed: 1\nfeatures:\n  popularty: 1\n", r"store.yaml:3: unknown key 'popularty': did you mean 'popularity'"),
        ("fields: {title: -1}\n", r"store.yaml:1: `fields.title` is -1: .*greater than or equal to 0"),
        ("pages:\n  bullets: many\n", r"store.yaml:2: `pages.bullets` is 'many': .*integer"),
        ("seed: 1\npage_size: true\n", r"store.yaml:2: `page_size` is True: .*integer"),
        ("page_size: '10'\n", r"store.yaml:1: `page_size` is '10': .*integer"),
        ("page_size: 10.0\n", r"store.yaml:1: `page_size` is 10.0: .*integer"),
        ("features: {price: false}\n", r"store.yaml:1: `features.price` is False: .*number"),
        ("fields: {title: '3'}\n", r"store.yaml:1: `fields.title` is '3': .*number"),
        ("badges: {top_rated: 1}\n", r"store.yaml:1: `badges.top_rated` is 1: .*boolean"),
        (
            "seed: 1\nfields: {title: 0, brand: 0, category: 0, bullets: 0, description: 0}\n",
            r"store.yaml:2: `fields` is .*every field has weight 0",
        ),
        ("- a\n", "a store YAML is a mapping"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_nearest_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_store_settings(written(tmp_path, text))
