"""What the name after --model means."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from paars_bench.backbones.aliases import aliases, provider_keys, resolve
from paars_bench.backbones.baselines import SCRIPTED
from paars_bench.errors import UsageError


def listed() -> set[str]:
    spec = find_spec("litellm")
    assert spec is not None
    assert spec.submodule_search_locations
    prices = Path(spec.submodule_search_locations[0]) / "model_prices_and_context_window_backup.json"
    return {k for k, v in json.loads(prices.read_text()).items() if v.get("mode") in ("chat", "responses")}


@pytest.mark.parametrize("alias", aliases())
def test_an_alias_is_a_model_that_litellm_lists(alias: str) -> None:
    resolved = resolve(alias)
    provider, _, model = resolved.litellm_model.partition("/")
    assert resolved.kind == "litellm"
    assert {resolved.litellm_model, model} & listed()
    assert resolved.key_env is not None
    assert resolved.key_env in provider_keys()
    assert provider


def test_local_and_baselines() -> None:
    assert resolve("local").kind == "local"
    assert resolve("local").path is None
    assert resolve("local:some/m.gguf").path == Path("some/m.gguf")
    for name in SCRIPTED:
        assert (resolve(name).kind, resolve(name).name) == ("scripted", name)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("openai/gpt-5.6", "OPENAI_API_KEY"),
        ("gpt-4o-mini", "OPENAI_API_KEY"),
        ("claude-haiku-4-5", "ANTHROPIC_API_KEY"),
        ("ollama/llama3", None),
        ("newprovider/new-model", None),
    ],
)
def test_other_names_pass_as_they_are(name: str, key: str | None) -> None:
    resolved = resolve(name)
    assert (resolved.litellm_model, resolved.kind, resolved.key_env) == (name, "litellm", key)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("claud", "'claude'"),
        ("Claude", "'claude'"),
        ("rndom", "'random'"),
        ("lokal", "'local'"),
        ("gemni", "'gemini'"),
    ],
)
def test_an_unknown_word_names_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UsageError, match=near):
        resolve(name)


def test_local_without_a_file() -> None:
    with pytest.raises(UsageError, match=r"local:PATH\.gguf"):
        resolve("local:")
